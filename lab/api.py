"""The lab's own HTTP API under ``/_lab/``: health, faults, disturbances, time, and what its databases are trusted by."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lab.answers import Answer, json_answer
from lab.gateway import read_request

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.calls import HttpRequest
    from lab.faults import Faults
    from lab.rds.service import Rds
    from lab.time_api import TimeApi

PREFIX = "/_lab/"


class LabApi:
    """A WSGI application."""

    def __init__(self, faults: Faults, time: TimeApi, rds: Rds, about: dict[str, Any]) -> None:
        self._faults = faults
        self._rds = rds
        self._time = time
        self._about = about

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self._answer(read_request(environ))
        start_response(f"{answer.status} -", [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
        return [answer.body]

    def _answer(self, request: HttpRequest) -> Answer:
        match request.method, request.path.removeprefix(PREFIX):
            case "GET", ("health" | "faults" | "authority") as what:
                return json_answer(self._told(what))
            case "DELETE", "faults":
                self._faults.clear()
                return json_answer([])
            case "POST", ("faults" | "disturbances") as what:
                return self._add_fault(request) if what == "faults" else self._disturb(request)
            case method, ("clock" | "schedules") as what:
                return self._time.answer(method, what, request)
        return json_answer({"error": f"the lab has no {request.method} {request.path}"}, 404)

    def _told(self, what: str) -> Any:
        if what == "faults":
            return [asdict(fault) for fault in self._faults.in_force()]
        return self._about if what == "health" else {"pem": self._rds.aurora.authority.bundle.read_text()}

    def _add_fault(self, request: HttpRequest) -> Answer:
        try:
            return json_answer(asdict(self._faults.add(**json.loads(request.body))), 201)
        except (TypeError, ValueError) as error:
            return json_answer({"error": str(error)}, 400)

    def _disturb(self, request: HttpRequest) -> Answer:
        from lab.engine import EngineError
        from lab.rds import disturbances
        from lab.rds.refusal import Refused

        asked = json.loads(request.body)
        kind, cluster = asked.pop("kind"), asked.pop("cluster")
        try:
            disturbances.disturb(self._rds.aurora, kind, cluster, disturbances.Options(**asked))
        except (TypeError, ValueError, Refused, EngineError) as error:
            return json_answer({"error": str(error)}, 400)
        return json_answer({"kind": kind, "cluster": cluster}, 201)
