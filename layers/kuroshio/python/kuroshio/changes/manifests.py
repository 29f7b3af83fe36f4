"""Build manifests and lock files that lie above a unit's source, and are shared by the units below them.

A unit is made of the nearest file of each name on the way from its source folder to the root; of Gradle's and Maven's
all, because every project inherits from those above it. A file within the source folder needs no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.changes import paths

if TYPE_CHECKING:
    from kuroshio.changes.tree import Tree

_NODE = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
)
# A project's own: where the source folder has one of these, SAM installs by it and looks no further up.
_PYTHON_OWN = ("requirements.txt", "pyproject.toml", "Pipfile")
_GRADLE = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts", "gradle.properties")

_NEAREST = {
    "node": (*_NODE, ".npmrc", ".yarnrc.yml", "tsconfig.json", "tsconfig.base.json"),
    "python": ("requirements.txt", "constraints.txt", "uv.lock", "poetry.lock", "Pipfile.lock"),
    "ruby": ("Gemfile", "Gemfile.lock"),
    "go": ("go.mod", "go.sum", "go.work", "go.work.sum"),
    "rust": ("Cargo.toml", "Cargo.lock", "rust-toolchain.toml"),
    "dotnet": ("Directory.Build.props", "Directory.Packages.props", "global.json", "nuget.config", "NuGet.Config"),
}
_ALL = {
    "java": (
        *_GRADLE,
        "gradle.lockfile",
        "gradle/libs.versions.toml",
        "gradle/wrapper/gradle-wrapper.properties",
        "pom.xml",
    )
}

# A file of another name never counts for a source folder that it lies above.
NAMES = frozenset(
    path.rpartition("/")[2] for names in (*_NEAREST.values(), *_ALL.values(), _PYTHON_OWN) for path in names
)

_RUNTIMES = {"nodejs": "node", "python": "python", "java": "java", "ruby": "ruby", "go": "go", "dotnet": "dotnet"}
_METHODS = {"esbuild": "node", "rust-cargolambda": "rust"}


def language(runtime: object, method: object) -> str:
    """Return the language that a build method or else a runtime means, "" for none that has manifests."""
    for name in (method, runtime):
        if isinstance(name, str) and name:
            found = (language for prefix, language in _RUNTIMES.items() if name.startswith(prefix))
            return _METHODS.get(name) or next(found, "")
    return ""


class Manifests:
    """The manifests of one commit. Neighbours share what lies above them, so each folder is looked at once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._above: dict[tuple[str, str], dict[str, list[str]]] = {}

    def shared(self, folder: str, language: str) -> list[str]:
        """Return the manifests above ``folder`` that decide how it is built."""
        has_file = self._tree.has_file
        above = self._found((folder.rpartition("/")[0], language)) if folder else {}
        if not above or (language == "python" and any(has_file(_at(folder, name)) for name in _PYTHON_OWN)):
            return []
        if language in _ALL:
            return [path for found in above.values() for path in found]
        return [found[0] for name, found in above.items() if not has_file(_at(folder, name))]

    def _found(self, key: tuple[str, str]) -> dict[str, list[str]]:
        """Return the manifests from a folder up to the root, by name, the nearest first."""
        folder, language = key
        if key in self._above:
            return self._above[key]
        names = (*_NEAREST.get(language, ()), *_ALL.get(language, ()))
        found: dict[str, list[str]] = {}
        for at in reversed([folder, *paths.above(folder)]):
            if (at, language) not in self._above:
                here = {name: path for name in names if self._tree.has_file(path := _at(at, name))}
                if here:
                    both = [name for name in names if name in here or name in found]
                    found = {name: [*([here[name]] if name in here else []), *found.get(name, ())] for name in both}
                self._above[at, language] = found
            found = self._above[at, language]
        return found


def _at(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
