"""Gradle: the projects, scripts and files that a project of a multi-project build is built from.

Sources: Gradle's user manual, "Structuring builds" (settings, ``include``, ``projectDir``, composite builds, buildSrc) and
"Declaring dependencies" (``project(":path")``, type-safe accessors).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kuroshio.changes.paths import join
from kuroshio.changes.relations.files import MAX_PROJECTS, Relation, upwards, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.relations.files import Texts

SCRIPTS = ("build.gradle", "build.gradle.kts")
SETTINGS = ("settings.gradle", "settings.gradle.kts")
_COMPUTED = "all of it: {} computes what it is built from"

_TEXT = r"\"[^\"\n]*\"|'[^'\n]*'"
# Comments begin a line or follow white space; elsewhere Groovy's /patterns/ hold the same characters.
_TOKEN = re.compile(rf"(?s)\"\"\".*?\"\"\"|'''.*?'''|{_TEXT}|(?<!\S)//[^\n]*|(?<!\S)/\*.*?\*/")
_INCLUDE = re.compile(rf"\binclude\b\s*\(?((?:\s*(?:{_TEXT})\s*,?)*)")
_BUILD = re.compile(rf"\bincludeBuild\b\s*\(?\s*({_TEXT})?")
_FLAT = re.compile(r"\bincludeFlat\b")
_PLACE = re.compile(rf"\bproject\s*\(\s*({_TEXT})\s*\)\s*\.\s*projectDir\s*=\s*([^\n]*)")
_PLACED = re.compile(r"\bprojectDir\s*=")
_PROJECT = re.compile(
    rf"\b(?:project|evaluationDependsOn|findProject)\s*\(\s*(?:configuration\s*[:=]\s*(?:{_TEXT})\s*,\s*)?"
    rf"(?:path\s*[:=]\s*)?({_TEXT})?([^)]?)"
)
_BLOCK = re.compile(r"\s{0,9}\)?\s{0,9}\{")
_ACCESSOR = re.compile(r"\bprojects((?:\.[A-Za-z]\w*)+)")
_APPLY = re.compile(rf"\bapply\s*\(?\s*from\s*[:=]\s*(?:(?:rootProject\.)?(?:file|uri)\s*\(\s*)?({_TEXT})?")
_ROOT_FILE = re.compile(rf"\brootProject\.(?:file|files|fileTree)\s*\(\s*({_TEXT})?")
_ROOT_PATH = re.compile(
    rf"(?:\bFile\s*\(\s*(?:rootProject\.)?(?:rootDir|projectDir)\s*,\s*({_TEXT})|\brootDir\.resolve\s*\(\s*({_TEXT}))"
)
_BARE_ROOT = re.compile(r"\brootDir\b|\brootProject\.projectDir\b")
_ROOTS = re.compile(r"\$(?:\{(?:rootProject\.|project\.)?rootDir\}|\{rootProject\.projectDir\}|rootDir\b)")
_HERE = re.compile(r"\$(?:\{(?:project\.)?projectDir\}|projectDir)")
_TESTS = re.compile(r"(?m)^[ \t]*(?:test|androidTest|integrationTest)\w*[ \t(][^;{}\n]*$")


@dataclass
class _Build:
    """One build: what its settings say."""

    root: str
    settings: str
    places: dict[str, str] = field(default_factory=dict)  # of projects that do not lie where their path says
    included: list[str] = field(default_factory=list)
    builds: list[str] = field(default_factory=list)
    is_partial: bool = False  # there are projects that it does not name literally
    is_computed: bool = False  # where projects lie is not known

    def folder(self, project: str) -> str:
        """Return where a project lies: ``:libs:tax`` in libs/tax, unless settings say otherwise."""
        above, below = project, ""
        while above not in self.places and above:
            above, _, name = above.rpartition(":")
            below = within(name, below)
        return within(self.places.get(above, self.root), below)


class Gradle:
    """The Gradle builds of one commit."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._builds: dict[str, _Build] = {}
        self._known: dict[str, list[Relation]] = {}  # by project: many units are built from one library

    @cached_property
    def _scripts(self) -> frozenset[str]:
        paths = [path for path in self._texts.tree.entries if path.endswith((".gradle", ".gradle.kts"))]
        self._texts.load(paths)
        return frozenset(paths)

    def relations(self, folder: str) -> list[Relation]:
        """Return what the project in ``folder`` is built from besides; nothing where no Gradle project lies there."""
        if not self._script(folder):
            return []
        build = self._build(folder)
        found: dict[str, Relation] = {}
        waiting, seen = [folder], {folder}
        while waiting and len(seen) < MAX_PROJECTS:
            project = waiting.pop()
            if project not in self._known:
                self._known[project] = list(self._of_project(project, build))
            for each in self._known[project]:
                found.setdefault(each.path, each)
                if each.path not in seen and self._script(each.path):
                    seen.add(each.path)
                    waiting.append(each.path)
        found.pop(folder, None)
        return list(found.values())

    def _script(self, folder: str) -> str:
        return next((path for name in SCRIPTS if (path := within(folder, name)) in self._scripts), "")

    def _build(self, folder: str) -> _Build:
        for above in upwards(folder):
            settings = next((path for name in SETTINGS if (path := within(above, name)) in self._scripts), "")
            if settings:
                if above not in self._builds:
                    self._builds[above] = _read_settings(above, settings, self._texts.get(settings))
                return self._builds[above]
        return _Build(folder, "")

    def _of_project(self, project: str, build: _Build) -> Iterator[Relation]:
        if build.is_computed:
            yield Relation(build.root, build.settings, _COMPUTED.format(build.settings))
        for included in build.builds:
            yield Relation(included, build.settings)
        sources = within(build.root, "buildSrc")
        if build.settings and self._texts.tree.has_folder(sources):
            yield Relation(sources, build.settings)
        yield from self._of_plugins((sources, *build.builds), build)
        for above in upwards(project):
            if script := self._script(above):
                yield from self._of_script(script, above, build, {script})
            if above == build.root:
                break

    def _of_plugins(self, folders: tuple[str, ...], build: _Build) -> Iterator[Relation]:
        """Yield what scripts of the build's own plugins add to the projects that apply them: to all, to be sure."""
        for script in sorted(self._scripts) if build.settings else ():
            if any(script.startswith(f"{folder}/") and "/src/" in script[len(folder) :] for folder in folders):
                projects, is_open = _projects(_without_comments(self._texts.get(script) or ""), build.root, build)
                yield from (Relation(path, script) for path in projects)
                if is_open:
                    yield Relation(build.root, script, _COMPUTED.format(script))

    def _of_script(self, script: str, folder: str, build: _Build, seen: set[str]) -> Iterator[Relation]:
        text = self._texts.get(script)
        if text is None:
            yield Relation(build.root, script, _COMPUTED.format(script))
            return
        text = _TESTS.sub("", _without_comments(text))
        applied, is_computed = _applied(text, folder, build.root)
        for path in applied:
            yield Relation(path, script)
            if path in self._texts.tree.entries and path not in seen:
                seen.add(path)
                yield from self._of_script(path, folder, build, seen)
        projects, is_open = _projects(text, folder, build)
        for path in projects:
            yield Relation(path, script)
        files, is_lost = _files(text, folder, build.root)
        for path in files:
            if self._texts.has(path):
                yield Relation(path, script)
        if is_computed or is_open or is_lost:
            yield Relation(build.root, script, _COMPUTED.format(script))


