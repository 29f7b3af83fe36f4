"""A server's binlog, read as a replica reads it: COM_BINLOG_DUMP on a connection of its own.

Needs REPLICATION SLAVE. The server ends an older dump of the same server id, so each takes an id of its own.
"""

from __future__ import annotations

import secrets
import struct
from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Server
from kuroshio.aurora.binlog.events import Stream
from kuroshio.aurora.dialect import Dialect
from kuroshio.aurora.position import Position

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.binlog.events import Event

_COM_BINLOG_DUMP = 0x12
_NON_BLOCK = 0x01  # end at the end of the log, where a replica would wait for more
_LARGEST_ID = 2**32 - 1
_OURS = 2**31  # ids above: a person's servers have small ones
# What MariaDB may send: GTID events, and events that older replicas cannot read as they are.
_MARIADB_CAPABILITY = 4
_HEADER, _LONGEST, _CHUNK = 4, 0xFFFFFF, 1 << 18
_ERROR, _EOF, _EOF_BELOW = 0xFF, 0xFE, 9


def events(login: Login, begin: Position, end: Position | None = None, only: int | None = None) -> Generator[Event]:
    """The events from a position up to another, or up to where the binlog ends now; ``only`` those of one server's id.

    Raises ServiceUnavailable when the connection breaks, AccessRefused without the privilege, RequestRefused with
    MySQL's 1236 where the file was purged or the position is none, BinlogUnreadable where what comes cannot be cut.
    """
    server = Server(login)
    try:
        for event in Stream(begin.file, only).events(_packets(server, begin)):
            if end is not None and _is_after(event, end):
                return
            yield event
    finally:
        server.close()


def _is_after(event: Event, end: Position) -> bool:
    return not event.artificial and event.end > 0 and Position(event.file, event.end) > end


def _packets(server: Server, begin: Position) -> Iterator[bytes]:
    dialect = Dialect.of(str(server.rows("SELECT VERSION()")[0][0]))
    server.rows(f"SET {dialect.checksum_variable} = @@GLOBAL.binlog_checksum")
    if dialect.is_mariadb:
        server.rows(f"SET @mariadb_slave_capability = {_MARIADB_CAPABILITY}")
    number = _OURS + secrets.randbelow(_LARGEST_ID - _OURS)
    request = struct.pack("<IHI", begin.offset, _NON_BLOCK, number) + begin.file.encode()
    with server.translated():
        connection = server.connection()
        # PyMySQL has no public way to send a command of the protocol; this one is what its own queries use.
        connection._execute_command(_COM_BINLOG_DUMP, request)  # type: ignore[attr-defined]  # noqa: SLF001
        yield from _cut(connection)


def _cut(connection: Connection[Cursor]) -> Iterator[bytes]:
    """The packets that follow, up to the server's end of file. PyMySQL's own reader takes ten times as long for each."""
    from pymysql import err

    receive = connection._rfile.read1  # type: ignore[attr-defined]  # noqa: SLF001
    buffer, at, whole = b"", 0, b""
    while True:
        end = at + _HEADER + int.from_bytes(buffer[at : at + 3], "little")
        if len(buffer) < at + _HEADER or len(buffer) < end:
            more = receive(_CHUNK)
            if not more:
                raise OSError("the server ended the connection in the middle of its binlog")
            buffer, at = buffer[at:] + more, 0
            continue
        packet = buffer[at + _HEADER : end]
        at = end
        whole = whole + packet if whole else packet
        if len(packet) == _LONGEST:  # goes on in the next
            continue
        packet, whole = whole, b""
        if packet[0] == _ERROR:
            err.raise_mysql_exception(packet)
        if packet[0] == _EOF and len(packet) < _EOF_BELOW:
            return
        yield packet[1:]
