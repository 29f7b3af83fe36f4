"""What is mended without asking, because nothing can be lost or doubled by it.

A clone is started again after its server was restarted, or after it gave up a source that answers now, or a lock; and it
is set up anew, from exactly where it stands, where the account's password was changed or its relay log was damaged. One
that somebody stopped on purpose is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import replica
from kuroshio.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from kuroshio.aurora.follow import Observation
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.sides import Clone, Origin, Sides


@dataclass(frozen=True)
class Look:
    """One look at a clone. ``before``: what earlier ones saw, the oldest first."""

    request: ReplicateRequest
    event: Mapping[str, Any]
    clone: Clone
    before: Sequence[Observation]


class Mending:
    """Done while the source answers, and never otherwise."""

    def __init__(self, sides: Sides, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._sides, self._ledger, self._clock = sides, ledger, clock

    def mended(self, look: Look, now: Observation) -> bool:
        """Whether something was done that makes another look worthwhile."""
        kept = self._ledger.read(look.request.clone, replica.RECORD)
        if now.done is None or kept is None or kept.get("stopped") or kept.get("detached"):
            return False
        if now.trouble is not None and now.trouble.is_refused_login:
            origin = self._sides.origin(look.request)
            changed = f"the password of {origin.user} was changed"
            return self._sides.takes(origin) and self._renewed(look, origin, now.done, changed)
        if now.trouble is not None and now.trouble.is_damaged_relay_log:
            return self._renewed(look, self._sides.origin(look.request), now.done, "its relay log was damaged")
        if now.applying and (now.fetching or now.connecting):
            return False
        if now.trouble is None:
            return self._restarted(look, now) and self._begun_again(look, "its server was restarted", halts=False)
        return now.trouble.may_pass and self._begun_again(
            look, f"it stood at an error that may pass ({now.trouble.number})", halts=True
        )

    @staticmethod
    def _restarted(look: Look, now: Observation) -> bool:
        since = look.before[-1].at if look.before else now.at
        return look.clone.up_for() <= now.at - since

    def _begun_again(self, look: Look, why: str, *, halts: bool) -> bool:
        try:
            if halts:
                replica.halt(look.clone)
            look.clone.start()
        except RequestRefused:
            return True  # somebody was faster; the next look tells
        self._note(look, f"started again, because {why}")
        return True

    def _renewed(self, look: Look, origin: Origin, done: Position, why: str) -> bool:
        """Let it fetch again from exactly where it stands, as the secret says now."""
        replica.halt(look.clone)
        place = replica.done_of(look.clone.status() or {}) or done
        look.clone.configure(origin, place)
        look.clone.start()
        self._note(look, f"configured anew from {place}, because {why}")
        return True

    def _note(self, look: Look, words: str) -> None:
        replica.note(self._ledger, look.request.clone, look.event, words, self._clock())
