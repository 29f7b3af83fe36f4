"""Endpoints of clusters: a name keeps its port, whichever server stands behind it, as a DNS name of RDS does."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from lab.sockets import listening

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 16


class Endpoint:
    """Listens on one port and joins each connection to wherever ``target`` says that the server is then.

    Without a target connections are closed at once, which is what a client sees of a server that is down.
    """

    def __init__(self, address: str, target: Callable[[], int]) -> None:
        self._target = target
        self._listener = listening(address, 0)
        self._connections: set[socket.socket] = set()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, name=f"endpoint-{self.port}", daemon=True).start()

    def close(self) -> None:
        """Listen no more, and end what is connected."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections: the name now stands for another server, or for none."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        port = self._target()
        with client, contextlib.suppress(OSError):
            if not port:
                return
            with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
                server.settimeout(None)
                self._connections |= {client, server}
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join()
                self._connections -= {client, server}


def _pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry bytes one way until either side ends, then end both: MySQL never closes half a connection."""
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
