"""The plan as a JSON document: ``schemas/plan.schema.json``, which is published and versioned."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kuroshio.changes.plan import SCHEMA
from kuroshio.changes.rendering.words import encodable

if TYPE_CHECKING:
    from kuroshio.changes.plan import Caveat, Plan, Reason, UnitChange


def document(plan: Plan) -> dict[str, Any]:
    """Return the plan as the published document: equal plans give equal documents, to the byte once written."""
    return {
        "schema": SCHEMA,
        "base": plan.base,
        "head": plan.head,
        "merge_base": plan.merge_base,
        "complete": plan.complete,
        "units": [_unit(unit) for unit in plan.units],
        "infrastructure": [encodable(path) for path in plan.infrastructure],
        "ignored": [encodable(path) for path in plan.ignored],
        "unclassified": [encodable(path) for path in plan.unclassified],
        "warnings": [_warning(warning) for warning in plan.warnings],
    }


def write(plan: Plan) -> str:
    """Return the document as text, one value a line, ending with a newline."""
    return json.dumps(document(plan), indent=2, ensure_ascii=False) + "\n"


def _unit(unit: UnitChange) -> dict[str, Any]:
    return {
        "id": encodable(unit.id),
        "kind": unit.kind,
        "packaging": unit.packaging,
        "change": unit.change,
        "reasons": [_reason(reason) for reason in unit.reasons],
        "omitted_reasons": unit.omitted_reasons,
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "cause": reason.cause,
        "path": encodable(reason.path),
        "through": [encodable(link) for link in reason.through],
    }


def _warning(warning: Caveat) -> dict[str, Any]:
    return {
        "code": warning.code,
        "path": encodable(warning.path),
        "message": encodable(warning.message),
        "units": [encodable(unit) for unit in warning.units],
    }
