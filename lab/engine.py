"""The container engine of this machine, Docker or Podman, through its command line: just the calls that the lab makes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What every lab of this checkout shares: the containers.conf that a trial run asked for, how the base was made.
STATE = Path(__file__).parent.parent / "build" / "engine"
LABEL = "kuroshio.lab"


class EngineError(Exception):
    """The engine refused a command; the message carries the command and what the engine said."""


@dataclass(frozen=True)
class Network:
    """How containers are attached, and where they and the lab's door meet."""

    name: str  # the value of --network
    bind: str  # the address that the lab's door must also listen on, "" where loopback is enough
    host: str  # the address under which a container reaches the lab's door


@dataclass(frozen=True)
class ImageConfig:
    """What the image itself says about being started."""

    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    working_directory: str
    environment: Mapping[str, str]
    architecture: str  # "amd64" or "arm64"


@dataclass(frozen=True)
class Engine:
    """``docker`` or ``podman`` with the environment that makes it work on this machine."""

    program: str
    environment: Mapping[str, str] = field(default_factory=dict)

    # Images ------------------------------------------------------------------------------------------------------------

    def image_id(self, image: str) -> str | None:
        """The id of a local image (64 hex digits), or None where there is none of that name."""
        done = self._run("image", "inspect", "--format", "{{.Id}}", image)
        return None if done.returncode else done.stdout.strip().removeprefix("sha256:")

    def image_config(self, image: str) -> ImageConfig:
        found = json.loads(self.do("image", "inspect", image))[0]
        config = found["Config"]
        return ImageConfig(
            tuple(config.get("Entrypoint") or ()),
            tuple(config.get("Cmd") or ()),
            config.get("WorkingDir") or "",
            dict(entry.split("=", 1) for entry in config.get("Env") or ()),
            found["Architecture"],
        )

    def image_digests(self, image: str) -> tuple[str, ...]:
        """The registry digests under which the image was pulled or pushed."""
        return tuple(json.loads(self.do("image", "inspect", "--format", "{{json .RepoDigests}}", image)) or ())

    def image_bytes(self, image: str) -> int:
        """Size of the unpacked image, in bytes."""
        return int(self.do("image", "inspect", "--format", "{{.Size}}", image))

    def pull(self, image: str, *, within_s: float) -> bool:
        """Pull the image; False where the registry does not answer in time or refuses."""
        try:
            return not self._run("pull", "--quiet", image, within_s=within_s).returncode
        except subprocess.TimeoutExpired:
            return False

    def load_root(self, folder: Path, image: str) -> None:
        """Make an image of one layer of a root file system."""
        tar = subprocess.Popen([*_as_root(), "tar", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE)
        with tar:
            done = self._run("import", "--change", 'CMD ["bash"]', "-", image, stdin=tar.stdout)
        if done.returncode or tar.returncode:
            raise EngineError(f"{self.program} import {image}: {done.stderr.strip()}")

    def build(self, context: Path, dockerfile: Path, tag: str, *, target: str = "") -> None:
        """Build one target of a Dockerfile. Raises EngineError with the end of the build's own messages."""
        chosen = ("--target", target) if target else ()
        self.do("build", "--quiet", *chosen, "--file", str(dockerfile), "--tag", tag, str(context))

    def tag(self, image: str, name: str) -> None:
        self.do("tag", image, name)

    def remove_image(self, image: str) -> None:
        self._run("rmi", "--force", image)

    def push(self, image: str) -> None:
        """Push to the lab's registry, which has no TLS. Docker does without it for 127.0.0.0/8 unasked."""
        self.do("push", *self._without_tls(), image)

    def fetch(self, image: str) -> None:
        """Pull from the lab's registry. Raises EngineError where it is not there."""
        self.do("pull", "--quiet", *self._without_tls(), image)

    def _without_tls(self) -> tuple[str, ...]:
        return ("--tls-verify=false",) if self.program == "podman" else ()

    # Containers --------------------------------------------------------------------------------------------------------

    def start(self, image: str, command: Sequence[str], options: Sequence[str], label: str) -> subprocess.Popen[bytes]:
        """Run a container in the foreground of a process of ours: its output is our pipe, its end is our child's end."""
        line = [self.program, "run", "--rm", "--init=false", f"--label={LABEL}={label}", *options, image, *command]
        return subprocess.Popen(
            line,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
            # Ctrl-C in the lab's terminal must not end containers behind the runner's back.
            start_new_session=True,
        )

    def run(self, image: str, command: Sequence[str], options: Sequence[str] = ()) -> str:
        """Run a container to its end and return what it printed. Raises EngineError where it fails."""
        return self.do("run", "--rm", *options, image, *command)

    def containers(self, label: str) -> tuple[str, ...]:
        """Ids of all containers of a lab, stopped ones too."""
        return tuple(self.do("ps", "--all", "--quiet", "--filter", f"label={LABEL}={label}").split())

    def kill(self, *containers: str) -> None:
        """End containers at once and remove them; ones that are gone already are fine."""
        if containers:
            self._run("rm", "--force", *(("--time=0",) if self.program == "podman" else ()), *containers)

    def stop(self, container: str, *, within_s: int) -> None:
        self.do("stop", "--time", str(within_s), container)

    def logs(self, container: str) -> str:
        return self.do("logs", container)

    def execute(self, container: str, command: Sequence[str]) -> str:
        return self.do("exec", container, *command)

    def pause(self, container: str) -> None:
        self.do("pause", container)

    def unpause(self, container: str) -> None:
        self.do("unpause", container)

    # Network -----------------------------------------------------------------------------------------------------------

    def network(self, name: str, label: str) -> Network:
        """The lab's own network, made where it is missing.

        Rootless Podman keeps its bridges in a namespace that the host cannot listen in, so there containers reach the
        host's loopback through slirp4netns (always 10.0.2.2); Docker Desktop has a name for the same.
        """
        if self.is_rootless():
            return Network("slirp4netns:allow_host_loopback=true", "", "10.0.2.2")
        if self._run("network", "inspect", name).returncode:
            self.do("network", "create", "--label", f"{LABEL}={label}", name)
        gateway = self._gateway(name)
        if self.program == "docker" and not sys.platform.startswith("linux"):
            return Network(name, "", "host.docker.internal")
        return Network(name, gateway, gateway)

    def remove_network(self, name: str) -> None:
        self._run("network", "rm", name)

    def is_rootless(self) -> bool:
        return self.program == "podman" and os.geteuid() != 0

    def _gateway(self, name: str) -> str:
        found = json.loads(self.do("network", "inspect", name))[0]
        subnets = found.get("subnets") or found["IPAM"]["Config"]
        return str(subnets[0].get("gateway") or subnets[0]["Gateway"])

    # The command -------------------------------------------------------------------------------------------------------

    def do(self, *arguments: str) -> str:
        """Run a command of the engine and return its output. Raises EngineError where it fails."""
        done = self._run(*arguments)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-4000:]
            raise EngineError(f"{self.program} {' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout

    def works(self, image: str) -> str:
        """Run a trial container of the image; return what stands in the way, "" where nothing does."""
        done = self._run("run", "--rm", image, "true")
        return done.stderr.strip() or f"it ended with {done.returncode}" if done.returncode else ""

    def _run(
        self, *arguments: str, within_s: float | None = None, stdin: Any = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.program, *arguments],
            stdin=stdin or subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=within_s,
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


def find(state: Path = STATE) -> Engine:
    """The engine that answers, Docker before Podman, as `make setup` prepared it. Raises EngineError where none does."""
    if _answers("docker", "version", "--format", "{{.Server.Os}}") and not _is_podman_behind_docker():
        return Engine("docker")
    if shutil.which("podman"):
        own = state / "containers.conf"
        return Engine("podman", {"CONTAINERS_CONF": str(own)} if own.exists() else {})
    raise EngineError("neither Docker's daemon nor Podman answers; run `make setup`")


def _answers(*command: str) -> bool:
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True, check=False).returncode


