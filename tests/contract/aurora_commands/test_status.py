"""`kuroshio aurora status`: how clones stand, and what waits for somebody."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from kuroshio.aurora.records import Phase
from tests.contract.aurora_commands.stage import begun, deployed, look, run
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    from kuroshio.adapters.aurora_ledger import AuroraLedger


def test_status_shows_phase_lag_and_proof_and_ends_with_0_where_all_is_well(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    for behind in (8_000_000, 4_000_000, 1_000):
        look(ledger, clone, behind, behind_transactions=3, ready_in_s=12)
    ledger.put(clone, "verification#1", known.verification(9, "full"))
    assert run("status", clone) == 0
    shown = capsys.readouterr().out
    assert f"{clone}  a clone of shop" in shown
    assert "✓ following" in shown
    assert "● ready" in shown
    assert "1,000 B, 3 transactions behind; caught up in about 12.0 s" in shown
    assert "Proven equal: 0 differences, up to mysql-bin-changelog.000057:90210" in shown
    assert "\x1b" not in shown


def test_status_of_a_comparison_shows_how_many_pieces_are_done(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.VERIFYING)
    sfn, document = boto3.client("stepfunctions"), {"request": {"clone": clone}, "items": [0, 600, 600]}
    sfn.start_execution(stateMachineArn=deployed("maps")["VerifyClone"], name="any", input=json.dumps(document))
    # AWS's total is of all items; moto's is of those that were begun.
    while not re.search(r"comparing  ━+  1 of [23] pieces$", said := shown_of(clone, capsys)):
        assert "comparing" not in said or "  0 of " in said


def shown_of(clone: str, capsys: pytest.CaptureFixture[str]) -> str:
    run("status", clone, "--env", "maps")
    return capsys.readouterr().out.strip()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("approval", "waits for approval: reboot"), ("failed", "SeedRefused: stale"), ("differs", "2 differences found"), ("broken", "broken: 1062")],
)  # fmt: skip
def test_what_needs_a_person_is_shown_and_is_exit_code_3(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str], trouble: str, said: str
) -> None:
    failed = {"phase": Phase.FAILED, "error": "SeedRefused", "cause": "stale"}
    begun(ledger, clone, **(failed if trouble == "failed" else {}))
    if trouble == "approval":
        ledger.put(clone, "approval#reboot", {"asked": ["x"], "asked_at": datetime.now(UTC).isoformat(), "token": "t"})
    if trouble == "differs":
        ledger.put(clone, "verification#1", known.verification(9, "full", differing=2))
    if trouble == "broken":
        ledger.note(clone, "lag", {"state": "broken", "behind_bytes": 7, "reason": "1062"}, datetime.now(UTC))
    assert run("status", clone) == 3
    assert said in capsys.readouterr().out
    assert run("status") == 3


def test_status_of_all_is_a_table_and_as_json_a_list(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    look(ledger, clone, 2_049 * 1_024)
    run("status")
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{clone} ")]
    assert "2 MiB" in line
    run("status", "--json")
    [found] = [each for each in json.loads(capsys.readouterr().out) if each["clone"] == clone]
    assert (found["clone"], found["source"], found["phase"], found["lag"]["behind_bytes"]) == (
        clone,
        "shop",
        "following",
        2_098_176,
    )
    assert run("status", "nobody") == 1
    assert "NotFound: the ledger knows no clone nobody" in capsys.readouterr().err


def test_a_watch_ends_with_the_clone(clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]) -> None:
    begun(ledger, clone, Phase.ABORTED)
    assert run("status", clone, "--watch") == 0
    assert f"{clone}: Given up and removed" in capsys.readouterr().err
