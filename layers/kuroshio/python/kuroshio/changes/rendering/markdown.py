"""The plan as a pull-request comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kuroshio.changes.rendering import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.plan import Plan, UnitChange

# By it the comment of an earlier run is found and replaced.
MARKER = "<!-- kuroshio:plan -->"

# GitHub refuses comments of more than 65,536 characters.
MAX_CHARACTERS = 60_000
_MAX_LISTED = 10


def write(plan: Plan) -> str:
    """Return the comment. Text from the repository can neither break out of its cell nor call people or issues.

    What does not fit a comment is counted, with a pointer to the whole plan.
    """
    lines, size = [], 0
    for line in _lines(plan):
        size += len(line) + 1
        if size > MAX_CHARACTERS:
            lines += ["", "_The rest does not fit a comment. The plan itself, as JSON, has all of it._"]
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield from (MARKER, "### What this pull request changes", "", f"**{words.verdict(plan)}**")
    if plan.warnings:
        yield from ("", "> [!WARNING]", "> What cannot be known is planned as changed.")
        for warning in plan.warnings[:_MAX_LISTED]:
            where = f"{_code(warning.path)}: " if warning.path else ""
            yield f"> - {where}{_text(warning.message)}{_concerned(warning.units)}"
        yield from _more(len(plan.warnings), "> - ")
    if plan.units:
        yield from ("", "| unit | kind | change | why |", "|---|---|---|---|")
        for unit in plan.units:
            yield f"| {_code(unit.id)} | {unit.kind}, {unit.packaging} | {unit.change} | {_why(unit)} |"
    yield from _list("Infrastructure", plan.infrastructure)
    yield from _list("Unclassified: belongs to no unit that is known", plan.unclassified)
    yield from _list("Ignored", plan.ignored)
    yield from ("", f"<sub>Kuroshio: {words.span(plan)}</sub>")


def _why(unit: UnitChange) -> str:
    said = [_code(words.reason(reason)) for reason in unit.reasons[:3]]
    left = len(unit.reasons) - len(said) + unit.omitted_reasons
    return "<br>".join([*said, f"and {left:,} more"] if left else said)


def _concerned(units: tuple[str, ...]) -> str:
    if not units:
        return ""
    more = f" and {len(units) - 3:,} more" if len(units) > 3 else ""  # noqa: PLR2004 - three are named
    return f" ({', '.join(_code(unit) for unit in units[:3])}{more})"


def _list(title: str, paths: tuple[str, ...]) -> Iterator[str]:
    if not paths:
        return
    yield from ("", f"<details><summary>{title} ({len(paths):,})</summary>", "")
    yield from (f"- {_code(path)}" for path in paths[:_MAX_LISTED])
    yield from _more(len(paths), "- ")
    yield from ("", "</details>")


def _more(count: int, prefix: str) -> Iterator[str]:
    if count > _MAX_LISTED:
        yield f"{prefix}and {count - _MAX_LISTED:,} more"


def _code(text: str) -> str:
    """Quote text as code. A table cell ends at a bar even inside code, and no backtick may end the quotation."""
    quoted = words.printable(text).translate({ord("`"): "'", ord("|"): "\N{BROKEN BAR}"})
    return f"`{quoted}`"


def _text(text: str) -> str:
    """Escape what Markdown, HTML and GitHub would act on."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>@~&])", lambda match: f"&#{ord(match[0])};", words.printable(text))
