"""What accounts of RDS say, made so with servers: one per cluster, whose data directory is the cluster's volume."""

from __future__ import annotations

import itertools
import logging
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from lab.databases.authority import Authority
from lab.databases.server import BINLOG, Server
from lab.rds import administration, settings
from lab.rds.clusters import Account, Cluster, Instance
from lab.rds.endpoints import Endpoint
from lab.rds.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lab.engine import Engine

log = logging.getLogger("lab.rds")

_BINLOGS = "mysql-bin-changelog." + "[0-9]" * 6  # and not their indexes, which end in .idx
_STALE = timedelta(hours=1)
_PURGED_WITHIN_S = 10.0


@dataclass
class Faults:
    """How the event of a clone's seed position is told: ``""`` as it is, ``lost``, ``late``, ``early``, ``stale``.

    ``early`` is one transaction before the true position, ``stale`` is of a time before the instance was made; ``late``
    is told when ``release`` says so.
    """

    event: str = ""
    statuses: dict[str, str] = field(default_factory=dict)  # of clusters and instances that RDS gives up, by name
    no_upgrade: str = ""  # why RDS's own checks find that a cluster cannot be upgraded
    held: list[Callable[[], None]] = field(default_factory=list)

    def release(self) -> None:
        """Tell the events that are late."""
        held, self.held = self.held, []
        for tell in held:
            tell()


