"""ECR and the image registry are one place in the lab."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.answers import Answer
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from lab.calls import Call
    from lab.clients import Clients


class Registry:
    """The registry under ``/v2/``, whose pushes ECR's API tells of, and ECR's answers with addresses of the lab."""

    def __init__(self, _root: Path, clients: Clients, address: str) -> None:
        self._clients = clients
        self._address = address
        self.wsgi: Callable[[dict[str, Any], Any], Iterable[bytes]] = _no_registry

    def after(self, call: Call, answer: Answer) -> Answer:
        """Say the lab's own address where ECR says its registry's."""
        host = f"{ACCOUNT}.dkr.ecr.{call.region}.amazonaws.com"
        body = answer.body.replace(f"https://{host}".encode(), f"http://{self._address}".encode())
        return Answer(answer.status, body.replace(host.encode(), self._address.encode()), answer.headers)


def _no_registry(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = json.dumps({"errors": [{"code": "UNSUPPORTED", "message": "this lab has no image registry"}]}).encode()
    start_response("501 Not Implemented", [("Content-Length", str(len(body)))])
    return [body]
