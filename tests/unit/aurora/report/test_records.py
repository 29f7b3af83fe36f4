"""A report is about one clone, also where another was called so before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from kuroshio.aurora.records import Phase
from kuroshio.aurora.report.records import gather
from kuroshio.errors import NotFound
from tests.fakes import aurora_records as known
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

OLD, NEW = known.at(10), known.at(1_000)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_what_an_earlier_clone_of_the_name_did_is_not_in_the_report() -> None:
    ledger = InMemoryAuroraLedger()
    state: dict[str, Any] = {"since": known.at(900), "request": known.REQUEST}
    ledger.phase("shop-next", Phase.ABORTED, moment(OLD))
    ledger.phase("shop-next", Phase.PREFLIGHT, moment(NEW), **state)
    for kind in ("skip", "verification", "cutover"):
        ledger.put("shop-next", f"{kind}#1", {"at": OLD})
        ledger.put("shop-next", f"{kind}#2", {"at": NEW})
    ledger.note("shop-next", "lag", {}, moment(OLD))
    ledger.note("shop-next", "lag", {}, moment(NEW))
    ledger.put("shop-next", "approval#reboot", {"asked_at": OLD})
    ledger.put("shop-next", "approval#cut-over", {"asked_at": NEW})
    found = gather(ledger, "shop-next")
    assert [each["phase"] for each in found.events] == ["preflight"]
    assert [each["name"] for each in found.approvals] == ["cut-over"]
    for records in (found.lags, found.skips, found.verifications, found.cutovers):
        assert [moment(each["at"]) for each in records] == [moment(NEW)]


def test_a_clone_of_which_the_ledger_never_heard_has_no_report() -> None:
    with pytest.raises(NotFound, match="the ledger knows no clone shop-next"):
        gather(InMemoryAuroraLedger(), "shop-next")
