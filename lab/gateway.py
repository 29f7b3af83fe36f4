"""The lab's one door: every request of every client passes here, is known by its key, recorded, disturbed on demand, routed."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from lab.answers import Answer, error_answer
from lab.calls import Call, HttpRequest, identify, resource_of
from lab.recorder import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lab.faults import Faults
    from lab.keys import Keys
    from lab.recorder import Recorder

    Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Service(Protocol):
    """A part of AWS that the lab answers itself instead of moto. One that has ``tags_of`` tells the tags of an ARN."""

    def __call__(self, call: Call, request: HttpRequest, caller: str) -> Answer | None:
        """The answer, or None to let moto answer."""


@dataclass
class Gateway:
    """A WSGI application in front of moto's."""

    moto: Wsgi
    keys: Keys
    recorder: Recorder
    faults: Faults
    account: str
    services: Mapping[str, Service] = field(default_factory=dict)  # by botocore's name of the service
    prefixes: Mapping[str, Wsgi] = field(
        default_factory=dict
    )  # paths that are not AWS: the registry, the lab's own API
    after: Mapping[str, Callable[[Call, Answer], Answer]] = field(default_factory=dict)
    happened: Callable[[], None] = lambda: None  # told of every call but the pollers', which never end

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        for prefix, application in self.prefixes.items():
            if path.startswith(prefix):
                return application(environ, start_response)
        request = read_request(environ)
        call = identify(request)
        answer = self._from_moto(environ, request) if call is None else self._serve(call, request, environ)
        status = f"{answer.status} {_reason(answer.status)}"
        start_response(status, [*answer.headers.items(), ("Content-Length", str(len(answer.body)))])
        return [] if request.method == "HEAD" else [answer.body]

    def _serve(self, call: Call, request: HttpRequest, environ: dict[str, Any]) -> Answer:
        at, caller, resource = time.time(), self.keys.caller(call.access_key), resource_of(call, self.account)
        tags_of = getattr(self.services.get(call.service), "tags_of", None)
        tags = tags_of(resource) if tags_of else {}
        # The lab's own errands are not disturbed: faults are for the callers under test.
        fault = self.faults.take(call, resource, caller) if caller != "lab" else None
        if fault is not None and fault.seconds:
            time.sleep(fault.seconds)
        status, code = fault.error(call.service) if fault else (0, "")
        if fault is not None and fault.kind == "lost":
            self._route(call, request, environ, caller)
        if status:
            answer = error_answer(call, status, code, f"{code} (a fault that was asked for: kuroshio lab fault)")
        else:
            answer = self._route(call, request, environ, caller)
        if call.operation not in _POLLS:
            self.happened()
        self.recorder.add(
            Record(
                at=round(at, 3),
                caller=caller,
                service=call.service,
                operation=call.operation,
                resource=resource,
                status=answer.status,
                error=error_code(answer),
                fault=fault.kind if fault else "",
                detail=request.headers.get("x-amz-copy-source", ""),
                tags=tags,
            )
        )
        return answer

    def _route(self, call: Call, request: HttpRequest, environ: dict[str, Any], caller: str) -> Answer:
        service = self.services.get(call.service)
        answer = service(call, request, caller) if service else None
        if answer is None:
            answer = self._from_moto(environ, request)
        observer = self.after.get(call.service)
        return observer(call, answer) if observer else answer

    def _from_moto(self, environ: dict[str, Any], request: HttpRequest) -> Answer:
        replayed = {**environ, "wsgi.input": io.BytesIO(request.body), "CONTENT_LENGTH": str(len(request.body))}
        replayed.pop("wsgi.input_terminated", None)
        replayed.pop("HTTP_TRANSFER_ENCODING", None)
        collected: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            collected["status"], collected["headers"] = int(status.split(" ", 1)[0]), headers

        chunks = self.moto(replayed, start_response)
        body = b"".join(chunks)
        headers = {name: value for name, value in collected["headers"] if name.lower() not in _HOP_BY_HOP}
        return Answer(collected["status"], body, headers)


_POLLS = {"ReceiveMessage", "GetQueueUrl"}
_HOP_BY_HOP = {"content-length", "transfer-encoding", "connection"}


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def read_request(environ: Mapping[str, Any]) -> HttpRequest:
    """The request, its body read whole."""
    raw = environ.get("REQUEST_URI") or environ.get("RAW_URI") or environ.get("PATH_INFO", "/")
    path, _, query = raw.partition("?")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    headers["content-type"] = environ.get("CONTENT_TYPE", "")
    if environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read()
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return HttpRequest(environ["REQUEST_METHOD"], path, query or environ.get("QUERY_STRING", ""), headers, body)


def error_code(answer: Answer) -> str:
    """The error code that an answer carries, or "" if it is a success or carries none."""
    if answer.status < HTTPStatus.BAD_REQUEST:
        return ""
    header = next((value for name, value in answer.headers.items() if name.lower() == "x-amzn-errortype"), "")
    if header:
        return header.split(":")[0]
    text = answer.body.decode(errors="replace")
    for opening, closing in (("<Code>", "</Code>"), ('"__type": "', '"'), ('"__type":"', '"')):
        if opening in text:
            return text.split(opening, 1)[1].split(closing, 1)[0].rsplit("#", 1)[-1]
    return ""
