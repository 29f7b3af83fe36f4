"""What a built unit is, as one digest that any machine computes alike, and that AWS can be asked for.

A zip is written so that equal files give equal bytes: names sorted, one date, git's modes, nothing compressed, because
the bytes that zlib makes depend on its version. Its digest is what Lambda calls ``CodeSha256``.
"""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kuroshio.changes.canonical import text
from kuroshio.changes.document import load
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

# The first moment that a zip can name; Lambda sets file times itself.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_MODES = {"100644": 0o100644, "100755": 0o100755, "120000": 0o120777}

_KINDS = ("zip", "image", "definition", "files")
_DIGEST = re.compile(r"(?:.+@)?(sha256:[0-9a-f]{64})")
_MENTION = re.compile(r"\$\{([A-Za-z0-9_.]+)\}")


@dataclass(frozen=True)
class Identity:
    """What was built or is deployed. Two are equal only if they are of one kind.

    ``kind``: "zip" (Lambda's CodeSha256), "image" (the manifest's digest), "definition" (of a state machine), "files".
    """

    kind: str
    digest: str

    def __str__(self) -> str:
        """As it is recorded; ``read`` reads it."""
        return f"{self.kind} {self.digest}"


@dataclass(frozen=True)
class File:
    """A file of a package. ``mode`` is git's: 100644, 100755 or 120000, whose content is the link's target."""

    content: bytes
    mode: str = "100644"


def read(written: str) -> Identity | None:
    """Return the identity that was recorded; None for anything else, such as a digest in somebody's own words."""
    kind, _, digest = written.partition(" ")
    return Identity(kind, digest) if kind in _KINDS and digest else None


def zipped(files: Mapping[str, File]) -> bytes:
    """Return the zip of these files, by path in the package. Equal files give equal bytes, wherever and whenever.

    Raises InvalidRequest for a path that would not stay in the package, and for a mode that git does not have.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        for path in sorted(files, key=lambda path: path.encode("utf-8", "surrogateescape")):
            package.writestr(_entry(path, files[path].mode), files[path].content)
    return buffer.getvalue()


def _entry(path: str, mode: str) -> zipfile.ZipInfo:
    if (
        path.startswith("/")
        or {"", ".", ".."} & set(path.split("/"))
        or any(each in "\0\\" or "\ud800" <= each <= "\udfff" for each in path)
    ):
        raise InvalidRequest(f'"{path}" is no path within a package')
    if mode not in _MODES:
        raise InvalidRequest(f'{path} has mode "{mode}"; a package holds {", ".join(_MODES)}')
    entry = zipfile.ZipInfo(path, _EPOCH)
    entry.create_system = _UNIX  # else the machine that zips decides
    entry.external_attr = _MODES[mode] << 16
    return entry


def of_zip(package: bytes) -> Identity:
    """Identify a zip as Lambda does: base64 of its SHA-256, comparable with ``CodeSha256``."""
    return Identity("zip", base64.b64encode(sha256(package).digest()).decode())


def of_files(files: Mapping[str, File]) -> Identity:
    """Identify files by content, mode and path alone, for layers and instances: no package of them is compared."""
    listed = [[path, file.mode, sha256(file.content).hexdigest()] for path, file in sorted(files.items())]
    return Identity("files", sha256(json.dumps(listed).encode()).hexdigest())


def of_image(reference: str) -> Identity:
    """Identify an image by its digest: ``repository@sha256:…`` or the digest. Raises InvalidRequest for a tag."""
    found = _DIGEST.fullmatch(reference)
    if not found:
        raise InvalidRequest(f'"{reference}" names no digest; a tag may mean another image tomorrow: resolve it first')
    return Identity("image", found[1])


def of_definition(content: bytes, substitutions: Mapping[str, str] | None = None) -> Identity:
    """Identify a state machine by what its definition means once ``substitutions`` are in it.

    Key order, space, comments, YAML or JSON do not matter, so a definition in git and one from DescribeStateMachine can be
    compared. Raises TemplateUnreadable or LimitExceeded when it cannot be read.
    """
    values = substitutions or {}
    if content.lstrip()[:1] == b"{":  # in JSON a mention may stand where a number is meant
        content = _MENTION.sub(
            lambda match: _in_json(match, values), content.decode("utf-8", "surrogateescape")
        ).encode("utf-8", "surrogateescape")
    meaning = _substituted(load(content), values)
    return Identity("definition", sha256(text(meaning).encode("utf-8", "surrogatepass")).hexdigest())


def _in_json(match: re.Match[str], values: Mapping[str, str]) -> str:
    return json.dumps(values[match[1]])[1:-1] if match[1] in values else match[0]


def _substituted(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_substituted(key, values): _substituted(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_substituted(item, values) for item in value]
    return _MENTION.sub(lambda match: values.get(match[1], match[0]), value) if isinstance(value, str) else value
