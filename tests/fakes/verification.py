"""What a verification keeps and tells, in memory. tests/contract/aurora proves the store against S3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping


class InMemoryWork:
    bucket = "plans"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def create(self, key: str, document: Any) -> bool:
        written = json.dumps(document, separators=(",", ":"))
        return self.kept.setdefault(key, written) == written

    def read(self, key: str) -> Any:
        if key not in self.kept:
            raise NotFound(f"nothing under {key}")
        return json.loads(self.kept[key])


class Told:
    """Figures that were told, the last of each clone."""

    def __init__(self) -> None:
        self.values: dict[str, Mapping[str, float]] = {}

    def tell(self, clone: str, run: str, values: Mapping[str, float]) -> None:
        assert run
        self.values[clone] = values
