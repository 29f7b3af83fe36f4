"""The fake as a WSGI application: the key, the fault, the route, the answer, in this order."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from lab.mackerel import (
    alerts,
    checks,
    dashboards,
    downtimes,
    graph_annotations,
    graph_definitions,
    hosts,
    metadata,
    metrics,
    monitors,
    services,
)
from lab.mackerel.answers import Call, Refusal
from lab.mackerel.clock import Clock
from lab.mackerel.faults import ConnectionDropped, Fault, Faults
from lab.mackerel.organization import Organization, Rules
from lab.mackerel.page import drawn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_AREAS = (
    services,
    metrics,
    hosts,
    graph_definitions,
    checks,
    graph_annotations,
    downtimes,
    monitors,
    dashboards,
    alerts,
    metadata,
)
_ROUTES = [(method, f"/api/v0{path}", handler) for area in _AREAS for method, path, handler in area.ROUTES]
_MAP = Map([Rule(path, methods=[method], endpoint=handler) for method, path, handler in _ROUTES])


class Received(NamedTuple):
    """One line of the fake's log. ``status`` is 0 where the connection ended without an answer."""

    at: float
    method: str
    path: str
    status: int


class FakeMackerel:
    """One organization of Mackerel. Thread-safe; everything that happened can be asked of ``org`` and ``received``."""

    def __init__(self, clock: Clock | None = None, rules: Rules | None = None) -> None:
        self.clock = clock or Clock()
        self.org = Organization(self.clock, rules or Rules())
        self.faults = Faults(self.clock)
        self.received: list[Received] = []
        self._lock = threading.RLock()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        with self._lock:
            response = self._api(request) if request.path.startswith("/api/") else self._lab(request)
        return response(environ, start_response)

    def _api(self, request: Request) -> Response:
        fault = self.faults.take(request.method, request.path)
        try:
            response = self._meeting(fault, request)
        except ConnectionDropped:
            self._log(request, 0)
            raise
        self._log(request, response.status_code)
        return response

    def _meeting(self, fault: Fault | None, request: Request) -> Response:
        if fault is None:
            return self._answer(request)
        if fault.kind == "slow":
            self.clock.sleep(fault.seconds)
            return self._answer(request)
        if fault.kind == "half-closed" or fault.processed:
            self._answer(request)
        if fault.kind == "status":
            return self._refused(Refusal(fault.status, f"The lab answers {fault.status}.", fault.retry_after))
        request.get_data()  # or the client may still be writing when the reset arrives, and sees another error
        raise ConnectionDropped(fault.kind)

    def _answer(self, request: Request) -> Response:
        try:
            self._judge_key(request)
            handler, path = _MAP.bind_to_environ(request.environ).match()
            return _json(handler(self.org, Call(path, request.args, self._body(request), self.clock())))
        except Refusal as refusal:
            return self._refused(refusal)
        except (NotFound, MethodNotAllowed):
            return self._refused(Refusal(404, "Not found."))
        except HTTPException as error:  # a body that breaks HTTP
            return self._refused(Refusal(error.code or 400, str(error.description)))

    def _judge_key(self, request: Request) -> None:
        may_write = self.org.keys.get(request.headers.get("X-Api-Key", ""))
        if may_write is None:
            raise Refusal(401, "Authentication failed. Please try with valid Api Key.")
        if request.method != "GET" and not may_write:
            raise Refusal(403, "The Api Key has no permission to write.")

    def _body(self, request: Request) -> Any:
        if (request.content_length or 0) > self.org.rules.most_bytes:
            raise Refusal(413, "The body is too large.")
        data = request.get_data()
        if request.method == "GET" or not data.strip():
            return {}
        if request.mimetype != "application/json":
            raise Refusal(400, "Content-Type must be application/json.")
        try:
            return json.loads(data, parse_constant=_no_json)
        except ValueError as error:
            raise Refusal(400, f"The body is not JSON: {error}.") from None

    def _refused(self, refusal: Refusal) -> Response:
        message: Any = refusal.message if self.org.rules.plain_errors else {"message": refusal.message}
        response = _json({"error": message}, refusal.status)
        if refusal.retry_after is not None:
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response

    def _log(self, request: Request, status: int) -> None:
        self.received.append(Received(self.clock(), request.method, request.path, status))

    def _lab(self, request: Request) -> Response:
        """What is not Mackerel's: the page, the faults, the clock, the log."""
        try:
            return self._lab_answer(request)
        except (Refusal, ValueError) as error:
            return _json({"error": str(error)}, 400)

    def _lab_answer(self, request: Request) -> Response:
        match request.method, request.path:
            case "GET", "/":
                return Response(drawn(self.org, self.received), mimetype="text/html")
            case "GET", "/_lab/faults":
                return _json([fault.to_json() for fault in self.faults.in_force()])
            case "POST", "/_lab/faults":
                self.faults.add(Fault.parse(request.get_json()))
            case "DELETE", "/_lab/faults":
                self.faults.clear()
            case "POST", "/_lab/clock":
                self.clock.advance(float(request.get_json()["advance"]))
            case "GET", "/_lab/clock":
                return _json({"now": self.clock()})
            case "GET", "/_lab/received":
                return _json([line._asdict() for line in self.received])
            case _:
                return _json({"error": "The lab has no such page."}, 404)
        return _json({"success": True})


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not a value of JSON")


def _json(document: Any, status: int = 200) -> Response:
    return Response(json.dumps(document), status, mimetype="application/json")
