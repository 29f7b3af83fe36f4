"""The list of every figure that Kuroshio publishes."""

import re
from pathlib import Path

import pytest

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel import catalogue, settle
from kuroshio.mackerel.names import metric_name


def test_every_name_is_one_that_mackerel_takes_as_it_is() -> None:
    names = [figure.of("detect-changes") for figure in catalogue.FIGURES]
    assert [metric_name(name) for name in names] == names
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)


def test_a_metric_finds_its_figure_again_whatever_the_workflow_is_called() -> None:
    for figure in catalogue.FIGURES:
        assert catalogue.figure_of(figure.of("releases/of.shop")) == figure
    assert catalogue.figure_of("orders.shipped") is None


def test_what_the_outbox_says_of_itself_is_in_the_catalogue() -> None:
    assert catalogue.figure(settle.LOST).unit == "integer"
    assert catalogue.figure(settle.LOST_REPORTS).unit == "integer"


def test_every_state_machine_is_drawn_and_watched() -> None:
    machines = Path(__file__).parents[3].glob("statemachines/*.asl.yaml")
    assert {path.name.removesuffix(".asl.yaml").replace("_", "-") for path in machines} == set(catalogue.WORKFLOWS)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match="'runs' is no figure of the catalogue; there are changes"):
        catalogue.figure("runs")


def contributions(status: str, seconds: float | None = None) -> dict[str, float]:
    return {figure.of("release"): value for figure, value in catalogue.of_run("release", status, seconds)}


def test_a_run_that_succeeds_ends_the_alert_that_an_earlier_failure_opened() -> None:
    assert contributions("RUNNING") == {"runs.release.started": 1}
    assert contributions("FAILED", 3) == {"runs.release.failed": 1, "runs.release.duration": 3}
    assert contributions("SUCCEEDED", 2) == {
        "runs.release.succeeded": 1,
        "runs.release.failed": 0,
        "runs.release.timed_out": 0,
        "runs.release.aborted": 0,
        "runs.release.duration": 2,
    }
    with pytest.raises(InvalidRequest, match="'PENDING' of 'release' is no status of a run"):
        contributions("PENDING")


def test_a_workflow_is_called_without_what_the_service_says_already() -> None:
    assert catalogue.workflow_of("kuroshio-dev-detect-changes", "dev") == "detect-changes"
    assert catalogue.workflow_of("nightly", "dev") == "nightly"
    assert catalogue.service_of("dev") == "kuroshio-dev"
