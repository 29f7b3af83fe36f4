"""One execution environment: a container of the function's image, with the emulator as its first process."""

from __future__ import annotations

import contextlib
import http.client
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine import Engine, ImageConfig
    from lab.ports import Credentials, FunctionVersion

# 1,769 MB buy one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
_MB_PER_CPU = 1769
# The user of Lambda's sandboxes; nothing may depend on it.
_USER = "993:990"
_EMULATOR = "/var/rapid/aws-lambda-rie"
_PATH = "/2015-03-31/functions/function/invocations"
# Init may take 10 s and is then repeated within the first invocation, so an answer can come this late.
_INIT_S = 25.0
_LISTENS_WITHIN_S = 30.0
_LOGS_WITHIN_S = 1.0
_OWN_LINES = re.compile(r"(START|END|REPORT) RequestId: |\d+ \w+ \d{4} [\d:,]+ \[[A-Z]+\] \(rapid\) ")


class EnvironmentDied(Exception):  # noqa: N818 - what happened, in Lambda's own words
    """The container ended, or never began to listen."""


@dataclass(frozen=True)
class Settings:
    """What all environments of a lab have in common."""

    label: str
    network: str
    endpoint: str  # of the lab, as seen from the containers' network
    region: str
    limits_cpu: bool = False  # throttle to memory / 1,769 MB of a CPU, as Lambda does


@dataclass(frozen=True)
class Answer:
    """What the emulator answered, and what the function wrote meanwhile."""

    status: int
    body: bytes
    logs: tuple[str, ...]


class Environment:
    """Starts on construction and is ready as soon as its emulator listens; ``invoke`` waits for that."""

    def __init__(
        self, engine: Engine, settings: Settings, function: FunctionVersion, image: str, credentials: Credentials
    ) -> None:
        self.function = function
        self.name = f"{settings.label}-{function.arn.rpartition(':')[2]}-{secrets.token_hex(4)}".lower()
        self.started = self.used = time.monotonic()
        self.ending = False
        self._port = _free_port()
        self._lines: list[str] = []
        self._news = threading.Condition()
        config = engine.image_config(image)
        options = (
            *_options(self.name, self._port, config, settings, function),
            *_variables(settings, function, credentials),
        )
        self._process = engine.start(image, _command(config, function), options, settings.label)
        threading.Thread(target=self._listen, name=f"logs-{self.name}", daemon=True).start()

    def is_alive(self) -> bool:
        return self._process.poll() is None and not self.ending

    def close(self) -> None:
        """Wait for the engine's process, whose container was killed."""
        self._process.wait(timeout=30)

    def invoke(self, payload: bytes, request_id: str, client_context: str | None) -> Answer:
        """Hand the event in and wait for the answer. Raises EnvironmentDied where none can come any more."""
        headers = {"X-Amzn-RequestId": request_id, "Content-Type": "application/json"}
        if client_context:
            headers["X-Amz-Client-Context"] = client_context
        begins = len(self._lines)
        status, body = self._post(payload, headers, f"START RequestId: {request_id}", begins)
        self._await_line(f"REPORT RequestId: {request_id}", begins, patient=status == http.client.OK)
        return Answer(status, body, self._own(begins))

    def logs_since_start_of(self, request_id: str) -> tuple[str, ...]:
        """What was written since an invocation began, or since the start where it never did."""
        first = f"START RequestId: {request_id}"
        begins = next((n for n, line in enumerate(self._lines) if line.startswith(first)), 0)
        return self._own(begins)

    def _post(self, payload: bytes, headers: dict[str, str], first_line: str, begins: int) -> tuple[int, bytes]:
        """POST until the emulator listens. Never again once the function has seen the event."""
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=self.function.timeout_s + _INIT_S)
            try:
                connection.request("POST", _PATH, body=payload, headers=headers)
                answer = connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                if self._has(first_line, begins) or not self._may_still_listen():
                    raise EnvironmentDied(self._epitaph(error)) from error
                time.sleep(0.02)
            finally:
                connection.close()

    def _may_still_listen(self) -> bool:
        return self.is_alive() and time.monotonic() - self.started < _LISTENS_WITHIN_S

    def _epitaph(self, error: Exception) -> str:
        ended = self._process.poll()
        if ended is None:
            return f"no answer from the execution environment: {error}"
        return f"the execution environment ended with {ended}: {' '.join(self._lines[-3:])}"

    # Logs --------------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - Engine.start pipes it
        with self._process.stdout as output, contextlib.suppress(ValueError):
            for line in output:
                with self._news:
                    self._lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._news.notify_all()

    def _has(self, beginning: str, begins: int) -> bool:
        return any(line.startswith(beginning) for line in self._lines[begins:])

    def _await_line(self, beginning: str, begins: int, *, patient: bool) -> None:
        """The pipe lags behind the answer: wait for the emulator's last line, not long where it died and writes none."""
        with self._news:
            self._news.wait_for(lambda: self._has(beginning, begins), timeout=_LOGS_WITHIN_S if patient else 0.1)

    def _own(self, begins: int) -> tuple[str, ...]:
        # What stands before the emulator's first line is the engine's own (Podman's network helper mutters).
        ours = next((n for n, line in enumerate(self._lines) if _OWN_LINES.match(line)), 0)
        lines = self._lines[max(begins, ours) :]
        return tuple(line for line in lines if not _OWN_LINES.match(line) and line.strip())


def _command(config: ImageConfig, function: FunctionVersion) -> list[str]:
    """The emulator takes what the image would have been started with: ImageConfig's parts replace the image's own."""
    entry = function.entry_point or config.entry_point
    # As with `docker run`, an entry point of one's own makes the image's CMD void.
    rest = function.command or (() if function.entry_point else config.command)
    return [*entry, *rest]


def _options(name: str, port: int, config: ImageConfig, settings: Settings, function: FunctionVersion) -> Iterator[str]:
    yield from (f"--name={name}", f"--network={settings.network}", f"--publish=127.0.0.1:{port}:8080")
    yield from ("--read-only", "--tmpfs=/tmp", f"--user={_USER}", f"--memory={function.memory_mb}m")
    yield from ("--cap-drop=all", "--security-opt=no-new-privileges")
    if settings.limits_cpu:
        yield f"--cpus={min(function.memory_mb / _MB_PER_CPU, 6):.3f}"
    if function.working_directory:
        yield f"--workdir={function.working_directory}"
    yield from (f"--volume={emulator(config.architecture)}:{_EMULATOR}:ro", f"--entrypoint={_EMULATOR}")


def _variables(settings: Settings, function: FunctionVersion, credentials: Credentials) -> Iterator[str]:
    """The template's variables, then those that Lambda reserves: nothing can override these.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    name = function.arn.split(":")[6]
    reserved = {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s),  # the emulator's own
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group or f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format,
        "AWS_LAMBDA_LOG_LEVEL": function.log_level,
        "LAMBDA_TASK_ROOT": "/var/task",
        "TZ": ":UTC",
    }
    for key, value in {**function.environment, **reserved}.items():
        if value:
            yield f"--env={key}={value}"


def emulator(architecture: str) -> Path:
    """The Runtime Interface Emulator that ships with SAM CLI; ``architecture`` in an image's terms (amd64, arm64)."""
    found = find_spec("samcli")
    if found is None or not found.submodule_search_locations:
        raise LookupError("aws-sam-cli, which brings the emulator, is not installed; run `make setup`")
    suffix = {"amd64": "x86_64"}.get(architecture, architecture)
    return Path(found.submodule_search_locations[0]) / "local" / "rapid" / f"aws-lambda-rie-{suffix}"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
