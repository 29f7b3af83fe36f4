"""Where a lab lives on disk, and what it tells about itself."""

from __future__ import annotations

import json
import os
import platform
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.errors import InvalidRequest
from lab.ports import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
#: The operator's keys: the lab's own shell. They open nothing but the lab.
OPERATOR = Credentials("KUROSHIOLABOPERATOR0", "lab", "")


@dataclass(frozen=True)
class Running:
    """A lab that is up: ``pid`` and its start time (so that a reused pid is not mistaken for it), and its door."""

    pid: int
    started: str
    port: int
    gateway: str  # address on the containers' network, empty without an engine
    environment: dict[str, str] = field(default_factory=dict)  # what commands that build and push images need

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True)
class Place:
    """The folder of one lab."""

    name: str
    root: Path

    @property
    def running_file(self) -> Path:
        return self.root / "running.json"

    @property
    def calls_file(self) -> Path:
        return self.root / "calls.jsonl"

    @property
    def log_file(self) -> Path:
        return self.root / "server.log"

    def read_running(self) -> Running | None:
        """The lab's process as recorded, or None if none was recorded or it is gone."""
        try:
            running = Running(**json.loads(self.running_file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        return running if start_time(running.pid) == running.started else None

    def write_running(self, running: Running) -> None:
        draft = self.running_file.with_suffix(".new")
        draft.write_text(json.dumps(asdict(running)))
        draft.replace(self.running_file)


def place_of(environment: Mapping[str, str] = os.environ, base: Path | None = None) -> Place:
    """The lab that KUROSHIO_LAB names (default ``kuroshio``), in ``build/lab/<name>`` of the checkout.

    Raises InvalidRequest for a name that containers and networks cannot have.
    """
    name = environment.get("KUROSHIO_LAB") or "kuroshio"
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,29}", name):
        raise InvalidRequest(
            f"KUROSHIO_LAB is {name!r}; a lab's name is up to 30 lower-case letters, digits and hyphens"
        )
    root = (base or Path(__file__).parent.parent) / "build" / "lab" / name
    return Place(name, root)


def start_time(pid: int) -> str:
    """When the process started, in clock ticks since boot (proc(5), field 22), or "" if there is none or it is a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def architecture() -> str:
    """Of this machine, in Lambda's words: what functions run on here without emulation."""
    return "arm64" if platform.machine() in {"aarch64", "arm64"} else "x86_64"


def shell_variables(running: Running) -> dict[str, str]:
    """What a shell needs so that the AWS CLI, SAM CLI, every SDK and our own commands talk to the lab."""
    return {
        "AWS_ENDPOINT_URL": running.endpoint,
        "AWS_ACCESS_KEY_ID": OPERATOR.access_key_id,
        "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_access_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",  # SAM asks AWS every 5 seconds; the lab may be asked more often
        "KUROSHIO_ARCHITECTURE": architecture(),
        **running.environment,
    }
