"""From EventBridge's event to the ledger and the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.journal import PowertoolsJournal
from kuroshio.errors import InvalidRequest
from kuroshio.runs.ports import NoFigures
from kuroshio.runs.recording import Recording
from kuroshio.runs.run import Run, run_from
from tests.fakes.ledger import InMemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = Path(__file__).parents[3] / "events/record_run"


def event(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text())


@pytest.fixture
def service(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name = str(request.node.name)  # Powertools keeps one log handler, and its stream, per service and process
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", name)
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Kuroshio")
    return name


@dataclass
class Notes:
    kept: list[tuple[str, bool]] = field(default_factory=list)

    def noted(self, run: Run, *, is_news: bool) -> None:
        self.kept.append((run.status, is_news))


def test_a_failed_run_keeps_the_errors_name_and_the_first_line_of_its_message() -> None:
    run = run_from(event("failed"))

    assert run == Run(
        workflow="kuroshio-dev-detect-changes",
        execution="pr-12-aaaaaaa",
        status="FAILED",
        started=datetime(2026, 11, 21, 4, 0, 0, 123000, tzinfo=UTC),
        stopped=datetime(2026, 11, 21, 4, 0, 4, 623000, tzinfo=UTC),
        error="RepositoryUnreadable",
        cause="incoming/octo/shop/pr-12/x.bundle: not a git bundle",
        arn="arn:aws:states:ap-northeast-1:111122223333:execution:kuroshio-dev-detect-changes:pr-12-aaaaaaa",
    )
    assert run.seconds == 4.5


def test_a_running_run_has_no_end_and_no_duration() -> None:
    run = run_from(event("running"))

    assert (run.stopped, run.seconds, run.error, run.cause) == (None, None, "", "")


@pytest.mark.parametrize(
    ("cause", "kept"),
    [("plain words\nand more", "plain words"), ("[1]", "[1]"), ("   ", ""), ("x" * 900, "x" * 500)],
)
def test_a_cause_of_any_shape_becomes_one_short_line(cause: str, kept: str) -> None:
    failed = event("failed")
    failed["detail"]["cause"] = cause

    assert run_from(failed).cause == kept


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda given: [], "detail: "),
        (lambda given: {**given, "detail": None}, "detail: "),
        (lambda given: given["detail"].pop("name") and given, "detail.name: expected a text, found null"),
        (lambda given: given["detail"].update(startDate="today") or given, 'detail.startDate: .* found "today"'),
        (lambda given: given["detail"].update(stopDate=True) or given, "detail.stopDate: .* found true"),
    ],
    ids=["no event", "no detail", "no name", "a start in words", "an end that is no time"],
)
def test_what_is_no_such_event_is_refused_by_field(spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        run_from(spoil(event("running")))


def test_events_in_any_order_leave_the_end_and_each_is_noted() -> None:
    notes = Notes()
    recording = Recording(InMemoryLedger(), notes, NoFigures())

    answers = [recording.record(event(name)) for name in ("succeeded", "running", "succeeded", "redriven")]

    assert [answer["recorded"] for answer in answers] == [True, False, False, True]
    assert answers[0] == {
        "workflow": "kuroshio-dev-detect-changes",
        "execution": "pr-12-aaaaaaa",
        "status": "SUCCEEDED",
        "recorded": True,
    }
    assert notes.kept == [("SUCCEEDED", True), ("RUNNING", False), ("SUCCEEDED", False), ("SUCCEEDED", True)]


@pytest.mark.parametrize(
    ("name", "is_news", "metrics"),
    [("succeeded", True, [{"Runs": [1.0], "RunDuration": [4.5]}]), ("succeeded", False, []), ("running", True, [])],
    ids=["an end is counted", "a repeated end is not", "a beginning is not"],
)
def test_each_end_is_counted_once_in_the_log(
    name: str,
    is_news: bool,
    metrics: list[dict[str, list[float]]],
    service: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    PowertoolsJournal().noted(run_from(event(name)), is_news=is_news)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = [line for line in lines if "_aws" in line]
    assert [{key: line[key] for key in ("Runs", "RunDuration")} for line in counted] == metrics
    assert [line["run"]["execution"] for line in lines if "_aws" not in line] == ["pr-12-aaaaaaa"]
    assert all((line["workflow"], line["service"]) == ("kuroshio-dev-detect-changes", service) for line in counted)
