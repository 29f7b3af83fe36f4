"""Docker's or Podman's command: tag and push images, with a login that leaves nothing behind."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.errors import ConfigurationMissing, DeploymentFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.adapters.repository import Login


@dataclass(frozen=True)
class ContainerCommand:
    """``docker`` or ``podman``, whichever answers."""

    program: str

    @classmethod
    def found(cls) -> ContainerCommand:
        """Return the first whose engine answers; KUROSHIO_CONTAINER_COMMAND names one that is asked alone.

        Raises ConfigurationMissing where none does.
        """
        chosen = os.environ.get("KUROSHIO_CONTAINER_COMMAND")
        for program in (chosen,) if chosen else ("docker", "podman"):
            if shutil.which(program) and not _run([program, "info"], {}).returncode:
                return cls(program)
        raise ConfigurationMissing("neither docker nor podman answers `info`; start one, or run `make setup`")

    def image_id(self, image: str) -> str:
        """Return the id of a local image. Raises DeploymentFailed where there is none."""
        return self._do("image", "inspect", "--format", "{{.Id}}", image).strip().removeprefix("sha256:")

    def has(self, image: str) -> bool:
        """Tell whether there is a local image of that name."""
        return not _run([self.program, "image", "inspect", image], {}).returncode

    def tag(self, image: str, name: str) -> None:
        """Give a local image another name. Raises DeploymentFailed where there is none."""
        self._do("tag", image, name)

    def build(self, name: str, recipe: str, *, target: str) -> None:
        """Build one target of a Dockerfile with this folder as context. Raises DeploymentFailed with its messages."""
        self._do("build", "--file", recipe, "--target", target, "--tag", name, ".")

    def push(self, image: str, address: str, login: Login) -> None:
        """Push a local image as ``address``. Raises DeploymentFailed with what the command said."""
        self._do("tag", image, address)
        try:
            with _logged_in(self.program, login) as env:
                self._do("push", address, env=env)
        finally:
            # Only the name goes: the image keeps the one that it was built under.
            self._do("rmi", address)

    def _do(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        done = _run([self.program, *arguments], env or {})
        if done.returncode:
            said = (done.stderr or done.stdout).strip()[-2000:]
            raise DeploymentFailed(f"{self.program} {' '.join(arguments)} ended with {done.returncode}: {said}")
        return done.stdout


@contextmanager
def _logged_in(program: str, login: Login) -> Iterator[dict[str, str]]:
    """Keep the login in a folder of its own: the user's docker configuration never sees the token.

    The file is what ``docker login`` would write. The command itself asks the registry first, which through Podman's
    service fails where the registry has no TLS: https://docs.docker.com/reference/cli/docker/login/
    """
    host = _docker_host() if program == "docker" else {}
    registry = login.registry.removeprefix("https://").removeprefix("http://")
    token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="kuroshio-login-") as folder:
        file = Path(folder) / "config.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"auths": {registry: {"auth": token}}}))
        yield {**host, "DOCKER_CONFIG": folder, "REGISTRY_AUTH_FILE": str(file)}


def _docker_host() -> dict[str, str]:
    """The engine of docker's current context, which another DOCKER_CONFIG would hide."""
    if os.environ.get("DOCKER_HOST"):
        return {}
    shown = _run(["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"], {})
    return {"DOCKER_HOST": shown.stdout.strip()} if not shown.returncode and shown.stdout.strip() else {}


def _run(command: list[str], env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **env}, stdin=subprocess.DEVNULL, check=False
    )
