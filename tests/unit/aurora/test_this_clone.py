from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kuroshio.aurora.records import Phase, of_this_clone
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_clone_inherits_nothing_of_one_that_was_called_so_before() -> None:
    ledger = InMemoryAuroraLedger()
    for hours in (-2, 1):
        at = (NOW + timedelta(hours=hours)).isoformat()
        ledger.put("copy", f"verification#{at}", {"equal": True, "at": at})
    assert len(of_this_clone(ledger, "copy", "verification#")) == 2
    ledger.phase("copy", Phase.CLONING, NOW, since=NOW.isoformat())
    assert [each["at"] for each in of_this_clone(ledger, "copy", "verification#")] == ["2026-11-21T13:00:00+00:00"]
