"""What the engine asks of its surroundings, and what it tells them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.moto_engine.metrics import Alarm


@dataclass(frozen=True)
class Hooks:
    """What the engine asks of its surroundings.

    ``client(service, region, role_arn)`` gives the boto3 client of a task; ``pause(seconds, interrupted, arn)`` makes every Wait
    and every retry's pause (of the execution, where it is known); ``now`` gives the date, as an aware datetime, ``running``
    the seconds that spans are measured by; ``task(name, arguments, resource)``,
    where given, answers every Task state instead of the services; ``changed`` is told each status that an execution takes,
    ``deliver`` each rule that an event met, and ``invoke`` each function that SNS, S3 or Logs call asynchronously;
    ``resolve_image`` gives a tag's image by digest; ``measured`` is told what PutMetricData was given, ``alarm_changed`` an
    alarm before and after it took a state.
    """

    client: Callable[[str, str, str], Any] | None = None
    pause: Callable[[float, Callable[[], bool], str], Any] = lambda _seconds, _interrupted, _arn: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    running: Callable[[], float] = time.time
    task: Callable[[str, Any, str], Any] | None = None
    changed: Callable[[ExecutionStatus], None] = lambda _status: None
    deliver: Callable[[Rule, dict[str, Any]], None] | None = None
    invoke: Callable[[str, bytes], None] | None = None
    resolve_image: Callable[[str], str] = lambda uri: uri
    measured: Callable[[str, list[dict[str, Any]]], None] = lambda _namespace, _data: None
    alarm_changed: Callable[[Alarm, Alarm], None] = lambda _before, _after: None


@dataclass(frozen=True)
class Rule:
    """A rule of EventBridge whose pattern met an event."""

    arn: str
    role_arn: str
    targets: list[dict[str, Any]]


@dataclass(frozen=True)
class ExecutionStatus:
    """One status of one execution, as DescribeExecution would tell it; dates are aware datetimes."""

    execution_arn: str
    state_machine_arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str
    output: str | None
    error: str | None
    cause: str | None


class TaskFailed(Exception):  # noqa: N818 - the name that Step Functions gives to it
    """Raised by a fake to fail its task with an error name that is not a Python class, such as ``S3.NoSuchKeyException``."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(cause)
        self.name = name


_hooks = Hooks()


def hooks() -> Hooks:
    """The hooks in force."""
    return _hooks


def use(new: Hooks) -> Hooks:
    """Put hooks in force, and return those that were."""
    global _hooks
    before, _hooks = _hooks, new
    return before
