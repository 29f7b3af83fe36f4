"""Git bundles: a repository's history in one file."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.adapters.git import Git, unbundle
from kuroshio.errors import RepositoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def opened(path: Path) -> Iterator[Git]:
    """Give the repository at ``path``: a working tree, a bare repository, or a bundle, which is unpacked and removed again."""
    if not path.is_file():
        if not path.exists():
            raise RepositoryUnreadable(f"{path} does not exist")
        yield Git(path)
        return
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        yield unbundle(path, Path(folder))
