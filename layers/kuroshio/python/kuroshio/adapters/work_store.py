"""Documents of a verification in S3: written once, whoever is first."""

from __future__ import annotations

import json
from typing import Any

from kuroshio.adapters.plan_store import S3Plans
from kuroshio.errors import PlanConflict


class S3Work:
    """Implements ``aurora.verifying.ports.Work``."""

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self._plans = S3Plans(bucket)

    def create(self, key: str, document: Any) -> bool:
        """Write once. False, and nothing is changed, where another document is there."""
        try:
            self._plans.create(key, json.dumps(document, separators=(",", ":")).encode(), "application/json")
        except PlanConflict:
            return False
        return True

    def read(self, key: str) -> Any:
        """Return a document. Raises NotFound."""
        return json.loads(self._plans.read(key))
