"""The plan as a JSON document: ``schemas/plan.schema.json``, which is published and versioned."""

from __future__ import annotations

import json
from typing import Any

from kuroshio.changes.plan import SCHEMA, Cause, Caveat, Change, Plan, Reason, UnitChange
from kuroshio.changes.rendering.words import encodable
from kuroshio.errors import InvalidRequest


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


def read(content: bytes) -> Plan:
    """Return the plan that was written. Raises InvalidRequest when it is not of this schema."""
    try:
        written = json.loads(content)
        if written["schema"] != SCHEMA:
            raise InvalidRequest(f"the plan is of schema {written['schema']}; this version reads {SCHEMA}")
        return _plan(written)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InvalidRequest(f"this is no plan of schema {SCHEMA}: {error!r}") from None


def _plan(written: dict[str, Any]) -> Plan:
    return Plan(
        base=written["base"],
        head=written["head"],
        merge_base=written["merge_base"],
        complete=written["complete"],
        units=tuple(_unit_change(unit) for unit in written["units"]),
        infrastructure=tuple(written["infrastructure"]),
        ignored=tuple(written["ignored"]),
        unclassified=tuple(written["unclassified"]),
        warnings=tuple(
            Caveat(each["code"], each["path"], each["message"], tuple(each["units"])) for each in written["warnings"]
        ),
    )


def _unit_change(unit: dict[str, Any]) -> UnitChange:
    reasons = (Reason(Cause(each["cause"]), each["path"], tuple(each["through"])) for each in unit["reasons"])
    change = Change(unit["change"])
    return UnitChange(
        unit["id"],
        unit["kind"],
        unit["packaging"],
        change,
        tuple(reasons),
        unit["omitted_reasons"],
        unit.get("wave", 1),
    )


def _unit(unit: UnitChange) -> dict[str, Any]:
    return {
        "id": encodable(unit.id),
        "kind": unit.kind,
        "packaging": unit.packaging,
        "change": unit.change,
        "reasons": [_reason(reason) for reason in unit.reasons],
        "omitted_reasons": unit.omitted_reasons,
        "wave": unit.wave,
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
