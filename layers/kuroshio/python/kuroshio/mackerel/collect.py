"""From the queue into the ledger: each contribution once, however often and in whatever order its message arrives."""

from __future__ import annotations

import math
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from kuroshio.errors import Outpaced
from kuroshio.mackerel import places, silence
from kuroshio.mackerel.cells import Cell, Contribution
from kuroshio.mackerel.messages import Parcel, Refused, merged, unpacked
from kuroshio.mackerel.points import DAY
from kuroshio.mackerel.ports import Key, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from kuroshio.mackerel.points import Annotation, Point, Report
    from kuroshio.mackerel.ports import Ledger
    from kuroshio.mackerel.silence import Downtime, Ended

_TRIES = 20  # of one conditional write against other collectors
_MOST_CLAIMS = 3_000  # keys of one origin: an item of DynamoDB holds 400 KB
_PORTION = 1_000  # points that are kept together


@dataclass(frozen=True)
class Delivery:
    """One message as the queue delivered it."""

    id: str
    body: str


class Collector:
    """Folds messages into the ledger. It may be killed anywhere: what was not acknowledged is delivered again."""

    def __init__(self, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._ledger, self._clock = ledger, clock
        self._lanes: set[str] = set()
        self.set_aside = 0  # what could not be taken at all, since this was made

    def take(self, deliveries: Sequence[Delivery], until: float = math.inf) -> list[str]:
        """Keep what the messages hold and return the ids of those that must be delivered again.

        A message that cannot be read is set aside with its reason: it would not get better by waiting in the queue. One
        that cannot be kept goes back alone, whatever the reason. After ``until`` nothing more is begun. Raises what went
        wrong where not one message could be kept.
        """
        parcels = {delivery.id: unpacked(delivery.body, self._clock()) for delivery in deliveries}
        failed: dict[str, Exception | None] = {}
        for portion in _portions(parcels):
            failed |= dict.fromkeys(portion) if self._clock() > until else self._kept(portion)
        wrong = [error for error in failed.values() if error is not None]
        if wrong and len(failed) == len(deliveries):
            raise wrong[0]
        return list(failed)

    def _kept(self, portion: dict[str, Parcel]) -> dict[str, Exception | None]:
        """Keep messages together, which costs least; after an error each alone. Returns what could not be kept."""
        try:
            self.keep(portion.values())
        except Exception as error:  # noqa: BLE001 - one bad message must not hold up those beside it
            if len(portion) == 1:
                return dict.fromkeys(portion, error)
            alone = [self._kept({key: parcel}) for key, parcel in portion.items()]
            return {key: wrong for each in alone for key, wrong in each.items()}
        return {}

    def keep(self, parcels: Iterable[Parcel]) -> None:
        """Keep the parcels' contents. Raises TransientError with some of it kept, which does no harm to the next try."""
        whole = merged(parcels)
        for refused in whole.refused:
            self._set_aside("messages", refused)
        cells: defaultdict[Key, list[Point]] = defaultdict(list)
        for point in self._anchored(whole.points):
            cells[places.cell(point.service, point.name, point.minute)].append(point)
        known = self._ledger.read(cells)
        for key, points in cells.items():
            self._contribute(key, points, known.get(key, Record(key)))
        for report in whole.reports:
            self._keep_report(report)
        for annotation in whole.annotations:
            self._keep_annotation(annotation)
        for downtime in whole.downtimes:
            self._keep_downtime(downtime)

    def _contribute(self, key: Key, points: list[Point], record: Record) -> None:
        for _ in range(_TRIES):
            cell, refused = _with(record, points)
            try:
                if cell.to_json() != record.body and cell.contributions:
                    expires_at = places.minute_of(key.sk) + places.KEPT
                    record = self._ledger.write(replace(record, body=cell.to_json(), expires_at=expires_at))
            except Outpaced:
                record = self._ledger.read([key]).get(key, Record(key))
                continue
            for entry in refused:
                self._set_aside(places.metrics_of(points[0].service), entry)
            # The cell first, then the entry that it is due: killed between the two, the message comes again.
            if cell.open:
                self._mark_due(places.metrics_of(points[0].service), key.sk)
            return
        raise Outpaced(f"{_TRIES} other writers of {key.sk} were faster each time")

    def _anchored(self, points: Iterable[Point]) -> list[Point]:
        """The points, each at the time under which its key was first seen where its own clock said when."""
        origins: defaultdict[str, list[Point]] = defaultdict(list)
        for point in points:
            origins[point.key.rpartition("/")[0] if point.floating else ""].append(point)
        fixed = origins.pop("", [])
        return fixed + [
            anchored for origin, floating in origins.items() for anchored in self._claimed(origin, floating)
        ]

    def _claimed(self, origin: str, points: list[Point]) -> list[Point]:
        key = places.claim(origin)
        for _ in range(_TRIES):
            record = self._ledger.read([key]).get(key, Record(key))
            times = {point.key: point.time for point in reversed(points)} | dict(record.body)
            if len(times) > _MOST_CLAIMS:
                for point in points:
                    self._set_aside(places.metrics_of(point.service), _too_many(origin, point))
                return []
            if times != record.body:
                try:
                    expires_at = int(self._clock()) + places.KEPT
                    self._ledger.write(replace(record, body=times, expires_at=expires_at))
                except Outpaced:
                    continue
            return [replace(point, time=times[point.key]) for point in points]
        raise Outpaced(f"{_TRIES} other writers of the origin {origin} were faster each time")

    def _keep_report(self, report: Report) -> None:
        key = places.report(report.name, report.occurred_at)
        record = self._ledger.read([key]).get(key)
        if record is None:
            body = asdict(report) | {"state": "due"}
            record = Record(key, body, expires_at=report.occurred_at + places.KEPT)
            try:
                self._ledger.write(record)
            except Outpaced:  # the same report, from another copy of the message
                record = self._ledger.read([key])[key]
        if record.body["state"] == "due":
            self._mark_due(places.REPORTS, key.sk)

    def _keep_annotation(self, annotation: Annotation) -> None:
        key = places.annotation(annotation.service, annotation.marker)
        for _ in range(_TRIES):
            record = self._ledger.read([key]).get(key, Record(key))
            body = _merged(record.body, annotation)
            try:
                if body != record.body:
                    expires_at = int(self._clock()) + 30 * DAY
                    self._ledger.write(replace(record, body=body, expires_at=expires_at))
            except Outpaced:
                continue
            self._mark_due(places.annotations_of(annotation.service), key.sk)
            return
        raise Outpaced(f"{_TRIES} other writers of the annotation {annotation.title} were faster each time")

    def _keep_downtime(self, said: Downtime | Ended) -> None:
        """An end without a beginning is kept, and is nothing to do: every execution that ends says one."""
        key, now = places.downtime(said.marker), int(self._clock())
        for _ in range(_TRIES):
            record = self._ledger.read([key]).get(key, Record(key))
            body = silence.noted(record.body, said)
            try:
                if body != record.body:
                    last = body["downtime"]["last"] if body["downtime"] else now
                    self._ledger.write(replace(record, body=body, expires_at=max(now, last) + places.KEPT))
            except Outpaced:
                continue
            if silence.is_due(body):
                self._mark_due(places.DOWNTIMES, key.sk)
            return
        raise Outpaced(f"{_TRIES} other writers of the downtime of {said.marker} were faster each time")

    def _mark_due(self, lane: str, sk: str) -> None:
        self._open(lane)
        self._ledger.touch(Key(places.due(lane), sk), int(self._clock()) + places.KEPT)

    def _open(self, lane: str) -> None:
        if lane not in self._lanes:
            with suppress(Outpaced):  # it is open
                self._ledger.write(Record(places.turn(lane)))
            self._lanes.add(lane)

    def _set_aside(self, lane: str, refused: Refused) -> None:
        self.set_aside += 1
        body = {"reason": refused.reason, "sample": refused.sample, "at": int(self._clock())}
        with suppress(Outpaced):  # the same thing, set aside before
            self._ledger.write(
                Record(places.parked(lane, refused.key), body, expires_at=int(self._clock()) + places.KEPT)
            )


def _with(record: Record, points: list[Point]) -> tuple[Cell, list[Refused]]:
    """The record's cell with the points that it can take, and those that it cannot."""
    cell = Cell.parse(record.body) if record.version else Cell(points[0].combine)
    known = {entry.key for entry in cell.contributions}
    refused = []
    for point in points:
        reason = cell.refusal(point.value)
        if point.combine != cell.combine:
            reason = f"it is combined by {cell.combine} in this minute already, not by {point.combine}"
        if point.key in known:
            continue
        if reason is None:
            cell = cell.adding(Contribution(point.key, point.value, point.time))
        else:
            where = f"{point.service} {point.name} at {point.minute}"
            refused.append(Refused(point.key, f"{where}: {reason}", str(point.value)))
    return cell, refused


def _too_many(origin: str, point: Point) -> Refused:
    reason = (
        f"more than {_MOST_CLAIMS} points without a time of their own from {origin}: give them one, or another origin"
    )
    return Refused(point.key, reason, f"{point.service} {point.name} {point.value}")


def _merged(known: Any, annotation: Annotation) -> dict[str, Any]:
    """The annotation with what is known of it; in whatever order begin and end arrive, the same comes out."""
    firsts = [at for at in (known.get("first"), annotation.first) if at is not None]
    lasts = [at for at in (known.get("last"), annotation.last) if at is not None]
    body: dict[str, Any] = {"id": None, "trying": False, "sent": None} | dict(known)
    if annotation.last is not None or known.get("last") is None:
        body |= {"title": annotation.title, "description": annotation.description}
    body |= {"service": annotation.service, "marker": annotation.marker, "first": min(firsts)}
    return body | {"last": max(lasts) if lasts else None}


def _portions(parcels: dict[str, Parcel]) -> Iterator[dict[str, Parcel]]:
    """The parcels in portions of so many points that one is kept within seconds."""
    portion: dict[str, Parcel] = {}
    points = 0
    for key, parcel in parcels.items():
        if portion and points + len(parcel.points) > _PORTION:
            yield portion
            portion, points = {}, 0
        portion[key] = parcel
        points += len(parcel.points)
    if portion:
        yield portion
