"""What ``check`` of a cut-over asks of both servers, of the name and of the ledger. It changes nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from kuroshio.adapters.preflight_facts import sql_facts
from kuroshio.aurora.attempts import Attempts
from kuroshio.aurora.conditions import SwitchFacts
from kuroshio.aurora.preflight.facts import SqlFacts, Unknown
from kuroshio.errors import KuroshioError, NotCaughtUp

if TYPE_CHECKING:
    from collections.abc import Callable

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

    def login(self, request: CutOverRequest, side: dict[str, Any]) -> Login: ...
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
        of_source, of_target = (self._sql(request, side) for side in (source, target))
        verifications = self._ledger.all(request.clone, "verification#")
        last = Attempts(self._ledger, request.clone, lambda: now).last()
        busy = last is not None and last.ended is None
        attempt = f"the run {last.run} is at it since {last.document['at']}" if last is not None and busy else ""
        return SwitchFacts(
            now=now,
            source=of_source,
            target=of_target,
            replica=_known(lambda: self._replica(request, source, target)),
            caught_up_in_s=_known(lambda: self._caught_up(request, source, target)),
            fences=_known(lambda: self._fences(request, source, target)),
            masters=_known(lambda: self._masters(request, source)),
            target_events=_known(lambda: self._events(request, target)),
            leads_to=_known(lambda: str(self._servers.name(request, source, target).leads_to())),
            versions=_known(lambda: self._versions(request, source, target)),
            replication_account=_known(lambda: self._has_account(request, target, of_target)),
            verification=verifications[-1] if verifications else None,
            skips=self._ledger.all(request.clone, "skip#"),
            suspects=self._ledger.all(request.clone, "suspect#"),
            in_progress=attempt,
            approval=self._ledger.read(request.clone, "approval#cut-over"),
            run=run,
            back=source["role"] == "clone",
        )

    def _sql(self, request: CutOverRequest, side: dict[str, Any]) -> SqlFacts:
        try:
            return sql_facts(self._servers.login(request, side))
        except KuroshioError as error:
            return SqlFacts.unreached(str(error))

    def _replica(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> str:
        one, other = self._servers.source(request, source), self._servers.target(request, target)
        try:
            status = other.instance.replica_status()
            if status is None:
                return "the target follows nobody"
            if status.get("Source_Server_Id") not in {None, 0, one.instance.number}:
                return f"the target follows another server, {status['Source_Host']}:{status['Source_Port']}"
            running = status["Replica_IO_Running"], status["Replica_SQL_Running"]
            errors = [str(status[name]) for name in ("Last_IO_Error", "Last_SQL_Error") if status.get(name)]
            if running != ("Yes", "Yes"):
                return f"replication does not run (fetching: {running[0]}, applying: {running[1]}) {' '.join(errors)}".strip()
            return ""
        finally:
            one.close()
            other.close()

    def _caught_up(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> float | None:
        one, other = self._servers.source(request, source), self._servers.target(request, target)
        try:
            _ = other.instance.dialect
            position, begin = one.position(), time.monotonic()
            other.wait(position, request.caught_up_within_s)
            return time.monotonic() - begin
        except NotCaughtUp:
            return None
        finally:
            one.close()
            other.close()

    def _fences(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> tuple[str, ...]:
        sides = {"source": self._servers.source(request, source), "target": self._servers.target(request, target)}
        return tuple(name for name, side in sides.items() if _asked(side, lambda side: bool(_one(side, _PROCEDURE))))

    def _masters(self, request: CutOverRequest, source: dict[str, Any]) -> tuple[str, ...]:
        """Those who stay: Kuroshio's own functions log in as the master user too, and go again."""
        side = self._servers.source(request, source)

        def stay(side: Side) -> tuple[str, ...]:
            if side.user not in side.past_read_only():
                return ()
            seen = {one for one in side.connections() if one[1] == side.user}
            for _ in range(_LOOKS):
                time.sleep(_BETWEEN_S)
                seen &= set(side.connections())
            return tuple(sorted(f"{user}@{host} (connection {number})" for number, user, host in seen))

        return _asked(side, stay)

    def _events(self, request: CutOverRequest, target: dict[str, Any]) -> bool:
        side = self._servers.target(request, target)
        return _asked(side, lambda side: side.runs_events())

    def _versions(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> tuple[str, str]:
        sides = self._servers.source(request, source), self._servers.target(request, target)
        first, second = (_asked(side, lambda side: str(_one(side, "SELECT VERSION()"))) for side in sides)
        return first, second

    def _has_account(self, request: CutOverRequest, target: dict[str, Any], sql: SqlFacts) -> bool:
        user = self._servers.replication(request, target).user
        accounts = sql.accounts
        return not isinstance(accounts, Unknown) and any(each.rpartition("@")[0] == user for each in accounts)


def _asked(side: Side, ask: Callable[[Side], T]) -> T:
    try:
        return ask(side)
    finally:
        side.close()


def _one(side: Side, statement: str) -> Any:
    return side.server.rows(statement)[0][0]


def _known(ask: Callable[[], T]) -> Known[T]:
    try:
        return ask()
    except KuroshioError as error:
        return Unknown(str(error))
