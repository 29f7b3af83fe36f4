"""A report put together: how it stands, the figures of the first screen, and its parts in the order of their weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import bars, doubts, lag_plot, people, proof, svg, words
from kuroshio.aurora.report.blocks import Block, Cell, Paragraph, Picture, Report, Section, Sentences, Table, Tile, Tone
from kuroshio.aurora.report.records import items, number, part, text
from kuroshio.aurora.report.story import Entry, closed_ms, is_open, phases, timeline, tone_of
from kuroshio.aurora.report.thinning import Point
from kuroshio.aurora.report.verdict import verdict

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.aurora.report.records import Record, Records

_MOST_ENTRIES = 400
_MOST_MARKS = 24


def composed(records: Records, now: datetime) -> Report:
    """The whole report, as it stands ``now``."""
    source = text(records.request, "source") or text(records.state, "source") or "an unknown source"
    parts = [
        _timeline(records, now),
        *_cutovers(records),
        proof.verification(records),
        _lag(records),
        proof.skips(records),
        people.asked(records),
        people.preflight(records),
        _seed(records),
        _sentences(
            "left",
            "What is left",
            doubts.left(records),
            "Nothing is left to do or to remove, as far as the ledger knows.",
        ),
        _sentences(
            "unknown", "What is not known", doubts.unknown(records), "Nothing that this report looks for is unknown."
        ),
    ]
    return Report(
        title=f"{records.clone}, a clone of {source}",
        subtitle=f"Aurora clone by binlog replication. All times are UTC. As of {words.clock(now)}",
        verdict=verdict(records),
        tiles=_tiles(records, now),
        sections=[part for part in parts if part is not None],
        made=f"Made by Kuroshio from the ledger's records of {records.clone} at {words.clock(now)} UTC. This page loads nothing.",
    )


def _tiles(records: Records, now: datetime) -> list[Tile]:
    spans, unknown = phases(records), doubts.unknown(records)
    tiles = []
    if records.verifications:
        last = records.verifications[-1]
        differing = number(last, "differences")
        figure = "not known" if differing is None else f"{differing:,.0f}"
        tiles.append(
            Tile("differences", figure, f"{text(last, 'proof')} proof, {words.clock(proof.ended(last))}", tone_of(last))
        )
        tiles.append(Tile("rows compared", _figure(number(last, "rows")), f"in {words.span(proof.took(last))}"))
    else:
        tiles.append(Tile("differences", "not known", "nothing was compared yet", Tone.WARN))
    if records.cutovers:
        last = records.cutovers[-1]
        note = "from closing the source to opening the clone" if is_open(last) else "given up and returned"
        closed = closed_ms(last)
        figure = "not known" if closed is None else f"{closed:,.1f} ms"
        tiles.append(
            Tile(
                "writes refused for",
                figure,
                note,
                Tone.GOOD if is_open(last) else Tone.WARN,
                f"cutover-{len(records.cutovers)}",
            )
        )
    if records.lags:
        last = records.lags[-1]
        tiles.append(
            Tile("behind, when last seen", words.size(number(last, "behind_bytes")), words.clock(moment(last)))
        )
    skipped = len(records.skips)
    tiles.append(
        Tile("transactions skipped", f"{skipped:,}", "", Tone.WARN if skipped else Tone.GOOD, "skips" * bool(skipped))
    )
    tiles.append(
        Tile("not known", f"{len(unknown):,}", "in the last part", Tone.WARN if unknown else Tone.GOOD, "unknown")
    )
    if spans:
        ended = spans[-1].began if spans[-1].phase in ("done", "aborted", "failed") else now
        tiles.append(Tile("time in all", words.span((ended - spans[0].began).total_seconds()), spans[-1].name.lower()))
    return tiles


def _figure(count: float | None) -> str:
    return "not known" if count is None else f"{count:,.0f}"


def _timeline(records: Records, now: datetime) -> Section:
    entries, spans = timeline(records), phases(records)
    blocks: list[Block] = []
    if spans:
        until = spans[-1].began if spans[-1].phase in ("done", "aborted", "failed") else now
        spans = [each for each in spans if each.ended or each.began < until]
        took = [f"{each.name}: {words.span(((each.ended or until) - each.began).total_seconds())}" for each in spans]
        blocks.append(Picture(bars.phases(spans, until.timestamp()), f"{'; '.join(took)}.", list(enumerate(took))))
    shown = _shortened(entries)
    first = next((entry.at for entry in entries if entry.at), None)
    rows = [
        (
            Cell(words.clock(entry.at), tight=True),
            Cell(words.elapsed((entry.at - first).total_seconds()) if entry.at and first else "", tight=True),
            Cell(entry.what, entry.tone),
            Cell(entry.detail),
            Cell(words.person(entry.who)),
        )
        for entry in shown
    ]
    if rows:
        blocks.append(Table("What happened, in order", ("when (UTC)", "after", "what", "more", "who"), rows))
    else:
        blocks.append(Paragraph("The ledger has no events of this clone.", Tone.WARN))
    return Section("timeline", "Timeline", blocks)


def _shortened(entries: list[Entry]) -> list[Entry]:
    """What weighs, and the rest as far as there is room: a clone that follows for weeks has thousands of events."""
    if len(entries) <= _MOST_ENTRIES:
        return entries
    weighty = [entry for entry in entries if entry.tone in (Tone.WARN, Tone.BAD)][:_MOST_ENTRIES]
    half = max(_MOST_ENTRIES - len(weighty), 20) // 2
    kept = {id(entry) for entry in (*entries[:half], *weighty, *entries[-half:])}
    shown = [entry for entry in entries if id(entry) in kept]
    left_out = Entry(None, f"{len(entries) - len(shown):,} more are in the ledger", "all of them went as they should")
    return [*shown[:half], left_out, *shown[half:]]


def _lag(records: Records) -> Section:
    seen = [(at, number(each, "behind_bytes")) for each in records.lags if (at := moment(each))]
    points = sorted(Point(at.timestamp(), behind) for at, behind in seen if behind is not None)
    if not points:
        return Section("lag", "Lag", [Paragraph("How far behind the clone was is not in the ledger.", Tone.WARN)])
    highest = max(points, key=lambda point: point.value)
    told = [entry for entry in timeline(records) if entry.tone is not Tone.PLAIN]
    if len(told) > _MOST_MARKS:
        told = [entry for entry in told if entry.tone is not Tone.GOOD][:_MOST_MARKS]
    marks = [
        lag_plot.Mark(entry.at.timestamp(), _shortly(entry.what))
        for entry in told
        if entry.at and points[0].at <= entry.at.timestamp()
    ]
    said = (
        f"{len(points):,} looks from {words.clock(svg.utc(points[0].at))} to {words.clock(svg.utc(points[-1].at))}. "
        f"Highest: {words.size(highest.value)} at {words.clock(svg.utc(highest.at))}. "
        f"Last: {words.size(points[-1].value)}."
    )
    why = "Counted in bytes of the source's binlog that the clone had still to do, never by the seconds that a server says it is behind."
    return Section("lag", "Lag", [Picture(lag_plot.plotted(points, marks), said), Paragraph(said), Paragraph(why)])


def _shortly(what: str) -> str:
    return what.partition(":")[0].lower()


def _cutovers(records: Records) -> list[Section]:
    if not records.cutovers and records.check:
        return [_checked(records.check)]
    several = len(records.cutovers) > 1
    found = list(enumerate(records.cutovers, start=1))
    return [_cutover(each, f" {place}" if several else "", f"cutover-{place}") for place, each in reversed(found)]


def _cutover(cutover: Record, which: str, anchor: str) -> Section:
    steps = [
        (text(step, "step"), number(step, "at_ms") or 0.0) for step in items(cutover, "steps") if isinstance(step, dict)
    ]
    opened, closed = is_open(cutover), words.milliseconds(closed_ms(cutover))
    if opened:
        said = f"Writes were refused for {closed}; then {text(cutover, 'to') or 'the clone'} was open."
    else:
        said = f"It was given up, and the source is open as before: {text(cutover, 'reason') or 'no reason is in the ledger'}"
    blocks: list[Block] = [Paragraph(said, Tone.GOOD if opened else Tone.WARN)]
    if steps:
        told = ", ".join(f"{name} at {words.milliseconds(at)}" for name, at in steps)
        blocks.append(Picture(bars.steps(steps), f"{told}."))
    name = part(cutover, "name")
    ended = [
        f"{text(each, 'who')}: {text(each, 'connections')}"
        for each in items(cutover, "connections")
        if isinstance(each, dict)
    ]
    facts = [
        ("began (UTC)", words.clock(moment(cutover), fine=True)),
        ("from, to", " → ".join(each for each in (text(cutover, "from"), text(cutover, "to")) if each)),
        ("source's last position", text(cutover, "position")),
        ("way back begins at", text(cutover, "back_from")),
        ("name that moved", ", ".join(f"{key} {value}" for key, value in name.items())),
        ("connections ended", "\n".join(ended)),
        ("run", text(cutover, "run")),
    ]
    blocks.append(Table("The cut-over in figures", (), [(Cell(name), Cell(value)) for name, value in facts if value]))
    conditions = [each for each in items(cutover, "conditions") if isinstance(each, dict)]
    if conditions:
        blocks.append(_conditions(conditions))
    title = "The way back" if text(cutover, "direction") == "back" else "Cut-over"
    return Section(anchor, f"{title}{which}", blocks)


def _checked(check: Record) -> Section:
    """A cut-over that was only rehearsed, or refused."""
    conditions = [each for each in items(check, "conditions") if isinstance(each, dict)]
    failing = [each for each in conditions if not each.get("holds") and not each.get("accepted")]
    said = f"Nothing was switched. {len(failing)} of {words.count(len(conditions), 'condition')} did not hold at {words.clock(moment(check))}."
    tone = Tone.WARN if failing else Tone.GOOD
    return Section("check", "Could it cut over?", [Paragraph(said, tone), _conditions(conditions)])


def _conditions(conditions: list[Record]) -> Table:
    rows = [
        (
            Cell(text(each, "name")),
            _held(each),
            Cell(text(each, "reason")),
        )
        for each in conditions
    ]
    return Table("What was made sure of before", ("condition", "", "because"), rows)


def _held(condition: Record) -> Cell:
    if condition.get("holds"):
        return Cell("holds", Tone.GOOD)
    return Cell("taken upon themselves", Tone.WARN) if condition.get("accepted") else Cell("does not hold", Tone.BAD)


def _seed(records: Records) -> Section | None:
    if not records.seed:
        return None
    why = "Everything rests on it: a position that is too early brings errors, one that is too late loses writes. It was held against the source before it was used."
    rows = [
        (Cell("position"), Cell(text(records.seed, "position"), code=True)),
        (Cell("told at (UTC)"), Cell(words.clock(moment(records.seed, "told_at")))),
        (Cell("RDS's own words"), Cell(text(records.seed, "message"))),
    ]
    return Section("seed", "Where the clone begins", [Paragraph(why), Table("The seed position", (), rows)])


def _sentences(anchor: str, title: str, said: list[str], otherwise: str) -> Section:
    if not said:
        return Section(anchor, title, [Paragraph(otherwise, Tone.GOOD)])
    return Section(anchor, title, [Sentences([Paragraph(f"{each}.".replace("..", "."), Tone.WARN) for each in said])])
