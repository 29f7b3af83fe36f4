"""Ports for servers that containers reach."""

from __future__ import annotations

import socket

_IP_FREEBIND = 15  # linux/in.h; Python has no name for it before 3.14


def listening(address: str, port: int = 0) -> socket.socket:
    """A socket that listens; port 0 picks a free one.

    A bridge of Podman's has its address only while a container is on it; the socket is there before the first one.
    """
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if address != "127.0.0.1":
        listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
    listener.bind((address, port))
    listener.listen(128)
    return listener
