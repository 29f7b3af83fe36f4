"""The ledger in memory: the same conditional writes, without DynamoDB."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.errors import Outpaced
from kuroshio.mackerel.ports import Key, Record

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Stored(NamedTuple):
    body: str  # JSON, so that nothing is shared with the caller and nothing else can be stored
    version: int
    expires_at: int | None


class MemoryLedger:
    """Passes the contract tests of the DynamoDB ledger."""

    def __init__(self) -> None:
        self._partitions: dict[str, dict[str, _Stored]] = {}
        self._beginnings = itertools.count(step=1_000_000)

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        """Those of the records that are there."""
        return {key: _record(key, stored) for key in keys if (stored := self._find(key)) is not None}

    def write(self, record: Record) -> Record:
        """Store it over the version that it was read with."""
        self._expect(record)
        stored = _Stored(json.dumps(record.body), record.version + 1, record.expires_at)
        self._partitions.setdefault(record.key.pk, {})[record.key.sk] = stored
        return replace(record, version=record.version + 1)

    def touch(self, key: Key, expires_at: int | None = None) -> None:
        """Count the version up; that of a new record is one that no record ever had."""
        known = self._find(key) or _Stored("{}", next(self._beginnings), None)
        until = known.expires_at if expires_at is None else expires_at
        self._partitions.setdefault(key.pk, {})[key.sk] = known._replace(version=known.version + 1, expires_at=until)

    def remove(self, record: Record) -> None:
        """Delete the version that was read."""
        self._expect(record)
        self._partitions.get(record.key.pk, {}).pop(record.key.sk, None)

    def scan(self, pk: str, limit: int) -> list[Record]:
        """The first of a partition."""
        partition = self._partitions.get(pk, {})
        return [_record(Key(pk, sk), partition[sk]) for sk in sorted(partition)[:limit]]

    def partitions(self) -> list[str]:
        """Every partition that holds something; for tests that look at the whole."""
        return [pk for pk, records in self._partitions.items() if records]

    def _find(self, key: Key) -> _Stored | None:
        return self._partitions.get(key.pk, {}).get(key.sk)

    def _expect(self, record: Record) -> None:
        found = self._find(record.key)
        version = found.version if found else 0
        if version != record.version:
            raise Outpaced(f"{record.key.pk} {record.key.sk} is at version {version}, not {record.version}")


def _record(key: Key, stored: _Stored) -> Record:
    return Record(key, json.loads(stored.body), stored.version, stored.expires_at)
