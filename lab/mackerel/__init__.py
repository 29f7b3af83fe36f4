"""Mackerel on one machine: the API v0 that Kuroshio speaks, its silent drops included, with faults on demand.

Field names, limits and behaviour are Mackerel's documented ones (mackerelio/documents, MIT, Hatena). Where the documents
are silent, a number is a field of ``Rules``, so that a test can try it both ways.
"""

from __future__ import annotations

from lab.mackerel.app import FakeMackerel
from lab.mackerel.clock import Clock
from lab.mackerel.faults import ConnectionDropped, Fault
from lab.mackerel.organization import Rules
from lab.mackerel.server import Served, serve

__all__ = ["Clock", "ConnectionDropped", "FakeMackerel", "Fault", "Rules", "Served", "serve"]
