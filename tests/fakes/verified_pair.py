"""The function verify_clone on a pair of real servers, driven as its state machine drives it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance, Replication
from kuroshio.adapters.row_repair import SqlRepairs
from kuroshio.adapters.verified_databases import SqlServer
from kuroshio.aurora.verifying import Verifying
from tests.fakes.aurora_ledger import InMemoryAuroraLedger
from tests.fakes.verification import InMemoryWork, Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.verification.tables import Table
    from tests.lab.aurora.conftest import Pair

REQUEST = {"schema": "kuroshio.replicate-request/1", "source": "shop", "clone": "shop-next"}
CLONE = "shop-next"


class OneSchema(SqlServer):
    """Of servers that tests share, what the schema ``live`` holds."""

    def tables(self) -> list[Table]:
        return [table for table in super().tables() if table.schema == "live"]

    def definitions(self) -> Any:
        return {name: each for name, each in super().definitions().items() if name[0] == "live"}


class PairedDatabases:
    """Implements ``verifying.ports.Databases`` without Secrets Manager."""

    def __init__(self, pair: Pair) -> None:
        self.logins = pair.login(pair.source), pair.login(pair.clone)

    @contextmanager
    def both(self, request: ReplicateRequest) -> Iterator[tuple[SqlServer, SqlServer, Replication]]:
        assert request.clone == CLONE
        source, clone = (OneSchema(login) for login in self.logins)
        yield source, clone, Replication(source.instance, clone.instance, 30)
        source.close()
        clone.close()

    @contextmanager
    def repairs(self, request: ReplicateRequest) -> Iterator[SqlRepairs]:
        assert request.clone == CLONE
        repairs = SqlRepairs(*self.logins)
        yield repairs
        repairs.close()


class World:
    """Two servers of which one follows, the seed in a ledger, and the function beside them."""

    def __init__(self, pair: Pair, *schema: str) -> None:
        self.databases = PairedDatabases(pair)
        self.source, self.clone = (Server(login) for login in self.databases.logins)
        source, clone = (Instance(login) for login in self.databases.logins)
        self.replication = Replication(source, clone, within_s=30)
        for statement in schema:
            self.source.rows(statement)
        self.caught_up()
        self.ledger, self.work, self.told = InMemoryAuroraLedger(), InMemoryWork(), Told()
        self._runs = 0
        # A proof of the two as they are: what came before, other tests did.
        begin = str(source.position())
        self.ledger.put(CLONE, "seed", {"position": begin})
        proven = {"equal": True, "seed": begin, "upto": begin, "clone_upto": str(clone.position())}
        self.ledger.put(CLONE, "verification#2000", {**proven, "tables": []})
        self.verifying = self.function()

    def function(self) -> Verifying:
        kept = self.work, self.ledger, self.told
        return Verifying(self.databases, kept, (lambda: datetime.now(UTC), time.monotonic, time.sleep))

    def caught_up(self) -> None:
        self.replication.wait(self.replication.mark())

    def event(self, **more: Any) -> dict[str, Any]:
        arn = f"arn:aws:states:ap-northeast-1:123456789012:execution:verify:run-{self._runs}"
        return {"request": REQUEST, "run": arn, **more}

    def verify(self, proof: str) -> dict[str, Any]:
        """As the machine does it; returns what the ledger keeps."""
        self._runs += 1
        plan = self.verifying.run(self.event(step="plan", proof=proof))
        for item in self.work.read(plan["key"]):
            answer: dict[str, Any] = {"done": False, "turn": 0, "item": item}
            while not answer["done"]:
                left = {"turn": answer["turn"], "item": answer["item"]}
                answer = self.verifying.run(self.event(step="compare", **left))
        told = self.verifying.run(self.event(step="conclude"))
        record = self.ledger.read(CLONE, f"verification#{told['verification']}")
        assert record is not None
        return record

    def found(self, proof: str) -> dict[str, set[tuple[tuple[str, ...], str]]]:
        """What the whole report names, by table."""
        record = self.verify(proof)
        findings: dict[str, set[tuple[tuple[str, ...], str]]] = {}
        for finding in self.work.read(record["report"])["findings"]:
            findings.setdefault(finding["table"][1], set()).add((tuple(finding["key"]), finding["kind"]))
        assert record["equal"] == (not findings and not record["schema_findings"])
        return findings

    def behind_its_back(self, *statements: str) -> None:
        """On the clone, without a trace in any binlog."""
        self.clone.rows("SET SESSION sql_log_bin = 0")
        for statement in statements:
            self.clone.rows(statement)
        self.clone.rows("SET SESSION sql_log_bin = 1")

    def lose(self, statement: str) -> None:
        """Execute it on the source as a transaction that the clone skips."""
        self.caught_up()
        self.clone.rows("STOP SLAVE")
        self.source.rows(statement)
        self.clone.rows("SET GLOBAL sql_slave_skip_counter = 1")
        self.clone.rows("START SLAVE")
        self.caught_up()

    def close(self) -> None:
        self.source.close()
        self.clone.close()
