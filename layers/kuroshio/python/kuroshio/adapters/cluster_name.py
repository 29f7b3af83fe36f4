"""The name of a cluster, given from one to the other: its endpoints follow. Two renames, each repeatable.

RDS answers a rename before it is done, and another cluster can have the name only afterwards. An instance keeps its name,
so it tells which cluster is which, whatever they are called at the moment.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kuroshio.errors import RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_BACK_WITHIN_S = 300.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 5.0


class Clusters(Protocol):
    """What is asked of RDS."""

    def home(self, instance: str) -> tuple[str, str]:
        """Name and status of the cluster of an instance."""

    def rename(self, cluster: str, name: str) -> tuple[str, str]:
        """Ask for another name. Returns what it is called now, and its status: mostly it is not done yet."""


@dataclass(frozen=True)
class Holder:
    """A cluster, known by an instance, and what it is called while it does not have the name."""

    instance: str
    otherwise: str


@dataclass
class ClusterName:
    """Implements ``cutover.Name``."""

    clusters: Clusters
    name: str
    source: Holder
    target: Holder
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def prepare(self) -> None:
        """Look before the window, so that nobody waits for it."""
        self._known = {side.instance: self.clusters.home(side.instance) for side in (self.source, self.target)}

    def leads_to(self) -> str:
        """``source``, ``target``, or what else became of it."""
        called = [self.clusters.home(side.instance)[0] for side in (self.source, self.target)]
        if self.name in called:
            return ("source", "target")[called.index(self.name)]
        return f"neither of {' and '.join(called)}"

    def move(self, left: Callable[[], float]) -> None:
        """From the source to the target."""
        self._give(self.source, self.target, left)

    def move_back(self) -> None:
        """From the target to the source. Raises ServiceUnavailable when RDS does not get done with it."""
        self._known = {}
        until = self.clock() + _BACK_WITHIN_S

        def left() -> float:
            if self.clock() >= until:
                raise ServiceUnavailable(f"RDS did not give {self.name} back within {_BACK_WITHIN_S:g} s")
            return until - self.clock()

        self._give(self.target, self.source, left)

    def settle(self) -> None:
        """Nothing is still on its way: clients resolve the endpoint anew within seconds."""

    def _give(self, giver: Holder, taker: Holder, left: Callable[[], float]) -> None:
        self._call(giver, giver.otherwise, left)
        self._call(taker, self.name, left)

    def _call(self, holder: Holder, name: str, left: Callable[[], float]) -> None:
        pause, asked = _FIRST_PAUSE_S, False
        while True:
            if holder.instance in self._known:
                called, status = self._known.pop(holder.instance)
            else:
                called, status = self.clusters.home(holder.instance)
            if status == "available" and not asked and called != name:
                if called not in {self.name, holder.otherwise}:
                    raise RequestRefused(f"the cluster of {holder.instance} is called {called}: somebody renamed it")
                called, status = self.clusters.rename(called, name)
                asked = True
            if (called, status) == (name, "available"):
                return
            self.pause(min(pause, left()))
            left()
            pause = min(pause * 1.5, _LONGEST_PAUSE_S)
