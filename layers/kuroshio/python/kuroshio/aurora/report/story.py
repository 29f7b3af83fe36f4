"""What happened, in order: phases, and everything that somebody did or that was decided."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Tone
from kuroshio.aurora.report.records import items, number, part, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kuroshio.aurora.report.records import Record, Records

PHASES = {
    "preflight": "Looking at the source",
    "binlog": "Turning the binlog on",
    "account": "Making the replication account",
    "cloning": "Making the clone",
    "seeding": "Finding where the clone begins",
    "following": "Following the source",
    "caught-up": "Caught up",
    "verifying": "Comparing with the source",
    "upgrading": "Upgrading the clone",
    "ready": "Ready to take over",
    "cutting-over": "Cutting over",
    "done": "Taken over",
    "aborted": "Given up and removed",
    "failed": "Stopped by an error",
}
_TONES = {
    "ready": Tone.GOOD,
    "done": Tone.GOOD,
    "caught-up": Tone.GOOD,
    "failed": Tone.BAD,
    "aborted": Tone.WARN,
    "approved": Tone.GOOD,
    "rejected": Tone.BAD,
}
_TOLD_ALREADY = frozenset(
    {
        "phase",
        "what",
        "answer",
        "at",
        "by",
        "run",
        "clone",
        "reason",
        "error",
        "cause",
        "message",
        "left",
        "request",
        "source",
        "started",
        "since",
    }
)


@dataclass(frozen=True)
class PhaseSpan:
    """A phase, from when to when; ``ended`` is None for the one that lasts."""

    phase: str
    began: datetime
    ended: datetime | None

    @property
    def name(self) -> str:
        """As people read it; a phase that this version does not know keeps its own name."""
        return PHASES.get(self.phase, self.phase)


@dataclass(frozen=True)
class Entry:
    """A line of the timeline."""

    at: datetime | None
    what: str
    detail: str = ""
    who: str = ""
    tone: Tone = Tone.PLAIN


def phases(records: Records) -> list[PhaseSpan]:
    """The phases in order; going into the same one again, as a repeated step does, is no new one."""
    begun: list[tuple[str, datetime]] = []
    for event in records.events:
        at, phase = moment(event), text(event, "phase")
        if at is not None and phase and (not begun or begun[-1][0] != phase):
            begun.append((phase, at))
    spans = [PhaseSpan(phase, at, until) for (phase, at), (_, until) in pairwise(begun)]
    return [*spans, *(PhaseSpan(phase, at, None) for phase, at in begun[-1:])]


def timeline(records: Records) -> list[Entry]:
    """Everything that has a time, the earliest first; what has none stands last."""
    told = [
        *map(_event, records.events),
        *_asked(records),
        *([_seed(records.seed)] if records.seed else []),
        *map(_skip, records.skips),
        *map(_verification, records.verifications),
        *map(_cutover, records.cutovers),
    ]
    return sorted(told, key=lambda entry: (entry.at is None, entry.at.timestamp() if entry.at else 0.0))


def is_open(cutover: Record) -> bool:
    """Whether the clone was opened in the end."""
    return text(cutover, "result") == "over" or "opened" in step_names(cutover)


def step_names(cutover: Record) -> list[str]:
    """The steps of a cut-over that were reached."""
    return [text(step, "step") for step in items(cutover, "steps") if isinstance(step, dict)]


def closed_ms(cutover: Record) -> float | None:
    """Milliseconds from asking the source to refuse writes until the clone, or the source again, took them."""
    steps = [step for step in items(cutover, "steps") if isinstance(step, dict)]
    last = [number(step, "at_ms") for step in steps if text(step, "step") in ("opened", "returned")]
    return last[-1] if last else None


def _event(event: Record) -> Entry:
    phase = text(event, "phase")
    by = text(event, "by")
    reasons = [text(event, name) for name in ("reason", "message", "error", "cause")]
    more = [f"{name.replace('_', ' ')}: {_short(value)}" for name, value in _more(event)]
    detail = ". ".join(said for said in (*reasons, *more) if said)
    what = PHASES.get(phase, phase) if phase else text(event, "what") or "Noted"
    return Entry(moment(event), what, detail, by, _TONES.get(phase or text(event, "answer"), Tone.PLAIN))


def _more(event: Record) -> list[tuple[str, Any]]:
    """What an event has besides what every event has."""
    return [
        (name, value) for name, value in event.items() if name not in _TOLD_ALREADY and value not in ("", None, [], {})
    ]


def _asked(records: Records) -> Iterator[Entry]:
    told = {moment(event) for event in records.events if text(event, "answer")}
    for each in records.approvals:
        name, asked = text(each, "name"), words.sentences(items(each, "asked"))
        yield Entry(moment(each, "asked_at") or moment(each), f"Asked for approval: {name}", asked)
        answer = text(each, "answer")
        if answer and moment(each, "answered_at") not in told:
            tone = Tone.GOOD if answer == "approved" else Tone.BAD
            yield Entry(
                moment(each, "answered_at"),
                f"{answer.capitalize()}: {name}",
                text(each, "reason"),
                text(each, "by"),
                tone,
            )


def _seed(seed: Record) -> Entry:
    return Entry(moment(seed, "told_at"), "The clone told where it begins", text(seed, "position"))


def _skip(skip: Record) -> Entry:
    tables = words.listed([str(table) for table in items(skip, "tables")])
    what = f"Skipped a transaction: error {text(skip, 'number') or 'of no number'}"
    return Entry(
        moment(skip), what, f"{text(skip, 'message')}{f' (tables: {tables})' if tables else ''}", tone=Tone.WARN
    )


def _verification(found: Record) -> Entry:
    at = moment(found)
    detail = f"{text(found, 'proof') or 'unknown'} proof, {words.count(number(found, 'rows'), 'row')}"
    return Entry(at, outcome(found), detail, tone=tone_of(found))


def outcome(verification: Record) -> str:
    """What a verification found, in a few words."""
    differing = number(verification, "differences")
    if differing is None:
        return "Compared, without a result"
    open_ = open_of(verification)
    if differing or open_:
        return ", ".join([f"{words.count(differing, 'difference')} found", *open_])
    return "Proven equal: 0 differences"


def open_of(verification: Record) -> list[str]:
    """What a verification left open, such as ``2 rows unsettled``; empty where it is a proof or a refutation."""
    unsettled, unread = number(verification, "unsettled"), number(verification, "unknown")
    definitions = len(items(verification, "schema_findings"))
    counted = {
        words.count(unsettled, "row") + " unsettled": unsettled,
        words.count(unread, "table") + " not known": unread,
        words.count(definitions, "definition") + " not alike": definitions,
    }
    return [said for said, count in counted.items() if count]


def tone_of(verification: Record) -> Tone:
    """Good where nothing differs, and a warning where something never stood still."""
    differing = number(verification, "differences")
    if differing is None or differing:
        return Tone.BAD
    return Tone.WARN if open_of(verification) or verification.get("equal") is False else Tone.GOOD


def _cutover(cutover: Record) -> Entry:
    closed, at = words.milliseconds(closed_ms(cutover)), moment(cutover)
    if is_open(cutover):
        what = "The old source took over again" if text(cutover, "direction") == "back" else "The clone took over"
        return Entry(at, what, f"writes were refused for {closed}", tone=Tone.GOOD)
    return Entry(at, "A cut-over was given up", text(cutover, "reason") or f"after {closed}", tone=Tone.WARN)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_short(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return words.listed([_short(each) for each in value])
    return str(value)


def asked_by(records: Records) -> str:
    """Who started it, as far as the ledger knows."""
    return text(records.state, "by") or text(part(records.state, "request"), "by")
