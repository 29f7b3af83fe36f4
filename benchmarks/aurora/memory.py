"""The function verify_clone without AWS around it: its documents and records in this process, two servers beside it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.verified_databases import SqlServer
from kuroshio.aurora.verifying import Verifying
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.aurora.pair import Pair
    from kuroshio.adapters.replication import Replication
    from kuroshio.adapters.row_repair import SqlRepairs
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.verification.choosing import Rates
    from kuroshio.aurora.verification.tables import Table

REQUEST = {"schema": "kuroshio.replicate-request/1", "source": "shop", "clone": "shop-next"}
CLONE = "shop-next"


class Schema(SqlServer):
    """A server of which only one schema is verified."""

    schema = "shop"

    def tables(self) -> list[Table]:
        """Its tables."""
        return [table for table in super().tables() if table.schema == self.schema]

    def definitions(self) -> Any:
        """Their definitions."""
        return {name: each for name, each in super().definitions().items() if name[0] == self.schema}


class Databases:
    """Implements ``verifying.ports.Databases``."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.schema = "shop"

    @contextmanager
    def both(self, _: ReplicateRequest) -> Iterator[tuple[SqlServer, SqlServer, Replication]]:
        """Source, clone and what is between them."""
        source, clone = (Schema(login) for login in self.pair.logins)
        source.schema = clone.schema = self.schema
        try:
            yield source, clone, self.pair.replication(50)
        finally:
            source.close()
            clone.close()

    def repairs(self, _: ReplicateRequest) -> SqlRepairs:
        """Nothing is repaired here."""
        raise NotImplementedError


class Memory:
    """Documents, records and figures. Implements ``Work``, and of the ledger and the figures what verification needs."""

    bucket = "plans"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.records: dict[str, dict[str, Any]] = {}

    def create(self, *named: Any) -> bool:
        """A document by its key, or a record by its clone and key."""
        if len(named) == 2:  # noqa: PLR2004 - a document
            key, document = named
            written = json.dumps(document)
            return self.kept.setdefault(key, written) == written
        self.records.setdefault(named[1], named[2])
        return True

    def read(self, *named: str) -> Any:
        """The same."""
        if len(named) == 1:
            if named[0] not in self.kept:
                raise NotFound(named[0])
            return json.loads(self.kept[named[0]])
        return self.records.get(named[1])

    def all(self, _: str, prefix: str) -> list[dict[str, Any]]:
        """Records by the beginning of their key."""
        return [record for key, record in sorted(self.records.items()) if key.startswith(prefix)]

    def tell(self, *_: Any) -> None:
        """Figures go nowhere."""


class Function:
    """verify_clone as its state machine drives it, one item after the other."""

    def __init__(self, pair: Pair, rates: Rates | None = None) -> None:
        self.databases, self.memory = Databases(pair), Memory()
        self.memory.records["seed"] = {"position": str(pair.seed)}
        times = (lambda: datetime.now(UTC), time.monotonic, time.sleep)
        kept: Any = (self.memory, self.memory, self.memory)
        self.function = Verifying(self.databases, kept, times, rates)  # type: ignore[arg-type]
        self.runs = 0

    def proven(self) -> None:
        """Take both servers as equal where they are now: what a verification before this one would have left."""
        from kuroshio.adapters.replication import Instance

        upto, clone_upto = (str(Instance(login).position()) for login in self.databases.pair.logins)
        seed = self.memory.records["seed"]["position"]
        record = {"equal": True, "seed": seed, "upto": upto, "clone_upto": clone_upto, "tables": []}
        self.memory.records = {"seed": self.memory.records["seed"], "verification#0": record}

    def verify(self, proof: str) -> tuple[float, dict[str, Any]]:
        """Seconds from the plan to the verdict, and the verdict."""
        began = time.perf_counter()
        self.runs += 1
        event = {"request": REQUEST, "run": f"arn:run:{self.runs}"}
        plan = self.function.run(event | {"step": "plan", "proof": proof})
        for item in self.memory.read(plan["key"]):
            answer: dict[str, Any] = {"done": False, "turn": 0, "item": item}
            while not answer["done"]:
                turn = {"turn": answer["turn"], "item": answer["item"]}
                answer = self.function.run(event | {"step": "compare"} | turn)
        told = self.function.run(event | {"step": "conclude"})
        return time.perf_counter() - began, self.memory.read(told["report"])
