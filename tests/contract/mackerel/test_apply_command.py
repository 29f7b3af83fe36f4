"""`kuroshio mackerel apply`, as a person and as a job use it, against the fake on a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.cli import main
from lab.mackerel import Clock, FakeMackerel, Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_790_000_040


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    monkeypatch.chdir(tmp_path)
    with serve(FakeMackerel(Clock(NOON))) as running:
        monkeypatch.setenv("MACKEREL_APIKEY", "lab-key")
        monkeypatch.setenv("MACKEREL_APIBASE", running.origin)
        yield running


def run(*arguments: str) -> int:
    try:
        main(["mackerel", "apply", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_plan_is_shown_and_nothing_is_done_until_somebody_says_so(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--dry-run") == 3
    shown = capsys.readouterr()
    assert "+ create service kuroshio-dev\n" in shown.out
    assert "there is no mackerel.yaml; applying what --print-default shows" in shown.err
    assert run() == 3  # nobody is there to ask
    assert "nothing was changed: nobody is there to ask; give --yes" in capsys.readouterr().err
    assert served.mackerel.org.services == {}
    assert run("--yes") == 0
    assert run("--dry-run") == 0
    assert "kuroshio-dev: everything is as it shall be" in capsys.readouterr().out


def test_a_job_reads_the_plan_as_json(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mackerel.yaml").write_text("workflows: {}\nmonitors: {few: {metric: orders, critical: 5}}\n")
    run("--yes", "--env", "prod")
    capsys.readouterr()
    Path("mackerel.yaml").write_text("workflows: {}\nmonitors: {few: {metric: orders, critical: 6}}\n")
    assert run("--json", "--env", "prod", "--dry-run") == 3
    assert json.loads(capsys.readouterr().out) == {
        "service": "kuroshio-prod",
        "applied": False,
        "steps": [
            {
                "action": "update",
                "kind": "monitor",
                "name": "kuroshio-prod: few",
                "differences": [{"field": "critical", "is": 5, "shall": 6}],
            }
        ],
    }
    assert run("--json", "--env", "prod", "--yes") == 0
    assert json.loads(capsys.readouterr().out)["applied"] is True
    [few] = [each for each in served.mackerel.org.monitors.values() if each["metric"] == "orders"]
    assert few["critical"] == 6


def test_a_wrong_file_is_named_and_nothing_is_asked_of_mackerel(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("team.yaml").write_text("silence: 7 minutes\n")
    assert run("--file", "team.yaml") == 2
    assert 'team.yaml, line 1, column 10: silence is "7 minutes"; expected a time' in capsys.readouterr().err
    assert run("--file", "none.yaml") == 2
    assert served.mackerel.received == []


def test_the_default_file_can_be_printed_kept_and_applied(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--print-default") == 0
    Path("mackerel.yaml").write_text(capsys.readouterr().out)
    assert (run("--yes"), run("--dry-run")) == (0, 0)
    assert "kuroshio-dev" in served.mackerel.org.services


def test_the_key_is_read_from_the_secret_and_never_shown(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("MACKEREL_APIKEY")
    for name, value in {
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        aws.forget_clients()
        secrets = boto3.client("secretsmanager", region_name="ap-northeast-1")
        arn = secrets.create_secret(Name="key", SecretString="lab-read-only-key")["ARN"]
        assert run("--secret", arn, "--yes") == 1
    said = capsys.readouterr()
    assert "AccessRefused: could not create the service 'kuroshio-dev': HTTP 403" in said.err
    assert "lab-read-only-key" not in said.out + said.err
    monkeypatch.setenv("MACKEREL_APIKEY", "a key\nwith more")
    assert run("--dry-run") == 2
    assert "with more" not in capsys.readouterr().err
    aws.forget_clients()
