"""How every benchmark reports: a table for people, ``build/bench/NAME.json`` for machines, exit status 0."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

BENCH = Path(__file__).parents[1] / "build" / "bench"


@dataclass(frozen=True)
class Row:
    """One figure. `value` None means that it could not be had; `goal` such as ``<= 0.4``, None for information."""

    name: str
    value: float | None
    unit: str
    goal: str | None = None
    met: bool | None = None


def at_most(name: str, value: float | None, unit: str, limit: float) -> Row:
    """A row with a goal from above; without a value the goal is missed."""
    return Row(name, value, unit, f"<= {limit:g}", value is not None and value <= limit)


def below(name: str, value: float | None, unit: str, limit: float) -> Row:
    """A row that must stay under a limit, such as a peer's figure."""
    return Row(name, value, unit, f"< {limit:.4g}", value is not None and value < limit)


def write(name: str, rows: Iterable[Row]) -> Path:
    """Print the table and write ``build/bench/NAME.json``; returns its path. A missed goal is reported, not raised."""
    rows = list(rows)
    print(table(rows))
    BENCH.mkdir(parents=True, exist_ok=True)
    path = BENCH / f"{name}.json"
    path.write_text(json.dumps({"rows": [asdict(row) for row in rows]}, indent=2) + "\n", encoding="utf-8")
    goals = [row for row in rows if row.met is not None]
    print(f"\n{sum(bool(row.met) for row in goals)} of {len(goals)} goals met; figures in build/bench/{path.name}")
    return path


def table(rows: list[Row]) -> str:
    """Aligned columns: name, value, unit, goal, verdict."""
    cells = [(row.name, figure(row.value), row.unit, row.goal or "", verdict(row)) for row in rows]
    widths = [max(len(line[column]) for line in cells) for column in range(5)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {goal:<{widths[3]}}  {met}".rstrip()
        for name, value, unit, goal, met in cells
    )


def figure(value: float | None) -> str:
    """Three significant digits, as many as a shared machine deserves."""
    if value is None:
        return "fails"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"  # noqa: PLR2004 - where decimals stop to matter


def verdict(row: Row) -> str:
    """In words, so that a table in a log needs no colours."""
    return {True: "met", False: "MISSED", None: ""}[row.met]
