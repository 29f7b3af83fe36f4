"""A person's answer reaches the run that asked, and stands in the ledger first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contract.aurora_commands.stage import ended, run, waiting_for

if TYPE_CHECKING:
    import pytest

    from kuroshio.adapters.aurora_ledger import AuroraLedger


def test_an_approval_shows_what_is_asked_lets_the_run_go_on_and_notes_who_gave_it(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot", "--yes", "--reason", "agreed") == 0
    shown = capsys.readouterr()
    assert "  shop-1 restarts\n  so does shop-2\n" in shown.err
    assert shown.out.startswith("approved by arn:aws:sts::123456789012:")
    answer = json.loads(ended(arn)["output"])
    assert answer["approved"] is True
    kept = ledger.read(clone, "approval#reboot")
    assert kept is not None
    assert (kept["answer"], kept["by"], kept["reason"]) == ("approved", answer["by"], "agreed")
    assert "token" not in kept
    [event] = ledger.all(clone, "event#")
    assert (event["what"], event["by"]) == ("Approved: reboot", answer["by"])


def test_a_rejection_fails_the_run_with_an_error_of_ours_and_the_reason_is_kept(
    clone: str, ledger: AuroraLedger
) -> None:
    arn = waiting_for(ledger, clone, "cut-over")
    assert run("approve", clone, "cut-over", "--reject", "--reason", "not on a Friday", "--yes") == 0
    found = ended(arn)
    assert (found["status"], found["error"]) == ("FAILED", "ApprovalRejected")
    kept = ledger.read(clone, "approval#cut-over") or {}
    assert (kept["answer"], kept["reason"]) == ("rejected", "not on a Friday")


def test_without_a_person_at_the_terminal_nothing_is_answered(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot") == 3
    assert "nobody is there to ask; give --yes" in capsys.readouterr().err
    assert "answer" not in (ledger.read(clone, "approval#reboot") or {})


def test_an_answer_stands_in_the_ledger_before_the_run_goes_on(ledger: AuroraLedger, clone: str) -> None:
    """The run looks it up at once. Killed in between, the same command gives the answer that was written down."""
    arn = waiting_for(ledger, clone, "cut-over")
    asked = ledger.read(clone, "approval#cut-over") or {}
    ledger.put(clone, "approval#cut-over", {**asked, "answer": "approved", "by": "killed in between"})
    assert run("approve", clone, "cut-over", "--yes") == 0
    assert ended(arn)["status"] == "SUCCEEDED"


def test_what_was_answered_or_never_asked_is_told_as_such(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("approve", clone, "repair", "--yes") == 1
    assert "never asked for the approval repair" in capsys.readouterr().err
    waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot", "--yes") == 0
    assert run("approve", clone, "reboot", "--yes") == 1
    assert f"reboot of {clone} was approved by arn:aws:sts" in capsys.readouterr().err


def test_a_token_of_a_run_that_has_ended_is_told_as_such(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = waiting_for(ledger, clone, "reboot")
    asked = ledger.read(clone, "approval#reboot") or {}
    assert run("approve", clone, "reboot", "--yes") == 0
    ended(arn)
    ledger.put(clone, "approval#reboot", asked)  # as the run had asked, and nobody had answered
    assert run("approve", clone, "reboot", "--yes") == 1
    assert "NotFound: nobody waits for this answer any more" in capsys.readouterr().err
    assert "answer" not in (ledger.read(clone, "approval#reboot") or {})
