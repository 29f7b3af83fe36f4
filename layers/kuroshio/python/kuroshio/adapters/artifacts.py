"""Built artifacts, identified: a folder, a zip, a state machine's definition, or an image by its digest."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.changes import identity
from kuroshio.changes.identity import File
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.identity import Identity

_DEFINITIONS = (".json", ".yaml", ".yml")


def identify(named: str) -> Identity:
    """Return the identity of what a path, or an image's ``repository@sha256:…``, names.

    Raises InvalidRequest for a tag and for what is none of these; TemplateUnreadable for a damaged definition.
    """
    path = Path(named)
    if path.is_dir():
        return identity.of_files(dict(_files(path)))
    if path.is_file() and path.suffix == ".zip":
        return identity.of_zip(path.read_bytes())
    if path.is_file() and path.suffix in _DEFINITIONS:
        return identity.of_definition(path.read_bytes())
    if path.exists() or "sha256:" not in named:
        raise InvalidRequest(f"{named} is no folder, zip, definition (.json, .yaml) or image by digest")
    return identity.of_image(named)


def _files(folder: Path) -> Iterator[tuple[str, File]]:
    """Yield what a package of the folder would hold. Links are what they say, never followed."""
    for at, folders, names in os.walk(folder):
        for name in sorted([*names, *(each for each in folders if Path(at, each).is_symlink())]):
            path = Path(at, name)
            inside = path.relative_to(folder).as_posix()
            if path.is_symlink():
                yield inside, File(os.fsencode(path.readlink()), "120000")
            else:
                is_executable = path.stat().st_mode & stat.S_IXUSR
                yield inside, File(path.read_bytes(), "100755" if is_executable else "100644")
