"""A function of several steps does the one that the event names."""

from __future__ import annotations

from typing import Any

import pytest

from kuroshio.aurora.steps import dispatch
from kuroshio.errors import InvalidRequest


def watch(event: dict[str, Any]) -> dict[str, Any]:
    return {"watched": event["clone"]}


def test_the_step_that_is_named_is_done_with_the_whole_event() -> None:
    assert dispatch({"watch": watch}, {"step": "watch", "clone": "shop"}) == {"watched": "shop"}


@pytest.mark.parametrize(
    "event", [{}, {"step": "stop"}, {"step": None}, {"step": ["watch"]}, {"step": "\x1b[31m" * 99}]
)
def test_a_step_that_is_none_is_refused_with_those_that_are(event: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"^[ -~]{1,200}it must be one of watch$"):
        dispatch({"watch": watch}, event)


@pytest.mark.parametrize("event", [None, [], "watch", 3])
def test_an_event_that_is_no_object_is_refused(event: object) -> None:
    with pytest.raises(InvalidRequest, match="must be an object with a step"):
        dispatch({"watch": watch}, event)
