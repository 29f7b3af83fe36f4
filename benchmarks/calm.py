"""Tells measurements made in peace from those that somebody else's work disturbed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TICKS = os.sysconf("SC_CLK_TCK")
FOREIGN = 0.06  # of one CPU: from here on a block is thrown away


class Calm:
    """CPU time that others spent since it was made, as a share of one CPU. Resolution: 10 ms of CPU time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._others = others()

    def foreign(self) -> float:
        """The mean share so far; 0.06 is 6 % of one CPU."""
        return max(0.0, (others() - self._others) / (time.monotonic() - self._began))


def others() -> float:
    """CPU seconds since boot that were not spent by this process and what it started."""
    own = sum(cpu_of(pid) for pid in descendants(os.getpid()))
    return busy() - own


def busy() -> float:
    """CPU seconds since boot of all processors: user, nice, system, irq, softirq and steal."""
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / TICKS


def cpu_of(pid: int) -> float:
    """CPU seconds of a process and of those of its children that it has waited for."""
    fields = stat_of(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def descendants(root: int) -> Iterator[int]:
    """`root` and every living process below it."""
    children: dict[int, list[int]] = {}
    for pid in (int(name.name) for name in Path("/proc").iterdir() if name.name.isdecimal()):
        if fields := stat_of(pid):
            children.setdefault(int(fields[1]), []).append(pid)
    waiting = [root]
    while waiting:
        yield (pid := waiting.pop())
        waiting += children.get(pid, [])


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; empty if the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
