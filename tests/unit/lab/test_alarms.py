"""Alarms by the tables that CloudWatch's documents give, the figures that they look at, and those in functions' logs."""

from __future__ import annotations

import json

import pytest

from lab.cloudwatch.datapoints import Datapoints, Metric, Sample
from lab.cloudwatch.emf import metrics_of
from lab.cloudwatch.evaluation import ALARM, INSUFFICIENT, OK, Rule, evaluate

RETAINED = "retained"


# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html, both tables; the newest is last.
@pytest.mark.parametrize(
    ("to_alarm", "points", "missing", "ignore", "breaching", "not_breaching"),
    [
        (3, "0 - X - X", OK, OK, OK, OK),
        (3, "0 - - - -", OK, OK, OK, OK),
        (3, "- - - - -", INSUFFICIENT, RETAINED, ALARM, OK),
        (3, "0 X X - X", ALARM, ALARM, ALARM, ALARM),
        (3, "- - X - -", ALARM, RETAINED, ALARM, OK),
        (2, "0 - X - X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
        (2, "0 - X - -", OK, OK, ALARM, OK),
        (2, "- - - - 0", OK, OK, ALARM, OK),
        (2, "- - - X -", ALARM, RETAINED, ALARM, OK),
        # and in its words: neither of these goes to ALARM at once, lest the next datapoint be a good one
        (3, "- - - - X", RETAINED, RETAINED, ALARM, OK),
        (3, "- - - X -", RETAINED, RETAINED, ALARM, OK),
    ],
)
def test_missing_data_is_treated_as_the_documents_tables_say(  # noqa: PLR0917 - the tables' columns
    to_alarm: int, points: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    values = [{"0": 0.0, "X": 9.0, "-": None}[point] for point in points.split()]
    expected = {"missing": missing, "ignore": ignore, "breaching": breaching, "notBreaching": not_breaching}

    def after(treatment: str) -> str:
        rule = Rule("GreaterThanThreshold", 5, 3, to_alarm, treatment)
        assert rule.range == len(values)
        return evaluate(rule, values, RETAINED).state

    assert {treatment: after(treatment) for treatment in expected} == expected


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", [OK, OK, ALARM]),
        ("GreaterThanOrEqualToThreshold", [OK, ALARM, ALARM]),
        ("LessThanThreshold", [ALARM, OK, OK]),
        ("LessThanOrEqualToThreshold", [ALARM, ALARM, OK]),
    ],
)
def test_each_comparison_at_below_and_above_the_threshold(comparison: str, states: list[str]) -> None:
    rule = Rule(comparison, 5, 1, 1)
    assert [evaluate(rule, [None, None, value], OK).state for value in (4.0, 5.0, 6.0)] == states


METRIC = Metric("Kuroshio", "Depth", frozenset({("service", "flush")}))


def sample(*values: float) -> Sample:
    made = Sample()
    for value in values:
        made.add(value)
    return made


def test_statistics_are_those_of_all_values_of_a_period_and_percentiles_count_every_value() -> None:
    points = Datapoints()
    points.add(METRIC, 60, "Count", sample(1, 2, 3))
    points.add(METRIC, 130, "Count", sample(10))
    points.add(METRIC, 130, "Seconds", sample(99))
    points.add(Metric("Kuroshio", "Depth", frozenset()), 130, "Count", sample(7))

    older, newer = points.over(METRIC, end=300, period=120, count=2, unit="Count")
    names = ("SampleCount", "Sum", "Average", "Minimum", "Maximum", "p50", "p99.9")

    assert [older.statistic(name) for name in names] == [4, 16, 4, 1, 10, 2, 10]
    assert [newer.statistic(name) for name in names] == [None] * 7
    assert points.over(METRIC, end=180, period=60, count=1)[0].statistic("Maximum") == 99
    with pytest.raises(ValueError, match="tm90"):
        older.statistic("tm90")


def emf(**values: object) -> str:
    directive = {
        "Namespace": "Kuroshio",
        "Dimensions": [["service"], ["service", "lane"], []],
        "Metrics": [{"Name": "Depth", "Unit": "Count"}, {"Name": "Took"}],
    }
    return json.dumps({"_aws": {"Timestamp": 1_700_000_000_500, "CloudWatchMetrics": [directive]}, **values})


def test_a_line_of_embedded_metrics_has_a_datum_per_metric_and_set_of_dimensions() -> None:
    found = list(metrics_of(emf(service="flush", lane="a", Depth=3, Took=[1, 2.5])))

    assert [(one.name, one.unit, one.values, one.dimensions) for one in found] == [
        ("Depth", "Count", (3.0,), (("service", "flush"),)),
        ("Depth", "Count", (3.0,), (("lane", "a"), ("service", "flush"))),
        ("Depth", "Count", (3.0,), ()),
        ("Took", "None", (1.0, 2.5), (("service", "flush"),)),
        ("Took", "None", (1.0, 2.5), (("lane", "a"), ("service", "flush"))),
        ("Took", "None", (1.0, 2.5), ()),
    ]
    assert {one.at for one in found} == {1_700_000_000.5}


@pytest.mark.parametrize(
    "line",
    [
        "plain words",
        'half of {"_aws": a line',
        '{"_aws": {}}',
        '["_aws"]',
        emf(service="flush", lane="a"),
        emf(service="flush", lane="a", Depth="3", Took=True),
        emf(service="flush", lane="a", Depth=list(range(101))),
    ],
)
def test_what_is_no_embedded_metric_measures_nothing(line: str) -> None:
    assert list(metrics_of(line)) == []


def test_a_set_of_dimensions_that_the_line_does_not_fill_is_left_out() -> None:
    assert [one.dimensions for one in metrics_of(emf(service="flush", Depth=1))] == [(("service", "flush"),), ()]
