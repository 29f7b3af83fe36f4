"""`kuroshio aurora cutover` and `cutback`: rehearsed, asked for once, told to the microsecond."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from kuroshio.aurora.records import Phase
from tests.contract.aurora_commands.stage import CONDITIONS, begun, deployed, inputs, run, token_of_what_asks
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    from kuroshio.adapters.aurora_ledger import AuroraLedger


def take_over(ledger: AuroraLedger, clone: str, record: dict[str, Any]) -> None:
    """What the workflow does while the command follows it: its record first, then its end."""
    token = token_of_what_asks()
    [begun] = boto3.client("stepfunctions").list_executions(
        stateMachineArn=deployed("asks")["CutOver"], statusFilter="RUNNING"
    )["executions"]
    ledger.put(clone, "cutover#1", {**record, "run": begun["executionArn"]})
    boto3.client("stepfunctions").send_task_success(taskToken=token, output="{}")


def test_a_rehearsed_cut_over_shows_every_condition_and_is_exit_code_3_where_one_does_not_hold(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    assert run("cutover", clone, "--dry-run", "--env", "proves") == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert "caught-up yes after 3 ms accounts-equal accepted no batch@% events-off NO its events would write" in shown
    assert "1 of 3 conditions do not hold. Nothing was switched." in shown
    [given] = inputs("proves", "CutOver", clone)
    assert (given["dry_run"], given["source"], given["name"]) == (True, "shop", {"kind": "cluster"})


def test_a_cut_over_is_asked_for_once_and_told_to_the_microsecond(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    move = ("--record", "db.example", "--zone", "Z1", "--deadline", "20", "--accept", "accounts-equal", "--no-way-back")
    assert run("cutover", clone, *move, "--env", "waits", "--no-watch") == 0
    assert run("cutover", clone, *move, "--env", "waits", "--no-watch") == 0
    [given] = inputs("waits", "CutOver", clone)
    assert given["name"] == {"kind": "record", "zone": "Z1", "record": "db.example"}
    assert (given["deadline_s"], given["way_back"], given["accept"]) == (20, False, ["accounts-equal"])
    assert given["by"].startswith("arn:aws:sts::")
    capsys.readouterr()
    [record] = known.whole().cutovers
    machine = threading.Thread(target=take_over, args=(ledger, clone, record))
    machine.start()
    assert run("cutover", clone, "--env", "asks") == 0
    machine.join()
    shown = capsys.readouterr().out
    assert "shop took over from shop-old; writes were refused for 23.806 ms" in shown
    assert "  fenced            4.218 ms\n" in shown
    # Asked again, the run that did it tells it again, and nothing is begun.
    assert run("cutover", clone, "--env", "asks") == 0
    assert capsys.readouterr().out == shown
    assert len(inputs("asks", "CutOver", clone)) == 1


def test_a_cut_over_whose_conditions_do_not_hold_shows_them_and_is_exit_code_3(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    ledger.put(clone, "check", {"conditions": CONDITIONS, "holds": False})
    assert run("cutover", clone, "--env", "refuses") == 3
    assert "1 of 3 conditions do not hold." in capsys.readouterr().out


def test_a_cut_over_that_was_given_up_says_why_and_fails(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    assert run("cutback", clone, "--env", "fails") == 1
    assert "SeedRefused: it was stale" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--record", "db.example"), "give one of --record with --zone"),
        (("--secret", "a", "--parameter", "b"), "give one of --record with --zone"),
        (("--deadline", "0"), "deadline_s is 0; it must be 1 to 780"),
        (("--request", "broken.json"), "the request is not JSON"),
    ],
)
def test_a_wrong_cut_over_is_named_and_nothing_is_started(
    ledger: AuroraLedger, clone: str, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.json").write_text("{")
    begun(ledger, clone, Phase.READY)
    assert run("cutover", clone, *arguments, "--env", "proves") == 2
    assert said in capsys.readouterr().err
    assert inputs("proves", "CutOver", clone) == []
