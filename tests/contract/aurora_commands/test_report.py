"""`kuroshio aurora report`, of what DynamoDB kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.aurora.records import Phase
from tests.contract.aurora_commands.stage import run
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    import pytest

    from kuroshio.adapters.aurora_ledger import AuroraLedger


def keep(ledger: AuroraLedger, clone: str) -> None:
    whole = known.whole()
    ledger.phase(clone, Phase.DONE, datetime.now(UTC), **{k: v for k, v in whole.state.items() if k != "phase"})
    ledger.put(clone, "preflight", whole.preflight)
    ledger.put(clone, "seed", whole.seed)
    for event in whole.events:
        ledger.note(clone, "event", event, datetime.fromisoformat(event["at"]))
    for lag in whole.lags[:50]:
        ledger.note(clone, "lag", lag, datetime.fromisoformat(lag["at"]))
    for kind in ("skips", "verifications", "cutovers"):
        for number, record in enumerate(getattr(whole, kind)):
            ledger.put(clone, f"{kind.removesuffix('s')}#{number}", record)
    for approval in whole.approvals:
        ledger.put(clone, f"approval#{approval['name']}", approval)


def test_a_report_of_what_dynamodb_kept_is_written_where_it_is_wanted(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(ledger, clone)
    assert run("report", clone) == 0
    assert capsys.readouterr().out.endswith(f"{clone}.html\n")
    page = Path(f"{clone}.html").read_text()
    for said in (
        "23.806 ms",
        "INSERT INTO `shop`.`log`",
        "kenji@example.com (operator)",
        "812,345,678 rows",
        "shop-old",
    ):
        assert said in page.replace("&#x27;", "'")
    assert run("report", clone, "-o", "a.md") == 0
    assert Path("a.md").read_text().startswith(f"# {clone}, a clone of shop\n")
    capsys.readouterr()
    assert run("report", clone, "-o", "-", "--format", "markdown") == 0
    assert capsys.readouterr().out.startswith(f"# {clone}, a clone of shop\n")


def test_a_report_of_a_clone_that_nobody_knows_is_refused(clone: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "nobody") == 1
    assert "the ledger knows no clone nobody" in capsys.readouterr().err
    assert not Path("nobody.html").exists()