def _read_settings(root: str, path: str, text: str | None) -> _Build:
    build = _Build(root, path)
    if text is None:
        build.is_computed = True
        return build
    text = _without_comments(text)
    for match in _INCLUDE.finditer(text):
        names = [_plain(token) for token in re.findall(_TEXT, match[1])]
        build.is_partial = build.is_partial or not names or None in names
        build.included += [f":{name.lstrip(':').replace('/', ':')}" for name in names if name]
    build.is_computed = build.is_partial and "projectDir" in text
    for match in _BUILD.finditer(text):
        name = _plain(match[1]) if match[1] else None
        place = join(root, name) if name else None
        build.is_computed = build.is_computed or place is None
        build.builds += [place] if place is not None else []
    literal = _PLACE.findall(text)
    for project, place in literal:
        name, at = _plain(project), _located(place, root)
        if name is None or at is None:
            build.is_computed = True
        else:
            build.places[f":{name.lstrip(':')}"] = at
    if len(literal) < len(_PLACED.findall(text)) or _FLAT.search(text) or _APPLY.search(text):
        build.is_computed = True
    return build


def _located(place: str, root: str) -> str | None:
    """Return the folder that ``file("x")``, ``new File(rootDir, "x")`` or the like means; None where that is computed."""
    tokens = re.findall(_TEXT, place)
    if len(tokens) != 1:
        return None
    text = _ROOTS.sub(".", tokens[0][1:-1])
    rest = re.sub(
        r"\b(?:new|file|File|rootDir|settingsDir|rootProject|projectDir|resolve|settings)\b|[().,;\s]",
        "",
        place.replace(tokens[0], ""),
    )
    return None if "$" in text or rest else join(root, text)


