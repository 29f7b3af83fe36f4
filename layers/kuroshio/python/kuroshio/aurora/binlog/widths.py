"""How far a value reaches in a row event, by the type and metadata of its table map."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_FIXED = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 0, 7: 4, 8: 8, 9: 3, 10: 3, 11: 3, 12: 8, 13: 1, 14: 3}
_FRACTION = {17: 4, 18: 5, 19: 3}  # TIMESTAMP2, DATETIME2, TIME2: and two digits of a fraction to a byte
_BIT, _DECIMAL, _ENUM, _SET, _STRING = 16, 246, 247, 248, 254
_VARIABLE = frozenset({15, 141, 253})  # VARCHAR, MariaDB's compressed one, VARBINARY
# JSON, blobs, geometry, vector, MariaDB's compressed blobs: the metadata says how many bytes count the length.
_COUNTED = frozenset({140, 242, 245, 249, 250, 251, 252, 255})
_DIGITS = 9  # of a decimal to four bytes
_PARTIAL = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
_ONE_BYTE = 255


class Width(NamedTuple):
    """``fixed`` bytes, or as many as ``prefix`` bytes in front of the value say. ``kind``: MySQL's number of the type."""

    kind: int
    fixed: int
    prefix: int = 0
    scale: int = 0  # digits of a fraction, of seconds or of a decimal
    precision: int = 0
    longest: int = 0  # bytes of a CHAR or BINARY


def width(kind: int, metadata: bytes) -> Width:
    """Raises ValueError for a type that stands in no row event."""
    if kind in _FIXED:
        return Width(kind, _FIXED[kind])
    if kind in _COUNTED:
        return Width(kind, 0, prefix=metadata[0])
    if kind in _VARIABLE:
        return Width(kind, 0, prefix=1 if int.from_bytes(metadata, "little") <= _ONE_BYTE else 2)
    if kind not in _SHAPES:
        raise ValueError(f"a value of type {kind} is not known in row events")
    return _SHAPES[kind](kind, metadata)


def _moment(kind: int, metadata: bytes) -> Width:
    return Width(kind, _FRACTION[kind] + (metadata[0] + 1) // 2, scale=metadata[0])


def _bits(kind: int, metadata: bytes) -> Width:
    return Width(kind, metadata[1] + bool(metadata[0]))


def _named(kind: int, metadata: bytes) -> Width:
    return Width(kind, metadata[1])


def _string(_: int, metadata: bytes) -> Width:
    """CHAR, BINARY, ENUM and SET share a type; the first byte of metadata is the real one.

    The length of a CHAR above 255 bytes borrows two bits of that byte, inverted (sql/log_event.cc, bug 37426).
    """
    first, second = metadata
    if first in (_ENUM, _SET):
        return Width(first, second)
    longest = ((first & 0x30) ^ 0x30) << 4 | second
    return Width(_STRING, 0, prefix=1 if longest <= _ONE_BYTE else 2, longest=longest)


def _decimal(kind: int, metadata: bytes) -> Width:
    precision, scale = metadata
    whole = precision - scale
    size = whole // _DIGITS * 4 + _PARTIAL[whole % _DIGITS] + scale // _DIGITS * 4 + _PARTIAL[scale % _DIGITS]
    return Width(kind, size, scale=scale, precision=precision)


_SHAPES: dict[int, Callable[[int, bytes], Width]] = {
    **dict.fromkeys(_FRACTION, _moment),
    _BIT: _bits,
    _DECIMAL: _decimal,
    _ENUM: _named,
    _SET: _named,
    _STRING: _string,
}
