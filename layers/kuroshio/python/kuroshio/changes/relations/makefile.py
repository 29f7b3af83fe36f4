"""Makefiles of ``BuildMethod: makefile``: the paths beyond its folder that the target ``build-<LogicalId>`` names.

SAM CLI runs the recipe in a copy of the source folder, in the source folder itself (``--build-in-source``), or in
``WorkingDirectory``: a path counts where one of them has it. Sources: SAM's guide to custom builds; GNU make's manual.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kuroshio.changes.paths import join, parent
from kuroshio.changes.relations.files import Relation

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kuroshio.changes.relations.files import Texts

NAME = "Makefile"
MAX_FILES = 100
_MAX_ROUNDS = 10
MAX_LINE = 100_000

_DEFINITION = re.compile(r"(?:export\s+|override\s+)*([\w.-]+)\s*(?::{1,3}|\?|\+|!)?=\s*(.*)")
_RULE = re.compile(r"([^\s:=#][^:=#]*?)\s*::?(?!=)\s*([^=;]*)(?:;(.*))?$")
_USE = re.compile(r"\$(?:\(([\w.-]+)\)|\{([\w.-]+)\}|(\w+))")
_HERE = {"CURDIR": ".", "PWD": ".", "MAKEFILE_LIST": NAME, "MAKE": "make", "ARTIFACTS_DIR": "\1"}
_FUNCTION = re.compile(r"\$\((abspath|realpath|wildcard|lastword|firstword|strip|dir|shell)\s+([^()$]*)\)")
_UNKNOWN = re.compile(r"\$*\$(?:[({]([^(){}]*)[)}]|\w+|.)")
_SPLIT = re.compile(r"[\s\"'`;|&<>=,()]+")
_ROOT = re.compile(r"git\s+rev-parse\s+--show-(?:toplevel|cdup)")
_CD = re.compile(r"(?:\bcd|\bpushd|-C)\s+([^\s;&|\"']+)")
# Stand in words for what is computed, and for SAM's own folder of artifacts.
_COMPUTED, _ARTIFACTS = "\0", "\1"


class Makefiles:
    """The makefiles of one commit."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def relations(self, path: str, target: str, folders: Sequence[str]) -> tuple[list[Relation], str]:
        """Return what a target of the makefile at ``path`` reads beyond ``folders``, and what cannot be known of it.

        ``folders``: where the recipe may run. The second is a sentence, "" where nothing is open.
        """
        found: dict[str, Relation] = {}
        doubt = ""
        waiting, seen = [(path, target)], {path}
        while waiting and len(seen) <= MAX_FILES:
            at, wanted = waiting.pop()
            text = self._texts.get(at)
            if text is None:
                continue
            bases = list(dict.fromkeys((*folders, parent(path), parent(at))))
            is_script = not _is_makefile(at)
            for line, words, places in _lines(text, wanted, is_script=is_script):
                moved = [*bases, *_moved(places, bases)]
                for token, where in [*((word, moved) for word in words), *((place, bases) for place in places)]:
                    paths = list(self._named(token, where))
                    if not paths and _COMPUTED in token and ".." in token.split("/"):
                        doubt = doubt or f"{at}, line {line}, leads upwards from a place that is computed"
                    for each in paths:
                        found.setdefault(each, Relation(each, at))
                        if each not in seen and each in self._texts.tree.entries and _is_followed(each):
                            seen.add(each)
                            waiting.append((each, ""))
        inner = tuple(f"{folder}/" if folder else "" for folder in folders)
        return [each for each in found.values() if each.path not in folders and not each.path.startswith(inner)], doubt

    def _named(self, token: str, bases: list[str]) -> Iterator[str]:
        """Yield what a word of a recipe names in the tree, for each folder that the recipe may run in."""
        if _COMPUTED in token or _ARTIFACTS in token or token.startswith(("/", "~", "-")):
            return
        plain = re.split(r"[*?\[{]", token, maxsplit=1)[0]
        if plain != token:
            plain = parent(plain) if not plain.endswith("/") else plain
        if ".." not in plain.split("/") and not _is_followed(token):
            return
        for base in bases:
            at = join(base, plain)
            if at is not None and self._texts.has(at):
                yield at


