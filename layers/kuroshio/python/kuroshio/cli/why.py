"""An explanation for people, and for programs: ``kuroshio detect --why``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kuroshio.changes.explanation import UNCHANGED, PathExplained, UnitExplained
from kuroshio.changes.rendering.words import encodable, printable, reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.unit import Input

_KINDS = {
    "input": "a file that units are made of",
    "template": "a template",
    "settings": "what the repository says about itself",
    "infrastructure": "infrastructure: it configures the deployment of something that is no unit",
    "ignored": "ignored: nothing is deployed of it (the built-in list, or kuroshio.yaml)",
    "unclassified": "unclassified: it belongs to no unit that is known; kuroshio.yaml can say to which",
}


def text(explained: UnitExplained | PathExplained) -> str:
    """Return the explanation in words, one fact a line."""
    lines = _unit(explained) if isinstance(explained, UnitExplained) else _path(explained)
    return "\n".join(lines) + "\n"


def document(explained: UnitExplained | PathExplained) -> str:
    """Return the explanation as JSON."""
    found = _unit_document(explained) if isinstance(explained, UnitExplained) else _path_document(explained)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _unit(explained: UnitExplained) -> Iterator[str]:
    unit = explained.unit
    yield f"{printable(unit.id)} ({unit.definition.kind}, {unit.definition.packaging}): {explained.change}"
    if explained.change == UNCHANGED:
        yield f"Its definition is the same, and of {explained.compared:,} changed files none is among what it is made of."
    else:
        yield "Because:"
        yield from (f"  {reason(each)}" for each in explained.reasons)
        if explained.omitted_reasons:
            yield f"  and {explained.omitted_reasons:,} more"
    yield "It is made of:"
    yield f"  its definition in {printable(unit.template)}"
    yield from (f"  {printable(line)}" for line in map(_input, unit.inputs))
    yield from (f"  {printable(used)} (a unit of its own)" for used in unit.uses)
    if explained.unknown:
        yield "Not known:"
        yield from (f"  {printable(message)}" for message in explained.unknown)


def _input(each: Input) -> str:
    less = ", less what .dockerignore leaves out" if each.excluded else ""
    note = f", {each.note}" if each.note else ""
    return f"{each.path or 'the whole repository'}{less}{note} ({each.through})"


def _path(explained: PathExplained) -> Iterator[str]:
    yield f"{printable(explained.path)}: {explained.change}, {_KINDS[explained.kind]}"
    if explained.units:
        yield "A change of it changes:"
    for unit, through in explained.units:
        yield f"  {printable(unit)} (through {printable(', '.join(through))})"


def _unit_document(explained: UnitExplained) -> dict[str, Any]:
    unit = explained.unit
    return {
        "unit": encodable(unit.id),
        "kind": unit.definition.kind,
        "packaging": unit.definition.packaging,
        "change": explained.change,
        "reasons": [
            {"cause": each.cause, "path": encodable(each.path), "through": [encodable(link) for link in each.through]}
            for each in explained.reasons
        ],
        "omitted_reasons": explained.omitted_reasons,
        "made_of": [input_document(each) for each in unit.inputs],
        "uses": [encodable(used) for used in unit.uses],
        "unknown": [encodable(message) for message in explained.unknown],
    }


def input_document(each: Input) -> dict[str, str]:
    """Return one input as JSON; ``note`` says which part of a folder counts, or why all of it."""
    note = {"note": encodable(each.note)} if each.note else {}
    return {"path": encodable(each.path), "through": each.through, **note}


def _path_document(explained: PathExplained) -> dict[str, Any]:
    units = [{"id": encodable(unit), "through": [encodable(link) for link in links]} for unit, links in explained.units]
    return {"path": encodable(explained.path), "change": explained.change, "kind": explained.kind, "units": units}