def _projects(text: str, folder: str, build: _Build) -> tuple[list[str], bool]:
    found: list[str] = []
    is_open = False
    for match in _PROJECT.finditer(text):
        if match[1] is None:
            is_open = is_open or bool(match[2].strip())  # `project()` is this project itself
            continue
        if _BLOCK.match(text, match.end(1)):
            continue  # configures that project; what stands in the braces is looked at as well
        name = _plain(match[1])
        if name is None:
            is_open = True
            continue
        found.append(build.folder(name.rstrip(":")) if name.startswith(":") else within(folder, name.replace(":", "/")))
    accessors = {
        re.sub(r"[-_.](\w)", lambda each: each[1].upper(), name.lstrip(":").replace(":", "\0")).replace("\0", "."): name
        for name in build.included
    }
    for match in _ACCESSOR.finditer(text):
        parts = match[1].lstrip(".").split(".")
        names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        known = next((accessors[name] for name in names if name in accessors), None)
        if known is not None:
            found.append(build.folder(known))
        else:
            is_open = is_open or build.is_partial
    return found, is_open


def _applied(text: str, folder: str, root: str) -> tuple[list[str], bool]:
    found, is_computed = [], False
    for match in _APPLY.finditer(text):
        path = _path(match[1], root if "rootProject.file" in match[0] else folder, root) if match[1] else None
        if path is None:
            is_computed = is_computed or not (match[1] and "://" in match[1])
        else:
            found.append(path)
    return found, is_computed


def _files(text: str, folder: str, root: str) -> tuple[list[str], bool]:
    """Return the paths beyond the project that texts of a script name, and whether one of them is computed."""
    found: list[str] = []
    is_lost = False
    for match in _ROOT_FILE.finditer(text):
        path = _path(match[1], root, root) if match[1] else None
        is_lost = is_lost or path is None
        found += [path] if path is not None else []
    for match in _ROOT_PATH.finditer(text):
        path = _path(match[1] or match[2], root, root)
        is_lost = is_lost or path is None
        found += [path] if path is not None else []
    bare = _TOKEN.sub("", _ROOT_PATH.sub("", text))
    is_lost = is_lost or _BARE_ROOT.search(bare) is not None
    for token in re.findall(_TEXT, text):
        if "://" in token or not (".." in token[1:-1].split("/") or _ROOTS.search(token)):
            continue
        path = _path(token, folder, root)
        is_lost = is_lost or path is None
        found += [path] if path is not None else []
    return found, is_lost


def _path(token: str, folder: str, root: str) -> str | None:
    """Return the path that a text names, up to its first wildcard; None where a part of it is computed."""
    text = token[1:-1]
    base = root if _ROOTS.match(text) else folder
    text = _HERE.sub(".", _ROOTS.sub(".", text, count=1))
    text = text.partition("*")[0] if "*" in text else text
    return None if "$" in text or "://" in text else join(base, text)


def _plain(token: str) -> str | None:
    text = token[1:-1]
    return None if "$" in text else text


def _without_comments(text: str) -> str:
    return _TOKEN.sub(lambda match: " " if match[0].startswith(("//", "/*")) else match[0], text)
