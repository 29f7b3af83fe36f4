"""The fake Mackerel behind the port ``Api``, without a socket: thousands of simulated hours in seconds."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from kuroshio.mackerel.ports import Answer
from lab.mackerel.faults import ConnectionDropped

if TYPE_CHECKING:
    from lab.mackerel.app import FakeMackerel


class InProcessApi:
    """Calls the WSGI application directly. A dropped connection is an answer with status 0, as in the HTTP adapter."""

    def __init__(self, mackerel: FakeMackerel, key: str = "lab-key") -> None:
        self._mackerel, self._key = mackerel, key

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request."""
        data = b"" if body is None else json.dumps(body).encode()
        where, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(f"/api/v0{where}"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(data)),
            "HTTP_X_API_KEY": self._key,
            "HTTP_HOST": "mackerel",
            "SERVER_NAME": "mackerel",
            "SERVER_PORT": "80",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
        }
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            started.append((status, headers))

        try:
            parts = self._mackerel(environ, start)
        except ConnectionDropped as dropped:
            return Answer(0, message=str(dropped))
        document = json.loads(b"".join(parts))
        status, headers = int(started[0][0].split()[0]), dict(started[0][1])
        error = document.get("error") if isinstance(document, dict) else None
        message = error.get("message", "") if isinstance(error, dict) else str(error or "")
        retry_after = float(headers["Retry-After"]) if "Retry-After" in headers else None
        return Answer(status, document, message, retry_after)