def _lines(text: str, target: str, *, is_script: bool) -> Iterator[tuple[int, list[str], list[str]]]:
    """Yield the lines that concern a target: number, words, and the folders that it changes to."""
    lines = list(_joined(text))
    variables: dict[str, str] = {}
    kept: list[tuple[int, str]] = []
    rules: dict[str, list[tuple[int, str]]] = {}
    needs: dict[str, list[str]] = {}
    current: list[str] = []
    for number, line in lines:
        definition = None if line.startswith("\t") else _DEFINITION.fullmatch(line.strip())
        rule = None if is_script or line.startswith("\t") or definition else _RULE.match(line)
        if definition:
            variables[definition[1]] = definition[2]
            current = current if is_script else []
        elif rule:
            current = rule[1].split()
            for name in current:
                rules.setdefault(name, []).append((number, f"{rule[2]} {rule[3] or ''}"))
                needs.setdefault(name, []).extend(rule[2].split())
            continue
        if current and line.startswith("\t"):
            for name in current:
                rules[name].append((number, line))
        else:
            kept.append((number, line))
    kept += _of_target(rules, needs, target)
    for number, line in kept:
        if not is_script and not line.startswith("\t") and _DEFINITION.fullmatch(line.strip()):
            continue  # counts where it is used
        whole = _substituted(line, variables)
        yield number, [word for word in _SPLIT.split(_CD.sub(" ", whole)) if word], _CD.findall(whole)
        if _ROOT.search(whole):
            yield number, [f"{_COMPUTED}/.."], []


def _of_target(
    rules: dict[str, list[tuple[int, str]]], needs: dict[str, list[str]], target: str
) -> list[tuple[int, str]]:
    """Return the lines of a target and of all that it needs; of all targets where a pattern or a variable names it."""
    if target not in rules:
        return [line for lines in rules.values() for line in lines]
    found, waiting, seen = [], [target], {target}
    while waiting:
        name = waiting.pop()
        lines = rules.get(name, [])
        found += lines
        called = [word for _, line in lines for word in line.split() if word in rules]  # $(MAKE) other-target
        for need in (*needs.get(name, []), *called):
            if "$" in need or "%" in need:
                return [line for lines in rules.values() for line in lines]
            if need not in seen:
                seen.add(need)
                waiting.append(need)
    patterns = [line for name, lines in rules.items() if "%" in name or "$" in name for line in lines]
    return found + patterns


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Yield logical lines with their numbers, less comments."""
    start, whole = 1, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if not whole:
            start = number
        if line.endswith("\\"):
            whole += line[:-1] + " "
            continue
        whole += line
        if whole.strip() and not whole.lstrip().startswith("#"):
            yield start, whole
        whole = ""
    if whole.strip():
        yield start, whole


def _substituted(line: str, variables: dict[str, str]) -> str:
    """Put in the variables that the file defines; what is left stands as ``_COMPUTED``, its inner words behind the line."""
    for _ in range(_MAX_ROUNDS):
        before = line
        line = _USE.sub(lambda match: _value(match, variables), line)
        line = _FUNCTION.sub(_applied, line)
        if line == before or len(line) > MAX_LINE:
            break
    inner: list[str] = []
    for _ in range(_MAX_ROUNDS):
        inner += [found for found in _UNKNOWN.findall(line) if found]
        line = _UNKNOWN.sub(_COMPUTED, line)
    return " ; ".join([line, *inner])


def _value(match: re.Match[str], variables: dict[str, str]) -> str:
    name = match[1] or match[2] or match[3]
    return variables.get(name, _HERE.get(name, match[0]))


def _applied(match: re.Match[str]) -> str:
    name, argument = match[1], match[2].strip()
    if name == "dir":
        return f"{parent(argument) or '.'}/"
    if name == "shell":
        return "." if argument == "pwd" else match[0]
    return argument


def _moved(places: list[str], bases: list[str]) -> list[str]:
    found = [join(base, place) for place in places if _COMPUTED not in place for base in bases]
    return [each for each in found if each is not None]


def _is_makefile(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith(("Makefile", "makefile", "GNUmakefile")) or name.endswith((".mk", ".mak"))


def _is_followed(path: str) -> bool:
    return _is_makefile(path) or path.endswith((".sh", ".bash"))
