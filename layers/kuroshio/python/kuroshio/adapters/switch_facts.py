"""What ``check`` of a cut-over asks of both servers, of the name and of the ledger. It changes nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kuroshio.adapters.preflight_facts import sql_facts
from kuroshio.aurora.attempts import Attempts
from kuroshio.aurora.conditions import SwitchFacts
from kuroshio.aurora.preflight.facts import SqlFacts, Unknown
from kuroshio.aurora.records import of_this_clone
from kuroshio.errors import KuroshioError, NotCaughtUp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kuroshio.adapters.mysql import Login
    from kuroshio.adapters.switch_sides import Side, SwitchedSource, SwitchedTarget
    from kuroshio.aurora.cutover_request import CutOverRequest
    from kuroshio.aurora.preflight.facts import Known
    from kuroshio.aurora.records import Ledger

T = TypeVar("T")
_LOOKS, _BETWEEN_S = 3, 0.5
_PROCEDURE = "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME = 'rds_set_read_only'"


class Servers(Protocol):
    """Of ``switch_servers``, what is needed here."""

    def source(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedSource: ...
    def target(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedTarget: ...
    def name(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> Any: ...
    def replication(self, request: CutOverRequest, side: dict[str, Any]) -> Login: ...


class SwitchLook:
    """One look. What cannot be found out is ``Unknown`` with the reason."""

    def __init__(self, servers: Servers, ledger: Ledger) -> None:
        self._servers, self._ledger = servers, ledger

    def facts(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any], run: str) -> SwitchFacts:
        """All of it."""
        now = datetime.now(UTC)
        one = _known(lambda: self._servers.source(request, source))
        other = _known(lambda: self._servers.target(request, target))
        try:
            verifications = of_this_clone(self._ledger, request.clone, "verification#")
            of_target = _facts(other)
            return SwitchFacts(
                now=now,
                source=_facts(one),
                target=of_target,
                replica=_known(lambda: _replica(_there(one), _there(other))),
                caught_up_in_s=_known(lambda: _caught_up(_there(one), _there(other), request.caught_up_within_s)),
                fences=_known(lambda: _fences({"source": _there(one), "target": _there(other)})),
                masters=_known(lambda: _masters(_there(one))),
                target_events=_known(lambda: _there(other).runs_events()),
                leads_to=_known(lambda: str(self._servers.name(request, source, target).leads_to())),
                versions=_known(lambda: (_version(_there(one)), _version(_there(other)))),
                replication_account=_known(lambda: self._has_account(request, target, of_target)),
                verification=verifications[-1] if verifications else None,
                skips=of_this_clone(self._ledger, request.clone, "skip#"),
                suspects=self._ledger.all(request.clone, "suspect#"),
                in_progress=self._in_progress(request, now),
                approval=self._ledger.read(request.clone, "approval#cut-over"),
                run=run,
                back=source["role"] == "clone",
            )
        finally:
            for side in (one, other):
                if not isinstance(side, Unknown):
                    side.close()

    def _in_progress(self, request: CutOverRequest, now: datetime) -> str:
        last = Attempts(self._ledger, request.clone, lambda: now).last()
        if last is None or last.ended is not None:
            return ""
        return f"the run {last.run} is at it since {last.document['at']}"

    def _has_account(self, request: CutOverRequest, target: dict[str, Any], sql: SqlFacts) -> bool:
        user = self._servers.replication(request, target).user
        accounts = sql.accounts
        return not isinstance(accounts, Unknown) and any(each.rpartition("@")[0] == user for each in accounts)


def _replica(source: SwitchedSource, target: SwitchedTarget) -> str:
    """What is wrong; empty where it follows."""
    status = target.instance.replica_status()
    if status is None:
        return "the target follows nobody"
    if status.get("Source_Server_Id") not in {None, 0, source.instance.number}:
        return f"the target follows another server, {status['Source_Host']}:{status['Source_Port']}"
    running = status["Replica_IO_Running"], status["Replica_SQL_Running"]
    if running == ("Yes", "Yes"):
        return ""
    errors = [str(status[name]) for name in ("Last_IO_Error", "Last_SQL_Error") if status.get(name)]
    return f"replication does not run (fetching: {running[0]}, applying: {running[1]}) {' '.join(errors)}".strip()


def _caught_up(source: SwitchedSource, target: SwitchedTarget, within_s: float) -> float | None:
    _ = target.instance.dialect
    position, begin = source.position(), time.monotonic()
    try:
        target.wait(position, within_s)
    except NotCaughtUp:
        return None
    return time.monotonic() - begin


def _fences(sides: Mapping[str, Side]) -> tuple[str, ...]:
    return tuple(name for name, side in sides.items() if _one(side, _PROCEDURE))


def _masters(source: Side) -> tuple[str, ...]:
    """Those who stay: Kuroshio's own functions log in as the master user too, and go again."""
    if source.user not in source.past_read_only():
        return ()
    seen = {each for each in source.connections() if each[1] == source.user}
    for _ in range(_LOOKS):
        time.sleep(_BETWEEN_S)
        seen &= set(source.connections())
    return tuple(sorted(f"{user}@{host} (connection {number})" for number, user, host in seen))


def _version(side: Side) -> str:
    return str(_one(side, "SELECT VERSION()"))


def _facts(side: Known[Any]) -> SqlFacts:
    if isinstance(side, Unknown):
        return SqlFacts.unreached(side.why)
    try:
        return sql_facts(side.login)
    except KuroshioError as error:
        return SqlFacts.unreached(str(error))


class _NotThereError(KuroshioError):
    pass


def _there(side: Known[T]) -> T:
    """The side, where there was a way to it."""
    if isinstance(side, Unknown):
        raise _NotThereError(side.why)
    return side


def _one(side: Side, statement: str) -> Any:
    return side.server.rows(statement)[0][0]


def _known(ask: Callable[[], T]) -> Known[T]:
    try:
        return ask()
    except KuroshioError as error:
        return Unknown(str(error))