def _is_podman_behind_docker() -> bool:
    """DOCKER_HOST may name a lab's own Podman socket, which ends with that lab: use Podman itself then."""
    shown = subprocess.run(["docker", "version", "--format", "{{json .Server}}"], capture_output=True, check=False)
    return b"Podman Engine" in shown.stdout


def prepare(engine: Engine, image: str, state: Path = STATE) -> Engine:
    """The engine with which a container of the image really starts, by trying.

    Where the machine's own configuration does not work (crun under hybrid cgroups, ulimits above the hard limit without
    CAP_SYS_RESOURCE), Podman gets a containers.conf of the lab's own; the user's files are left alone.

    Raises EngineError with what the engine said where nothing helps.
    """
    trouble = engine.works(image)
    if not trouble:
        return engine
    if engine.program != "podman":
        raise EngineError(f"a trial container does not start: {trouble}")
    state.mkdir(parents=True, exist_ok=True)
    own = state / "containers.conf"
    own.write_text(_containers_conf())
    cured = Engine("podman", {"CONTAINERS_CONF": str(own)})
    still = cured.works(image)
    if still:
        own.unlink()
        raise EngineError(
            f"a trial container does not start, neither as Podman is configured ({trouble}) nor so: {still}"
        )
    return cured


def _containers_conf() -> str:
    runtime = 'runtime = "runc"\n' if shutil.which("runc") or Path("/usr/sbin/runc").exists() else ""
    return (
        "# Written by `make setup`: without it a trial container did not start on this machine.\n"
        f'[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\n{runtime}'
    )


def _as_root() -> tuple[str, ...]:
    return () if os.geteuid() == 0 else ("sudo",)


def main() -> None:
    """``python -m lab.engine``: make the engine ready and the base image present; quick when both are."""
    from lab import base_image

    try:
        engine = find()
        made = base_image.ensure(engine)
        if made:
            print(f"setup: {base_image.NAME} is here, {made}", file=sys.stderr)
        prepare(engine, base_image.NAME)
    except EngineError as error:
        sys.exit(f"setup: {error}")


if __name__ == "__main__":
    main()