class Aurora:
    """The clusters of one lab. Changes are taken at once and done one after the other, as ``status`` tells meanwhile."""

    def __init__(self, engine: Engine, label: str, folder: Path, network: str) -> None:
        self._engine, self._label, self._folder = engine, label, folder
        self._network = engine.network(network, label)
        self.account, self.faults = Account(), Faults()
        self.authority = Authority.new(folder / "authority")
        self.address = self._network.bind or "127.0.0.1"
        self._servers: dict[str, Server] = {}
        self._endpoints: dict[str, Endpoint] = {}
        self._own_endpoints: dict[str, Endpoint] = {}
        self._numbers = itertools.count(101)
        self._passwords: dict[str, str] = {}
        self.pace: Mapping[str, float] = {}  # seconds that a "clone" or an "instance" takes besides, as on AWS
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="lab-rds")
        self._errands: list[Future[None]] = []

    def close(self) -> None:
        """End all servers and remove what they kept."""
        self._worker.shutdown(cancel_futures=True)
        for endpoint in (*self._endpoints.values(), *self._own_endpoints.values()):
            endpoint.close()
        self._engine.kill(*(server.container for server in self._servers.values() if server.container))
        for server in self._servers.values():
            server.leave_disk()
        shutil.rmtree(self._folder, ignore_errors=True)

    def rest(self) -> None:
        """Return when everything that was asked for is done. Raises what went wrong."""
        while self._errands:
            self._errands.pop(0).result()

    def port(self, cluster: str) -> int:
        """Of the endpoint of that name. Whoever bears the name later has it too."""
        return self.endpoint(cluster).port

    def endpoint(self, cluster: str) -> Endpoint:
        """What clients of that name connect to, and its links."""
        if cluster not in self._endpoints:
            self._endpoints[cluster] = Endpoint(self.address, lambda: self._port_behind(cluster))
        return self._endpoints[cluster]

    def instance_port(self, instance: str) -> int:
        """Of an instance's own endpoint, which stays when its cluster gets another name, and its connections with it."""
        if instance not in self._own_endpoints:
            self._own_endpoints[instance] = Endpoint(self.address, lambda: self._port_of(instance))
        return self._own_endpoints[instance].port

    def server(self, cluster: str) -> Server:
        """The server of a cluster, for what no API offers: its log, its files."""
        return self._servers[self.account.cluster(cluster).resource]

    # Clusters ----------------------------------------------------------------------------------------------------------

    def create(self, cluster: Cluster, password: str) -> None:
        """A volume without data. Raises Refused for a password that the lab cannot take."""
        if not administration.is_possible(cluster.user, password):
            raise Refused("InvalidParameterValue", "The lab takes passwords of letters, digits and ._+=/- only")
        self._place(cluster)
        self._passwords[cluster.resource] = password
        cluster.status = "available"

    def clone(self, source: Cluster, cluster: Cluster) -> None:
        """Copy the volume as it is at one moment while the source runs; recovery is what its first instance does."""
        original = self._servers[source.resource]
        copy = self._place(cluster)
        self._passwords[cluster.resource] = self._passwords[source.resource]

        def copied() -> None:
            original.copy_to(copy.folder)
            time.sleep(self.pace.get("clone", 0.0))
            cluster.status = "available"

        self._do(cluster, "creating", copied)

    def begin(self, instance: Instance) -> None:
        """The first instance of a cluster starts its server. A reader has none of its own."""
        cluster = self.account.cluster(instance.cluster)

        def started() -> None:
            time.sleep(self.pace.get("instance", 0.0))
            if cluster.writer == instance.name:
                self._start(cluster, instance)
            instance.applied = self.account.static_values(cluster)
            instance.status = "available"
            self.account.tell("db-instance", instance.name, "DB instance created", "creation")

        self._do(cluster, "available", started, instance)

    def reboot(self, instance: Instance, *, power_cut: bool = False) -> None:
        """Start again with the parameters as they are now. That of a writer takes the readers with it."""
        cluster = self.account.cluster(instance.cluster)
        members = self.account.members(cluster) if instance.name == cluster.writer else [instance]
        for member in members:
            member.status = "rebooting"

        def rebooted() -> None:
            if instance.name == cluster.writer:
                self._stop(cluster, power_cut=power_cut)
                self._start(cluster, instance)
            for member in members:
                member.applied = self.account.static_values(cluster)
                member.status = "available"
                self.account.tell("db-instance", member.name, "DB instance shutdown", "availability")
                self.account.tell("db-instance", member.name, "DB instance restarted", "availability")

        self._do(cluster, "available", rebooted, instance)

    def halt(self, cluster: Cluster) -> None:
        """End the server as a power cut would; ``restart`` brings it back."""
        self._do(cluster, cluster.status, lambda: self._stop(cluster, power_cut=True))

    def restart(self, cluster: Cluster, between: Callable[[Server], object], *, power_cut: bool = False) -> None:
        """Stop the server if it runs, do something to it, and start it again."""
        instance = self.account.instance(cluster.writer)

        def restarted() -> None:
            self._stop(cluster, power_cut=power_cut)
            between(self._servers[cluster.resource])
            self._start(cluster, instance)

        self._do(cluster, cluster.status, restarted, instance)

    def fail_over(self, cluster: Cluster, target: Instance) -> None:
        """Another instance becomes the writer, on the same volume, after a recovery as from a crash."""
        self.account.tell(
            "db-cluster", cluster.name, f"Started cross AZ failover to DB instance: {target.name}", "failover"
        )

        def failed_over() -> None:
            self._stop(cluster, power_cut=True)
            cluster.writer = target.name
            self._start(cluster, target)
            cluster.status = "available"
            self.account.tell(
                "db-cluster", cluster.name, f"Completed failover to DB instance: {target.name}", "failover"
            )

        self._do(cluster, "failing-over", failed_over)

    def upgrade(self, cluster: Cluster, version: str, before: str) -> None:
        """Restart, and another number in the API: the server stays what it is. ``before``: the group of the old version."""
        writer = self.account.members(cluster)[:1]

        def upgraded() -> None:
            if self.faults.no_upgrade:
                cluster.status, cluster.group = "available", before
                message = f"Database cluster is in a state that cannot be upgraded: {self.faults.no_upgrade}"
                self.account.tell("db-cluster", cluster.name, message, "maintenance")
                return
            if writer:
                self._stop(cluster)
                self._start(cluster, writer[0])
                for member in self.account.members(cluster):
                    member.applied = self.account.static_values(cluster)
            cluster.version, cluster.status = version, "available"
            self.account.tell(
                "db-cluster",
                cluster.name,
                f"Database cluster major version has been upgraded to {version}",
                "maintenance",
            )

        self._do(cluster, "upgrading", upgraded)

    def renamed(self, before: str, cluster: Cluster) -> None:
        """Connections by the old name end; the port of a name stays with the name."""
        for name in (before, cluster.name):
            if name in self._endpoints:
                self._endpoints[name].cut()

    def change_password(self, cluster: Cluster, password: str) -> None:
        """For the master user."""
        if not administration.is_possible(cluster.user, password):
            raise Refused("InvalidParameterValue", "The lab takes passwords of letters, digits and ._+=/- only")
        self._passwords[cluster.resource] = password
        if self._is_up(cluster):
            administration.change_password(self._servers[cluster.resource], cluster.user, password)

    def remove_instance(self, instance: Instance) -> None:
        """A reader that is left takes over; with the last instance the server ends, and the volume stays."""
        cluster = self.account.cluster(instance.cluster)
        was_writer = cluster.writer == instance.name
        instance.status = "deleting"

        def removed() -> None:
            if was_writer:
                self._stop(cluster)
            self.account.remove_instance(instance)
            if was_writer and cluster.writer:
                self._start(cluster, self.account.instance(cluster.writer))

        self._do(cluster, cluster.status, removed)

    def remove(self, cluster: Cluster) -> None:
        """The volume goes, after the instances that go already."""

        def removed() -> None:
            self.account.remove_cluster(cluster)
            server = self._servers.pop(cluster.resource)
            server.leave_disk()
            shutil.rmtree(server.folder, ignore_errors=True)

        self._do(cluster, "deleting", removed)

    def purge(self, cluster: str) -> None:
        """What RDS does with old binlogs every few minutes: without a retention all but the last file go."""
        server = self.server(cluster)
        asked = "SELECT IFNULL(value, 'NULL') FROM mysql.rds_configuration WHERE name = 'binlog retention hours'"
        kept = server.administer(asked).strip()
        server.administer("FLUSH BINARY LOGS")
        if kept != "NULL":
            server.administer(f"PURGE BINARY LOGS BEFORE NOW() - INTERVAL {int(kept)} HOUR")
            return
        # MariaDB keeps a file until its background thread has noted that InnoDB needs it no more.
        until = time.monotonic() + _PURGED_WITHIN_S
        while len(logs := server.administer("SHOW BINARY LOGS").splitlines()) > 1 and time.monotonic() < until:
            server.administer(f"PURGE BINARY LOGS TO '{logs[-1].split()[0]}'")

    def apply(self, group: str, names: list[str]) -> None:
        """Let running servers of a group have dynamic parameters."""
        values = self.account.group(group).effective()
        script = settings.statements({name: values[name] for name in names if name in values})
        for cluster in self.account.clusters.values():
            if script and cluster.group == group and self._is_up(cluster):
                self._servers[cluster.resource].administer(script)

    # Servers -----------------------------------------------------------------------------------------------------------

    def _place(self, cluster: Cluster) -> Server:
        number = next(self._numbers)
        cluster.resource = f"cluster-{number}"
        folder = self._folder / cluster.resource
        hosts = (self.address, self._network.host or self.address)
        name = f"{self._label}-{cluster.resource}"
        server = Server(self._engine, self._label, name, folder, number, hosts=hosts)
        server.network = self._network.name
        self._servers[cluster.resource] = server
        return server

    def _start(self, cluster: Cluster, instance: Instance) -> None:
        server = self._servers[cluster.resource]
        is_new = not (server.data / "mysql").exists()
        last = max(server.data.glob(_BINLOGS), default=None, key=lambda path: int(path.suffix[1:]))
        wanted = settings.options(self.account.group(cluster.group).effective())
        if last is not None and not set(BINLOG) <= set(wanted) and not instance.applied:
            # Prepared transactions of the source end as its binlog says, whatever the clone writes itself.
            server.options = (*BINLOG, *settings.SMALL)
            server.start(self.authority)
            server.stop()
        server.options = wanted
        server.start(self.authority)
        if is_new:
            administration.install(server, cluster.user, self._passwords[cluster.resource])
        if last is not None and (set(BINLOG) <= set(wanted) or not instance.applied):
            self._tell_position(server, instance, last.name, last.stat().st_size)

    def _tell_position(self, server: Server, instance: Instance, file: str, offset: int) -> None:
        """The end of the last binlog file that there was, after recovery: where a replica of its writer goes on."""
        fault = self.faults.event if not instance.applied else ""
        if fault == "early":
            offset = _last_transaction(server, file)
        at = instance.created - _STALE if fault == "stale" else None
        message = f"Binlog position from crash recovery is {file} {offset}"

        def tell() -> None:
            self.account.tell("db-instance", instance.name, message, at=at)

        if fault == "late":
            self.faults.held.append(tell)
        elif fault != "lost":
            tell()

    def _stop(self, cluster: Cluster, *, power_cut: bool = False) -> None:
        server = self._servers[cluster.resource]
        if server.container:
            server.kill() if power_cut else server.stop()
            server.container, server.port = "", 0
        for name, endpoint in self._endpoints.items():
            if name == cluster.name:
                endpoint.cut()

    def _is_up(self, cluster: Cluster) -> bool:
        server = self._servers.get(cluster.resource)
        return server is not None and bool(server.container)

    def _port_behind(self, name: str) -> int:
        cluster = self.account.clusters.get(name)
        return self._servers[cluster.resource].port if cluster and cluster.resource in self._servers else 0

    def _port_of(self, instance: str) -> int:
        found = self.account.instances.get(instance)
        return self._port_behind(found.cluster) if found else 0

    def _give_up(self, one: Cluster | Instance) -> None:
        one.status = self.faults.statuses.get(one.name, one.status)

    def _do(
        self, cluster: Cluster, meanwhile: str, errand: Callable[[], None], instance: Instance | None = None
    ) -> None:
        cluster.status = meanwhile

        def done() -> None:
            try:
                errand()
                self._give_up(instance or cluster)
            except Exception:
                log.exception("the lab's RDS could not do what it took: cluster %s", cluster.name)
                (instance or cluster).status = "failed"
                raise

        self._errands.append(self._worker.submit(done))


def _last_transaction(server: Server, file: str) -> int:
    lines = [line.split("\t") for line in server.administer(f"SHOW BINLOG EVENTS IN '{file}'").splitlines()]
    return max((int(line[1]) for line in lines if line[2] == "Gtid"), default=4)
