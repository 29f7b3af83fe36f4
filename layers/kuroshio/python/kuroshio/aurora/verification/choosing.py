"""Which proof costs less: every row, or what the binlogs touched."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """What a table's verdict rests on."""

    FULL = "full"  # every row was looked at
    DELTA = "delta"  # every row that a binlog touched since the last proof
    UNTOUCHED = "untouched"  # neither binlog has touched it since


@dataclass(frozen=True)
class Rates:
    """What one connection to each side does in a second: rows of a full look, keys looked up, bytes of binlog read.

    Measured by ``make bench-aurora`` beside each other: only their ratios decide. Keys: read from the binlog and looked up at
    random, in a table of narrow rows; of wide ones, or of neighbours, a full look costs more, or keys cost less.
    """

    rows: float = 1_000_000
    keys: float = 38_000
    binlog: float = 60_000_000


@dataclass(frozen=True)
class Choice:
    """``proof`` is FULL or DELTA."""

    proof: Proof
    reason: str


# A function may run for 15 minutes, and the plan is more than reading binlogs.
_MOST_READING_S = 600.0


def choose(wanted: str, rows: int, binlog: int, obstacle: str, rates: Rates) -> Choice:
    """Choose before a binlog is read. ``wanted``: full, delta or auto. ``obstacle``: why there can be no delta, or empty.

    Read binlogs may show so much that tables are looked at whole all the same: see ``most_keys``.
    """
    if wanted == "full":
        return Choice(Proof.FULL, "the request says so")
    if obstacle:
        return Choice(Proof.FULL, obstacle)
    reading = binlog / rates.binlog
    if reading > _MOST_READING_S:
        return Choice(
            Proof.FULL,
            f"{binlog:,} bytes of binlog are more than one function reads in {_MOST_READING_S:.0f} s",
        )
    if wanted == "delta":
        return Choice(Proof.DELTA, "the request says so")
    looking = rows / rates.rows
    if reading > looking:
        return Choice(
            Proof.FULL, f"reading {binlog:,} bytes of binlog takes longer than looking at about {rows:,} rows"
        )
    return Choice(Proof.DELTA, f"reading {binlog:,} bytes of binlog takes less than looking at about {rows:,} rows")


def most_keys(rows: int, rates: Rates) -> int:
    """Of a table of so many rows, the number of keys from which on looking at all of it costs less."""
    return max(int(rows * rates.keys / rates.rows), 1_000)
