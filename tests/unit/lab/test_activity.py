"""Work that is given away counts until it ends, however it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from lab.activity import Activity
from lab.server import _tell_of_executions

if TYPE_CHECKING:
    import pytest


def test_work_that_fails_ends_and_the_log_says_what_was_not_done(caplog: pytest.LogCaptureFixture) -> None:
    def deliver() -> None:
        raise KeyError("target")

    activity = Activity()
    with ThreadPoolExecutor() as pool:
        activity.submit(pool, deliver)

    assert activity.settle(20)
    [record] = caplog.records
    assert "deliver was not done" in record.getMessage()
    assert "KeyError: 'target'" in caplog.text


def test_an_execution_is_at_work_until_the_bus_has_taken_the_event_of_its_end() -> None:
    activity, rested = Activity(), list[bool]()
    figures = SimpleNamespace(execution_changed=lambda _: None)
    bus = SimpleNamespace(execution_changed=lambda _: rested.append(activity.settle(0.05)))
    tell = _tell_of_executions(activity, cast("Any", bus), cast("Any", figures))

    for status in ("RUNNING", "SUCCEEDED"):
        tell(cast("Any", SimpleNamespace(status=status, execution_arn="arn")))

    assert rested == [False, False]
    assert activity.settle(20)
