"""What was found, put together: for each table what was proven of it, how, and up to where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.verification.agreement import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.aurora.verification.choosing import Proof


@dataclass
class TableVerdict:
    """``unknown``: why nothing is known of it, or of a part of it; empty where all was looked at."""

    table: str
    proof: Proof
    reasons: list[str] = field(default_factory=list)
    rows: int = 0
    differences: int = 0
    unsettled: int = 0
    unknown: str = ""

    @property
    def equal(self) -> bool:
        """Whether it is proven to be the same on both sides. Not known and not settled are not."""
        return not (self.differences or self.unsettled or self.unknown)

    def add(self, part: Mapping[str, Any]) -> None:
        """Take in what a look at a part of it found (``comparing``)."""
        self.rows += part["rows"]
        kinds = [kind for _, kind in part["findings"]]
        unsettled = sum(kind == Kind.UNSETTLED for kind in kinds)
        self.unsettled += unsettled
        self.differences += len(kinds) - unsettled
        self.unknown = self.unknown or part.get("unknown", "")

    def document(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "table": self.table,
            "proof": str(self.proof),
            "equal": self.equal,
            "rows": self.rows,
            "differences": None if self.unknown and not self.differences else self.differences,
            "unsettled": self.unsettled,
            "unknown": self.unknown,
            "reasons": self.reasons,
        }


@dataclass(frozen=True)
class Summary:
    """All tables together. ``equal``: all are, and so are their definitions."""

    equal: bool
    rows: int
    differences: int
    unsettled: int
    unknown: int  # tables
    proofs: Mapping[str, int]  # tables by what their verdict rests on


def summed_up(tables: Iterable[TableVerdict], *, same_schema: bool) -> Summary:
    """Add the tables up."""
    all_of_them = list(tables)
    proofs: dict[str, int] = {}
    for each in all_of_them:
        proofs[str(each.proof)] = proofs.get(str(each.proof), 0) + 1
    return Summary(
        same_schema and all(each.equal for each in all_of_them),
        sum(each.rows for each in all_of_them),
        sum(each.differences for each in all_of_them),
        sum(each.unsettled for each in all_of_them),
        sum(bool(each.unknown) for each in all_of_them),
        proofs,
    )
