"""Work that is given away counts until it ends, however it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from lab.activity import Activity

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
