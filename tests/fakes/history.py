"""A history of deployments in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.release.history import Deployment


@dataclass
class InMemoryHistory:
    """Implements ``release.history.History``."""

    records: dict[str, Deployment] = field(default_factory=dict)

    def keep(self, deployment: Deployment) -> None:
        self.records[deployment.key] = deployment

    def since(self, time: datetime) -> list[Deployment]:
        return [each for _, each in sorted(self.records.items()) if each.started >= time]
