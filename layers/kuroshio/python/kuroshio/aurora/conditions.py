"""What must be so before a cut-over: each condition by itself, with what was found. The dry run proves them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

from kuroshio.aurora.preflight.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kuroshio.aurora.cutover_request import CutOverRequest
    from kuroshio.aurora.preflight.facts import Known, SqlFacts

Answer: TypeAlias = tuple[bool, str]


@dataclass(frozen=True)
class Condition:
    """One thing that must be so. ``accepted``: it is not, and the request takes that upon itself."""

    name: str
    holds: bool
    reason: str
    accepted: bool = False

    def document(self) -> dict[str, Any]:
        """As it travels."""
        found = {"name": self.name, "holds": self.holds, "reason": self.reason}
        return found | {"accepted": True} if self.accepted else found


@dataclass(frozen=True)
class SwitchFacts:
    """Both servers and the records at one time. ``back``: the way back is what is asked for."""

    now: datetime
    source: SqlFacts
    target: SqlFacts
    replica: Known[str]  # empty where the target runs as a replica of this source, else what is wrong
    caught_up_in_s: Known[float | None]  # None: not within the time that the request gives
    fences: Known[tuple[str, ...]]  # of "source" and "target": who has RDS's procedure and may call it
    masters: Known[tuple[str, ...]]  # others than we who stay connected to the source as its master user
    target_events: Known[bool]  # whether the target's event scheduler runs
    leads_to: Known[str]
    versions: Known[tuple[str, str]]  # of source and target
    replication_account: Known[bool]  # whether the account for the way back is there
    verification: Mapping[str, Any] | None  # the last one
    skips: Sequence[Mapping[str, Any]]
    suspects: Sequence[Mapping[str, Any]]  # tables that a skip touched, not proven equal since
    in_progress: str  # what another run is at, empty for nothing
    approval: Mapping[str, Any] | None
    run: str
    back: bool = False


# What no request can take upon itself: without them the switch itself cannot end well.
FIRM = frozenset({"source-reachable", "target-reachable", "follows", "caught-up", "fence", "name", "alone"})


def judge(request: CutOverRequest, facts: SwitchFacts) -> list[Condition]:
    """All conditions, those that hold too."""
    found = []
    for name, rule in _RULES.items():
        try:
            holds, reason = rule(request, facts)
        except _NotKnownError as error:
            holds, reason = False, f"not known: {error}"
        accepted = not holds and name in request.accept and name not in FIRM
        found.append(Condition(name, holds, reason, accepted))
    return found


def all_hold(conditions: Sequence[Condition]) -> bool:
    """Whether the switch may be made."""
    return all(condition.holds or condition.accepted for condition in conditions)


class _NotKnownError(Exception):
    pass


def _known(fact: Known[Any]) -> Any:
    if isinstance(fact, Unknown):
        raise _NotKnownError(fact.why)
    return fact


def _reachable(side: str) -> Callable[[CutOverRequest, SwitchFacts], Answer]:
    def rule(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
        user = _known(facts.source.user if side == "source" else facts.target.user)
        return True, f"it answers to {user}, over TLS"

    return rule


def _follows(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    wrong = _known(facts.replica)
    return not wrong, wrong or "the target follows the source, and both its threads run"


def _caught_up(request: CutOverRequest, facts: SwitchFacts) -> Answer:
    took = _known(facts.caught_up_in_s)
    if took is None:
        return False, f"the target did not reach the source's position within {request.caught_up_within_s} s"
    return True, f"the target reached the source's position {took * 1_000:.0f} ms after it was read"


def _verified(request: CutOverRequest, facts: SwitchFacts) -> Answer:
    if facts.back:
        return True, "the way back: what the old source has is what it had, and what the new one sent it"
    last = facts.verification
    if last is None:
        return False, "the clone was never verified"
    counted = {name: int(last.get(name) or 0) for name in ("differences", "unsettled", "unknown")}
    if not last.get("equal") or any(counted.values()):
        found = ", ".join(f"{count} {name}" for name, count in counted.items() if count) or "that they are not equal"
        return False, f"the last verification, of {last.get('at')}, found {found}"
    age = facts.now - datetime.fromisoformat(str(last["at"]))
    words = f"the last verification, of {last['at']}, found no difference up to {last.get('upto') or 'its position'}"
    if age > timedelta(minutes=request.verified_within_minutes):
        return False, f"{words}, but is {age.total_seconds() / 60:.0f} minutes old"
    return True, words


def _unskipped(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    tables = sorted({f"{each.get('schema')}.{each.get('table')}" for each in facts.suspects})
    if tables:
        return False, f"skipped transactions touched {', '.join(tables)}, and nothing has proven them equal since"
    since = str((facts.verification or {}).get("at", ""))
    later = [skip for skip in facts.skips if str(skip.get("at", "")) > since]
    if later:
        return False, f"{len(later)} of {len(facts.skips)} skipped transactions were not followed by a verification"
    if facts.skips:
        return True, f"{len(facts.skips)} transactions were skipped, and what they touched was proven equal since"
    return True, "no transaction was skipped"


def _short_transactions(request: CutOverRequest, facts: SwitchFacts) -> Answer:
    longest = request.longest_transaction_s
    long = [each for each in _known(facts.source.transactions) if each.seconds > longest]
    prepared = _known(facts.source.prepared)
    if long:
        return False, "; ".join(f"{each.user} (connection {each.thread}) for {each.seconds} s" for each in long)
    if prepared:
        return False, f"{len(prepared)} XA transactions are prepared, and would be left half done"
    return True, f"none on the source is older than {longest} s"


def _fence(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    lacking = sorted({"source", "target"} - set(_known(facts.fences)))
    if lacking:
        return False, (
            f"the {' and the '.join(lacking)} has no mysql.rds_set_read_only that we may call (Aurora MySQL 3.06 and later have it)"
        )
    return True, "both servers can be made read-only by RDS's procedure"


def _rogues(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    me = str(_known(facts.source.user)).rpartition("@")[0]
    past = [
        each
        for each in _known(facts.source.privileged)
        if each.rpartition("@")[0] != me and each.rpartition("@")[2] not in {"localhost", "127.0.0.1", "::1"}
    ]
    masters = _known(facts.masters)
    if past:
        return False, f"read_only does not stop {', '.join(past)}: take SUPER and CONNECTION_ADMIN away from them"
    if masters:
        return False, f"connected as the master user, which read_only may not stop: {', '.join(masters)}"
    return True, "nobody is there whom read_only does not stop"


def _events(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    if _known(facts.target_events):
        return False, "the target's event scheduler runs: its events would write there before it is opened"
    return True, "the target's event scheduler is off"


def _accounts(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    missing = sorted(set(_known(facts.source.accounts)) - set(_known(facts.target.accounts)))
    if missing:
        return False, f"the target has no {', '.join(missing)}: since version 3 accounts do not follow by replication"
    return True, "every account of the source is on the target"


def _way_back(request: CutOverRequest, facts: SwitchFacts) -> Answer:
    if not request.way_back:
        return True, "no way back was asked for"
    source, target = (_numbers(each) for each in _known(facts.versions))
    lacking = {
        "the target writes no binlog": not _known(facts.target.log_bin),
        f"the target's binlog_format is {facts.target.binlog_format}, and not ROW": facts.target.binlog_format != "ROW",
        "the target keeps no binlog: set its 'binlog retention hours'": not _known(facts.target.retention_hours),
        "the target is of a later major version, and MySQL replicates to the same or a later one": target[:2]
        > source[:2],
        "the account for replication is not on the target": not _known(facts.replication_account),
    }
    wrong = [words for words, is_so in lacking.items() if is_so]
    if wrong:
        return False, "; ".join(wrong)
    return True, f"the source can follow the target, which keeps {facts.target.retention_hours} hours of binlog"


def _name(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    leads_to = _known(facts.leads_to)
    return leads_to == "source", f"it leads to {'the ' if leads_to in {'source', 'target'} else ''}{leads_to}"


def _alone(_request: CutOverRequest, facts: SwitchFacts) -> Answer:
    return not facts.in_progress, facts.in_progress or "no other run is at it"


def _approved(request: CutOverRequest, facts: SwitchFacts) -> Answer:
    answer = facts.approval or {}
    if request.dry_run:
        return True, "a dry run asks nobody"
    if answer.get("run") not in {None, facts.run}:
        return False, "what was approved is another run"
    if answer.get("answer") == "approved":
        return True, f"by {answer.get('by', 'somebody')} at {answer.get('answered_at', '?')}"
    return False, "nobody has approved it"


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


_RULES: dict[str, Callable[[CutOverRequest, SwitchFacts], Answer]] = {
    "source-reachable": _reachable("source"),
    "target-reachable": _reachable("target"),
    "follows": _follows,
    "caught-up": _caught_up,
    "verified": _verified,
    "skips-verified": _unskipped,
    "no-long-transactions": _short_transactions,
    "fence": _fence,
    "no-rogue-writers": _rogues,
    "events-off": _events,
    "accounts-equal": _accounts,
    "way-back": _way_back,
    "name": _name,
    "alone": _alone,
    "approved": _approved,
}
