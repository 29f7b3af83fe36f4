"""Which host carries the check reports: made once, kept in the ledger, and made sure of whenever a check is new."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kuroshio.errors import Outpaced, RequestRefused
from kuroshio.mackerel import places
from kuroshio.mackerel.hosts import ensured
from kuroshio.mackerel.ports import Answer, Record
from kuroshio.mackerel.turns import TurnEnded
from kuroshio.mackerel.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kuroshio.mackerel.hosts import CheckHost
    from kuroshio.mackerel.ports import Ledger
    from kuroshio.mackerel.turns import Channel

_SURE = 3600.0  # seconds; somebody may retire the host, and reports of a host that is gone are refused one by one


class Carrier(Protocol):
    """Knows the host that carries check reports."""

    def host(self, channel: Channel, checks: Iterable[str]) -> str:
        """The id of the host, with these checks in its list. Raises TurnEnded where that cannot be."""


@dataclass(frozen=True)
class KeptHost:
    """One host per environment. Every check that was ever reported stays in its list, or Mackerel would delete it."""

    ledger: Ledger
    wanted: CheckHost
    clock: Callable[[], float]

    def host(self, channel: Channel, checks: Iterable[str]) -> str:
        """The id of the host: asked for (two requests) where a check is new, or once an hour."""
        key = places.check_host(self.wanted.identifier)
        record = self.ledger.read([key]).get(key, Record(key))
        known = set(record.body.get("checks", []))
        if set(checks) <= known and self.clock() < record.body.get("sure_at", 0) + _SURE:
            return str(record.body["id"])
        named = sorted(known | set(checks))
        try:
            host = ensured(channel, self.wanted, named)
        except RequestRefused as error:
            raise TurnEnded(Verdict.PARK, Answer(400, message=str(error))) from error
        with suppress(Outpaced):  # made sure of once more in the next turn
            self.ledger.write(replace(record, body={"id": host, "checks": named, "sure_at": int(self.clock())}))
        return host
