"""All of moto that is changed for the lab."""

from __future__ import annotations

from functools import cache

from lab.moto_engine import dns, executions, expressions, functions, metrics, queues, schedules, server, tasks, time


@cache  # once per process: the wrappers would otherwise wrap themselves
def patch_moto() -> None:
    for part in (expressions, tasks, executions, functions, server, schedules, metrics, time, dns, queues):
        part.patch()
