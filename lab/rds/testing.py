"""Aurora clusters for a test: the API of RDS on loopback, real servers behind it, all gone at the end."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.mysql import Login, Server
from lab.clients import Clients, client
from lab.engine import find
from lab.faults import Faults as CallFaults
from lab.gateway import Gateway
from lab.keys import Keys
from lab.moto_engine import moto_server
from lab.place import ACCOUNT, OPERATOR, REGION
from lab.rds.service import Rds
from lab.recorder import Recorder
from lab.server import LateDoor, free_port, serve_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.rds.aurora import Aurora, Faults

USER, PASSWORD = "admin", "lab-master"
_INSTANCE_CLASS = "db.r6g.large"


@dataclass
class Running:
    """Where RDS answers (and moto, for all other services), and shortcuts to what most tests begin with."""

    endpoint_url: str
    aurora: Aurora
    call_faults: CallFaults  # of the API: throttled, delayed …
    rds: Any = field(init=False)

    def __post_init__(self) -> None:
        self.rds = client("rds", self.endpoint_url, REGION, OPERATOR)

    @property
    def faults(self) -> Faults:
        """How the event of the seed position is told."""
        return self.aurora.faults

    def rest(self) -> None:
        """Return when RDS has done what it was asked for."""
        self.aurora.rest()

    def create_source(self, name: str, *, rows: int = 100, binlog: bool = True, readers: int = 0) -> None:
        """A cluster ``name`` with instances ``name-1`` …, a parameter group ``name``, and a table ``app.orders``."""
        self.rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description=name
        )
        if binlog:
            self.turn_binlog(name, "ROW")
        self.rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-mysql",
            DBClusterParameterGroupName=name,
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
        )
        for number in range(1, 2 + readers):
            self.add_instance(name, f"{name}-{number}")
        self.rest()
        server = self.sql(name)
        server.rows("CREATE DATABASE app")
        server.rows(
            "CREATE TABLE app.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(50), amount DECIMAL(10,2))"
        )
        if rows:
            values = ", ".join(["(%s, %s)"] * rows)
            parameters = tuple(value for number in range(1, rows + 1) for value in (f"order {number}", number))
            server.rows(f"INSERT INTO app.orders (note, amount) VALUES {values}", parameters)  # noqa: S608 - placeholders
        server.close()

    def clone(self, source: str, name: str, *, group: str = "") -> None:
        """A clone with the instance ``name-1``, as the workflow makes it; ``group``: that of the source if empty."""
        self.rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier=name,
            SourceDBClusterIdentifier=source,
            RestoreType="copy-on-write",
            UseLatestRestorableTime=True,
            DBClusterParameterGroupName=group or self.aurora.account.cluster(source).group,
        )
        self.rest()
        self.add_instance(name, f"{name}-1")
        self.rest()

    def add_instance(self, cluster: str, name: str) -> None:
        """The first of a cluster is its writer."""
        self.rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier=cluster,
            DBInstanceClass=_INSTANCE_CLASS,
            Engine="aurora-mysql",
        )

    def turn_binlog(self, group: str, form: str) -> None:
        """Set ``binlog_format``, which waits for a reboot."""
        change = {"ParameterName": "binlog_format", "ParameterValue": form, "ApplyMethod": "pending-reboot"}
        self.rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=group, Parameters=[change])

    def login(self, name: str) -> Login:
        """The master user's, at the endpoint of that name."""
        return Login(self.aurora.address, self.aurora.port(name), USER, PASSWORD, self.aurora.authority.bundle)

    def sql(self, name: str) -> Server:
        """A connection as the master user."""
        return Server(self.login(name))

    def messages(self, instance: str) -> list[str]:
        """What RDS told of an instance within the last hour."""
        told = self.rds.describe_events(SourceIdentifier=instance, SourceType="db-instance")["Events"]
        return [event["Message"] for event in told]


@contextmanager
def aurora() -> Iterator[Running]:
    """RDS on a free port of loopback. Raises EngineError where no container engine answers."""
    root = Path(tempfile.mkdtemp(prefix="kuroshio-aurora-"))
    port, label = free_port(), f"kuroshio-aurora-{secrets.token_hex(3)}"
    endpoint, rds, faults = f"http://127.0.0.1:{port}", Rds(label, root / "rds", label), CallFaults()
    door = LateDoor()
    server = serve_on("127.0.0.1", port, door)
    keys = Keys(Clients(endpoint).assume)
    recorder = Recorder(root / "calls.jsonl")
    door.application = Gateway(moto_server(port), keys, recorder, faults, ACCOUNT, services={"rds": rds})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Running(endpoint, rds.aurora, faults)
    finally:
        server.shutdown()
        server.server_close()
        rds.close()
        find().remove_network(label)
        recorder.close()
        shutil.rmtree(root, ignore_errors=True)
