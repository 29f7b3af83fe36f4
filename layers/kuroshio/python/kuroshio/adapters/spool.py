"""The spool of a machine: one small file per message, written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 1_000  # messages


class FileSpool:
    """Implements ``jobs.reporting.Spool`` in a folder of its owner's only: outputs of jobs may be nobody else's business."""

    def __init__(self, folder: Path, most: int = _MOST) -> None:
        """Raises OSError where the folder cannot be made."""
        self._folder, self._most = folder, most
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, job: str, message: str) -> str:
        """Raises OSError where the disk does not take it."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.json"
        self._write(self._folder / name, {"job": job, "message": message})
        waiting = self.waiting()
        for oldest in waiting[: max(0, len(waiting) - self._most)]:
            self.give_up(self.read(oldest)[0], 1)
            self.drop(oldest)
        return name

    def waiting(self) -> list[str]:
        """Names begin with the time, so their order is that of time."""
        return sorted(path.name for path in self._folder.glob("[0-9]*-*.json"))

    def read(self, name: str) -> tuple[str, str]:
        """What another process dropped meanwhile, or what is no message of ours, is two empty texts."""
        document = self._read(self._folder / name)
        return str(document.get("job", "")), str(document.get("message", ""))

    def drop(self, name: str) -> None:
        """Remove the file."""
        (self._folder / name).unlink(missing_ok=True)

    def give_up(self, job: str, count: int) -> None:
        """Count under a lock: several jobs may end at once."""
        with self._locked():
            counts = self._read(self._folder / "given-up")
            self._write(self._folder / "given-up", {**counts, job: int(counts.get(job, 0)) + count})

    def given_up(self, job: str) -> int:
        """The count, of this machine and user, since the spool was made."""
        return int(self._read(self._folder / "given-up").get(job, 0))

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            document = json.loads(path.read_text())
        except (OSError, ValueError):
            return {}
        return document if isinstance(document, dict) else {}

    def _write(self, path: Path, document: Mapping[str, Any]) -> None:
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(document, file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def default_folder(environ: Mapping[str, str]) -> Path:
    """Where programs keep state of their own (XDG), else below the home folder."""
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local/state") / "kuroshio/spool"
