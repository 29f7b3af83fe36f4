"""A cancelled job: its step may finish what it is writing, and nothing more.

GitHub sends SIGINT, 7.5 seconds later SIGTERM, and 2.5 seconds after that it kills the step with all that it started
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-cancellation).
"""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
CODE = 130


@contextmanager
def heeded() -> Iterator[None]:
    """Turn the first signal into KeyboardInterrupt; later ones must not interrupt the cleaning up, nor the end."""
    before = {number: signal.signal(number, _first) for number in _SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def over() -> None:
    """Hear no signal any more, because the exit code is settled.

    Python gives every signal that it handles back to the system before it ends: one that comes in that moment would end
    the step with -15. What is ignored, it leaves ignored.
    """
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _first(number: int, _frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, _later)  # not SIG_IGN, of which Python complains where one is on its way already
    raise KeyboardInterrupt(signal.Signals(number).name)


def _later(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the step is ending."""
