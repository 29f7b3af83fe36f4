"""Where the deployment of a repository stands: nothing that was owed is forgotten until it was deployed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime


@dataclass(frozen=True, order=True)
class Debt:
    """A unit whose deployment was begun and is not known to have succeeded: deployed is ``since``, wanted is ``until``."""

    unit: str
    since: str
    until: str


@dataclass(frozen=True)
class Standing:
    """Every unit is deployed as of the commit ``settled``, but for the debts. None: nothing was ever deployed."""

    settled: str | None = None
    debts: tuple[Debt, ...] = ()
    revision: int = 0

    def owing(self, units: Iterable[str], since: str, until: str) -> Standing:
        """Begin a deployment: all ``units`` are owed from here on; what was owed before keeps where it began."""
        began = {debt.unit: debt.since for debt in self.debts}
        debts = sorted(Debt(unit, began.get(unit, since), until) for unit in units)
        return Standing(until, tuple(debts), self.revision + 1)

    def paid(self, units: Iterable[str], commit: str) -> Standing:
        """Take what was deployed at ``commit`` off the debts. What a later deployment owes meanwhile stays owed."""
        done = set(units)
        left = tuple(debt for debt in self.debts if debt.unit not in done or debt.until != commit)
        return replace(self, debts=left, revision=self.revision + 1)


@dataclass(frozen=True)
class Deployed:
    """What is known of a unit's last deployment.

    ``digest`` is the artifact's identity where the command passed the second gate, else what it said, or empty.
    ``change`` is "equal" where nothing had to be deployed.
    """

    unit: str
    commit: str
    digest: str
    time: datetime
    change: str = "modified"


class Deployments(Protocol):
    """The ledger of one repository's branch."""

    def standing(self) -> Standing:
        """Return where the deployment stands."""

    def move(self, wanted: Standing) -> None:
        """Write ``wanted`` where its predecessor stands. Raises Outpaced when another run was faster."""

    def record(self, deployed: Deployed) -> None:
        """Keep what was deployed of a unit."""

    def digest(self, unit: str) -> str:
        """Return what was recorded of the unit's newest deployment, or nothing."""
