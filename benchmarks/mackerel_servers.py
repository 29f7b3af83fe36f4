"""Mackerel's fake, and beside it a queue of the same making that takes messages as SQS does: one process, so that both
writers meet servers that cost the same. Says where they are in one JSON line, and ends with its standard input.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from lab.mackerel import FakeMackerel, Rules, serve
from lab.mackerel.organization import Service

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SERVICE = "shop"


class Queue:
    """Answers SendMessage of SQS's JSON protocol and keeps what was sent; GET hands it all over and forgets it."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if request.method == "GET":
            sent, self.messages = self.messages, []
            return Response(json.dumps(sent))(environ, start_response)
        body = json.loads(request.get_data())["MessageBody"]
        self.messages.append(body)
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
        answer = {"MessageId": str(len(self.messages)), "MD5OfMessageBody": digest}
        return Response(json.dumps(answer), mimetype="application/x-amz-json-1.0")(environ, start_response)


class Handler(WSGIRequestHandler):
    """As that of the fake."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def main() -> None:
    """Serve until standard input ends."""
    mackerel = FakeMackerel(rules=Rules(requests_per_minute=None))
    mackerel.org.services[SERVICE] = Service()
    queue = ThreadedWSGIServer("127.0.0.1", 0, Queue(), Handler)
    threading.Thread(target=queue.serve_forever, daemon=True).start()
    with serve(mackerel) as served:
        print(json.dumps({"mackerel": served.origin, "queue": f"http://127.0.0.1:{queue.port}"}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
