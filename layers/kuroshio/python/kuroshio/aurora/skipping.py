"""Skip a transaction that cannot be applied: exactly one, allowed by the request, and written down whole before it is lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import lag, replica, trouble
from kuroshio.aurora import request as requests
from kuroshio.aurora.position import Position
from kuroshio.aurora.records import of_this_clone
from kuroshio.errors import FollowRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from kuroshio.aurora.binlog.transaction import Transaction
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.sides import Objects, Sides
    from kuroshio.aurora.trouble import Trouble

# Where an error names the event that failed: "… master log mysql-bin-changelog.000001, end_log_pos 1034", or "source log".
_PLACE = re.compile(r"(?:master|source) log (\S+\.\d{6,10}), end_log_pos (\d+)")


class Skipping:
    """The step ``skip``."""

    def __init__(self, sides: Sides, ledger: Ledger, objects: Objects, clock: Callable[[], datetime]) -> None:
        self._sides, self._ledger, self._objects, self._clock = sides, ledger, objects, clock

    def skip(self, event: dict[str, Any]) -> dict[str, Any]:
        """Skip what the clone stands at, where the request allows it. ``skipped``: 0 where it stands at nothing any more.

        The record of a skip is created by its position, so that a step which is done twice never skips two. Raises
        FollowRefused where the request does not allow it, or the error is not of the transaction that would be skipped.
        """
        request = requests.parse(event.get("request"))
        with self._sides.clone(request) as clone:
            status = clone.status()
            found = trouble.found(status) if status is not None else None
            begin = replica.done_of(status) if status is not None else None
            if found is None or begin is None or not found.of_apply:
                return {"skipped": 0}
            self._refuse(request, found, begin)
            if why := clone.unskippable():
                raise FollowRefused(f"{request.clone}: {why}")
            with self._sides.source(request) as source:
                lost = source.transaction(begin)
            _check(found, lost)
            self._write_down(request, event, found, lost)
            skipped = clone.skip(begin)
        if skipped:
            words = f"skipped the transaction at {begin} for error {found.number}: {_named(lost.tables)}"
            replica.note(self._ledger, request.clone, event, words, self._clock())
        return {"skipped": int(skipped)}

    def _refuse(self, request: ReplicateRequest, found: Trouble, begin: Position) -> None:
        others = count(self._ledger, request.clone, begin)
        if not trouble.may_skip(found, request.errors, others):
            policy = request.errors
            allowed = f"{policy.most} of {', '.join(map(str, policy.numbers)) or 'no number'}"
            raise FollowRefused(
                f"the request lets error {found.number} not pass (policy {policy.policy}, {allowed}; {others} skipped "
                f"so far): {found.words}"
            )

    def _write_down(
        self, request: ReplicateRequest, event: Mapping[str, Any], found: Trouble, lost: Transaction
    ) -> None:
        address = ""
        if lost.file:
            name = str(lost.begin).replace(":", "-")
            address = self._objects.put(f"aurora/{request.clone}/skips/{name}.binlog", lost.file)
        document = {
            "position": str(lost.begin),
            "end": str(lost.end),
            "number": found.number,
            "message": found.message,
            "written_at": lag.moment(lost.at).isoformat(),
            "server": lost.server,
            "events": lost.events,
            "bytes": lost.size,
            "tables": sorted(".".join(name) for name in lost.tables),
            "transaction": "\n".join(lost.lines),
            "cut": lost.is_cut,
            "file": address,
            "at": self._clock().isoformat(),
            "run": str(event.get("run", "")),
        }
        self._ledger.create(request.clone, f"skip#{lost.begin}", document)
        for schema, table in sorted(lost.tables):
            suspicion = {"schema": schema, "table": table, "since": str(lost.begin), "why": "a transaction was skipped"}
            self._ledger.put(request.clone, f"suspect#{schema}.{table}", suspicion)


def count(ledger: Ledger, clone: str, besides: Position | None) -> int:
    """How many transactions were skipped, not counting the one at that position."""
    return sum(1 for record in of_this_clone(ledger, clone, "skip#") if record["position"] != str(besides))


def _check(found: Trouble, lost: Transaction) -> None:
    """The error must be of the transaction that a skip takes: with parallel appliers it may be of a later one."""
    place = _PLACE.search(found.message)
    # MariaDB says 0 where it does not know.
    if place and int(place[2]) and not lost.names(Position(place[1], int(place[2]))):
        raise FollowRefused(
            f"the error is of an event that ends at {place[1]}:{place[2]}, and the next transaction is that from {lost.begin} "
            f"to {lost.end}: a skip would take another one. Stop replication, start it again, and look anew"
        )


def _named(tables: Iterable[tuple[str, str]]) -> str:
    return ", ".join(sorted(".".join(name) for name in tables)) or "no table"
