"""How a clone stands at this moment, for a person who looks at a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.records import STATE, is_of, moment
from kuroshio.aurora.report.blocks import Tone
from kuroshio.aurora.report.records import APPROVALS, items, number, part, text
from kuroshio.aurora.report.story import tone_of
from kuroshio.aurora.report.thinning import Point, thinned
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.aurora.records import Ledger

_CURVE = timedelta(hours=2)
_OPEN = timedelta(days=1)  # the timeout of the states that ask
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Asked:
    """An approval that waits."""

    name: str
    asked: list[str]
    at: datetime | None


@dataclass(frozen=True)
class Compared:
    """How far a verification is, in pieces of work."""

    done: int
    total: int


@dataclass(frozen=True)
class Standing:
    """``lag``: the last look at it, as the ledger has it; ``curve``: bytes behind in the last two hours."""

    clone: str
    state: dict[str, Any]
    lag: dict[str, Any] = field(default_factory=dict)
    curve: list[Point] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    verification: dict[str, Any] = field(default_factory=dict)
    compared: Compared | None = None

    @property
    def phase(self) -> str:
        """Empty where nothing but a preflight was made."""
        return text(self.state, "phase")

    @property
    def source(self) -> str:
        """The cluster that it is a clone of."""
        return text(part(self.state, "request"), "source") or text(self.state, "source")

    @property
    def since(self) -> datetime | None:
        """When this phase began."""
        return moment(self.state)

    @property
    def ready_in_s(self) -> float | None:
        """Seconds until it will have caught up at this pace; None where nobody can say."""
        return number(self.lag, "ready_in_s")

    @property
    def error(self) -> str:
        """What stopped it, empty where nothing did."""
        said = [text(self.state, name) for name in ("error", "cause", "reason")] if self.phase == "failed" else []
        return ": ".join(each for each in said if each)

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything: nothing failed, differs or waits for an answer."""
        differs = bool(self.verification) and tone_of(self.verification) is not Tone.GOOD
        stuck = text(self.lag, "state") in ("broken", "stopped", "stalled", "detached") and self.phase in _FOLLOWS
        return not (self.asked or differs or stuck or self.phase == "failed")

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "clone": self.clone,
            "source": self.source,
            "phase": self.phase,
            "since": self.since.isoformat() if self.since else None,
            "run": text(self.state, "run"),
            "by": text(self.state, "by"),
            "lag": {name: self.lag[name] for name in _SHOWN if name in self.lag},
            "waiting": [{"name": each.name, "asked": each.asked} for each in self.asked],
            "verification": {name: self.verification[name] for name in _RESULT if name in self.verification},
            "compared": {"done": self.compared.done, "total": self.compared.total} if self.compared else None,
            "error": self.error,
            "left": items(self.state, "left"),
        }


_FOLLOWS = frozenset({"following", "caught-up", "verifying", "ready"})
_SHOWN = ("at", "state", "reason", "behind_bytes", "behind_transactions", "behind_s", "ready_in_s", "trouble")
_RESULT = ("at", "proof", "equal", "differences", "unsettled", "unknown", "since", "upto", "rows")


def standing(ledger: Ledger, clone: str, now: datetime, compared: Compared | None = None) -> Standing:
    """Read how a clone stands. Raises NotFound where the ledger does not know it."""
    state = ledger.read(clone, STATE)
    if state is None:
        raise NotFound(f"the ledger knows no clone {clone}; kuroshio aurora status lists those that it knows")
    lags = _recent(ledger, clone, now)
    seen = [(at, number(each, "behind_bytes")) for each in lags if (at := moment(each))]
    since = moment(state, "since")
    verified = [each for each in ledger.all(clone, "verification#") if is_of(each, since)]
    return Standing(
        clone,
        state,
        lags[-1] if lags else {},
        [Point(at.timestamp(), behind) for at, behind in seen if behind is not None],
        waiting(ledger, clone, now),
        verified[-1] if verified else {},
        compared,
    )


def waiting(ledger: Ledger, clone: str, now: datetime) -> list[Asked]:
    """The approvals that nobody has answered, and that still can be."""
    found = [(name, ledger.read(clone, f"approval#{name}")) for name in APPROVALS]
    return [
        Asked(name, [str(each) for each in items(record, "asked")], moment(record, "asked_at"))
        for name, record in found
        if record is not None and record.get("token") and (moment(record, "asked_at") or now) > now - _OPEN
    ]


def curve(points: list[Point], width: int) -> str:
    """The points as a line of blocks, one for each stretch of time: the highest in it, so that no peak is lost."""
    if not points:
        return ""
    first, last = points[0].at, points[-1].at
    tops: dict[int, float] = {}
    for point in thinned(points, width * 8):
        column = int((point.at - first) / (last - first or 1.0) * (width - 1))
        tops[column] = max(point.value, tops.get(column, 0.0))
    highest = max(tops.values()) or 1.0
    drawn, before = [], 0.0
    for column in range(max(tops) + 1):
        before = tops.get(column, before)
        drawn.append(_BLOCKS[min(len(_BLOCKS) - 1, int(before / highest * (len(_BLOCKS) - 0.001)))])
    return "".join(drawn)


def _recent(ledger: Ledger, clone: str, now: datetime) -> list[dict[str, Any]]:
    """The looks of the last two hours, else the last that there is; by the hour, which keys begin with."""
    hours = [now - timedelta(hours=back) for back in range(int(_CURVE.total_seconds() // 3_600), -1, -1)]
    found = [each for hour in hours for each in ledger.all(clone, f"lag#{hour:%Y-%m-%dT%H}")]
    recent = [each for each in found if (at := moment(each)) and at >= now - _CURVE]
    return recent or ledger.all(clone, "lag#")[-1:]
