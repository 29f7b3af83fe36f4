"""What the imports of Python files mean in a tree: Python's own finder, on paths of a commit.

Source: the language reference, chapter 5 (The import system), and ``importlib.machinery.FileFinder``: in each folder
of the search path a package comes before a module, a module before a part of a namespace package.
"""

from __future__ import annotations

import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING

from kuroshio.changes.imports.analysis import Analysis, Import, Kind
from kuroshio.changes.imports.files import is_below
from kuroshio.changes.imports.links import Links
from kuroshio.changes.paths import join, parent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kuroshio.changes.imports.files import Files

_INIT = "__init__"
_COMPILED = (".so", ".pyc", ".pyd")
_MANIFESTS = re.compile(
    r"(?:requirements|constraints)[^/]*\.(?:txt|in)|pyproject\.toml|poetry\.lock|uv\.lock|Pipfile(?:\.lock)?|setup\.(?:py|cfg)"
)

# `-r other.txt`, `-e ../package`, `./package`, `name @ file:../package`
_LOCATION = re.compile(
    r"\s*(?:(?:-[rce]\s*|--(?:requirement|constraint|editable)[\s=]\s*)([^\s#;]+)"
    r"|(?:[\w.-]+(?:\[[^\]]*\])?\s*@\s*)?((?:\.{1,2}/|file:)[^\s;]*|\.{1,2}(?=\s|$)))"
)
# Imported before the handler, from wherever they lie (documentation of the ``site`` module).
_AT_START = {"sitecustomize", "usercustomize"}
_MAX_MANIFEST = 1024 * 1024


