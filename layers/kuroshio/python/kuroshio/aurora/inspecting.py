"""``inspect_cluster``: look before anything is changed, and say all that was found at once; and see whom to look after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.aurora import request as requests
from kuroshio.aurora.finding import Severity
from kuroshio.aurora.preflight import judgement
from kuroshio.aurora.preflight.facts import Facts, SqlFacts
from kuroshio.aurora.records import ENDED, STATE, WATCHED, Phase, of_this_clone
from kuroshio.aurora.renewing import due
from kuroshio.aurora.steps import dispatch
from kuroshio.errors import InvalidRequest, PermanentError, PreflightRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kuroshio.aurora.finding import Finding
    from kuroshio.aurora.preflight.facts import RdsFacts
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest

_MOST_TEXT = 300  # of one finding in an answer, which Step Functions bounds; the ledger has all of it


class Look(Protocol):
    """What can be found out without changing anything. Each raises ServiceUnavailable where there is no answer."""

    def rds(self, request: ReplicateRequest, runs: tuple[str, ...]) -> RdsFacts:
        """What RDS tells. ``runs``: the clones that other runs make of the source."""

    def sql(self, request: ReplicateRequest) -> SqlFacts:
        """What the source's writer tells. Raises a PermanentError where there is no way in."""

    def secret(self, request: ReplicateRequest) -> str:
        """The ARN of the secret with the source's login; empty where there is none."""

    def is_running(self, run: str) -> bool:
        """Whether that execution has not ended."""


