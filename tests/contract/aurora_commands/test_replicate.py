"""`kuroshio aurora replicate`: asked twice it is one run, and a wrong request starts nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kuroshio.aurora.records import Phase
from tests.contract.aurora_commands.stage import asked, begun, inputs, look, run

if TYPE_CHECKING:
    from kuroshio.adapters.aurora_ledger import AuroraLedger


def test_asking_twice_for_the_same_is_one_run_with_the_whole_request_and_who_asked(
    clone: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    skipping = ("--skip", "1062", "--most-skips", "3", "--tag", "team=shop")
    again = ("replicate", "shop", clone, *skipping, "--no-watch", "--json", "--env", "waits")
    assert run(*again) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(*again) == 0
    second = capsys.readouterr()
    assert json.loads(second.out) == first
    assert "this was asked before" in second.err
    [given] = inputs("waits", "ReplicateCluster", clone)
    assert given["schema"] == "kuroshio.replicate-request/1"
    assert given["errors"] == {"policy": "skip", "numbers": [1062], "most": 3}
    assert given["options"]["tags"] == {"team": "shop"}
    assert given["by"].startswith("arn:aws:sts::123456789012:")


def test_another_request_for_a_clone_that_is_there_is_refused_before_anything_is_started(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("replicate", "another", clone, "--no-watch", "--env", "waits") == 2
    assert f"InvalidRequest: {clone} is following by another request" in capsys.readouterr().err
    assert inputs("waits", "ReplicateCluster", clone) == []


def test_after_an_abort_the_same_request_is_a_new_run(clone: str, ledger: AuroraLedger) -> None:
    again = ("replicate", "--request", asked(clone), "--no-watch", "--env", "done")
    assert run(*again) == 0
    begun(ledger, clone, Phase.ABORTED)
    assert run(*again) == 0
    assert run(*again) == 0
    assert len(inputs("done", "ReplicateCluster", clone)) == 2


def test_a_run_that_fails_is_followed_to_its_error_and_the_next_try_is_another_run(
    clone: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("replicate", "shop", clone, "--env", "fails") == 1
    assert "SeedRefused: it was stale" in capsys.readouterr().err
    assert run("replicate", "shop", clone, "--env", "fails") == 1
    assert len(inputs("fails", "ReplicateCluster", clone)) == 2


def test_a_run_is_followed_to_its_end_with_its_lag_in_lines(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    look(ledger, clone, 77)
    assert run("replicate", "--request", asked(clone), "--json", "--env", "takes") == 0
    shown = capsys.readouterr()
    assert f"{clone}: Ready to take over | 77 B behind" in shown.err
    assert json.loads(shown.out)["phase"] == "ready"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop",), "name SOURCE and CLONE"),
        (("shop", "shop"), "clone is the name of the source"),
        (("shop", "Not A Name"), "clone is 'Not A Name'"),
        (("shop", "shop-next", "--skip", "1062"), "--skip needs --most-skips"),
        (("shop", "shop-next", "--tag", "team"), "--tag takes KEY=VALUE"),
        (("shop", "shop-next", "--retention-hours", "0"), "retention_hours is 0"),
        (("--request", "broken.json"), "broken.json is not JSON"),
    ],
)
def test_a_wrong_request_is_named_and_nothing_is_asked_of_aws(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.json").write_text("{")
    assert run("replicate", *arguments) == 2
    assert said in capsys.readouterr().err


def test_where_nothing_is_deployed_it_says_so(clone: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replicate", "shop", clone, "--no-watch") == 1
    assert "the stack kuroshio-aurora-dev does not exist" in capsys.readouterr().err