class PythonResolver:
    """Resolves the imports of files below one code directory. ``search`` are further folders of the search path."""

    suffixes: tuple[str, ...] = (".py",)

    def __init__(self, files: Files, root: str, search: Sequence[str] = ()) -> None:
        self._files = files
        self._root = root
        self._search = (root, *search)

    def handler(self, handler: str) -> tuple[list[str], str]:
        """Return the files that importing the handler's module loads first, or why it is not known.

        Lambda splits ``folder/module.function`` at the last dot and reads slashes in the rest as dots.
        """
        module, dot, _ = handler.rpartition(".")
        if not dot or not module:
            return [], f"the handler {handler!r} does not name a module and a function"
        found, missing = self._absolute(module.replace("/", ".").split("."))
        if missing or not found:
            return [], f"the handler's module {module} is not in {self._root or 'the repository'}"
        return found, ""

    def entry_point(self, location: str) -> tuple[list[str], str]:
        """Return a file that the function begins with."""
        at = join(self._root, location)
        found = self._files.file(at)
        return ([found], "") if found else ([], f"the entry point {location} is not in the repository")

    def standing(self) -> Links:
        """What every function of the directory leads to.

        Modules that hide one of the standard library's, which any import may load; and the files that say which
        packages are installed beside the code, with what those refer to.
        """
        links = Links()
        links.add(*self._hiding)
        links.manifests.update(self._requirements.manifests)
        links.spans.update(self._requirements.spans)
        return links

    @cached_property
    def _hiding(self) -> list[str]:
        return [file for name in sys.stdlib_module_names | _AT_START for file in self._child(self._root, name)[0]]

    @cached_property
    def _requirements(self) -> Links:
        prefix = f"{self._root}/" if self._root else ""
        own = [path for path in self._files.children(self._root) if _MANIFESTS.fullmatch(path[len(prefix) :])]
        links = Links(manifests=dict.fromkeys(own))
        waiting = own
        while waiting:
            contents = self._files.read([path for path in waiting if path.endswith((".txt", ".in"))], _MAX_MANIFEST)
            waiting = [found for path, content in contents for found in self._referred(path, content, links)]
        return links

    def _referred(self, path: str, content: bytes | None, links: Links) -> Iterator[str]:
        """Yield the further files that a requirements file includes; lead to the folders that it installs."""
        if content is None:
            links.widen("", f"{path} is larger than {_MAX_MANIFEST} bytes and was not read")
            return
        for location in requirements(content.decode("utf-8", "replace")):
            at = join(parent(path), location)
            found = self._files.file(at)
            folder = self._files.folder(at)
            if found and found not in links.manifests:
                links.manifests[found] = None
                yield found
            elif folder is not None:
                links.widen(folder, f"{path} installs {location}")

    def links(self, path: str, analysis: Analysis) -> Links:
        """Resolve what one file says. ``path`` is where Python finds it, before links are followed."""
        links = Links()
        for each in analysis.imports:
            self._resolve(path, each, links)
        for doubt in analysis.doubts:
            links.widen(self._root, f"{path} line {doubt.line} {doubt.message}")
        return links

    def _resolve(self, path: str, each: Import, links: Links) -> None:
        where = f"{path} line {each.line}"
        if each.kind is Kind.RESOURCES:
            links.widen(self._root, f"{where} reads files that lie beside the code", modules=False)
        elif each.kind is Kind.PREFIX:
            self._prefix(path, each, where, links)
        elif each.name.endswith(".py"):
            self._script(path, each, links)
        elif each.name.startswith("."):
            self._relative(path, each, where, links)
        else:
            self._named(each, where, links)

    def _prefix(self, path: str, each: Import, where: str, links: Links) -> None:
        if each.name == ".":
            if _is_init(path):
                links.widen(parent(path), f"{where} computes what `import *` imports")
            return
        self._named(Import(Kind.OPTIONAL, each.name, each.line), where, links)
        for root in self._search:
            folder = self._files.folder(join(root, each.name.replace(".", "/")))
            if folder:
                links.widen(folder, f"{where} imports a module below {each.name} whose name is computed")

    def _script(self, path: str, each: Import, links: Links) -> None:
        for folder in dict.fromkeys((parent(path), *self._search)):
            found = join(folder, each.name)
            if found and self._files.file(found):
                links.add(found)

    def _relative(self, path: str, each: Import, where: str, links: Links) -> None:
        stem = each.name.lstrip(".")
        if not stem and each.kind is Kind.OPTIONAL and not _is_init(path):
            return  # the __all__ of a module names no modules
        folder: str | None = parent(path)
        for _ in range(len(each.name) - len(stem) - 1):
            folder = parent(folder) if folder and folder not in self._search else None
        if folder is None:
            return  # beyond the top-level package: Python raises ImportError
        root = next((root for root in self._search if root == folder or is_below(folder, root)), self._root)
        package = folder[len(root) :].strip("/").split("/") if folder != root else []
        parts = [*package, *stem.split(".")] if stem else package
        self._found(parts, each, where, links, [root])

    def _named(self, each: Import, where: str, links: Links) -> None:
        self._found(each.name.split("."), each, where, links, self._search)

    def _found(self, parts: list[str], each: Import, where: str, links: Links, roots: Sequence[str]) -> None:
        found, missing = self._absolute(parts, roots)
        links.add(*found)
        is_own = bool(found) or (each.name.startswith(".") and bool(parts))
        if missing and each.kind is Kind.MODULE:
            if is_own:
                links.widen(self._root, f"{where} imports {each.name}, which is not in the repository")
            else:
                links.external.update({parts[0]} - sys.stdlib_module_names)
        for name in each.names if not missing else ():
            if name != "*":
                links.add(*self._absolute([*parts, *name.split(".")], roots)[0])

    def _absolute(self, parts: list[str], roots: Sequence[str] | None = None) -> tuple[list[str], bool]:
        """Return the files that importing a dotted name loads, and whether a part of it is missing.

        A missing part below a plain module is not called missing: such a module makes its own submodules, as ``os``
        makes ``os.path``.
        """
        found: list[str] = []
        folders = list(self._search if roots is None else roots)
        for part in parts:
            here, folders = self._in(folders, part)
            found += here
            if not folders:
                # the last part, or below a plain module
                return found, not here
        return found, False

    def _in(self, folders: list[str], part: str) -> tuple[list[str], list[str]]:
        """Find one part in the first folder that has it. Parts of a namespace package are collected from all."""
        spaces: list[str] = []
        for folder in folders:
            files, inner = self._child(folder, part)
            if files:
                return files, [inner] if inner is not None else []
            if inner is not None:
                spaces.append(inner)
        return [], spaces

    def _child(self, folder: str, part: str) -> tuple[list[str], str | None]:
        """Return the files that ``part`` is in ``folder``, and the folder to look for its submodules."""
        at = f"{folder}/{part}" if folder else part
        inits = self._modules(f"{at}/{_INIT}")
        if inits:
            return inits, at
        modules = self._modules(at)
        return modules, None if modules or not self._files.folder(at) else at

    def _modules(self, stem: str) -> list[str]:
        found = [f"{stem}.py"] if self._files.file(f"{stem}.py") else []
        return [*found, *self._compiled.get(stem, ())]

    @cached_property
    def _compiled(self) -> dict[str, list[str]]:
        """Extension modules and byte code without source, by path without their suffixes (as in x.cpython-313.so)."""
        found: dict[str, list[str]] = {}
        for path in self._files.named(*_COMPILED):
            folder, _, name = path.rpartition("/")
            stem = name.partition(".")[0]
            if not folder.endswith("__pycache__"):
                found.setdefault(f"{folder}/{stem}" if folder else stem, []).append(path)
        return found


def _is_init(path: str) -> bool:
    return path.rpartition("/")[2] == f"{_INIT}.py"


def requirements(text: str) -> Iterator[str]:
    """Yield the files and folders that a requirements file names: included files, and packages in folders.

    Source: pip's documentation, "Requirements File Format".
    """
    for line in text.replace("\\\n", " ").splitlines():
        found = _LOCATION.match(line)
        if found:
            yield (found[1] or found[2]).partition("[")[0].removeprefix("file:").removeprefix("//")
