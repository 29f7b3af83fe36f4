"""What following asks of the two servers, and of what lies around them. ``adapters.following_sides``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from kuroshio.aurora.binlog.glance import Strange, Waiting
    from kuroshio.aurora.binlog.transaction import Transaction
    from kuroshio.aurora.follow import Work
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.request import ReplicateRequest


@dataclass(frozen=True)
class Origin:
    """Where a clone fetches from, and as whom."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)


class Clone(Protocol):
    """The server that follows. Every call may be repeated."""

    def status(self) -> Mapping[str, Any] | None:
        """How it follows (``dialect.normalised``); None where it follows nobody."""

    def work(self) -> Work:
        """What it applies just now."""

    def up_for(self) -> float:
        """Seconds since it was started."""

    def number(self) -> int:
        """Its server_id."""

    def position(self) -> Position | None:
        """How far its own binlog reaches; None where it writes none."""

    def strange(self, begin: Position, servers: frozenset[int]) -> Strange:
        """Look for changes that began on it, a bounded stretch of its own binlog at a time."""

    def configure(self, origin: Origin, position: Position) -> None:
        """Let it follow from there, over TLS. Refused while it runs."""

    def start(self) -> None:
        """Let it fetch and apply."""

    def stop(self) -> None:
        """Let it do neither."""

    def reset(self) -> None:
        """Let it follow nobody any more."""

    def unskippable(self) -> str:
        """Why no transaction can be skipped there; empty where one can."""

    def skip(self, at: Position) -> bool:
        """Skip the transaction in error at that position, and no other. False where it stands at no error there."""


class Source(Protocol):
    """The server that is followed, read only."""

    def position(self) -> Position:
        """How far its binlog reaches. Raises NotFound where it writes none."""

    def logs(self) -> dict[str, int]:
        """Its binlog files with their sizes in bytes."""

    def time(self) -> float:
        """Epoch seconds by its own clock, which the times in its binlog are of."""

    def waiting(self, begin: Position, behind: int) -> Waiting:
        """What a clone at ``begin`` has still to do; counted over a bounded stretch."""

    def transaction(self, begin: Position) -> Transaction:
        """The transaction that begins there. Raises RequestRefused where it was purged, BinlogUnreadable."""


class Sides(Protocol):
    """Connections, each closed at its end. Raises ServiceUnavailable where a server does not answer."""

    def clone(self, request: ReplicateRequest) -> AbstractContextManager[Clone]:
        """The clone's writer."""

    def source(self, request: ReplicateRequest) -> AbstractContextManager[Source]:
        """The source's writer."""

    def origin(self, request: ReplicateRequest) -> Origin:
        """The source's cluster endpoint, and the replication account as its secret says now."""

    def takes(self, origin: Origin) -> bool:
        """Whether the source takes this account with this password."""


class Objects(Protocol):
    """Files beside the ledger, for what is too large for it."""

    def put(self, key: str, content: bytes) -> str:
        """Keep it, and return its address. One that is there stays as it is."""


class Figures(Protocol):
    """What becomes of figures."""

    def tell(self, clone: str, run: str, values: Mapping[str, float]) -> None:
        """Send them, under the names of the catalogue. Never an error for their sake."""


class NoFigures:
    """Where nothing goes to Mackerel."""

    def tell(self, clone: str, run: str, values: Mapping[str, float]) -> None:
        """Nothing."""
