"""What the function ``verify_clone`` asks of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from kuroshio.aurora.binlog.events import Event
    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.binlog.touched import Layout
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.verification.pace import Load
    from kuroshio.aurora.verification.ports import Follower, Side
    from kuroshio.aurora.verification.schema import Definition
    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Table


class Server(Protocol):
    """One of the two servers."""

    @property
    def side(self) -> Side:
        """Its rows, on a connection of their own."""

    def tables(self) -> list[Table]:
        """All tables of users."""

    def definitions(self) -> dict[Name, Definition]:
        """What their definitions say."""

    def layouts(self, of: Iterable[Table]) -> dict[Name, Layout]:
        """How their rows lie in a binlog."""

    def logs(self) -> dict[str, int]:
        """The files of the binlog and their sizes; empty where none is written."""

    def position(self) -> Position | None:
        """How far its binlog reaches; None where none is written."""

    def number(self) -> int:
        """Its server id."""

    def events(self, begin: Position, end: Position, only: int | None = None) -> Iterator[Event]:
        """Its binlog from a position to another; ``only`` those that began on the server of this id."""

    def load(self) -> Load:
        """How busy it is."""


class Databases(Protocol):
    """Where the servers are."""

    def both(self, request: ReplicateRequest) -> AbstractContextManager[tuple[Server, Server, Follower]]:
        """Source, clone and what is between them."""

    def repairs(self, request: ReplicateRequest) -> AbstractContextManager[Repairs]:
        """What writes on the clone."""


class Work(Protocol):
    """Documents that are written once: plans, keys, results."""

    bucket: str

    def create(self, key: str, document: Any) -> bool:
        """Write once. False, and nothing is changed, where another document is there."""

    def read(self, key: str) -> Any:
        """Return a document. Raises NotFound."""


class Figures(Protocol):
    """What Mackerel is told of a clone."""

    def tell(self, clone: str, run: str, values: Mapping[str, float]) -> None:
        """Each name is that of ``replication.*.<name>`` in the catalogue. Never an error for its sake."""


class Repairs(Protocol):
    """Writes rows of the source onto the clone."""

    def repair(self, table: Table, keys: list[Bound], follower: Follower) -> int:
        """Make these rows on the clone what they are on the source; how many statements' worth of rows were written.

        Raises RepairRefused where the clone would do more than that, and NotCaughtUp where it is too far behind.
        """

    def statements(self, table: Table, keys: list[Bound]) -> list[str]:
        """What ``repair`` would execute on the clone as the rows are now."""
