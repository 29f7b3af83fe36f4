"""One database server in a container, on a folder of this machine: started, stopped, killed, frozen, copied."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.databases.disk import Disk
from lab.databases.flavour import MARIADB, Flavour
from lab.engine import LABEL, EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.databases.authority import Authority
    from lab.engine import Engine

_OWNER = 999  # the user in the image
_READY_WITHIN_S = 60.0
_IN_FLIGHT_S = 0.05  # writes that the kernel had taken when the processes froze
BINLOG = MARIADB.binlog


def build(engine: Engine, flavour: Flavour = MARIADB) -> None:
    """Make the image where it is missing; its layers are cached after the first time."""
    engine.build(flavour.folder, flavour.folder / "Dockerfile", flavour.image)


@dataclass
class Server:
    """A server by name. ``folder`` holds its data and its certificate; it outlives the container."""

    engine: Engine
    lab: str
    name: str
    folder: Path
    number: int  # its server_id
    network: str = ""
    options: tuple[str, ...] = BINLOG
    hosts: tuple[str, ...] = ()  # further names that its certificate bears and the network knows
    container: str = ""
    port: int = field(default=0)
    disk: Disk | None = None
    flavour: Flavour = MARIADB

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    def start(self, authority: Authority) -> None:
        """Start it and return when it answers. Raises EngineError with its log where it does not."""
        self.data.mkdir(parents=True, exist_ok=True)
        authority.issue(self.folder / "tls", "127.0.0.1", self.name, *self.hosts)
        for path in (self.data, self.folder / "tls", *(self.folder / "tls").iterdir()):
            os.chown(path, _OWNER, _OWNER)
        self.container = self.engine.do(
            "run", "--detach", *self._options(), self.flavour.image, *self._arguments()
        ).strip()
        self.port = self._published()
        self._wait()

    def stop(self) -> None:
        """Shut down in an orderly way."""
        self.engine.stop(self.container, within_s=30)
        self.engine.kill(self.container)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.engine.kill(self.container)

    def put_on_disk(self, megabytes: int) -> None:
        """Give its data a disk of its own; it must not run. See ``disk`` for what can be done to it."""
        if self.disk is None:
            self.disk = Disk.under(self.data, megabytes)

    def leave_disk(self) -> None:
        """Take the disk away, so that the folder can be removed; it must not run."""
        if self.disk is not None:
            self.disk.unmount()
            self.disk = None

    def copy_to(self, folder: Path) -> None:
        """Copy the data of a server that runs, as Aurora's storage does: at one moment, with recovery still to do.

        The processes are frozen meanwhile, so that no page and no log is torn.
        """
        self.engine.pause(self.container)
        try:
            time.sleep(_IN_FLIGHT_S)
            shutil.copytree(self.data, folder / "data", dirs_exist_ok=True)
        finally:
            self.engine.unpause(self.container)
        for path in (folder / "data").rglob("*"):
            os.chown(path, _OWNER, _OWNER)

    def administer(self, script: str) -> str:
        """Execute SQL as root inside the container; ``DELIMITER`` works. Raises EngineError with the server's words."""
        client = (
            self.flavour.client,
            "--no-defaults",
            "-uroot",
            "--socket=/run/mysqld/mysqld.sock",
            "--batch",
            "--skip-column-names",
        )
        return self.engine.execute(self.container, [*client, "--execute", script])

    def address(self) -> str:
        """Where other containers reach it."""
        settings = json.loads(self.engine.do("inspect", self.container))[0]["NetworkSettings"]
        networks = settings.get("Networks") or {}
        return str(
            next((net["IPAddress"] for net in networks.values() if net.get("IPAddress")), settings.get("IPAddress", ""))
        )

    def log(self) -> str:
        """What it wrote to its error log."""
        return self.engine.logs(self.container)

    def _options(self) -> Sequence[str]:
        net = ["--network", self.network] if self.network else []
        names = [f"--network-alias={host}" for host in (self.name, *self.hosts)] if self.network else []
        volumes = [f"--volume={self.data}:/data", f"--volume={self.folder / 'tls'}:/tls:ro"]
        return [f"--label={LABEL}={self.lab}", "--publish=127.0.0.1::3306", *net, *names, *volumes]

    def _arguments(self) -> Sequence[str]:
        return (
            f"--server-id={self.number}",
            "--event-scheduler=OFF",
            *self.flavour.small,
            *self.options,
            *self._durability(),
        )

    def _durability(self) -> Sequence[str]:
        """A disk that fails takes with it what was not synced; a killed process leaves that to the machine."""
        return self.flavour.durable if self.disk is not None else ()

    def _published(self) -> int:
        found = json.loads(self.engine.do("inspect", self.container))[0]
        return int(found["NetworkSettings"]["Ports"]["3306/tcp"][0]["HostPort"])

    def _wait(self) -> None:
        """A server greets whoever connects once it serves; before that the port refuses, or closes without a word."""
        until = time.monotonic() + _READY_WITHIN_S
        while not _greets(self.port):
            if time.monotonic() > until or not self._is_running():
                raise EngineError(f"the database {self.name} does not start: {self.log()[-3000:]}")
            time.sleep(0.05)

    def _is_running(self) -> bool:
        return self.engine.do("inspect", "--format", "{{.State.Running}}", self.container).strip() == "true"


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return bool(connection.recv(1))
    except OSError:
        return False
