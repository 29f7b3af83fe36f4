"""The records of one clone, as the ledger has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.records import is_of, moment
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.records import Ledger

Record = dict[str, Any]
APPROVALS = ("reboot", "repair", "cut-over")


@dataclass(frozen=True)
class Records:
    """All of one clone. Lists are in the order of time; what was never written is empty."""

    clone: str
    state: Record = field(default_factory=dict)
    preflight: Record = field(default_factory=dict)
    seed: Record = field(default_factory=dict)
    check: Record = field(default_factory=dict)  # of the conditions of a cut-over, the last
    events: list[Record] = field(default_factory=list)
    lags: list[Record] = field(default_factory=list)
    skips: list[Record] = field(default_factory=list)
    verifications: list[Record] = field(default_factory=list)
    approvals: list[Record] = field(default_factory=list)
    cutovers: list[Record] = field(default_factory=list)

    @property
    def request(self) -> Record:
        """What was asked for."""
        return part(self.state, "request")


def gather(ledger: Ledger, clone: str) -> Records:
    """Read all of a clone. Raises NotFound where the ledger never heard of it."""
    state = ledger.read(clone, "state")
    preflight = ledger.read(clone, "preflight")
    if state is None and preflight is None:
        raise NotFound(f"the ledger knows no clone {clone}: see `kuroshio aurora status` for those that it knows")
    since = moment(state or {}, "since")

    def noted(prefix: str) -> list[Record]:
        return [each for each in ledger.all(clone, prefix) if is_of(each, since)]

    asked = [{"name": name, **found} for name in APPROVALS if (found := ledger.read(clone, f"approval#{name}"))]
    return Records(
        clone,
        state or {},
        preflight or {},
        ledger.read(clone, "seed") or {},
        ledger.read(clone, "check") or {},
        noted("event#"),
        noted("lag#"),
        noted("skip#"),
        noted("verification#"),
        [each for each in asked if is_of({"at": each.get("asked_at")}, since)],
        noted("cutover#"),
    )


def part(record: Mapping[str, Any], name: str) -> Record:
    """A field that is an object; empty where it is missing or anything else."""
    found = record.get(name)
    return dict(found) if isinstance(found, dict) else {}


def items(record: Mapping[str, Any], name: str) -> list[Any]:
    """A field that is a list; empty where it is missing or anything else."""
    found = record.get(name)
    return list(found) if isinstance(found, list | tuple) else []


def number(record: Mapping[str, Any], name: str) -> float | None:
    """A field that is a number, as DynamoDB or JSON gives it."""
    found = record.get(name)
    if isinstance(found, bool) or found is None:
        return None
    try:
        return float(found)
    except (TypeError, ValueError):
        return None


def text(record: Mapping[str, Any], name: str) -> str:
    """A field as text, empty where it is missing."""
    found = record.get(name)
    return "" if found is None else str(found)
