"""A Runtime API that does what a test tells it to, also what Lambda never should."""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

FAR_AWAY_MS = 600_000
Answer = Callable[[socket.socket], None]
"""Writes a response, or part of one, or nothing; raises Hangup to end the connection."""


class Hangup(Exception):  # noqa: N818 - an event of the script
    """The script ends the connection here."""


@dataclass(frozen=True)
class Request:
    """What the runtime sent: headers and trailers by lower-case names."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str] = field(default_factory=dict)

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def http(status: int, body: bytes = b'{"status":"OK"}', headers: dict[str, str] | None = None) -> Answer:
    """An ordinary response."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return lambda peer: peer.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def event_headers(number: int = 1, **more: str) -> dict[str, str]:
    """The headers of an invocation; `more` are Lambda-Runtime-* headers with underscores for dashes."""
    deadline = str(int(time.time() * 1000) + FAR_AWAY_MS)
    headers = {"Lambda-Runtime-Aws-Request-Id": f"request-{number}", "Lambda-Runtime-Deadline-Ms": deadline}
    return headers | {"Lambda-Runtime-" + name.replace("_", "-"): value for name, value in more.items()}


def event(value: Any, number: int = 1, **more: str) -> Answer:
    """An invocation with a JSON event."""
    return raw_event(json.dumps(value).encode(), number, **more)


def raw_event(body: bytes, number: int = 1, **more: str) -> Answer:
    """An invocation with any bytes as its event."""
    return http(200, body, event_headers(number, **more))


def chunked_event(body: bytes, size: int, *, pause: float = 0) -> Answer:
    """An invocation in chunks, as Go sends large ones; with `pause`, seconds, between small pieces."""

    def answer(peer: socket.socket) -> None:
        lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Trailer: X-Ignored"]
        lines += [f"{name}: {value}" for name, value in event_headers().items()]
        pieces = [body[at : at + size] for at in range(0, len(body), size)]
        data = "\r\n".join([*lines, "", ""]).encode()
        data += b"".join(b"%X;extension=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        data += b"0\r\nX-Ignored: yes\r\n\r\n"
        step = 7 if pause else len(data)
        for at in range(0, len(data), step):
            peer.sendall(data[at : at + step])
            time.sleep(pause)

    return answer


def hang_up(peer: socket.socket) -> None:
    """Close without a word."""
    raise Hangup


def reset(peer: socket.socket) -> None:
    """Close with a TCP reset, as a peer does that died."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Hangup


def half(answer: Answer, length: int) -> Answer:
    """The first `length` bytes of an answer, then the end of the connection."""

    def cut(peer: socket.socket) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            answer(ours)
            peer.sendall(theirs.recv(length))
        raise Hangup

    return cut


def garbage(peer: socket.socket) -> None:
    """Bytes that are no HTTP."""
    peer.sendall(b"\x00\xff what is this\r\n\r\n")
    raise Hangup


class ScriptedApi:
    """Plays `nexts` in answer to GET /next, `posts[<last word of the path>]` in answer to POSTs, 202 beyond those."""

    def __init__(self, nexts: list[Answer], posts: dict[str, list[Answer]] | None = None, port: int = 0) -> None:
        self.requests: list[Request] = []
        self.idle = threading.Event()
        self._nexts = queue.SimpleQueue[Answer]()
        for answer in nexts:
            self._nexts.put(answer)
        self._posts = posts or {}
        self._listener = socket.create_server(("127.0.0.1", port))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._peers: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in (self._listener, *self._peers):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def posted(self, last_word: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/" + last_word)]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self._peers.append(peer)
                threading.Thread(target=self._converse, args=(peer,), daemon=True).start()

    def _converse(self, peer: socket.socket) -> None:
        with contextlib.suppress(OSError, Hangup, ValueError), peer, peer.makefile("rb") as reader:
            while request := read_request(reader):
                self.requests.append(request)
                self._answer(request)(peer)

    def _answer(self, request: Request) -> Answer:
        if request.path.endswith("/invocation/next"):
            if self._nexts.empty():
                self.idle.set()
                return lambda peer: (threading.Event().wait(), None)[1]
            return self._nexts.get()
        planned = self._posts.get(request.path.rpartition("/")[2], [])
        return planned.pop(0) if planned else http(200 if request.method == "GET" else 202)


def read_request(reader: Any) -> Request | None:
    """One request; None at the end of the connection."""
    first = reader.readline().decode().split()
    if not first:
        return None
    headers = read_headers(reader)
    if headers.get("transfer-encoding") != "chunked":
        return Request(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))))
    body = b""
    while size := int(reader.readline(), 16):
        body += reader.read(size)
        reader.readline()
    return Request(first[0], first[1], headers, body, read_headers(reader))


def read_headers(reader: Any) -> dict[str, str]:
    """Header or trailer lines up to the empty one."""
    headers = {}
    while line := reader.readline().decode().strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return headers
