"""The step ``plan``: hold the definitions against each other, choose the proof, cut the work into items."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.binlog.touched import Reader
from kuroshio.aurora.position import Position
from kuroshio.aurora.verification import begin as beginnings
from kuroshio.aurora.verification import cutting, delta, schema
from kuroshio.aurora.verification.choosing import Choice, Proof, choose, most_keys
from kuroshio.aurora.verification.items import Part, packed
from kuroshio.aurora.verification.scale import ITEM_S, MOST_ITEMS
from kuroshio.errors import BinlogUnreadable, InvalidRequest, PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.finding import Finding
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.verification.begin import Begin
    from kuroshio.aurora.verification.choosing import Rates
    from kuroshio.aurora.verification.ports import Follower
    from kuroshio.aurora.verification.tables import Table
    from kuroshio.aurora.verifying.places import Place
    from kuroshio.aurora.verifying.ports import Server, Work

SCHEMA = "kuroshio.verification-plan/1"
_KEYS_AT_ONCE = 50_000  # in an object of their own
_LOOKS = 3  # at definitions that differ: a DDL statement may be on its way


@dataclass
class Tables:
    """The tables of the source, and what is to be done with each."""

    all: list[Table]
    work: dict[Name, delta.Work]  # keys, or the whole table with reasons; nothing for those that nobody touched


@dataclass(frozen=True)
class Positions:
    """Where the proof begins and where it ends. The beginning is empty where every row is looked at."""

    begin: Begin | None
    source: Position | None
    clone: Position | None


class Planner:
    """Makes a plan, once for each execution."""

    def __init__(self, work: Work, ledger: Ledger, now: Callable[[], datetime], rates: Rates) -> None:
        self._work, self._ledger, self._now, self._rates = work, ledger, now, rates

    def plan(
        self, request: ReplicateRequest, wanted: str, place: Place, servers: tuple[Server, Server, Follower]
    ) -> dict[str, Any]:
        """Write the plan, the items and the keys, the plan last: where it is, the others are too. Returns it."""
        if wanted not in ("auto", "full", "delta"):
            raise InvalidRequest(f"proof is {ascii(wanted)[:120]}; it must be auto, full or delta")
        began, attempt = self._now(), secrets.token_hex(4)
        source, clone, follower = servers
        tables, findings = self._catalogues(source, clone, follower)
        seed = (self._ledger.read(request.clone, "seed") or {}).get("position", "")
        suspects = self._suspects(request.clone)
        choice, found, positions = self._proof(request.clone, wanted, seed, tables, (source, clone))
        out = schema.incomparable(findings)
        found.all = [table for table in found.all if schema.shown(table.label) not in out]
        for table in found.all:
            if reason := suspects.get(table.label):
                found.work[table.label] = delta.Work(reasons=[*reason])
        items = packed(self._parts(found, choice, (place, attempt), source), self._rows_of_an_item(found, choice))
        self._work.create(place.items(attempt), [item.document() for item in items])
        document = {
            "schema": SCHEMA,
            "at": began.isoformat(timespec="microseconds"),
            "proof": str(choice.proof),
            "reason": choice.reason,
            "seed": seed,
            "since": str(positions.begin.source) if positions.begin else "",
            "clone_since": str(positions.begin.clone) if positions.begin else "",
            "upto": str(positions.source or ""),
            "clone_upto": str(positions.clone or ""),
            "tables": [self._entry(table, found, choice) for table in found.all],
            "schema_findings": [finding.document() for finding in findings],
            "items": len(items),
            "items_key": place.items(attempt),
        }
        self._work.create(place.plan, document)
        return self._work.read(place.plan)  # type: ignore[no-any-return]  # another that ran at once may have been first

    def _catalogues(self, source: Server, clone: Server, follower: Follower) -> tuple[list[Table], list[Finding]]:
        findings: list[Finding] = []
        for _ in range(_LOOKS):
            theirs = source.definitions()
            follower.wait(follower.mark())
            findings = schema.differences(theirs, clone.definitions())
            if not findings:
                break
        return source.tables(), findings

    def _proof(
        self, clone: str, wanted: str, seed: str, tables: list[Table], servers: tuple[Server, Server]
    ) -> tuple[Choice, Tables, Positions]:
        source_logs, clone_logs = (server.logs() for server in servers)
        ends = tuple(server.position() for server in servers)
        begin = self._begin(clone, seed, source_logs, clone_logs)
        obstacle = begin if isinstance(begin, str) else ""
        binlog = 0
        if not isinstance(begin, str):
            binlog = beginnings.bytes_from(begin.source, source_logs) + beginnings.bytes_from(begin.clone, clone_logs)
        rows = sum(table.rows for table in tables)
        choice = choose(wanted, rows, binlog, obstacle, self._rates)
        positions = Positions(None, *ends)
        if choice.proof is Proof.DELTA and not isinstance(begin, str) and ends[0] is not None and ends[1] is not None:
            try:
                work = self._touched(tables, begin, (ends[0], ends[1]), servers)
                return choice, Tables(tables, work), Positions(begin, *ends)
            except (BinlogUnreadable, PermanentError) as error:
                # Purged while it was read, a privilege that is missing: what cannot be read proves nothing.
                choice = Choice(Proof.FULL, f"the binlogs cannot be read: {error}")
        return choice, Tables(tables, {}), positions

    def _begin(self, clone: str, seed: str, source: dict[str, int], ours: dict[str, int]) -> Begin | str:
        if not ours:
            return "the clone writes no binlog: what somebody wrote there cannot be seen"
        if not source:
            return "the source writes no binlog"
        # Proven of this clone, and not of one that had its name before.
        proven = [
            record
            for record in self._ledger.all(clone, "verification#")
            if record.get("equal") and record.get("seed") == seed and record.get("upto") and record.get("clone_upto")
        ]
        if proven:
            return beginnings.of_proof(proven[-1], source, ours)
        if not seed:
            return "the ledger has no seed position of this clone"
        return beginnings.of_seed(Position.parse(seed), source, ours)

    def _touched(
        self, tables: list[Table], begin: Begin, ends: tuple[Position, Position], servers: tuple[Server, Server]
    ) -> dict[Name, delta.Work]:
        rows = {table.label: table.rows for table in tables}

        def most(name: Name) -> int:
            return most_keys(rows.get(name, 0), self._rates)

        source, clone = servers
        readers = Reader(source.layouts(tables), most_keys=most), Reader(clone.layouts(tables), most_keys=most)
        number = clone.number()
        with ThreadPoolExecutor(1) as pool:  # much of it is waiting for the servers
            ours = pool.submit(readers[1].read, clone.events(begin.clone, ends[1], only=number))
            readers[0].read(source.events(begin.source, ends[0]))
            ours.result()
        return delta.work(tables, [reader.result() for reader in readers])

    def _suspects(self, clone: str) -> dict[Name, list[str]]:
        """Tables of transactions that were skipped: all of each is looked at."""
        found: dict[Name, list[str]] = {}
        for record in self._ledger.all(clone, "suspect#"):
            name = (record["schema"], record["table"])
            found.setdefault(name, []).append(f"{record['why']}, at {record['since']}")
        return found

    def _parts(self, tables: Tables, choice: Choice, place: tuple[Place, str], source: Server) -> Iterator[Part]:
        rows = self._rows_of_an_item(tables, choice)
        of, attempt = place
        number = 0
        for table in tables.all:
            work = tables.work.get(table.label)
            if choice.proof is Proof.FULL or (work is not None and work.is_whole):
                yield from cutting.parts(source.side, table, rows)
            elif work is not None:
                for first in range(0, len(work.keys), _KEYS_AT_ONCE):
                    keys = work.keys[first : first + _KEYS_AT_ONCE]
                    self._work.create(of.keys(attempt, number), [list(key) for key in keys])
                    # A key costs as much as so many rows of a full look.
                    weight = int(len(keys) * self._rates.rows / self._rates.keys)
                    yield Part(table.label, keys=of.keys(attempt, number), rows=weight)
                    number += 1

    def _rows_of_an_item(self, tables: Tables, choice: Choice) -> int:
        whole = sum(
            table.rows
            for table in tables.all
            if choice.proof is Proof.FULL or (table.label in tables.work and tables.work[table.label].is_whole)
        )
        return max(int(ITEM_S * self._rates.rows), whole // MOST_ITEMS)

    def _entry(self, table: Table, tables: Tables, choice: Choice) -> dict[str, Any]:
        work = tables.work.get(table.label)
        proof, reasons = choice.proof, [choice.reason] if choice.proof is Proof.FULL else []
        if choice.proof is Proof.DELTA:
            proof = Proof.UNTOUCHED if work is None else Proof.FULL if work.is_whole else Proof.DELTA
        if work is not None:
            reasons = reasons + work.reasons
        return {"table": list(table.label), "proof": str(proof), "reasons": reasons[:10]}
