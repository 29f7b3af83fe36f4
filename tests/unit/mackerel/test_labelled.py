"""Labelled figures are judged where they are made, and are nothing that a queue or the v0 API takes."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kuroshio.adapters.mackerel import GivenKey
from kuroshio.adapters.otlp import OtlpOutbox
from kuroshio.cli import kuroshio_command
from kuroshio.errors import ConfigurationMissing, InvalidRequest
from kuroshio.mackerel import labelled, messages, state
from kuroshio.mackerel.collect import Collector, Delivery
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = 1_790_000_040
HERE = "http://127.0.0.1:4317"


def figure(labels: Mapping[str, str], name: str = "queue.length") -> labelled.Labelled:
    return labelled.labelled("shop", name, 17, labels, at=NOON, now=NOON)


def test_a_message_holds_what_was_packed() -> None:
    figures = [figure({"region": "tokyo", "plan": "大"}), figure({})]
    assert labelled.unpacked(labelled.packed(figures)) == figures


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({"1a": "x"}, "does not begin with a digit"),
        ({"a-b": "x"}, "a name has"),
        ({"a": ""}, "1 to 250 printable signs"),
        ({"a": "x" * 251}, "1 to 250 printable signs"),
        ({"a": "x\ny"}, "printable"),
        ({f"a{number}": "x" for number in range(21)}, "20 are the most"),
    ],
)
def test_impossible_labels_are_refused(labels: Mapping[str, str], says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        figure(labels)


def test_a_labelled_message_in_the_queue_is_set_aside_and_a_plain_one_does_not_go_by_otlp() -> None:
    ledger = MemoryLedger()
    collector = Collector(ledger, lambda: NOON)
    assert collector.take([Delivery("m1", labelled.packed([figure({"a": "b"})]))]) == []
    [parked] = state.parked(ledger)
    assert "not a document of the schema" in parked.reason
    with pytest.raises(InvalidRequest, match="only labelled figures"):
        labelled.unpacked(json.dumps({"schema": messages.SCHEMA}))


@pytest.mark.parametrize("endpoint", ["http://otlp.mackerelio.com:4317", "otlp.mackerelio.com:4317", "ftp://127.0.0.1"])
def test_the_key_does_not_leave_this_machine_in_the_clear(endpoint: str) -> None:
    with pytest.raises(InvalidRequest, match="is not https://HOST:PORT"):
        OtlpOutbox(GivenKey("key"), endpoint)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ConfigurationMissing, match=r"install kuroshio\[otlp\]"):
        OtlpOutbox(GivenKey("key"), HERE).send(labelled.packed([figure({})]))


def send(*words: str) -> Result:
    return CliRunner().invoke(kuroshio_command, ["mackerel", "send", "--service", "shop", *words])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["a=1", "--label", "k=v", "--combine", "sum"], "labelled figures are gauges"),
        (["a=1", "--label", "k"], "'k' is not KEY=VALUE"),
    ],
)
def test_wrong_usage_is_told(words: list[str], says: str) -> None:
    done = send(*words)
    assert done.exit_code == 2
    assert says in done.output


def test_a_key_is_needed_and_a_bad_figure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MACKEREL_APIKEY", raising=False)
    assert "MACKEREL_APIKEY" in str(send("a=1", "--label", "k=v").exception)
    assert "the value is nan" in str(send("a=nan", "--label", "k=v").exception)
