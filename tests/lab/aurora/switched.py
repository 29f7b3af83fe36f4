"""A source and the clone that follows it, on real servers behind the lab's RDS, and the ports by which one replaces the other."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_name import ClusterName, Holder
from kuroshio.adapters.cluster_renaming import RdsNames
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.adapters.database_logins import DatabaseLogins
from kuroshio.adapters.mysql import Server
from kuroshio.adapters.switch_servers import SwitchServers
from kuroshio.adapters.switch_sides import SwitchedSource, SwitchedTarget
from kuroshio.aurora.cutover import CutOver, Switch
from kuroshio.aurora.cutover_request import SCHEMA
from kuroshio.aurora.position import Position
from kuroshio.aurora.switching import Switching
from lab.clients import client
from lab.databases import writers
from lab.moto_engine import forget_everything
from lab.place import OPERATOR, REGION
from lab.rds.testing import PASSWORD, USER, aurora
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.records import Ledger
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
        return Switch(source, target, self.name(), decision or Kept(), time.monotonic, time.sleep, DEADLINE_S, LEASE_S)

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
        """Of replication, at the endpoint of the live one's cluster."""
        cluster = self.lab.rds.describe_db_instances(DBInstanceIdentifier=self.live)["DBInstances"][0]
        return replace(self.lab.login(cluster["DBClusterIdentifier"]), user=REPLICA)

    def first_follow(self) -> None:
        """The clone follows from where its event says."""
        told = next(text for text in self.lab.messages("copy-1") if text.startswith("Binlog position"))
        *_, file, offset = told.split()
        clone = self.target()
        clone.follow(self.behind(), Position(file, int(offset)))
        clone.close()


@dataclass
class Whole:
    """The function ``cut_over_cluster`` on such a pair. ``ahead_s``: the time of day is later by that."""

    lab: Running
    secrets: dict[str, str]
    ledger: Ledger = field(default_factory=InMemoryAuroraLedger)
    ahead_s: float = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead_s)

    def request(self, **more: Any) -> dict[str, Any]:
        """To move the name of the cluster."""
        own = {"source": self.secrets["admin"], "clone": ""}
        base = {"schema": SCHEMA, "source": "shop", "clone": "copy", "name": {"kind": "cluster"}, "secrets": own}
        return {**base, "deadline_s": int(DEADLINE_S), "replication_secret": self.secrets["replica"], **more}

    def switching(self, servers: Any = None) -> Switching:
        return Switching(self.ledger, servers or self.servers(), self.now, time.monotonic, time.sleep)

    def servers(self) -> SwitchServers:
        rds = RdsClusters()
        return SwitchServers(rds, DatabaseLogins(rds, self.secrets["authority"]), self.ledger)

    def do(self, step: str, run: str = "run-1", **more: Any) -> dict[str, Any]:
        """One step of the function."""
        return self.switching().run({"step": step, "run": run, "request": self.request(), **more})

    def verify(self) -> None:
        """As a verification that found nothing leaves it."""
        at = self.now().isoformat()
        found = {"at": at, "equal": True, "differences": 0, "unsettled": 0, "unknown": 0, "upto": "here"}
        self.ledger.put("copy", f"verification#{at}", found)

    def app(self) -> Login:
        """What applications use: the name."""
        return replace(self.lab.login("shop"), user=APP)

    def instance(self, name: str) -> Server:
        """As the master user, at the instance itself."""
        return Server(replace(self.lab.login("shop"), port=self.lab.aurora.instance_port(name)))

    def open_ones(self) -> list[str]:
        """The instances that take writes."""
        found = []
        for name in ("copy-1", "shop-1"):
            server = self.instance(name)
            if not int(server.rows("SELECT @@GLOBAL.read_only")[0][0]):
                found.append(name)
            server.close()
        return found


@contextmanager
def whole() -> Iterator[Whole]:
    """``shop``, and ``copy`` that follows it; tables and accounts of the writers; secrets; nothing was cut over yet."""
    forget_everything()  # other modules have made buckets and secrets of the same names
    with pair() as both:
        yield Whole(both.lab, _kept(both.lab))


def _kept(lab: Running) -> dict[str, str]:
    """Logins in Secrets Manager, the authority in S3."""
    place: dict[str, Any] = {"endpoint_url": lab.endpoint_url}
    s3, manager = (client(service, place["endpoint_url"], REGION, OPERATOR) for service in ("s3", "secretsmanager"))
    s3.create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket="plans", Key="authority.pem", Body=lab.aurora.authority.bundle.read_bytes())
    logins = {"admin": USER, "replica": REPLICA}
    return {"authority": "s3://plans/authority.pem"} | {
        name: manager.create_secret(
            Name=f"kuroshio/{name}", SecretString=json.dumps({"username": user, "password": PASSWORD})
        )["ARN"]
        for name, user in logins.items()
    }


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
        server.rows("CALL mysql.rds_set_configuration('binlog retention hours', 72)")
        server.close()
        _make_group(lab)
        lab.clone("shop", "copy", group="copy")
        both = Pair(lab)
        with _operator(lab):
            both.first_follow()
            yield both


def _make_group(lab: Running) -> None:
    """Of the clone, as ``clone_cluster`` makes it: events off, and nobody writes, from the first start on."""
    lab.rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="copy", DBParameterGroupFamily="aurora-mysql8.0", Description="copy"
    )
    values = {"binlog_format": "ROW", "event_scheduler": "OFF", "read_only": "1"}
    lab.rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="copy",
        Parameters=[
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "pending-reboot"}
            for name, value in values.items()
        ],
    )


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
