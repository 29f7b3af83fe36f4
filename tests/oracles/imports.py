"""What a handler loads, by the naive reading of lines that only generated code allows."""

from __future__ import annotations

import re
from posixpath import normpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.repository import File

_PYTHON = re.compile(r"^\s*(?:import ([\w.]+)|from ([\w.]+) import (\w+))", re.MULTILINE)
_SCRIPT = re.compile(r"""(?:require\(|from |import |import\()["'](\.[^"']*)["']""")
_ENDS = ("", ".ts", ".js", ".json", "/index.ts", "/index.js")


def of_handler(files: Mapping[str, File], folder: str, handler: str, language: str) -> set[str]:
    """Return the paths that starting a handler loads."""
    module = handler.rpartition(".")[0]
    prefix = f"{folder}/" if folder else ""
    if language == "python":
        return set(_python(files, prefix, module.replace("/", "."), set()))
    if language == "nodejs":
        return set(scripts(files, [f"{prefix}{module}"]))
    return set()


def _python(files: Mapping[str, File], prefix: str, module: str, seen: set[str]) -> Iterator[str]:
    parts = module.split(".")
    for depth in range(1, len(parts) + 1):
        at = prefix + "/".join(parts[:depth])
        for path in (f"{at}.py", f"{at}/__init__.py"):
            if path in files and path not in seen:
                seen.add(path)
                yield path
                for plain, package, member in _PYTHON.findall(files[path].content.decode()):
                    yield from _python(files, prefix, plain or f"{package}.{member}", seen)


def scripts(files: Mapping[str, File], starts: list[str]) -> set[str]:
    """Return the paths that scripts import, at any distance, themselves included."""
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        at = waiting.pop()
        found = next((at + end for end in _ENDS if at + end in files), None)
        if found is None or found in seen:
            continue
        seen.add(found)
        folder = found.rpartition("/")[0]
        names = _SCRIPT.findall(files[found].content.decode())
        waiting += [normpath(f"/{folder}/{name}").strip("/") for name in names]
    return seen
