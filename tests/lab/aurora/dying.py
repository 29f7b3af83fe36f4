"""A function that is killed: whatever it calls next never happens, or happens and nobody hears of it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Killed(BaseException):
    """Not an error that anything catches."""


@dataclass
class Fate:
    """Kill at the call of this number, before it or after it; 0 kills never."""

    at: int = 0
    after: bool = False
    calls: int = 0

    def call(self, do: Any, *arguments: Any, **named: Any) -> Any:
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise Killed
        done = do(*arguments, **named)
        if self.calls == self.at:
            raise Killed
        return done


@dataclass
class Mortal:
    """Any object whose calls may be the last ones."""

    of: Any
    fate: Fate = field(default_factory=Fate)

    def __getattr__(self, name: str) -> Any:
        do = getattr(self.of, name)
        if name in ("clone", "source"):
            return lambda request: self._opened(do, request)
        return lambda *arguments, **named: self.fate.call(do, *arguments, **named)

    @contextmanager
    def _opened(self, do: Any, request: Any) -> Iterator[Mortal]:
        with do(request) as side:
            yield Mortal(side, self.fate)
