"""A piece of work has the same name whenever it is done again, and two pieces never have one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from kuroshio.mackerel.origins import of_event, of_record

EVENTS = Path(__file__).parents[3] / "events"
SQS = {"messageId": "m1", "receiptHandle": "another each time", "eventSource": "aws:sqs", "body": "{}"}
SNS = {"EventSource": "aws:sns", "Sns": {"MessageId": "n1"}}
STREAM = {"eventID": "shard-1:7", "eventSource": "aws:kinesis"}
S3 = {"eventSource": "aws:s3", "s3": {}}


@pytest.mark.parametrize(
    ("event", "origin"),
    [
        ({"metrics_origin": "execution-1/Verify", "id": "7", "detail-type": "x"}, "execution-1/Verify"),
        ({"Records": [SQS]}, "record/m1"),
        ({"Records": [SNS]}, "record/n1"),
        ({"Records": [STREAM]}, "record/shard-1:7"),
        ({"Records": [S3]}, "request/r1"),
        ({"Records": []}, "request/r1"),
        ({"Records": [7]}, "request/r1"),
        ({"id": "e1", "detail-type": "Scheduled Event"}, "event/e1"),
        ({"id": "a row of somebody's"}, "request/r1"),
        ({"metrics_origin": 7}, "request/r1"),
        ([], "request/r1"),
        (None, "request/r1"),
        ("text", "request/r1"),
    ],
)
def test_an_event_names_its_work(event: Any, origin: str) -> None:
    assert of_event(event, "r1") == origin


def test_a_batch_is_the_same_in_any_order_and_another_in_other_company() -> None:
    one, two, three = ({**SQS, "messageId": name} for name in ("m1", "m2", "m3"))
    assert of_event({"Records": [one, two]}, "r1") == of_event({"Records": [two, one]}, "r2")
    assert of_event({"Records": [one, two]}, "r1") != of_event({"Records": [one, three]}, "r1")
    assert of_event({"Records": [one, two]}, "r1") != of_event({"Records": [one]}, "r1")


def test_a_record_without_an_id_has_no_name() -> None:
    assert of_record(S3) == ""


def test_an_event_of_step_functions_that_this_repository_keeps_is_known_by_its_id() -> None:
    event = json.loads((EVENTS / "record_run/succeeded.json").read_text())
    assert of_event(event, "r1") == f"event/{event['id']}"
