"""A clone's standing on a terminal: one picture that stays, or lines where nobody looks at a screen."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from kuroshio.aurora.records import Phase
from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Tone
from kuroshio.aurora.report.records import number, text
from kuroshio.aurora.report.story import PHASES, outcome, tone_of
from kuroshio.aurora.standing import curve
from kuroshio.changes.rendering.words import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.standing import Standing

_QUIET_S = 30.0  # in which a line says nothing new
_CURVE_WIDTH = 60
_BAR_WIDTH = 40
_OFF_THE_WAY = (Phase.ABORTED, Phase.FAILED, Phase.UPGRADING)
_WAY = [str(phase) for phase in Phase if phase not in _OFF_THE_WAY]
_STATES = {
    "broken": "bold red",
    "stopped": "bold red",
    "detached": "bold red",
    "stalled": "yellow",
    "reconnecting": "yellow",
}


@contextmanager
def screen() -> Iterator[Callable[[Standing], None]]:
    """A picture on a terminal that is drawn anew in its place, else lines. On stderr: stdout is for results."""
    console = Console(stderr=True, highlight=False, emoji=False)
    if not console.is_terminal:
        yield Lines().show
        return
    with Live(console=console, auto_refresh=False) as live:
        yield lambda now: live.update(drawn(now), refresh=True)


@dataclass
class Lines:
    """A line when something changes, and now and then."""

    said: str = ""
    at: float = 0.0

    def show(self, now: Standing) -> None:
        """Say it where it is new, or long ago."""
        what = f"{now.phase}{[each.name for each in now.asked]}"
        if what == self.said and time.monotonic() - self.at < _QUIET_S:
            return
        self.said, self.at = what, time.monotonic()
        click.echo(" | ".join(_short(now)), err=True)


def drawn(now: Standing) -> Group:
    """The picture."""
    title = Text(printable(now.clone), style="bold")
    title.append(f"  a clone of {printable(now.source)}" if now.source else "", style="dim")
    return Group(title, _way(now), *_lag(now), *_compared(now), *_proof(now), *_asked(now), *_error(now))


def _short(now: Standing) -> Iterator[str]:
    yield f"{now.clone}: {PHASES.get(now.phase, now.phase) or 'asked for'}"
    if "behind_bytes" in now.lag:
        yield _behind(now)
    if now.compared:
        yield f"{now.compared.done:,} of {now.compared.total:,} pieces compared"
    yield from (
        f"waits for approval: {each.name} (kuroshio aurora approve {now.clone} {each.name})" for each in now.asked
    )


def _way(now: Standing) -> Text:
    if now.phase not in _WAY:
        return Text(f"✗ {now.phase}" if now.phase else "", style="bold red" if now.phase == Phase.FAILED else "yellow")
    place, line = _WAY.index(now.phase), Text()
    for index, phase in enumerate(_WAY[: max(place, _WAY.index(Phase.READY)) + 1]):
        done, here = index < place or now.phase == Phase.DONE, index == place
        sign, style = ("✓", "green") if done else ("●", "bold cyan") if here else ("·", "dim")
        line.append(f"{sign} {phase}  ", style=style)
    return line


def _lag(now: Standing) -> Iterator[Text]:
    if "behind_bytes" not in now.lag:
        return
    line = Text("lag  ")
    line.append(curve(now.curve, _CURVE_WIDTH), style="cyan")
    if now.curve:
        yield line
    yield Text(f"     {_behind(now)}")
    state = text(now.lag, "state")
    if state in _STATES:
        yield Text(f"     {state}: {printable(text(now.lag, 'reason'))}", style=_STATES[state])


def _behind(now: Standing) -> str:
    transactions = number(now.lag, "behind_transactions")
    counted = f", {words.count(transactions, 'transaction')}" if transactions else ""
    ready = f"; caught up in about {words.span(now.ready_in_s)}" if now.ready_in_s else ""
    return f"{words.size(number(now.lag, 'behind_bytes'))}{counted} behind{ready}"


def _compared(now: Standing) -> Iterator[Text]:
    if now.compared is None:
        return
    full = round(_BAR_WIDTH * now.compared.done / now.compared.total)
    line = Text("comparing  ")
    line.append("━" * full, style="cyan").append("━" * (_BAR_WIDTH - full), style="dim")
    yield line.append(f"  {now.compared.done:,} of {now.compared.total:,} pieces")


def _proof(now: Standing) -> Iterator[Text]:
    if now.verification:
        where = text(now.verification, "upto")
        said = f"{outcome(now.verification)}{f', up to {where}' if where else ''}"
        yield Text(f"proof  {printable(said)}", style="green" if tone_of(now.verification) is Tone.GOOD else "bold red")


def _asked(now: Standing) -> Iterator[Text]:
    for each in now.asked:
        yield Text(f"! waits for approval: {each.name}", style="bold yellow")
        yield from (Text(f"    {printable(sentence)}") for sentence in each.asked)
        yield Text(f"    kuroshio aurora approve {now.clone} {each.name}", style="bold")


def _error(now: Standing) -> Iterator[Text]:
    if now.error:
        yield Text(printable(now.error), style="bold red")
