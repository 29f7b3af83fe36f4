"""What the imports of JavaScript and TypeScript files mean in a tree: as esbuild, Node.js and tsc look for files.

Where these differ, every file that one of them would take is taken. Sources: esbuild's content on "Path resolution",
Node.js "Modules: CommonJS" and "Modules: Packages", the TypeScript handbook on "Module resolution".
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from kuroshio.changes.imports import script_packages
from kuroshio.changes.imports.analysis import Analysis, Import, Kind
from kuroshio.changes.imports.links import Links
from kuroshio.changes.imports.script_configs import split_package, upwards
from kuroshio.changes.imports.script_source import DIALECTS
from kuroshio.changes.paths import join, parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kuroshio.changes.imports.files import Files
    from kuroshio.changes.imports.script_configs import Configs, TsConfig

_ENDINGS = (*DIALECTS, ".json", ".node")
# TypeScript lets its files be imported under the names that they will have when they are compiled.
_WRITTEN_AS = {
    ".js": (".ts", ".tsx"),
    ".jsx": (".tsx", ".ts"),
    ".mjs": (".mts",),
    ".cjs": (".cts",),
}
_DECLARATIONS = (".d.ts", ".d.mts", ".d.cts", ".css")
# Node.js' own modules; they may also be written with "node:" in front.
_BUILT_IN = frozenset(  # as one text: a list of fifty quoted words hides what it says
    """assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain
    events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl
    stream string_decoder sys timers tls trace_events tty url util v8 vm wasi worker_threads zlib""".split()  # noqa: SIM905 - as above
)
_ELSEWHERE = ("node:", "data:", "http:", "https:", "file:", "/")
_MAX_HOPS = 8


class ScriptResolver:
    """Resolves the imports of files that the functions of one code directory are made of.

    ``bundled``: what is deployed is a bundle of exactly the files that are imported, as esbuild makes it. Otherwise the
    directory travels as it is, and files may also be reached by their paths, as workers are.
    """

    suffixes: tuple[str, ...] = tuple(DIALECTS)

    def __init__(self, files: Files, configs: Configs, root: str, *, bundled: bool) -> None:
        self._files = files
        self._configs = configs
        self._root = root
        self._bundled = bundled
        self._of_folder: dict[str, tuple[str, ...]] = {}

    def handler(self, handler: str) -> tuple[list[str], str]:
        """Return the files that the handler's module is, or why it is not known.

        Node.js' runtime splits the last part of ``folder/module.function`` at its first dot.
        """
        folder, _, name = handler.rpartition("/")
        module, dot, _ = name.partition(".")
        if not dot or not module:
            return [], f"the handler {handler!r} does not name a module and a function"
        at = join(self._root, f"{folder}/{module}".lstrip("/"))
        found = self._as_file(at) if at is not None else []
        return found, "" if found else f"the handler's module {folder}/{module} is not in the repository".replace(
            " /", " "
        )

    def entry_point(self, location: str) -> tuple[list[str], str]:
        """Return the files that one of esbuild's ``EntryPoints`` is, or why it is not known."""
        at = join(self._root, location)
        found = self._as_file(at) if at is not None else []
        return found, "" if found else f"the entry point {location} is not in the repository"

    def standing(self) -> Links:
        """What every handler of the directory leads to."""
        return Links(manifests=dict.fromkeys(self._configs.package_files(self._root)))

    def links(self, path: str, analysis: Analysis) -> Links:
        """Resolve what one file says."""
        links = Links(manifests=dict.fromkeys(self._manifests(parent(path))))
        for each in analysis.imports:
            self._resolve(path, each, links)
        source = self._jsx_source(path)
        if source:
            self._module(path, f"{source}/jsx-runtime", f"{path} line 1", links)
        for doubt in analysis.doubts:
            links.widen(self._root, f"{path} line {doubt.line} {doubt.message}")
        if links.external:
            links.manifests.update(dict.fromkeys(self._configs.lock_files(parent(path))))
        return links

    def _manifests(self, folder: str) -> tuple[str, ...]:
        """The configuration files that decide how the files of a folder are compiled."""
        if folder not in self._of_folder:
            config = next(self._configs.tsconfigs(folder), None)
            self._of_folder[folder] = (*self._configs.package_files(folder), *(config.files if config else ()))
        return self._of_folder[folder]

    def _resolve(self, path: str, each: Import, links: Links) -> None:
        where = f"{path} line {each.line}"
        if each.kind is Kind.RESOURCES:
            if not self._bundled:
                links.widen(self._root, f"{where} reads files that lie beside the code", modules=False)
        elif each.kind is Kind.OPTIONAL:
            if not self._bundled:
                self._mention(path, each.name, links)
        elif each.kind is Kind.PREFIX:
            self._prefix(path, each.name, where, links)
        elif each.kind is Kind.MODULE or self._keeps_type_imports(parent(path)):
            self._module(path, each.name, where, links)

    def _keeps_type_imports(self, folder: str) -> bool:
        config = next(self._configs.tsconfigs(folder), None)
        return config is not None and config.keeps_type_imports

    def _jsx_source(self, path: str) -> str:
        config = next(self._configs.tsconfigs(parent(path)), None) if path.endswith("x") else None
        return config.jsx_source if config else ""

    def _mention(self, path: str, name: str, links: Links) -> None:
        for folder in dict.fromkeys((parent(path), self._root)):
            at = join(folder, name)
            links.add(*(self._as_file(at) if at is not None else []))

    def _prefix(self, path: str, prefix: str, where: str, links: Links) -> None:
        """A relative name that is computed from some point on: all that lies in the folder up to there."""
        folder = self._files.folder(join(parent(path), prefix.rpartition("/")[0]))
        if folder is None:
            links.widen(self._root, f"{where} imports a computed name below {prefix}, which is not in the repository")
        else:
            links.widen(folder, f"{where} imports a module whose name begins with {prefix} and is computed")

    def _module(self, path: str, name: str, where: str, links: Links) -> None:
        if name.startswith(_ELSEWHERE) or not name:
            return
        if name in (".", "..") or name.startswith(("./", "../")):
            self._relative(path, name, where, links)
        else:
            self._bare(path, name, where, links)

    def _relative(self, path: str, name: str, where: str, links: Links) -> None:
        at = join(parent(path), name)
        if at is None:
            links.widen(self._root, f"{where} imports {name}, which lies outside the repository")
        elif not self._locate(at, where, links, folder_only=name.endswith(("/", "/.", "/..")) or name in (".", "..")):
            submodule = self._files.submodule(at)
            if submodule:
                links.manifests[submodule] = None
            reason = f"in the submodule {submodule}" if submodule else "not in the repository"
            links.widen(self._root, f"{where} imports {name}, which is {reason}")

    def _bare(self, path: str, name: str, where: str, links: Links) -> None:
        if self._by_tsconfig(path, name, where, links):
            return
        if name.startswith("#"):
            if not self._by_imports(path, name, where, links):
                links.widen(self._root, f"{where} imports {name}, which no package.json around it defines")
            return
        self._package(path, name, where, links)

    def _by_tsconfig(self, path: str, name: str, where: str, links: Links) -> bool:
        """Resolve by ``paths`` and ``baseUrl``. Whether the nearest configuration has the answer; others may add."""
        for index, config in enumerate(self._configs.tsconfigs(parent(path))):
            found = next((at for at in _mapped(config, name) if self._locate(at, where, links)), None)
            if found is None and config.base_url is not None:
                at = join(config.base_url, name)
                found = at if at is not None and self._locate(at, where, links) else None
            if found is not None:
                links.manifests.update(dict.fromkeys(config.files))
                if not index:
                    return True
        return False

    def _by_imports(self, path: str, name: str, where: str, links: Links, *, hops: int = _MAX_HOPS) -> bool:
        for folder in upwards(parent(path)):
            document = self._configs.package(folder)
            if document is None:
                continue
            targets = script_packages.targets(document.get("imports"), name)
            located = [join(folder, target) for target in targets if target.startswith("./")]
            found = [at is not None and self._locate(at, where, links) for at in located]
            found += [self._to_other(path, target, where, links, hops) for target in targets if target[:1] != "."]
            return any(found)  # the nearest package.json decides
        return False

    def _to_other(self, path: str, target: str, where: str, links: Links, hops: int) -> bool:
        """Follow `imports` from a name to another name, or to a package."""
        if target.startswith("#"):
            return hops > 0 and self._by_imports(path, target, where, links, hops=hops - 1)
        self._module(path, target, where, links)
        return True

    def _package(self, path: str, name: str, where: str, links: Links) -> None:
        package, inner = split_package(name)
        folders = self._package_folders(parent(path), package)
        for folder in folders:
            if not self._in_package(folder, inner, where, links):
                links.widen(
                    folder, f"{where} imports {name}, which is built from {folder or 'this repository'} by other means"
                )
        if not folders and package not in _BUILT_IN:
            links.external.add(package)

    def _package_folders(self, importer: str, package: str) -> list[str]:
        """Where a package lies in this repository: checked-in node_modules, ``file:`` dependencies, workspaces."""
        installed = (self._files.folder(f"{above}/node_modules/{package}".lstrip("/")) for above in upwards(importer))
        found = [folder for folder in installed if folder is not None][:1]
        named = self._configs.local_dependencies(importer, package)
        found += [folder for at in named if (folder := self._files.folder(at)) is not None]
        for name in {package, self._configs.workspace_alias(importer, package)}:
            found += self._configs.packages.get(name, [])
        return list(dict.fromkeys(found))

    def _in_package(self, folder: str, inner: str, where: str, links: Links) -> bool:
        """Resolve a path in a package. Whether all that it may mean is in the tree."""
        document = self._configs.package(folder) or {}
        links.manifests.update(dict.fromkeys(self._configs.package_files(folder)[:1]))
        if document.get("exports") is not None:
            targets = script_packages.targets(document["exports"], f"./{inner}" if inner else ".")
            located = [join(folder, target) for target in targets]
            if located:
                return all([at is not None and self._locate(at, where, links) for at in located])  # noqa: C419 - locate them all
        if inner:
            at = join(folder, inner)
            return at is not None and self._locate(at, where, links)
        return self._as_folder(folder, where, links, _MAX_HOPS)

    def _locate(self, at: str, where: str, links: Links, *, folder_only: bool = False, hops: int = _MAX_HOPS) -> bool:
        """Lead to the file or folder at a path, as one would import it. Whether there is one."""
        found = [] if folder_only else self._as_file(at)
        links.add(*found)
        links.manifests.update(dict.fromkeys(self._files.links(at)))
        if found:
            return True
        folder = self._files.folder(at)
        return folder is not None and self._as_folder(folder, where, links, hops)

    def _as_file(self, at: str) -> list[str]:
        """Return the files that importing ``at`` may mean, real paths."""
        stem, ending = posixpath.splitext(at)
        twins = [f"{stem}{twin}" for twin in _WRITTEN_AS.get(ending, ())]
        exact = self._existing([at])
        if exact:
            return exact + self._existing(twins)
        found = self._existing([*twins, *(at + each for each in _ENDINGS)])
        bases = [at, stem] if twins else [at]
        return (
            found
            or self._existing([base + each for base in bases for each in _DECLARATIONS])
            or self._without_query(at)
        )

    def _without_query(self, at: str) -> list[str]:
        bare = at.partition("?")[0].partition("#")[0]
        return self._existing([bare]) if bare != at else []

    def _existing(self, paths: Iterable[str]) -> list[str]:
        return [real for path in paths if (real := self._files.file(path)) is not None]

    def _as_folder(self, folder: str, where: str, links: Links, hops: int) -> bool:
        """Lead to a folder's main file: package.json's ``main`` and ``module``, or index."""
        document = self._configs.package(folder) or {}
        mains = [document[field] for field in ("main", "module") if isinstance(document.get(field), str)]
        located = [join(folder, main) for main in mains]
        if document:
            links.manifests.update(dict.fromkeys(self._configs.package_files(folder)[:1]))
        found = [
            at is not None and hops > 0 and at != folder and self._locate(at, where, links, hops=hops - 1)
            for at in located
        ]
        index = self._as_file(f"{folder}/index".lstrip("/"))
        if not all(found) or not found:
            links.add(*index)
        # A main that is not in the tree is built before it is bundled; an index beside it may be what it is built from.
        return all(found) and bool(found or index)


def _mapped(config: TsConfig, name: str) -> Sequence[str]:
    """Return what ``paths`` map a name to: an exact pattern, or the one with the longest text before its star."""
    exact = next((targets for pattern, targets in config.paths if pattern == name), None)
    if exact is not None:
        return exact
    best, star = None, ""
    for pattern, targets in config.paths:
        head, wild, tail = pattern.partition("*")
        fits = wild and name.startswith(head) and name.endswith(tail) and len(name) >= len(head) + len(tail)
        if fits and (best is None or len(head) > len(best[0])):
            best, star = (head, targets), name[len(head) : len(name) - len(tail)]
    return [target.replace("*", star) for target in best[1]] if best else ()
