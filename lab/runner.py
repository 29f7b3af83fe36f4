"""Functions in their real images, started as Lambda starts them, with AWS's emulator of the Runtime API in front.

Read-only but /tmp, an unprivileged user, the function's memory and, on demand, the share of a CPU that its memory buys.
One environment serves one invocation at a time and stays warm for the next.
"""

from __future__ import annotations

import logging
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.engine import EngineError
from lab.environment import Environment, EnvironmentDied, Settings
from lab.verdict import could_not_start, process_died, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine import Engine
    from lab.ports import Credentials, FunctionVersion, InvocationResult

log = logging.getLogger("lab.runner")


@dataclass
class _Function:
    """The environments of one function, whatever their versions and revisions."""

    idle: list[Environment] = field(default_factory=list)
    busy: set[Environment] = field(default_factory=set)


class ContainerRunner:
    """Implements ``lab.ports.FunctionRunner`` on Docker or Podman.

    ``image_of`` names the local image that an image URI means; it raises LookupError where there is none.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        image_of: Callable[[str], str],
        *,
        idle_s: float = 600.0,
        oldest_s: float = 3000.0,  # an environment keeps the keys that it was started with: end it before they do
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._image_of = image_of
        self._idle_s = idle_s
        self._oldest_s = oldest_s
        self._functions: dict[str, _Function] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._reaper = threading.Thread(target=self._reap, name="environment-reaper", daemon=True)
        self._reaper.start()

    def invoke(
        self,
        function: FunctionVersion,
        payload: bytes,
        *,
        credentials: Credentials,
        request_id: str,
        client_context: str | None = None,
    ) -> InvocationResult:
        """Run the function once and wait for its answer. A timeout or a dead process is a result, not an exception."""
        try:
            environment = self._take(function) or self._start(function, credentials)
        except (EngineError, EnvironmentDied, LookupError) as error:
            return could_not_start(request_id, str(error))
        try:
            answer = environment.invoke(payload, request_id, client_context)
        except EnvironmentDied as error:
            self._release(environment, reusable=False)
            return process_died(request_id, str(error), environment.logs_since_start_of(request_id))
        self._release(environment, reusable=True)
        return verdict(request_id, answer)

    def forget(self, arn: str) -> None:
        """End every environment of the function; one that is at work finishes its invocation first."""
        with self._lock:
            known = self._functions.pop(arn, _Function())
        self._end(known.idle)

    def close(self) -> None:
        """End every environment, those at work too."""
        self._closed.set()
        with self._lock:
            everything = [e for known in self._functions.values() for e in (*known.idle, *known.busy)]
            self._functions.clear()
        self._end(everything)

    def _take(self, function: FunctionVersion) -> Environment | None:
        """A warm environment of this very revision that is neither dead nor too old."""
        now = time.monotonic()
        with self._lock:
            known = self._functions.setdefault(function.arn, _Function())
            stale = [e for e in known.idle if not e.is_alive() or now - e.started > self._oldest_s]
            known.idle = [e for e in known.idle if e not in stale]
            fitting = [e for e in known.idle if e.function == function]
            for environment in fitting[-1:]:
                known.idle.remove(environment)
                known.busy.add(environment)
        self._end(stale)
        return fitting[-1] if fitting else None

    def _start(self, function: FunctionVersion, credentials: Credentials) -> Environment:
        if self._closed.is_set():
            raise EnvironmentDied("the lab is going down")
        image = self._image_of(function.image_uri)
        environment = Environment(self._engine, self._settings, function, image, credentials)
        with self._lock:
            self._functions.setdefault(function.arn, _Function()).busy.add(environment)
        return environment

    def _release(self, environment: Environment, *, reusable: bool) -> None:
        with self._lock:
            known = self._functions.get(environment.function.arn)
            # A function that was forgotten in the meantime has a new entry, or none, without this environment.
            kept = known is not None and environment in known.busy
            if known and kept:
                known.busy.discard(environment)
                if reusable:
                    environment.used = time.monotonic()
                    known.idle.append(environment)
        if not (kept and reusable):
            self._end([environment])

    def _reap(self) -> None:
        while not self._closed.wait(min(self._idle_s / 2, 30.0)):
            limit = time.monotonic() - self._idle_s
            with self._lock:
                idle = [(known, e) for known in self._functions.values() for e in known.idle if e.used < limit]
                for known, environment in idle:
                    known.idle.remove(environment)
            self._end([environment for _, environment in idle])

    def _end(self, environments: list[Environment]) -> None:
        if not environments:
            return
        for environment in environments:
            environment.ending = True
        try:
            self._engine.kill(*(environment.name for environment in environments))
            for environment in environments:
                environment.close()
        except (EngineError, subprocess.TimeoutExpired) as error:  # what was answered before stays answered
            log.warning("not all of these ended: %s: %s", [environment.name for environment in environments], error)
