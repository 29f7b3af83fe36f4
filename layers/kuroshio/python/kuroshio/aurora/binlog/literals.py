"""A key's bytes as the SQL literal by which the row is found again, in a session whose time zone is UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.aurora.binlog.widths import Width

_SIGNED = {1: 1, 2: 2, 9: 3, 3: 4, 8: 8}
_YEAR, _BIT, _DECIMAL, _ENUM, _SET = 13, 16, 246, 247, 248
_TEXTS = frozenset({15, 253, 254})
_DIGITS, _GROUP = 9, 4
_PARTIAL = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def literal(raw: bytes, width: Width, *, unsigned: bool = False, charset: str | None = None) -> str:
    """``charset``: of a column of text, by the server's own name; None for bytes.

    Raises BinlogUnreadable for a type by which no row is looked up: floating point, blobs, JSON.
    """
    kind = width.kind
    if kind in _TEXTS:
        return _text(raw[width.prefix :], width, charset)
    if kind in _MOMENTS:
        return f"'{_MOMENTS[kind](raw, width)}'"
    return _number(raw, width, unsigned=unsigned)


def _number(raw: bytes, width: Width, *, unsigned: bool) -> str:
    kind = width.kind
    if kind in _SIGNED:
        return str(int.from_bytes(raw, "little", signed=not unsigned))
    if kind in (_ENUM, _SET):
        return str(int.from_bytes(raw, "little"))
    if kind == _BIT:
        return str(int.from_bytes(raw, "big"))
    if kind == _DECIMAL:
        return decimal(raw, width.precision, width.scale)
    if kind == _YEAR:
        return str(1900 + raw[0]) if raw[0] else "0"
    raise BinlogUnreadable(f"rows cannot be looked up by a key of type {kind}")


def _text(value: bytes, width: Width, charset: str | None) -> str:
    if charset is None:  # a BINARY comes without the zeros at its end
        return f"X'{value.ljust(width.longest, bytes(1)).hex().upper()}'"
    return f"_{charset} X'{value.hex().upper()}'"


def _date(raw: bytes, _: Width) -> str:
    packed = int.from_bytes(raw, "little")
    return f"{packed >> 9:04}-{packed >> 5 & 15:02}-{packed & 31:02}"


def _old_timestamp(raw: bytes, _: Width) -> str:
    return _timestamp(int.from_bytes(raw, "little"), "")


def _timestamp2(raw: bytes, width: Width) -> str:
    return _timestamp(int.from_bytes(raw[:4], "big"), _fraction(raw[4:], width.scale))


def _timestamp(seconds: int, fraction: str) -> str:
    if not seconds:
        return f"0000-00-00 00:00:00{fraction}"
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction}"


def _fraction(raw: bytes, scale: int) -> str:
    if not scale:
        return ""
    digits = f"{int.from_bytes(raw, 'big'):0{2 * len(raw)}}"
    return f".{digits[:scale]}"


def _datetime2(raw: bytes, width: Width) -> str:
    """40 bits: a sign, year and month as one number (17), day (5), hour (5), minute (6), second (6)."""
    packed = int.from_bytes(raw[:5], "big") - (1 << 39)
    months = packed >> 22
    day = f"{months // 13:04}-{months % 13:02}-{packed >> 17 & 31:02}"
    return f"{day} {packed >> 12 & 31:02}:{packed >> 6 & 63:02}:{packed & 63:02}{_fraction(raw[5:], width.scale)}"


def _time2(raw: bytes, width: Width) -> str:
    """24 bits and a fraction, as one number that grows with the time; below zero, the fraction borrows."""
    bits = 8 * len(raw)
    packed = int.from_bytes(raw, "big") - (1 << bits - 1)
    sign, packed = ("-", -packed) if packed < 0 else ("", packed)
    fraction_bytes = len(raw) - 3
    whole = packed >> 8 * fraction_bytes
    fraction = (packed & (1 << 8 * fraction_bytes) - 1).to_bytes(fraction_bytes, "big")
    clock = f"{whole >> 12 & 1023:02}:{whole >> 6 & 63:02}:{whole & 63:02}"
    return f"{sign}{clock}{_fraction(fraction, width.scale)}"


def decimal(raw: bytes, precision: int, scale: int) -> str:
    """Groups of nine digits in four bytes, the rest in fewer; the first bit is the sign, inverted; negative ones inverted whole."""
    negative = not raw[0] & 0x80
    value = bytes([raw[0] ^ 0x80, *raw[1:]])
    if negative:
        value = bytes(byte ^ 0xFF for byte in value)
    at = 0
    whole = precision - scale
    sizes = [(whole % _DIGITS, 0)] + [(_DIGITS, 0)] * (whole // _DIGITS)
    sizes += [(_DIGITS, 1)] * (scale // _DIGITS) + [(scale % _DIGITS, 1)]
    parts = ["", ""]
    for digits, side in sizes:
        size = _GROUP if digits == _DIGITS else _PARTIAL[digits]
        if size:
            parts[side] += f"{int.from_bytes(value[at : at + size], 'big'):0{digits}}"
        at += size
    number = (parts[0].lstrip("0") or "0") + ("." + parts[1] if parts[1] else "")
    return f"-{number}" if negative else number


# DATE, NEWDATE, TIMESTAMP as it was before fractions, TIMESTAMP2, DATETIME2, TIME2.
_MOMENTS: dict[int, Callable[[bytes, Width], str]] = {
    10: _date,
    14: _date,
    7: _old_timestamp,
    17: _timestamp2,
    18: _datetime2,
    19: _time2,
}

LOOKED_UP = frozenset({*_SIGNED, *_TEXTS, *_MOMENTS, _YEAR, _BIT, _DECIMAL, _ENUM, _SET})
