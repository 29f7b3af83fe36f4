"""The step ``repair``: rows that differ are written from the source onto the clone, and counted; nothing is claimed of them.

Whether they are equal then is for the next verification to say.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.verification.schema import shown
from kuroshio.errors import InvalidRequest, NotCaughtUp, PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.verification.ports import Follower
    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Table
    from kuroshio.aurora.verifying.ports import Repairs, Work

_AT_ONCE = 50  # rows that are locked together
_TURN_S = 300.0
_SHOWN = 20  # statements of a dry run
_SHOWN_LENGTH = 500
_SHOWN_TABLES = 100


class Repairer:
    """Repairs what one verification found."""

    def __init__(self, work: Work, ledger: Ledger, clock: Callable[[], float], turn_s: float = _TURN_S) -> None:
        self._work, self._ledger, self._clock, self._turn_s = work, ledger, clock, turn_s

    def asked(self, task: tuple[str, str], tables: list[Table], repairs: Repairs) -> dict[str, Any]:
        """What would be done, in sentences for whoever approves it, with the first statements. ``task``: clone and verification."""
        sentences, statements = [], []
        for table, keys in self._work_of(task, tables):
            sentences.append(f"{len(keys):,} rows of {shown(table.label)} are written from the source onto the clone")
            try:
                for first in range(0, min(len(keys), _SHOWN), _AT_ONCE):
                    statements += repairs.statements(table, keys[first : first + min(_AT_ONCE, _SHOWN)])
            except PermanentError as error:
                sentences[-1] = f"{shown(table.label)} cannot be repaired: {error}"
        shown_ones = [each[:_SHOWN_LENGTH] for each in statements[:_SHOWN]]
        return {
            "proof": self._record(task)["proof"],
            "rows": sum(len(keys) for _, keys in self._work_of(task, tables)),
            "sentences": sentences,
            "statements": shown_ones,
            # As the state machine puts them into the ledger: a list in DynamoDB's own types.
            "asked": [{"S": each} for each in [*sentences[:_SHOWN_TABLES], *shown_ones]],
        }

    def repair(
        self, task: tuple[str, str], done: int, tables: list[Table], by: tuple[Repairs, Follower]
    ) -> dict[str, Any]:
        """Repair from the ``done``-th row on, for as long as a turn may take. A row that is repaired twice is repaired."""
        (repairs, follower), began, at = by, self._clock(), 0
        refused: list[str] = []
        for table, keys in self._work_of(task, tables):
            for first in range(0, len(keys), _AT_ONCE):
                batch = keys[first : first + _AT_ONCE]
                at += len(batch)
                if at <= done:
                    continue
                try:
                    repairs.repair(table, batch, follower)
                except NotCaughtUp:
                    return {"repaired": at - len(batch), "refused": refused, "done": False}
                except PermanentError as error:
                    refused.append(f"{shown(table.label)}: {error}"[:_SHOWN_LENGTH])
                if self._clock() - began > self._turn_s:
                    return {"repaired": at, "refused": refused[:_SHOWN], "done": False}
        return {"repaired": at, "refused": refused[:_SHOWN], "done": True}

    def _work_of(self, task: tuple[str, str], tables: list[Table]) -> Iterator[tuple[Table, list[Bound]]]:
        record = self._record(task)
        by_name = {table.label: table for table in tables}
        keys: defaultdict[Name, list[Bound]] = defaultdict(list)
        for finding in self._work.read(record["report"])["findings"]:
            schema, name = finding["table"]
            if finding["key"]:
                keys[schema, name].append(tuple(finding["key"]))
        yield from ((by_name[name], found) for name, found in sorted(keys.items()) if name in by_name)

    def _record(self, task: tuple[str, str]) -> dict[str, Any]:
        clone, verification = task
        record = self._ledger.read(clone, f"verification#{verification}")
        if record is None:
            raise InvalidRequest(f"the ledger has no verification {ascii(verification)[:80]} of {clone}")
        return record
