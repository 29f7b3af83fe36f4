"""Figures of your own functions, on their way to Mackerel::

    from kuroshio import metrics

    @metrics.flushed
    def handler(event, context):
        metrics.put("orders.shipped", 3)

They leave in one call to SQS when the handler ends. Nothing here makes the handler fail, unless it is asked to
(``strict``): what cannot be said or sent is logged. ``KUROSHIO_OUTBOX_QUEUE_URL`` and ``KUROSHIO_MACKEREL_SERVICE`` say
where to. Nothing is read from the environment, and no client is made, before the first figure.
"""

from __future__ import annotations

import functools
import logging
import os
import time
import uuid
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ParamSpec, SupportsFloat, TypeVar, overload

from kuroshio.errors import ConfigurationMissing, KuroshioError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

    from kuroshio.adapters.hurried_outbox import HurriedOutbox
    from kuroshio.mackerel.gathering import Gathering
    from kuroshio.mackerel.messages import Parcel

P = ParamSpec("P")
R = TypeVar("R")

_logger = logging.getLogger("kuroshio.metrics")
_PATIENCE = 5.0  # seconds that a flush may cost, where SQS is silent
_TO_FINISH = 0.3  # seconds that are left to the function after a flush
_LONGEST_TOLD = 2000  # characters of what was not sent, in the log


class _Work:
    """A piece of work whose figures are being gathered."""

    def __init__(self, origin: str, *, strict: bool, deadline: Callable[[], float]) -> None:
        from kuroshio.mackerel.gathering import Gathering

        self.strict, self.deadline = strict, deadline
        service = os.environ.get("KUROSHIO_MACKEREL_SERVICE") or "not-configured"
        self.gathering: Gathering = Gathering(service=service, origin=origin, clock=time.time)
        # What a Powertools provider has in EMF already.
        self.bridged: Gathering = Gathering(service=service, origin=f"{origin}/powertools", clock=time.time)


_current: ContextVar[tuple[_Work, str] | None] = ContextVar("kuroshio.metrics", default=None)
_open: list[_Work] = []


def put(
    name: str, value: SupportsFloat = 1, *, combine: str = "sum", at: float | None = None, service: str = ""
) -> None:
    """Contribute a value to a metric's minute: that of ``at`` (epoch seconds), or the present one.

    ``combine`` says what the values of one minute become, from all functions together: their sum, the last, the max.
    Outside of what is ``flushed`` it leaves at once, as a message of its own, and counts again if it is said again.
    """
    with _writing(f"the metric {name!r:.80}") as (work, origin):
        work.gathering.put(origin, name, value, combine=combine, at=at, service=service)


def check(name: str, status: str, message: str, *, occurred_at: float | None = None) -> None:
    """Report a check: OK, WARNING, CRITICAL or UNKNOWN. ``occurred_at`` should be the same when the work is done again."""
    with _writing(f"the check {name!r:.80}") as (work, _):
        work.gathering.check(name, status, message, occurred_at=time.time() if occurred_at is None else occurred_at)


def annotate(title: str, *, first: float, last: float | None = None, description: str = "") -> None:
    """Mark a span on the service's graphs; said again with ``last`` when it ends, by the same origin."""
    with _writing(f"the annotation {title!r:.80}") as (work, origin):
        work.gathering.annotate(origin, title, first=first, last=last, description=description)


def downtime_begins(name: str, *, marker: str, first: float, last: float, service: str = "") -> None:
    """Silence the service's monitors from ``first`` on: until ``downtime_ends``, and at the latest until ``last``.

    ``marker`` names who needs it, best the execution's ARN: it ends with the execution then, whatever becomes of it.
    """
    with _writing(f"the downtime {name!r:.80}") as (work, _):
        work.gathering.downtime_begins(name, marker=marker, first=first, last=last, service=service)


def downtime_ends(*, marker: str, at: float | None = None) -> None:
    """End the marker's downtime for good, also where its beginning arrives later."""
    with _writing(f"the end of the downtime of {marker!r:.80}") as (work, _):
        work.gathering.downtime_ends(marker=marker, at=at)


def powertools_provider(**settings: Any) -> AmazonCloudWatchEMFProvider:
    """A provider for your own Powertools ``Metrics(provider=...)``: what it says goes to Mackerel too.

    ``settings`` are those of Powertools' provider (``namespace``, ``service``). Counts and sizes are summed over a
    minute; of anything else the last one counts. Dimensions stay in CloudWatch: Mackerel's metrics have none.
    """
    from kuroshio.adapters.powertools_bridge import provider

    return provider(_bridged, settings)


def _bridged(name: str, value: float, combine: str) -> None:
    with _writing(f"the metric {name!r:.80}") as (work, origin):
        inner = "" if origin == work.gathering.origin else origin
        work.bridged.put(inner or work.bridged.origin, name, value, combine=combine, at=None, service="")


