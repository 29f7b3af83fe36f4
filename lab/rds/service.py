"""RDS in a lab: its servers' image and authority are made when it is first asked for something."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from lab import engine as engines
from lab.databases import server as databases
from lab.rds.api import Api
from lab.rds.aurora import Aurora

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.answers import Answer
    from lab.calls import Call, HttpRequest


class Rds:
    """Implements the gateway's ``Service``. A lab whose RDS nobody asks starts nothing."""

    def __init__(
        self, label: str, folder: Path, network: str, subnets: Callable[[], tuple[str, ...]] | None = None
    ) -> None:
        """``network``: of the containers, made where it is missing and left for others at the end.

        ``subnets``: of the default subnet group, where EC2 knows them.
        """
        self._label, self._folder, self._network, self._subnets = label, folder, network, subnets
        self._aurora: Aurora | None = None
        self._lock = threading.Lock()

    @property
    def aurora(self) -> Aurora:
        """The clusters. Raises EngineError where no container engine answers."""
        with self._lock:
            if self._aurora is None:
                engine = engines.find()
                databases.build(engine)
                self._aurora = Aurora(engine, self._label, self._folder, self._network)
                self._aurora.pace = _pace(os.environ.get("KUROSHIO_LAB_RDS_PACE", ""))
                if self._subnets is not None:
                    self._aurora.account.subnet_groups["default"] = self._subnets()
            return self._aurora

    def __call__(self, call: Call, request: HttpRequest, caller: str) -> Answer | None:
        """The answer to any operation of RDS."""
        return Api(self.aurora)(call, request, caller)

    def tags_of(self, arn: str) -> dict[str, str]:
        """Of a cluster, an instance or a group; none where there is no such thing."""
        account = self._aurora.account if self._aurora is not None else None
        return account.tags_of(arn) if account is not None else {}

    def close(self) -> None:
        """End the servers, if there are any."""
        if self._aurora is not None:
            self._aurora.close()


def _pace(text: str) -> dict[str, float]:
    """``clone=60,instance=120``: RDS takes minutes for what the lab does in seconds."""
    pairs = [part.split("=") for part in text.split(",") if part]
    return {name: float(seconds) for name, seconds in pairs}
