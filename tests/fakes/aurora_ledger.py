"""Records of clones in memory. tests/contract/ledger proves it against DynamoDB."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.records import STATE, noted_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kuroshio.aurora.records import Phase


class InMemoryAuroraLedger:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[str, Any]] = {}
        self._salt = count()

    def note(self, clone: str, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        key = noted_key(kind, at, f"{next(self._salt):08x}")
        self.put(clone, key, {**document, "at": at.isoformat(timespec="microseconds")})

    def create(self, clone: str, key: str, document: Mapping[str, Any]) -> bool:
        if (clone, key) in self._kept:
            return False
        self.put(clone, key, document)
        return True

    def put(self, clone: str, key: str, document: Mapping[str, Any]) -> None:
        self._kept[clone, key] = json.loads(json.dumps(document))

    def read(self, clone: str, key: str) -> dict[str, Any] | None:
        found = self._kept.get((clone, key))
        return json.loads(json.dumps(found)) if found is not None else None

    def all(self, clone: str, prefix: str) -> list[dict[str, Any]]:
        mine = sorted(key for of, key in self._kept if of == clone and key.startswith(prefix) and key != STATE)
        return [found for key in mine if (found := self.read(clone, key)) is not None]

    def delete(self, clone: str, key: str) -> None:
        self._kept.pop((clone, key), None)

    def phase(self, clone: str, phase: Phase, at: datetime, **more: Any) -> None:
        changed = {**more, "phase": str(phase)}
        now = {**(self.read(clone, STATE) or {}), **changed, "at": at.isoformat(timespec="microseconds")}
        self.put(clone, STATE, now)
        self.note(clone, "event", changed, at)

    def claim(self, clone: str, run: str, instead_of: str = "") -> bool:
        state = self.read(clone, STATE) or {}
        if state.get("run", run) not in (run, instead_of):
            return False
        self.put(clone, STATE, {**state, "run": run})
        return True

    def clones(self) -> list[dict[str, Any]]:
        names = sorted(clone for clone, key in self._kept if key == STATE)
        return [{**(self.read(name, STATE) or {}), "clone": name} for name in names]
