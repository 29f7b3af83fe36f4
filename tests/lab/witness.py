"""What a lab tells of itself when a test waited in vain: whoever reads the output of CI has nothing else."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.clients import client
from lab.lifecycle import ask
from lab.place import OPERATOR, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.place import Place, Running

_LINES, _WIDTH = 12, 300  # of the log; Step Functions' failures take thousands of characters each
_ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "VisibilityTimeout",
    "RedrivePolicy",
)
_labs: list[tuple[Place, Running]] = []


@contextmanager
def witness(place: Place, running: Running) -> Iterator[None]:
    """For as long as it is open, this lab is asked."""
    _labs.append((place, running))
    try:
        yield
    finally:
        _labs.remove((place, running))


def told() -> str:
    """Of each lab that is up: clock, faults in force, queues that hold something, and the end of the log."""
    return "\n".join(line for place, running in _labs for line in _state(place, running))


def _state(place: Place, running: Running) -> Iterator[str]:
    yield f"lab {place.name}:"
    yield f"  clock  {_answer(lambda: ask(running, 'GET', 'clock'))}"
    yield f"  faults {_answer(lambda: ask(running, 'GET', 'faults'))}"
    yield f"  queues {_answer(lambda: _queues(running))}"
    if place.log_file.exists():
        yield from (
            f"  | {line[:_WIDTH]}" for line in place.log_file.read_text(errors="replace").splitlines()[-_LINES:]
        )


def _queues(running: Running) -> dict[str, Any]:
    sqs, found = client("sqs", running.endpoint, REGION, OPERATOR), dict[str, Any]()
    for url in sqs.list_queues().get("QueueUrls", []):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        if any(int(attributes[name]) for name in _ATTRIBUTES[:3]):
            found[url.rpartition("/")[2]] = {name: attributes[name] for name in _ATTRIBUTES if name in attributes}
    return found


def _answer(ask_for: Callable[[], Any]) -> str:
    try:
        return json.dumps(ask_for())
    except Exception as error:  # noqa: BLE001 - the test has failed already: what can be told is told
        return f"not to be learned: {error!r}"
