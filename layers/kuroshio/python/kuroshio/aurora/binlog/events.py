"""Events as a server sends them to a replica: 19 bytes of header, a body, and a checksum where it was agreed on."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

QUERY, STOP, ROTATE, INTVAR, RAND, USER_VAR = 2, 3, 4, 5, 13, 14
FORMAT_DESCRIPTION, XID, BEGIN_LOAD, EXECUTE_LOAD, TABLE_MAP = 15, 16, 17, 18, 19
INCIDENT, HEARTBEAT, HEARTBEAT_V2, XA_PREPARE, TRANSACTION_PAYLOAD = 26, 27, 41, 38, 40
GTID_KINDS = frozenset({33, 34, 42, 162})  # MySQL's, its anonymous one, its tagged one, MariaDB's: a transaction begins
QUERY_COMPRESSED = 165  # MariaDB, log_bin_compress

_HEADER = struct.Struct("<IBIIIH")
_FRAMING = frozenset({bytes([ROTATE]), bytes([FORMAT_DESCRIPTION])})
_CRC32 = 1
_ARTIFICIAL = 0x20  # made up by the server for this dump: not in the file


class Event(NamedTuple):
    """One event. ``end``: where it ends in ``file``, 0 in a made-up one. ``server``: the id of the server it began on."""

    kind: int
    file: str
    end: int
    server: int
    timestamp: int  # epoch seconds, when its statement began
    body: bytes
    artificial: bool = False
    packet: bytes = b""  # as the server sent it


class Stream:
    """Cuts what a dump delivers into events, and follows the file from rotation to rotation."""

    def __init__(self, file: str, only: int | None = None) -> None:
        self.file = file
        self._only = None if only is None else only.to_bytes(4, "little")
        self._tail = 0  # bytes of checksum at the end of each event
        self._end = 0  # of the event before

    def events(self, packets: Iterable[bytes]) -> Iterator[Event]:
        """Raises BinlogUnreadable where a packet is cut off or its checksum does not match its bytes.

        With ``only``, events that began on another server are passed over unread, but for those that frame the stream.
        """
        for packet in packets:
            if self._only is None or packet[5:9] == self._only or packet[4:5] in _FRAMING:
                yield self._event(packet)
            elif not packet[17] & _ARTIFICIAL:  # its place counts all the same
                self._end = int.from_bytes(packet[13:17], "little") or self._end + len(packet)

    def _event(self, packet: bytes) -> Event:
        if len(packet) < _HEADER.size:
            raise BinlogUnreadable(f"an event of {len(packet)} bytes after {self.file}: its header alone has 19")
        timestamp, kind, server, length, end, flags = _HEADER.unpack_from(packet)
        if length != len(packet):
            raise BinlogUnreadable(f"{self.file} at {end}: an event of {length} bytes came with {len(packet)}")
        if kind == FORMAT_DESCRIPTION:
            self._tail = 4 if _checksummed(packet) else 0
        body = self._checked(packet, end)
        artificial = bool(flags & _ARTIFICIAL)
        # Inside a transaction MariaDB leaves the place open (since 11.7); what is in the file is sent byte for byte.
        if not end and not artificial and self._end and kind != FORMAT_DESCRIPTION:
            end = self._end + length
        self._end = end or self._end
        if kind == ROTATE:
            self._end = int.from_bytes(body[:8], "little")
            self.file = body[8:].decode("utf-8", "replace")
        return Event(kind, self.file, end, server, timestamp, body, artificial, packet)

    def _checked(self, packet: bytes, end: int) -> bytes:
        stored = int.from_bytes(packet[-4:], "little")
        is_right = zlib.crc32(packet[:-4]) == stored
        if not self._tail:
            # The rotation that begins a dump comes before the format says whether there are checksums, and may have one.
            return packet[_HEADER.size : -4] if packet[4] == ROTATE and is_right else packet[_HEADER.size :]
        if not is_right and not _is_open(packet):
            raise BinlogUnreadable(f"{self.file} at {end}: the event's checksum does not match its bytes")
        return packet[_HEADER.size : -4]


def _checksummed(packet: bytes) -> bool:
    """Whether events carry a CRC32: the byte before the checksum of a format description names the algorithm."""
    return len(packet) > _HEADER.size + 57 and packet[-5] == _CRC32


def _is_open(packet: bytes) -> bool:
    # The server clears IN_USE in the flags of the format description that it sends, after it was summed up.
    return packet[4] == FORMAT_DESCRIPTION
