"""The fake behind a real socket: connections are kept, and can be half-closed or reset as a network does it."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from lab.mackerel.faults import ConnectionDropped
from lab.sockets import listening

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from lab.mackerel.app import FakeMackerel

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER with no time to linger: close sends RST instead of FIN


@dataclass(frozen=True)
class Served:
    """A running fake: where it is reached, and the application behind it."""

    origin: str
    mackerel: FakeMackerel


@contextmanager
def serve(mackerel: FakeMackerel, host: str = "127.0.0.1", port: int = 0) -> Iterator[Served]:
    """Serve in a thread until the block ends; port 0 picks a free one."""
    listener = listening(host, port)
    port = listener.getsockname()[1]
    server = _Server(host, port, _dropping(mackerel), _Handler, fd=listener.detach())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield Served(f"http://{host}:{port}", mackerel)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _dropping(mackerel: FakeMackerel) -> Any:
    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            return mackerel(environ, start_response)
        except ConnectionDropped as dropped:
            if str(dropped) == "reset":
                connection: socket.socket = environ["werkzeug.socket"]
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            raise

    return application


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    block_on_close = False  # a client may keep its connection for as long as it likes

    def shutdown_request(self, request: Any) -> None:
        """Close without the usual FIN where a reset was asked for."""
        if _lingers(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)


def _lingers(connection: socket.socket) -> bool:
    option = connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(_RESET_ON_CLOSE))
    return option == _RESET_ON_CLOSE


class _Handler(WSGIRequestHandler):
    # An answer leaves in two writes; without this the second one waits 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True

    def connection_dropped(self, error: BaseException, environ: WSGIEnvironment | None = None) -> None:  # noqa: ARG002
        """End the connection; what is left of the request must not be read as the next one."""
        self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the fake keeps its own log."""
