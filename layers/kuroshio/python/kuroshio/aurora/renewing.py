"""When a clone that follows is to be compared again: what was equal yesterday says little of what was written since."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.aurora.request import VerifyEvery


def due(proofs: Iterable[Mapping[str, Any]], every: VerifyEvery, now: datetime) -> str:
    """``full``, ``delta``, or nothing. ``proofs``: the ledger's records of verifications.

    A full proof is due where there was none within its interval, so that a first proof by what changed is soon followed by
    one of every row, which closes what it rests on.
    """
    ended = [(datetime.fromisoformat(each["began"]), each.get("proof")) for each in proofs]
    fully = [at for at, proof in ended if proof == "full"]
    if every.full_minutes and _is_old(fully, every.full_minutes, now):
        return "full"
    if every.delta_minutes and _is_old([at for at, _ in ended], every.delta_minutes, now):
        return "delta"
    return ""


def _is_old(times: list[datetime], minutes: int, now: datetime) -> bool:
    return not times or now - max(times) >= timedelta(minutes=minutes)
