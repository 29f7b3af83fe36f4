"""How a clone follows its source, asked in SQL: by position, never by seconds."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Server
from kuroshio.aurora.dialect import Dialect, normalised
from kuroshio.aurora.position import Position
from kuroshio.errors import NotCaughtUp, NotFound

if TYPE_CHECKING:
    from typing import Any

    from kuroshio.adapters.mysql import Login


class Instance:
    """A server that writes a binlog, or follows another, or both."""

    def __init__(self, login: Login, server: Server | None = None) -> None:
        """``server``: a connection of another kind than the usual one."""
        self.server = server or Server(login)

    @cached_property
    def dialect(self) -> Dialect:
        """What things are called there."""
        return Dialect.of(str(self.server.rows("SELECT VERSION()")[0][0]))

    @cached_property
    def number(self) -> int:
        """Its ``server_id``, which is in every event that begins there."""
        return int(self.server.rows("SELECT @@server_id")[0][0])

    def position(self) -> Position:
        """How far its own binlog reaches. Raises NotFound where it writes none."""
        found = self.server.named(self.dialect.source_status)
        if not found:
            raise NotFound("the server writes no binlog: log_bin is off")
        return Position(str(found[0]["File"]), int(found[0]["Position"]))

    def replica_status(self) -> dict[str, Any] | None:
        """How it follows, with the new names of the columns; None where it follows nobody."""
        found = self.server.named(self.dialect.replica_status)
        return normalised(found[0]) if found else None

    def wait(self, position: Position, within_s: float) -> None:
        """Return when it has done all up to there. Raises NotCaughtUp when it has not in time, or does not follow."""
        statement = f"SELECT {self.dialect.wait_for_position}(%s, %s, %s)"
        events = self.server.rows(statement, (position.file, position.offset, within_s))[0][0]
        if events is None:
            raise NotCaughtUp(f"the clone does not follow, so it will not reach {position}: its SQL thread is stopped")
        if int(events) < 0:
            raise NotCaughtUp(f"the clone did not reach {position} within {within_s:g} s")

    def close(self) -> None:
        """End the connection."""
        self.server.close()


class Replication:
    """Implements ``verification.ports.Follower``."""

    def __init__(self, source: Instance, clone: Instance, within_s: float) -> None:
        self._source, self._clone, self._within_s = source, clone, within_s

    def mark(self) -> str:
        """The position that the source has reached."""
        return str(self._source.position())

    def wait(self, mark: str) -> None:
        """Return when the clone has done all up to there. Raises NotCaughtUp."""
        self._clone.wait(Position.parse(mark), self._within_s)
