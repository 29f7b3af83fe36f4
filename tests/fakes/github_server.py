"""GitHub's API on loopback: comments, pull requests of commits, and the token of a job."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class FakeGitHub:
    """What the server keeps, and what it was asked. ``refusals`` are answered first, one each: status and headers.

    A request of the method ``held`` is not answered before ``released``; ``is_held`` tells that there is one.
    """

    url: str = ""
    login: str = "github-actions[bot]"
    comments: list[dict[str, Any]] = field(default_factory=list)
    pulls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    is_read_only: bool = False
    held: str = ""
    is_held: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def write(self, number: int, body: str, login: str = "") -> None:
        user = {"login": login or self.login, "type": "Bot"}
        self.comments.append({"id": len(self.asked) + 1000, "number": number, "user": user, "body": body})

    def bodies(self, number: int = 12) -> list[str]:
        return [each["body"] for each in self.comments if each["number"] == number]

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        self.asked.append((method, target))
        parts = urlsplit(target)
        if method == self.held:
            self.is_held.set()
            self.released.wait(60)
        if parts.path == "/token":
            return (200, {"value": f"token-for-{parse_qs(parts.query)['audience'][0]}"}, {})
        if self.refusals:
            status, headers = self.refusals.pop(0)
            return (status, {"message": "refused"}, headers)
        if self.is_read_only and method != "GET":
            return (403, {"message": "Resource not accessible by integration"}, {})
        return self._api(method, parts.path, parse_qs(parts.query), body)

    def _api(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any, dict[str, str]]:
        if found := re.fullmatch(r"/repos/octo/shop/issues/(\d+)/comments", path):
            number = int(found[1])
            if method == "POST":
                self.write(number, body["body"])
                return (201, self.comments[-1], {})
            return (200, self._page([each for each in self.comments if each["number"] == number], query), {})
        if found := re.fullmatch(r"/repos/octo/shop/issues/comments/(\d+)", path):
            kept = [each for each in self.comments if each["id"] == int(found[1])]
            for each in kept:
                if method == "DELETE":
                    self.comments.remove(each)
                    return (204, None, {})
                each["body"] = body["body"]
            return (200, kept[0], {}) if kept else (404, {"message": "Not Found"}, {})
        if found := re.fullmatch(r"/repos/octo/shop/commits/([0-9a-f]{40})/pulls", path):
            return (200, self._page(self.pulls.get(found[1], []), query), {})
        return (404, {"message": "Not Found"}, {})

    @staticmethod
    def _page(items: list[Any], query: dict[str, list[str]]) -> list[Any]:
        size, page = int(query.get("per_page", ["30"])[0]), int(query.get("page", ["1"])[0])
        return items[(page - 1) * size : page * size]


@contextmanager
def served() -> Iterator[FakeGitHub]:
    """Serve a GitHub of its own on a free port."""
    github = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if not str(self.headers.get("Authorization", "")).startswith("Bearer "):
                status, document, headers = 401, {"message": "Bad credentials"}, {}
            else:
                status, document, headers = github.answer(self.command, self.path, body)
            content = b"" if document is None else json.dumps(document).encode()
            with suppress(BrokenPipeError, ConnectionResetError):  # who asked may be gone
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of http.server

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        github.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield github
        finally:
            server.shutdown()
            thread.join()