class Inspecting:
    """``clock`` tells the time of the records."""

    def __init__(self, ledger: Ledger, look: Look, clock: Callable[[], datetime]) -> None:
        self._ledger, self._look, self._clock = ledger, look, clock

    def run(self, event: object) -> dict[str, Any]:
        """Do the step that the event names."""
        return dispatch({"preflight": self._preflight, "look": self._look_only, "clones": self._clones}, event)

    def _look_only(self, event: dict[str, Any]) -> dict[str, Any]:
        """Judge for a person who asks, and leave the clone to the run that works at it: nothing is kept."""
        request, by = requests.parse(event.get("request")), _text(event, "by")
        state = self._ledger.read(request.clone, STATE) or {}
        now = self._clock().isoformat(timespec="microseconds")
        is_ours = state.get("source") == request.source and state.get("phase") not in ENDED
        facts = self._facts(request, str(state.get("since", now)) if is_ours else now)
        findings = judgement.judge(facts, request, answerable=by, secret=self._secret(request))
        return {
            "may_begin": judgement.may_begin(findings),
            "findings": [finding.document() for finding in findings],
        }

    def _preflight(self, event: dict[str, Any]) -> dict[str, Any]:
        request, run = requests.parse(event.get("request")), _text(event, "run")
        answerable = str(event.get("by") or run)
        since = self._claim(request, run, answerable)
        facts = self._facts(request, since)
        findings = judgement.judge(facts, request, answerable=answerable, secret=self._secret(request))
        self._ledger.put(
            request.clone,
            "preflight",
            {
                "at": self._clock().isoformat(timespec="microseconds"),
                "run": run,
                "by": answerable,
                "may_begin": judgement.may_begin(findings),
                "findings": [finding.document() for finding in findings],
            },
        )
        if not judgement.may_begin(findings):
            raise self._refused(request, findings)
        sql = facts.sql
        on = sql.log_bin is True and sql.binlog_format == "ROW"
        return {
            "findings": [_brief(each) for each in findings if each.severity is not Severity.FINE],
            "binlog": "on" if on else "off",
        }

    def _clones(self, _event: dict[str, Any]) -> dict[str, Any]:
        """Those that follow their source and that no run works at, each with its request and the proof that is due."""
        found = []
        for state in self._ledger.clones():
            if state.get("phase") in WATCHED and not self._look.is_running(str(state.get("run", ""))):
                under_way = bool(state.get("verifying")) and self._look.is_running(state["verifying"])
                proofs = of_this_clone(self._ledger, state["clone"], "verification#")
                every = requests.parse(state["request"]).verify_every
                proof = "" if under_way else due(proofs, every, self._clock())
                found.append({"request": state["request"], "due": proof})
        return {"clones": found}

    def _claim(self, request: ReplicateRequest, run: str, by: str) -> str:
        """Make the clone ours, and tell since when it is being made: of several runs, since the first of them."""
        now = self._clock()
        state = self._ledger.read(request.clone, STATE) or {}
        before = str(state.get("run", ""))
        if before not in ("", run):
            if self._look.is_running(before):
                raise PreflightRefused(f"the run {before} makes {request.clone} just now: let it end, or abort it")
            self._not_another(request, state)
        if not self._ledger.claim(request.clone, run, instead_of=before):
            raise PreflightRefused(
                f"another run began to make {request.clone} at the same moment: let it end, or abort it"
            )
        is_new = not state or state.get("phase") in ENDED
        since = now.isoformat(timespec="microseconds") if is_new else str(state.get("since", ""))
        more = {
            "source": request.source,
            "request": request.document(),
            "by": by,
            "since": since,
            "error": "",
            "cause": "",
        }
        started = state.get("started") if before == run else None
        self._ledger.phase(
            request.clone, Phase.PREFLIGHT, now, started=started or now.isoformat(timespec="microseconds"), **more
        )
        return since

    def _not_another(self, request: ReplicateRequest, state: dict[str, Any]) -> None:
        if state.get("phase") not in ENDED and state.get("source", request.source) != request.source:
            raise PreflightRefused(
                f"{request.clone} is a clone of {state['source']} that is {state.get('phase')}: abort it first, or take another name"
            )

    def _facts(self, request: ReplicateRequest, since: str) -> Facts:
        rds = self._look.rds(request, self._others(request))
        if isinstance(rds.clusters, tuple) and self._is_made(request.clone, since):
            # Ours: an earlier run of this clone made it, and this one goes on with it.
            rds = replace(rds, clusters=tuple(each for each in rds.clusters if each.name != request.clone))
        try:
            return Facts(rds, self._look.sql(request))
        except PermanentError as error:
            return Facts(rds, SqlFacts.unreached(str(error)))

    def _others(self, request: ReplicateRequest) -> tuple[str, ...]:
        """Clones of the source that are in the making: they change its parameters, retention and accounts."""
        making = frozenset(Phase) - WATCHED - ENDED - {Phase.FAILED}
        return tuple(
            state["clone"]
            for state in self._ledger.clones()
            if state.get("source") == request.source
            and state["clone"] != request.clone
            and state.get("phase") in making
            and self._look.is_running(str(state.get("run", "")))
        )

    def _is_made(self, clone: str, since: str) -> bool:
        events = self._ledger.all(clone, "event#")
        return any(event.get("phase") == Phase.CLONING and event["at"] >= since for event in events)

    def _secret(self, request: ReplicateRequest) -> str:
        try:
            return self._look.secret(request)
        except PermanentError:
            return request.secrets.source

    def _refused(self, request: ReplicateRequest, findings: list[Finding]) -> PreflightRefused:
        stopping = [finding for finding in findings if finding.stops]
        said = "; ".join(f"{each.code}: {each.message[:_MOST_TEXT]}" for each in stopping)
        self._ledger.phase(request.clone, Phase.FAILED, self._clock(), error="PreflightRefused", cause=said)
        return PreflightRefused(f"{request.clone} cannot be made of {request.source}: {said}")


def _brief(finding: Finding) -> dict[str, Any]:
    return {"code": finding.code, "severity": str(finding.severity), "message": finding.message[:_MOST_TEXT]}


def _text(event: dict[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"{name} is {ascii(value)[:120]}; it must be an ARN")
    return value