@overload
def flushed(handler: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def flushed(
    *, origin: Callable[[Any, Any], str] | None = ..., strict: bool = ...
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def flushed(
    handler: Callable[..., Any] | None = None,
    /,
    *,
    origin: Callable[[Any, Any], str] | None = None,
    strict: bool = False,
) -> Any:
    """Send what a handler says when it ends, after a failure too.

    ``origin(event, context)`` names the work where the event does not. ``strict``: what is wrong with a figure is
    raised where it is said, and what could not be sent makes the handler fail.
    """
    if handler is None:
        return functools.partial(_flushed, origin=origin, strict=strict)
    return _flushed(handler, origin=origin, strict=strict)


@contextmanager
def gathered(origin: str = "", *, strict: bool = False, seconds: Callable[[], float] | None = None) -> Iterator[None]:
    """What is said within leaves in one message at the end, of whatever is no Lambda function.

    ``origin`` names the work, and is the same when it is done again; without one, it counts again. ``seconds`` tells
    how much time is left.
    """
    work = _Work(origin or f"once/{uuid.uuid4()}", strict=strict, deadline=seconds or (lambda: _PATIENCE + _TO_FINISH))
    token = _current.set((work, work.gathering.origin))
    _open.append(work)
    try:
        yield
    except BaseException as failure:
        try:
            _send(work)
        except KuroshioError as error:
            failure.add_note(f"and its metrics could not be sent: {error}")
        raise
    else:
        _send(work)
    finally:
        _open.remove(work)
        _current.reset(token)


@contextmanager
def origin(record: Mapping[str, Any] | str) -> Iterator[None]:
    """What is said within is about this record of a batch (or about what the text names), which may come again alone."""
    from kuroshio.mackerel import origins

    here = _here()
    named = record if isinstance(record, str) else origins.of_record(record)
    if here is None or not named:
        yield
        return
    token = _current.set((here[0], f"{_function()}/{named}"))
    try:
        yield
    finally:
        _current.reset(token)


def _flushed(
    handler: Callable[..., Any], *, origin: Callable[[Any, Any], str] | None, strict: bool
) -> Callable[..., Any]:
    @functools.wraps(handler)
    def invoked(event: Any, context: Any, *args: Any, **kwargs: Any) -> Any:
        with gathered(_origin(event, context, origin), strict=strict, seconds=_left(context)):
            return handler(event, context, *args, **kwargs)

    return invoked


def _origin(event: Any, context: Any, named: Callable[[Any, Any], str] | None) -> str:
    from kuroshio.mackerel import origins

    request = getattr(context, "aws_request_id", None) or str(uuid.uuid4())
    # Two functions may hear of one event, and each says its own.
    return f"{_function()}/{named(event, context) if named else origins.of_event(event, request)}"


def _function() -> str:
    return os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")


def _left(context: Any) -> Callable[[], float] | None:
    left = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: left() / 1000) if left else None


def _here() -> tuple[_Work, str] | None:
    """The work at hand. A thread that the handler started belongs to it, if there is but one that it can belong to."""
    found = _current.get()
    if found is None and len(_open) == 1:
        found = _open[0], _open[0].gathering.origin
    return found


@contextmanager
def _writing(what: str) -> Iterator[tuple[_Work, str]]:
    with ExitStack() as alone:
        here = _here()
        if here is None:
            alone.enter_context(gathered())
            here = _here()
            assert here is not None  # noqa: S101 - it was opened just now
        try:
            yield here
        except Exception as error:
            if here[0].strict:
                raise
            _logger.error("%s was not taken: %s: %s", what, type(error).__name__, error)  # noqa: TRY400


def _send(work: _Work) -> None:
    """EMF first, then the one call. Raises what went wrong if the work is strict, and logs it otherwise."""
    from kuroshio.mackerel.messages import merged

    said = work.gathering.taken()
    parcel = merged([said, work.bridged.taken()])
    for deliver, what in ((_to_cloudwatch, said), (_to_outbox, parcel)):
        try:
            deliver(what, work)
        except Exception as error:
            if work.strict:
                raise
            _logger.error("metrics were not sent: %s: %s: %s", type(error).__name__, error, _told(what))  # noqa: TRY400


def _to_cloudwatch(parcel: Parcel, _: _Work) -> None:
    from kuroshio.adapters import emf

    if parcel.points and emf.is_wanted():
        emf.write(parcel.points)


def _to_outbox(parcel: Parcel, work: _Work) -> None:
    from kuroshio.mackerel.messages import in_messages

    messages = in_messages(parcel)
    if messages:
        outbox = _outbox(os.environ.get("KUROSHIO_OUTBOX_QUEUE_URL", ""))
        outbox.send(messages, lambda: min(_PATIENCE, work.deadline() - _TO_FINISH))


@functools.cache
def _outbox(queue_url: str) -> HurriedOutbox:
    from kuroshio.adapters.hurried_outbox import HurriedOutbox
    from kuroshio.adapters.outbox import SqsOutbox

    names = ("KUROSHIO_OUTBOX_QUEUE_URL", "KUROSHIO_MACKEREL_SERVICE")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigurationMissing(f"metrics need the environment variable(s) {', '.join(missing)}")
    return HurriedOutbox(SqsOutbox(queue_url))


def _told(parcel: Parcel) -> str:
    """What was not sent, for the log: it may be the only place where it still stands."""
    said = [f"{point.name}={point.value:g} ({point.combine}, {point.time})" for point in parcel.points]
    said += [f"check {report.name} {report.status} ({report.occurred_at})" for report in parcel.reports]
    said += [f"annotation {each.title!r} ({each.first})" for each in parcel.annotations]
    said += [f"downtime {each}" for each in parcel.downtimes]
    text = ", ".join(said)
    return text if len(text) <= _LONGEST_TOLD else f"{text[:_LONGEST_TOLD]}... ({len(said)} in all)"
