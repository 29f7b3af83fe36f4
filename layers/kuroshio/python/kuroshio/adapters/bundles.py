"""Git bundles: a repository's history in one file, handed in through S3 or given on the command line."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.adapters.git import Git
from kuroshio.changes.timing import Stopwatch
from kuroshio.errors import LimitExceeded, RepositoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.response import StreamingBody

# Bundle and unpacked objects lie side by side in a function's /tmp, which has 512 MB unless it is given more.
MAX_BYTES = 200 * 1024 * 1024
_CHUNK = 1 << 20
# Less than the function's own time, so that its end is an error with a name.
_GIT_TIMEOUT_S = 60


class S3Bundles:
    """Bundles in a bucket, fetched and unpacked against the clock. Implements ``changes.ports.Bundles``."""

    def __init__(self, bucket: str, watch: Stopwatch | None = None, *, max_bytes: int = MAX_BYTES) -> None:
        self._bucket = bucket
        self._watch = watch or Stopwatch()
        self._max_bytes = max_bytes

    @contextmanager
    def opened(self, key: str) -> Iterator[Git]:
        """Give the repository in the bundle ``key``, unpacked in a private folder that is removed afterwards."""
        with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
            bundle = Path(folder) / "bundle"
            with self._watch.part("fetch"), bundle.open("wb") as file:
                self._fetch(key, file)
            with self._watch.part("unpack"):
                repository = _unbundled(bundle, Path(folder))
            yield repository

    def put(self, key: str, bundle: Path) -> None:
        """Hand a bundle in. The same key again replaces it: its content is the same commits.

        Raises LimitExceeded when it is larger than the workflow reads.
        """
        size = bundle.stat().st_size
        if size > self._max_bytes:
            raise LimitExceeded(f"the bundle has {size:,} bytes; at most {self._max_bytes:,} are read")
        with bundle.open("rb") as file, aws.translated(f"writing the bundle s3://{self._bucket}/{key}"):
            aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=file)

    def _fetch(self, key: str, file: IO[bytes]) -> None:
        with aws.translated(f"reading the bundle s3://{self._bucket}/{key}"):
            found = aws.client("s3").get_object(Bucket=self._bucket, Key=key)
            self._check(key, found["ContentLength"])
            self._copy(key, found["Body"], file)

    def _copy(self, key: str, body: StreamingBody, file: IO[bytes]) -> None:
        size = 0
        for chunk in body.iter_chunks(_CHUNK):
            size += len(chunk)
            self._check(key, size)
            file.write(chunk)

    def _check(self, key: str, size: int) -> None:
        if size > self._max_bytes:
            raise LimitExceeded(f"the bundle {key} has {size:,} bytes or more; at most {self._max_bytes:,} are read")


@contextmanager
def opened(path: Path) -> Iterator[Git]:
    """Give the repository at ``path``: a working tree, a bare repository, or a bundle, unpacked and removed again."""
    if not path.is_file():
        if not path.exists():
            raise RepositoryUnreadable(f"{path} does not exist")
        yield Git(path)
        return
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        yield _unbundled(path, Path(folder))


def _unbundled(bundle: Path, folder: Path) -> Git:
    repository = folder / "repository.git"
    repository.mkdir()
    git = Git(repository, timeout_s=_GIT_TIMEOUT_S)
    git.unbundle(bundle)
    return git
