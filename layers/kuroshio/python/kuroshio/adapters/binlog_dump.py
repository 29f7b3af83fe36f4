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

    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.binlog.events import Event

_COM_BINLOG_DUMP = 0x12
_NON_BLOCK = 0x01  # end at the end of the log, where a replica would wait for more
_LARGEST_ID = 2**32 - 1
_OURS = 2**31  # ids above: a person's servers have small ones
# What MariaDB may send: GTID events, and events that older replicas cannot read as they are.
_MARIADB_CAPABILITY = 4


def events(login: Login, begin: Position, end: Position | None = None) -> Generator[Event]:
    """The events from a position up to another, or up to where the binlog ends now.

    Raises ServiceUnavailable when the connection breaks, AccessRefused without the privilege, RequestRefused with
    MySQL's 1236 where the file was purged or the position is none, BinlogUnreadable where what comes cannot be cut.
    """
    server = Server(login)
    try:
        for event in Stream(begin.file).events(_packets(server, begin)):
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
        # PyMySQL has no public way to send a command of the protocol; these two are what its own queries use.
        connection._execute_command(_COM_BINLOG_DUMP, request)  # type: ignore[attr-defined]  # noqa: SLF001
        while True:
            packet = connection._read_packet()  # type: ignore[no-untyped-call]  # noqa: SLF001
            if packet.is_eof_packet():
                return
            yield packet.get_all_data()[1:]
