"""``follow_source`` with real servers on both sides, and the ledger in memory."""

from __future__ import annotations

import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.following_sides import SqlClone, SqlSource
from kuroshio.adapters.mysql import Login, Server
from kuroshio.aurora.following import Following
from kuroshio.aurora.request import ErrorPolicy, ReplicateRequest
from kuroshio.aurora.seed import Seed
from kuroshio.aurora.sides import NoFigures, Origin
from kuroshio.errors import AccessRefused
from tests.fakes.aurora_ledger import InMemoryAuroraLedger
from tests.lab.aurora.dying import Fate, Killed, Mortal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.position import Position


@dataclass
class Followed:
    """Implements ``sides.Sides`` and ``sides.Objects``. ``account``: the secret of the replication account."""

    source_login: Callable[[], Login]
    clone_login: Callable[[], Login]
    host: str
    port: Callable[[], int]
    account: tuple[str, str]
    ledger: InMemoryAuroraLedger = field(default_factory=InMemoryAuroraLedger)
    files: dict[str, bytes] = field(default_factory=dict)
    request: ReplicateRequest = field(default_factory=lambda: ReplicateRequest("shop", "shop-next"))
    late: timedelta = timedelta()  # how much later it is than it was

    def __post_init__(self) -> None:
        self.function = Following(self, self.ledger, self, NoFigures(), self.now)

    def killed_at(self, step: str, fate: Fate) -> bool:
        """Do a step with a function that dies. False where it ended before that."""
        mortal: Any = Mortal(self, fate)
        ledger: Any = Mortal(self.ledger, fate)
        event = {"step": step, "request": self.request.document(), "run": "run-1"}
        try:
            Following(mortal, ledger, mortal, NoFigures(), self.now).run(event)
        except Killed:
            return True
        return False

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def begin_at(self, position: Position) -> None:
        self.ledger.create(self.request.clone, "seed", Seed(position, datetime.now(UTC), "told").document())

    @contextmanager
    def clone(self, _: ReplicateRequest) -> Iterator[SqlClone]:
        with closing(SqlClone(self.clone_login())) as clone:
            yield clone

    @contextmanager
    def source(self, _: ReplicateRequest) -> Iterator[SqlSource]:
        with closing(SqlSource(self.source_login())) as source:
            yield source

    def origin(self, _: ReplicateRequest) -> Origin:
        return Origin(self.host, self.port(), *self.account)

    def takes(self, origin: Origin) -> bool:
        login = replace(self.source_login(), user=origin.user, password=origin.password)
        with closing(Server(login)) as server:
            try:
                server.rows("SELECT 1")
            except AccessRefused:
                return False
        return True

    def put(self, key: str, content: bytes) -> str:
        self.files.setdefault(key, content)
        return f"s3://kept/{key}"

    def allow(self, *numbers: int, most: int = 5) -> None:
        self.request = replace(self.request, errors=ErrorPolicy("skip", numbers, most))

    def do(self, step: str) -> dict[str, Any]:
        return self.function.run({"step": step, "request": self.request.document(), "run": "run-1"})

    def watch_until(self, holds: Callable[[dict[str, Any]], bool], within_s: float = 40) -> dict[str, Any]:
        until = time.monotonic() + within_s
        while not holds(found := self.do("watch")):
            assert time.monotonic() < until, found
            time.sleep(0.1)
        return found

    def state(self, state: str, within_s: float = 40) -> dict[str, Any]:
        return self.watch_until(lambda found: found["state"] == state, within_s)

    def caught_up(self, within_s: float = 40) -> dict[str, Any]:
        return self.state("caught-up", within_s)

    def done(self, within_s: float = 40) -> dict[str, Any]:
        """Nothing is written any more, and all is there."""
        return self.watch_until(lambda found: (found["state"], found["behind_bytes"]) == ("caught-up", 0), within_s)

    def told(self) -> list[str]:
        return [event["what"] for event in self.ledger.all(self.request.clone, "event#")]
