"""What a verification takes: items, functions, state transitions, hours and list prices. ``docs/workflows/verify-clone.md``.

Prices are those of AWS's price pages for us-east-1 in November 2026, without free tiers and discounts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ITEM_S = 60.0  # what an item should take: starting a function is then no part of it worth counting
MOST_ITEMS = 10_000  # of a plan: their results are read one by one in the end
TURN_S = 300.0  # of the function's 15 minutes: what differs is looked at again afterwards
# Step Functions, "Quotas": what a distributed Map may have at once, and read from one list.
MOST_AT_ONCE, MOST_OF_A_MAP = 10_000, 100_000_000
# A child execution has at most 25,000 events of history; a turn has about eight.
MOST_TURNS = 3_000

_MEMORY_GB = 1769 / 1024
_GB_SECOND = 0.0000133334  # Lambda, arm64
_REQUEST = 0.20 / 1_000_000
_TRANSITION = 0.025 / 1_000  # Step Functions, standard workflows
_PUT, _GET = 0.005 / 1_000, 0.0004 / 1_000  # S3
_PAGE, _READ = 16_384, 0.20 / 1_000_000  # Aurora Standard; I/O-Optimized has no price for reads


@dataclass(frozen=True)
class Estimate:
    """``transitions``: of Step Functions. ``own_usd``: Lambda, Step Functions and S3. ``reads_usd``: Aurora Standard's I/O
    on both sides, if no page is in memory.
    """

    items: int
    turns: int  # executions of the function that compare
    transitions: int
    hours: float
    own_usd: float
    reads_usd: float


def full(size: float, bytes_per_s: float, at_once: int) -> Estimate:
    """Estimate a look at ``size`` bytes of rows, ``bytes_per_s`` by each of so many functions ``at_once``.

    Raises ValueError for what the services do not allow.
    """
    if not 0 < at_once <= MOST_AT_ONCE:
        raise ValueError(f"a distributed Map has 1 to {MOST_AT_ONCE:,} executions at once, not {at_once:,}")
    seconds = size / bytes_per_s
    items = min(max(math.ceil(seconds / ITEM_S), 1), MOST_ITEMS)
    turns = math.ceil(max(seconds / items, 1e-9) / TURN_S)
    if turns > MOST_TURNS:
        raise ValueError(f"an item would take {turns:,} turns; {MOST_TURNS:,} fit into the history of an execution")
    # The item itself, each turn and the question after it, and the end; the machine around them has five.
    transitions = items * (1 + 2 * turns + 1) + 5
    usd = (
        seconds * _MEMORY_GB * _GB_SECOND
        + (items * turns + 2) * _REQUEST
        + transitions * _TRANSITION
        + items * turns * (_PUT + 2 * _GET)
    )
    reads = 2 * size / _PAGE * _READ
    return Estimate(items, items * turns, transitions, seconds / min(at_once, items) / 3600, usd, reads)
