"""A disk of its own for a server's data: of a size that can be filled, and one that can fail. Needs Linux and root."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.engine import EngineError

if TYPE_CHECKING:
    from pathlib import Path

_LET_GO_S, _LOOK_S = 20.0, 0.1
_BALLAST = ".ballast"


@dataclass(frozen=True)
class Disk:
    """An ext4 image ``image``, mounted at ``folder``."""

    image: Path
    folder: Path

    @classmethod
    def under(cls, folder: Path, megabytes: int) -> Disk:
        """Put a disk under a folder that no process uses; what is in the folder is on the disk then."""
        if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
            raise EngineError("a disk that fails needs root and mkfs.ext4 (Debian: e2fsprogs)")
        disk, aside = cls(folder.with_name(f"{folder.name}.ext4"), folder), folder.with_name(f"{folder.name}.aside")
        with disk.image.open("wb") as image:
            image.truncate(megabytes * 2**20)
        _do("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", str(disk.image))
        folder.rename(aside)
        folder.mkdir()
        disk.mount()
        shutil.copytree(aside, folder, dirs_exist_ok=True, copy_function=_copied)
        for name in ("", *(str(path.relative_to(aside)) for path in aside.rglob("*"))):
            owner = (aside / name).stat()
            os.chown(folder / name, owner.st_uid, owner.st_gid)
        shutil.rmtree(aside)
        return disk

    def renew(self) -> None:
        """After ``fail``: another device with what was on this one. Nobody may use it."""
        self.unmount()
        self.mount()

    def mount(self) -> None:
        """Put it under its folder."""
        _do("mount", "-o", "loop", str(self.image), str(self.folder))

    def unmount(self) -> None:
        """Take it away; nobody may use it. What was killed a moment ago may still be letting go of it."""
        until = time.monotonic() + _LET_GO_S
        while self.folder.is_mount():
            done = subprocess.run(["umount", str(self.folder)], check=False, capture_output=True, text=True)
            if done.returncode and time.monotonic() > until:
                raise EngineError(f"{self.folder} stays mounted: {done.stderr.strip()}")
            time.sleep(_LOOK_S * bool(done.returncode))

    def fill(self) -> None:
        """Leave not a byte free."""
        with (self.folder / _BALLAST).open("ab", buffering=0) as ballast:
            for size in (2**20, 2**12, 1):
                try:
                    while True:
                        ballast.write(bytes(size))
                except OSError:
                    continue

    def free(self) -> None:
        """Give back what ``fill`` took."""
        (self.folder / _BALLAST).unlink(missing_ok=True)

    def fail(self) -> None:
        """From now on it can only be read, as after an error of the device: ext4's own switch for trying that.

        What was written before is kept: a disk that forgets is another fault.
        """
        _do("sync", "--file-system", str(self.folder))
        _do("mount", "-o", "remount,abort", str(self.folder))


def _copied(source: str, target: str) -> None:
    shutil.copy2(source, target)


def _do(*command: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise EngineError(f"{' '.join(command)}: {done.stderr.strip()}")
