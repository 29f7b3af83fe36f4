"""Sizes, spans and times as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_BYTES = ((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))
_SECONDS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))
_UNKNOWN = "not known"


def size(count: float | None) -> str:
    """Bytes: ``1.5 MiB``."""
    if count is None:
        return _UNKNOWN
    for unit, name in _BYTES:
        if count >= unit:
            return f"{count / unit:.3g} {name}" if count < 1_000 * unit else f"{count / unit:,.0f} {name}"
    return f"{count:,.0f} B"


def span(seconds: float | None) -> str:
    """A time that passes: ``2 h 5 min``, ``3.2 s``, ``21 ms``."""
    if seconds is None:
        return _UNKNOWN
    for unit, name, small, part in _SECONDS:
        if seconds >= unit:
            whole, rest = divmod(round(seconds), unit)
            return f"{whole} {name} {rest // small} {part}" if rest // small else f"{whole} {name}"
    if seconds >= 1:
        return f"{seconds:.1f} s"
    return f"{seconds * 1_000:.0f} ms" if seconds else "0 s"


def elapsed(seconds: float) -> str:
    """Since a beginning, to the second and of one form, so that a column of them can be compared: ``+25:12:06``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"+{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def milliseconds(count: float | None) -> str:
    """To the microsecond: ``20.615 ms``."""
    return _UNKNOWN if count is None else f"{count:,.3f} ms"


def clock(at: datetime | None, *, fine: bool = False) -> str:
    """``2026-11-21 10:31:22`` in UTC, with milliseconds where they matter."""
    if at is None:
        return _UNKNOWN
    return f"{at:%Y-%m-%d %H:%M:%S}" + (f".{at.microsecond // 1_000:03d}" if fine else "")


def count(number: float | None, one: str, many: str = "") -> str:
    """``1 table``, ``1,000 tables``."""
    if number is None:
        return f"an unknown number of {many or one + 's'}"
    return f"{number:,.0f} {one if number == 1 else many or one + 's'}"


def person(arn: str) -> str:
    """Who an ARN of STS or IAM names, without what is the same for everybody: ``haruka@example.com (operator)``."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if not arn.startswith("arn:") or not name:
        return arn
    role, _, session = name.partition("/")
    return f"{session} ({role})" if kind == "assumed-role" and session else name


def sentences(said: list[object]) -> str:
    """One after the other, each with an end."""
    return " ".join(each if each.endswith((".", "!", "?")) else f"{each}." for each in map(str, said))


def listed(names: list[str], most: int = 8) -> str:
    """``a, b and 3 more``."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[:most])} and {len(names) - most:,} more"
