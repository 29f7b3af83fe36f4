"""When a clone that follows is compared again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kuroshio.aurora.renewing import due
from kuroshio.aurora.request import VerifyEvery

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
USUAL = VerifyEvery()


def proof(kind: str, minutes_ago: int) -> dict[str, str]:
    return {"proof": kind, "began": (NOON - timedelta(minutes=minutes_ago)).isoformat()}


@pytest.mark.parametrize(
    ("proofs", "every", "expected"),
    [
        ([], USUAL, "full"),
        ([proof("delta", 1)], USUAL, "full"),
        ([proof("full", 1)], USUAL, ""),
        ([proof("full", 59)], USUAL, ""),
        ([proof("full", 60)], USUAL, "delta"),
        ([proof("full", 300), proof("delta", 59)], USUAL, ""),
        ([proof("full", 1439), proof("delta", 60)], USUAL, "delta"),
        ([proof("full", 1440), proof("delta", 1)], USUAL, "full"),
        ([proof("delta", 1)], VerifyEvery(60, 0), ""),
        ([], VerifyEvery(60, 0), "delta"),
        ([proof("full", 600)], VerifyEvery(0, 1440), ""),
        ([], VerifyEvery(0, 0), ""),
    ],
)
def test_what_is_due(proofs: list[dict[str, str]], every: VerifyEvery, expected: str) -> None:
    assert due(proofs, every, NOON) == expected
