"""The configuration files of JavaScript and TypeScript in one tree: package.json, tsconfig.json and lock files.

Sources: the TSConfig reference (``extends``, ``paths``, ``baseUrl``, ``${configDir}``), Node.js "Modules: Packages",
and what npm, Yarn, pnpm and Bun call their files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kuroshio.changes.imports import jsonc
from kuroshio.changes.paths import join, parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.imports.files import Files

# Longer ones are machine-made; they count as unreadable.
MAX_BYTES = 512 * 1024
_MAX_EXTENDS = 30

_TSCONFIG = re.compile(r"(?:.*/)?(?:tsconfig[^/]*|jsconfig)\.json")
LOCK_FILES = (
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bun.lockb",
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".pnp.cjs",
    ".pnpmfile.cjs",
)
_LOCAL = ("file:", "link:", "portal:", "workspace:.")


@dataclass(frozen=True)
class TsConfig:
    """One tsconfig.json with all that it extends."""

    files: tuple[str, ...]  # itself first
    base_url: str | None = None
    paths: tuple[tuple[str, tuple[str, ...]], ...] = ()
    keeps_type_imports: bool = False  # `import { type A } from "x"` still imports "x"
    jsx_source: str = ""  # the package that the compiler imports for elements


class Configs:
    """Reads the configuration files of a tree, all at once when the first is asked for."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._tsconfigs: dict[str, TsConfig | None] = {}

    def package(self, folder: str) -> dict[str, Any] | None:
        """Return the package.json of a folder."""
        return self._documents.get(_in(folder, "package.json"))

    @cached_property
    def packages(self) -> dict[str, list[str]]:
        """The folders of the packages of this repository, by the names that they give themselves."""
        found: dict[str, list[str]] = {}
        for path, document in self._documents.items():
            name = document.get("name")
            if path.rpartition("/")[2] == "package.json" and isinstance(name, str) and "node_modules/" not in path:
                found.setdefault(name, []).append(parent(path))
        return found

    def local_dependencies(self, folder: str, name: str) -> Iterator[str]:
        """Yield the folders that packages around ``folder`` name as their dependency ``name``: ``file:../lib``."""
        for above in upwards(folder):
            document = self.package(above) or {}
            for group in ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies"):
                listed = document.get(group)
                location = listed.get(name) if isinstance(listed, dict) else None
                if isinstance(location, str) and location.startswith(_LOCAL):
                    at = join(above, location.partition(":")[2])
                    if at is not None:
                        yield at

    def workspace_alias(self, folder: str, name: str) -> str:
        """Return the package that ``name`` stands for where a package.json says ``workspace:other@*``."""
        for above in upwards(folder):
            listed = (self.package(above) or {}).get("dependencies")
            location = listed.get(name) if isinstance(listed, dict) else None
            if isinstance(location, str) and location.startswith("workspace:"):
                return location.removeprefix("workspace:").rpartition("@")[0] or name
        return name

    def package_files(self, folder: str) -> list[str]:
        """The package.json files around ``folder``, the nearest first."""
        return [path for above in upwards(folder) if (path := _in(above, "package.json")) in self._documents]

    def lock_files(self, folder: str) -> list[str]:
        """What decides the versions and contents of installed packages, around ``folder``."""
        found = [path for above in upwards(folder) for name in LOCK_FILES if self._files.file(path := _in(above, name))]
        patches = [patch for above in upwards(folder) for patch in self._files.below(_in(above, "patches"))]
        return found + patches

    def tsconfigs(self, folder: str) -> Iterator[TsConfig]:
        """Yield the configurations around ``folder``, the nearest first, tsconfig.json before its neighbours."""
        for above in upwards(folder):
            for path in self._tsconfig_files.get(above, ()):
                config = self._tsconfig(path)
                if config:
                    yield config

    def _tsconfig(self, path: str) -> TsConfig | None:
        if path not in self._tsconfigs:
            self._tsconfigs[path] = None  # what extends itself ends here
            self._tsconfigs[path] = self._read_tsconfig(path, _MAX_EXTENDS)
        return self._tsconfigs[path]

    def _read_tsconfig(self, path: str, depth: int) -> TsConfig:
        document = self._documents.get(path)
        if document is None or not depth:
            return TsConfig((path,), keeps_type_imports=True)
        extended = document.get("extends")
        names = extended if isinstance(extended, list) else [extended] if extended else []
        merged = TsConfig(())
        for name in names:
            merged = _over(self._extended(path, name, depth), merged)
        return _over(_own(path, document, merged.base_url), merged)

    def _extended(self, path: str, name: Any, depth: int) -> TsConfig:
        found = self._extended_file(parent(path), name) if isinstance(name, str) else None
        if found is None:
            return TsConfig(())  # of an installed package: such set options, not paths of this repository
        return self._read_tsconfig(found, depth - 1)

    def _extended_file(self, folder: str, name: str) -> str | None:
        bases = [join(folder, name)] if name.startswith(".") else list(self._in_packages(name))
        candidates = (f"{base}{ending}" for base in bases if base for ending in ("", ".json", "/tsconfig.json"))
        return next((real for each in candidates if (real := self._files.file(each)) and self._load(real)), None)

    def _in_packages(self, name: str) -> Iterator[str]:
        package, inner = split_package(name)
        for folder in self.packages.get(package, ()):
            yield _in(folder, inner or "tsconfig.json")

    def _load(self, path: str) -> bool:
        """Read a configuration file with a name of its own."""
        if path not in self._documents:
            for _, content in self._files.read([path], MAX_BYTES):
                document = jsonc.parse(content) if content is not None else None
                if document is not None:
                    self._documents[path] = document
        return path in self._documents

    @cached_property
    def _tsconfig_files(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._files.named(".json"):
            if _TSCONFIG.fullmatch(path) and "node_modules/" not in path:
                found.setdefault(parent(path), []).append(path)
        for paths in found.values():
            paths.sort(key=lambda path: (not path.endswith("tsconfig.json"), path))
        return found

    @cached_property
    def _documents(self) -> dict[str, dict[str, Any]]:
        paths = [path for path in self._files.named(".json") if _is_config(path)]
        contents = self._files.read(paths, MAX_BYTES)
        parsed = ((path, jsonc.parse(content) if content is not None else None) for path, content in contents)
        return {path: document for path, document in parsed if document is not None}


def upwards(folder: str) -> Iterator[str]:
    """Yield ``folder`` and all folders above it, the root last."""
    while folder:
        yield folder
        folder = parent(folder)
    yield ""


def split_package(name: str) -> tuple[str, str]:
    """Split ``@scope/package/inner/path`` into the package and the path in it."""
    parts = name.split("/")
    count = 2 if name.startswith("@") else 1
    return "/".join(parts[:count]), "/".join(parts[count:])


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _is_config(path: str) -> bool:
    return path.rpartition("/")[2] == "package.json" or _TSCONFIG.fullmatch(path) is not None


def _own(path: str, document: dict[str, Any], inherited: str | None) -> TsConfig:
    options = document.get("compilerOptions")
    options = options if isinstance(options, dict) else {}
    folder = parent(path)
    base = options.get("baseUrl")
    base_url = join(folder, _located(base)) if isinstance(base, str) else inherited
    bases = [folder] if base_url is None else [base_url, folder]
    return TsConfig(
        (path,), base_url, tuple(_paths(options, bases)), _keeps_type_imports(options), _jsx_source(options)
    )


def _located(location: str) -> str:
    return location.replace("${configDir}", ".")


def _paths(options: dict[str, Any], bases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    listed = options.get("paths")
    for pattern, targets in listed.items() if isinstance(listed, dict) else ():
        texts = [_located(target) for target in targets if isinstance(target, str)] if isinstance(targets, list) else []
        joined = [join(base, text) for base in bases for text in texts]
        yield pattern, tuple(target for target in joined if target is not None)


def _keeps_type_imports(options: dict[str, Any]) -> bool:
    return (
        options.get("verbatimModuleSyntax") is True
        or options.get("preserveValueImports") is True
        or options.get("importsNotUsedAsValues") in ("preserve", "error")
    )


def _jsx_source(options: dict[str, Any]) -> str:
    source = options.get("jsxImportSource")
    if isinstance(source, str):
        return source
    return "react" if options.get("jsx") in ("react-jsx", "react-jsxdev") else ""


def _over(upper: TsConfig, lower: TsConfig) -> TsConfig:
    """Merge two configurations; ``upper`` wins, as a file wins over what it extends."""
    return TsConfig(
        upper.files + lower.files,
        lower.base_url if upper.base_url is None else upper.base_url,
        upper.paths or lower.paths,
        upper.keeps_type_imports or lower.keeps_type_imports,
        upper.jsx_source or lower.jsx_source,
    )
