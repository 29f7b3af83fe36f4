"""A source and the clone that follows it, on real servers behind the lab's RDS, and the ports by which one replaces the other."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_name import ClusterName, Holder
from kuroshio.adapters.cluster_renaming import RdsNames
from kuroshio.adapters.switch_sides import SwitchedSource, SwitchedTarget
from kuroshio.aurora.cutover import CutOver, Switch
from kuroshio.aurora.position import Position
from lab.databases import writers
from lab.place import OPERATOR, REGION
from lab.rds.testing import PASSWORD, USER, aurora

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.mysql import Login
    from lab.rds.testing import Running

DEADLINE_S, LEASE_S = 10.0, 60.0
APP, REPLICA = "app", "replica"


@dataclass
class Kept:
    """A decision in memory."""

    to: str = ""
    record: CutOver | None = None

    def to_open(self, record: CutOver) -> bool:
        self.to, self.record = self.to or "open", record
        return self.to == "open"

    def to_return(self) -> bool:
        self.to = self.to or "return"
        return self.to == "return"


@dataclass
class Pair:
    """``live`` and ``idle`` are instances: the one that is written to, and the one that follows it."""

    lab: Running
    live: str = "shop-1"
    idle: str = "copy-1"
    names: dict[str, str] = field(default_factory=lambda: {"shop-1": "shop-old", "copy-1": "copy"})

    def login(self, instance: str, user: str = USER) -> Login:
        """At the instance itself."""
        return replace(self.lab.login("shop"), port=self.lab.aurora.instance_port(instance), user=user)

    def app(self) -> Login:
        """What applications use: the name."""
        return replace(self.lab.login("shop"), user=APP)

    def source(self) -> SwitchedSource:
        return SwitchedSource(self.login(self.live), DEADLINE_S)

    def target(self) -> SwitchedTarget:
        return SwitchedTarget(self.login(self.idle), DEADLINE_S)

    def name(self) -> ClusterName:
        return ClusterName(
            RdsNames(), "shop", Holder(self.live, self.names[self.live]), Holder(self.idle, self.names[self.idle])
        )

    def switch(self, source: SwitchedSource, target: SwitchedTarget, decision: Kept | None = None) -> Switch:
        return Switch(
            source, target, self.name(), decision or Kept(), time.monotonic, time.sleep, DEADLINE_S, LEASE_S
        )

    def cut_over(self) -> CutOver:
        """One whole switch, with the way back, after which the two have changed their parts."""
        source, target = self.source(), self.target()
        source.prepare()
        target.prepare()
        target.shut()
        switch = self.switch(source, target)
        switch.name.prepare()
        record = switch.run()
        source.end_all()
        assert record.back_from is not None
        self.turn(source, target, record.back_from)
        return record

    def turn(self, source: SwitchedSource, target: SwitchedTarget, back_from: Position) -> None:
        """The old one follows the new one."""
        target.detach()
        self.live, self.idle = self.idle, self.live
        source.follow(self.behind(), back_from)
        source.close()
        target.close()

    def behind(self) -> Login:
        """Of replication, at the live one's endpoint as the other container reaches it."""
        cluster = self.lab.rds.describe_db_instances(DBInstanceIdentifier=self.live)["DBInstances"][0]
        server = self.lab.aurora.server(cluster["DBClusterIdentifier"])
        return replace(self.login(self.live, REPLICA), host=server.address(), port=3306)

    def first_follow(self) -> None:
        """The clone follows from where its event says."""
        told = next(text for text in self.lab.messages("copy-1") if text.startswith("Binlog position"))
        *_, file, offset = told.split()
        clone = self.target()
        clone.follow(self.behind(), Position(file, int(offset)))
        clone.close()


@contextmanager
def pair() -> Iterator[Pair]:
    """``shop`` with ``shop-1``, and ``copy`` with ``copy-1`` that follows it; tables and accounts of the writers."""
    with aurora() as lab:
        lab.create_source("shop", rows=10)
        server = lab.sql("shop")
        writers.prepare(server)
        server.rows(f"CREATE USER {APP}@'%' IDENTIFIED BY '{PASSWORD}'")
        server.rows(f"GRANT SELECT, INSERT, UPDATE, DELETE ON *.* TO {APP}@'%'")
        server.rows(f"CREATE USER {REPLICA}@'%' IDENTIFIED BY '{PASSWORD}' REQUIRE SSL")
        server.rows(f"GRANT REPLICATION SLAVE ON *.* TO {REPLICA}@'%'")
        server.close()
        lab.clone("shop", "copy")
        both = Pair(lab)
        with _operator(lab):
            both.first_follow()
            yield both


@contextmanager
def _operator(lab: Running) -> Iterator[None]:
    """Kuroshio's own clients speak to this lab."""
    ours = {
        "AWS_ENDPOINT_URL": lab.endpoint_url,
        "AWS_ACCESS_KEY_ID": OPERATOR.access_key_id,
        "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_access_key,
        "AWS_DEFAULT_REGION": REGION,
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    aws.forget_clients()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        aws.forget_clients()
