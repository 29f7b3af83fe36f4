"""`kuroshio aurora verify`, `repair` and `abort`: started with the clone's own request, told by their exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contract.aurora_commands.stage import begun, inputs, run
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    import pytest

    from kuroshio.adapters.aurora_ledger import AuroraLedger


def test_a_comparison_is_started_with_the_request_of_the_clone_and_its_result_is_the_exit_code(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    ledger.put(clone, "verification#1", known.verification(9, "delta"))
    assert run("verify", clone, "--proof", "delta", "--env", "done") == 0
    assert f"{clone}: Proven equal: 0 differences (delta proof, 91,234 rows)" in capsys.readouterr().out
    [given] = inputs("done", "VerifyClone", clone)
    assert (given["request"]["clone"], given["proof"]) == (clone, "delta")
    ledger.put(clone, "verification#2", known.verification(10, "full", differing=2))
    assert run("verify", clone, "--env", "leaves", "--json") == 3
    assert json.loads(capsys.readouterr().out)["differences"] == 2


def test_a_repair_is_of_the_last_verification_and_never_begun_where_nobody_agreed(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("repair", clone, "--env", "done") == 1
    assert "was never compared" in capsys.readouterr().err
    last = known.verification(10, "full", differing=2)
    ledger.put(clone, "verification#1", last)
    assert run("repair", clone, "--env", "done") == 3
    assert inputs("done", "RepairClone", clone) == []
    assert run("repair", clone, "--env", "done", "--yes") == 3  # this one repairs nothing
    [given] = inputs("done", "RepairClone", clone)
    assert given["verification"] == last["began"]


def test_an_abort_says_what_goes_asks_and_lists_what_is_left(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("abort", clone, "--env", "leaves", "--dry-run") == 0
    assert run("abort", clone, "--env", "leaves") == 3
    assert "on shop the replication account" in capsys.readouterr().err
    assert inputs("leaves", "RemoveClone", clone) == []
    assert run("abort", clone, "--env", "leaves", "--yes") == 3
    assert f"{clone} is removed\n  left: a group\n" in capsys.readouterr().out
    [given] = inputs("leaves", "RemoveClone", clone)
    assert given["source"] == "shop"
    assert run("abort", f"{clone}-no", "--env", "leaves", "--yes") == 1
