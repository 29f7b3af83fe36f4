"""How much a source can bear: verification stands aside while it is busy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_EVERY_S = 1.0
_LEAST_S, _MOST_S = 0.25, 4.0


class Load(NamedTuple):
    """``running``: Threads_running, ours among them. ``history``: transactions whose old rows purge has still to remove."""

    running: int
    history: int


@dataclass(frozen=True)
class Limits:
    """Beyond either, nothing is asked of the source. pt-table-checksum waits at 25 running threads too."""

    running: int = 25
    history: int = 1_000_000


def judge(load: Load, limits: Limits) -> str:
    """Why the source is to be left alone; empty where it is not."""
    if load.running > limits.running:
        return f"{load.running} threads run on the source, more than {limits.running}"
    if load.history > limits.history:
        return f"purge is {load.history:,} transactions behind on the source, more than {limits.history:,}"
    return ""


class Pace:
    """Asks for the load every second of work, and waits while it is too much. ``paused_s``: in all, ``reason``: the last."""

    def __init__(
        self,
        load: Callable[[], Load],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        limits: Limits | None = None,
    ) -> None:
        self._load, self._clock, self._sleep = load, clock, sleep
        self._limits = limits or Limits()
        self._looked = clock()
        self.paused_s = 0.0
        self.reason = ""

    def rest(self, until: float) -> None:
        """Return when the source may be asked again, or at ``until`` by the clock."""
        if self._clock() - self._looked < _LOOK_EVERY_S:
            return
        began, pause = self._clock(), _LEAST_S
        while (reason := judge(self._load(), self._limits)) and self._clock() + pause < until:
            self.reason = reason
            self._sleep(pause)
            pause = min(pause * 2, _MOST_S)
        self._looked = self._clock()
        if self.reason:
            self.paused_s += self._looked - began
