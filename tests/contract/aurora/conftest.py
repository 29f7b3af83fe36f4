from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_changes import RdsChanges
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.adapters.replication_account import ReplicationSecrets
from kuroshio.aurora.cloning import CloneCluster
from kuroshio.aurora.making import World
from kuroshio.aurora.preparing import PrepareSource
from kuroshio.aurora.request import SCHEMA
from tests.fakes.aurora_ledger import InMemoryAuroraLedger
from tests.fakes.paper_aurora import Fate, Mortal, PaperAurora, PaperDatabases, PaperServer, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "arn:aws:states:ap-northeast-1:123456789012:execution:replicate_cluster:one"


@dataclass
class Paper:
    """An account of RDS on paper, and the two functions on it."""

    aurora: PaperAurora = field(default_factory=PaperAurora)
    ledger: InMemoryAuroraLedger = field(default_factory=InMemoryAuroraLedger)
    later: timedelta = timedelta()
    fate: Fate = field(default_factory=lambda: Fate(0, ""))

    def __post_init__(self) -> None:
        self.wire = Wire(self.aurora)
        self.wire.attach()
        self.databases = PaperDatabases(self.aurora, self.fate)

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.later

    def world(self) -> World:
        rds = RdsClusters()
        mortal: Any = [Mortal(one, self.fate) for one in (rds, RdsChanges(rds), self.databases, self.ledger)]
        return World(*mortal, self.clock)

    def prepare(self, step: str, **fields: Any) -> dict[str, Any]:
        secrets: Any = Mortal(ReplicationSecrets("kuroshio/test/aurora/"), self.fate)
        return PrepareSource(self.world(), secrets).run(event(step, **fields))

    def clone(self, step: str, **fields: Any) -> dict[str, Any]:
        return CloneCluster(self.world()).run(event(step, **fields))

    def source(self, name: str = "shop", *, group: str = "shop", binlog: bool = True, readers: int = 0) -> PaperServer:
        rds = aws.client("rds")
        if not group.startswith("default."):
            self.group(group, **({"binlog_format": "ROW"} if binlog else {}))
        rds.create_db_cluster(
            DBClusterIdentifier=name, Engine="aurora-mysql", DBClusterParameterGroupName=group, MasterUsername="admin",
            MasterUserPassword="lab-master", VpcSecurityGroupIds=["sg-1"], Tags=[{"Key": "team", "Value": "orders"}],
        )  # fmt: skip
        for number in range(1, 2 + readers):
            rds.create_db_instance(
                DBInstanceIdentifier=f"{name}-{number}",
                DBClusterIdentifier=name,
                DBInstanceClass="db.r6g.large",
                Engine="aurora-mysql",
            )
        self.aurora.rest()
        self.aurora.paper(name).write()
        return self.aurora.paper(name)

    def group(self, name: str, **values: str) -> None:
        family = {"DBParameterGroupFamily": "aurora-mysql8.0", "Description": name}
        aws.client("rds").create_db_cluster_parameter_group(DBClusterParameterGroupName=name, **family)
        if values:
            RdsChanges(RdsClusters()).set_parameters(name, values)

    def ready(self, **fields: Any) -> None:
        """A clone with its writer, which told where it begins."""
        self.clone("clone", **fields)
        self.aurora.rest()
        self.clone("instance", **fields)
        self.aurora.rest()

    def removed(self, **fields: Any) -> list[str]:
        """Ask until it is gone; what is left."""
        for _ in range(9):
            answer = self.clone("remove", **fields)
            if answer["gone"]:
                left: list[str] = answer["left"]
                return left
            self.aurora.rest()
        raise AssertionError("it is never gone")


def event(
    step: str, *, run: str = RUN, source: str = "shop", clone: str = "shop-copy", **request: Any
) -> dict[str, Any]:
    return {"step": step, "run": run, "request": {"schema": SCHEMA, "source": source, "clone": clone, **request}}


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Paper]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    # botocore asks again after a lost answer, which is the point; what it waits before is not.
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    with mock_aws(config={"core": {"passthrough": {"services": ["rds"]}}}):  # type: ignore[typeddict-item]
        aws.forget_clients()
        yield Paper()
    aws.forget_clients()
