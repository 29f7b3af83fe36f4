"""The writer's side: figures are gathered while the work is done, and leave in one message when it ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self, SupportsFloat

from kuroshio.errors import InvalidRequest, KuroshioError, LimitExceeded
from kuroshio.mackerel import messages, points, silence
from kuroshio.mackerel.cells import Cell, Contribution
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.points import Combine, digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.points import Annotation, Point, Report
    from kuroshio.mackerel.ports import Outbox
    from kuroshio.mackerel.silence import Downtime, Ended

MOST_SERIES = 1_000


class Writer:
    """Gathers what one piece of work says.

    ``origin`` names the piece of work and is the same when it is done again: a Step Functions execution and the state's
    name, an EventBridge event's id, an SQS message's id. What one origin says twice is counted once.
    """

    def __init__(self, *, service: str, origin: str, clock: Callable[[], float]) -> None:
        self._service, self._origin, self._clock = service, origin, clock
        self._cells: dict[tuple[str, str, int | None], tuple[Point, Cell]] = {}
        self._reports: list[Report] = []
        self._annotations: list[Annotation] = []
        self._downtimes: list[Downtime | Ended] = []
        self._takings = 0

    def put(
        self,
        name: str,
        value: SupportsFloat = 1,
        *,
        combine: str = Combine.SUM,
        at: float | None = None,
        service: str = "",
    ) -> None:
        """Contribute a value to a metric's minute: that of ``at`` (epoch seconds), or the present one.

        Raises InvalidRequest for what Mackerel would refuse, drop or misplace, and LimitExceeded beyond a thousand
        different metrics before a flush.
        """
        now = self._clock()
        made = points.point(
            service or self._service,
            name,
            value,
            at=now if at is None else at,
            now=now,
            combine=combine,
            key="",
            floating=at is None,
        )
        slot = (made.service, made.name, None if made.floating else made.minute)
        first, cell = self._cells.get(slot, (made, Cell(made.combine)))
        if first.combine != made.combine:
            raise InvalidRequest(f"metric {name!r}: combined by {first.combine} before, now by {made.combine}")
        if slot not in self._cells and len(self._cells) >= MOST_SERIES:
            raise LimitExceeded(f"more than {MOST_SERIES} different metrics before a flush; flush more often")
        number = f"{len(cell.contributions):09d}"  # of the same second the last one counts, in the order of its key
        self._cells[slot] = first, cell.adding(Contribution(number, made.value, made.time))

    def check(
        self, name: str, status: str, message: str, *, occurred_at: float, notification_interval: int | None = None
    ) -> None:
        """Report a check. ``occurred_at`` must be the same when the work is done again. Raises InvalidRequest."""
        interval, now = notification_interval, self._clock()
        made = points.report(name, status, message, occurred_at=occurred_at, now=now, notification_interval=interval)
        self._reports.append(made)

    def annotate(self, title: str, *, first: float, last: float | None = None, description: str = "") -> None:
        """Mark a span on the service's graphs; called again with ``last`` when it ends. Raises InvalidRequest."""
        made = points.annotation(
            self._service,
            self._origin,
            title,
            first=first,
            last=last,
            now=self._clock(),
            description=description,
        )
        self._annotations.append(made)

    def downtime_begins(self, name: str, *, marker: str, first: float, last: float, service: str = "") -> None:
        """Silence the service's monitors from ``first`` on: until ``downtime_ends``, and at the latest until ``last``.

        ``marker`` names who needs it, best the execution's ARN: it ends with the execution then, whatever becomes of it.
        Raises InvalidRequest.
        """
        where, now = service or self._service, self._clock()
        self._downtimes.append(silence.begun(where, marker, name, first=first, last=last, now=now))

    def downtime_ends(self, *, marker: str, at: float | None = None) -> None:
        """End the marker's downtime for good, also where its beginning arrives later. Raises InvalidRequest."""
        now = self._clock()
        self._downtimes.append(silence.ended(marker, at=now if at is None else at, now=now))

    def taken(self) -> Parcel:
        """What was gathered since the last time; it is this writer's no more."""
        parcel = Parcel(
            tuple(self._totalled(first, cell) for first, cell in self._cells.values()),
            tuple(self._reports),
            tuple(self._annotations),
            downtimes=tuple(self._downtimes),
        )
        if parcel != Parcel():
            self._takings += 1
            self._cells.clear()
            self._reports.clear()
            self._annotations.clear()
            self._downtimes.clear()
        return parcel

    def _totalled(self, first: Point, cell: Cell) -> Point:
        slot = "now" if first.floating else first.minute
        origin = f"{digest(self._origin)}.{self._takings}"
        key = f"{origin}/{digest(first.service, first.name, first.combine, slot)}"
        return replace(first, value=cell.total(), key=key)


class Metrics(Writer):
    """``metrics.put("orders.shipped", 3)``. One call to SQS per flush, and no call to Mackerel."""

    def __init__(self, outbox: Outbox, *, service: str, origin: str, clock: Callable[[], float]) -> None:
        super().__init__(service=service, origin=origin, clock=clock)
        self._outbox = outbox
        self._packed: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, failure: BaseException | None, __: object) -> None:
        """Flush, after a failure too: how far the work came is worth knowing then. Never hides that failure."""
        try:
            self.flush()
        except KuroshioError as error:
            if failure is None:
                raise
            failure.add_note(f"and its metrics could not be sent: {error}")

    def flush(self) -> None:
        """Send what was gathered, in one message; in more where one would be too large.

        Raises ServiceUnavailable, and keeps the messages as they are for the next flush: they may have arrived all the same.
        """
        self._packed += messages.in_messages(self.taken())
        while self._packed:
            self._outbox.send(self._packed[0])
            del self._packed[0]
