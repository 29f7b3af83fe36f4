"""All of moto that is changed for the lab."""

from __future__ import annotations

from functools import cache
from importlib import import_module

_PARTS = (
    "parsing",
    "expressions",
    "tasks",
    "executions",
    "functions",
    "server",
    "schedules",
    "metrics",
    "time",
    "dns",
    "queues",
    "maps",
)


@cache  # once per process: the wrappers would otherwise wrap themselves
def patch_moto() -> None:
    for part in _PARTS:
        import_module(f"lab.moto_engine.{part}").patch()
