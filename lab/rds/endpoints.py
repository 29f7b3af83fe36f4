"""Endpoints of clusters: a name keeps its port, whichever server stands behind it, as a DNS name of RDS does."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

from lab.rds.links import Links
from lab.sockets import listening

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 14


class Endpoint:
    """Listens on one port and joins each connection to wherever ``target`` says that the server is then.

    Without a target connections are closed at once, which is what a client sees of a server that is down.
    """

    def __init__(self, address: str, target: Callable[[], int]) -> None:
        self._target = target
        self._listener = listening(address, 0)
        self._connections: dict[socket.socket, str] = {}  # and the address of the client at either of its ends
        self.links = Links()
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, name=f"endpoint-{self.port}", daemon=True).start()

    def close(self) -> None:
        """Listen no more, and end what is connected."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self, client: str = "") -> None:
        """End all connections, or those of one client: the name now stands for another server, or for none."""
        for connection, of in list(self._connections.items()):
            if client in ("", of):
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, address = self._listener.accept()
                threading.Thread(target=self._join, args=(client, str(address[0])), daemon=True).start()

    def _join(self, client: socket.socket, address: str) -> None:
        with client, contextlib.suppress(OSError):
            if not self.links.carry(address, 0):
                return
            port = self._target()
            if not port:
                return
            with socket.create_connection(("127.0.0.1", port), timeout=10) as server:
                server.settimeout(None)
                self._connections |= dict.fromkeys((client, server), address)
                back = threading.Thread(target=_pump, args=(server, client, self.links, address), daemon=True)
                back.start()
                _pump(client, server, self.links, address)
                back.join()
                for end in (client, server):
                    self._connections.pop(end, None)


def _pump(source: socket.socket, sink: socket.socket, links: Links, client: str) -> None:
    """Carry bytes one way until either side ends, then end both: MySQL never closes half a connection."""
    with contextlib.suppress(OSError):
        while (data := source.recv(_CHUNK)) and links.carry(client, len(data)):
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
