"""Where the documents of a verification lie in the plan bucket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kuroshio.errors import InvalidRequest


@dataclass(frozen=True)
class Place:
    """Of one verification. ``name`` is that of its execution, so that whatever is done again finds what is done."""

    clone: str
    name: str

    @classmethod
    def of(cls, event: dict[str, Any], clone: str) -> Place:
        """The event's ``run`` is the ARN of the execution of ``verify_clone``."""
        run = event.get("run")
        if not isinstance(run, str) or not run.rpartition(":")[2]:
            raise InvalidRequest(f"run is {ascii(run)[:120]}; it must be the ARN of the execution")
        return cls(clone, run.rpartition(":")[2])

    @property
    def plan(self) -> str:
        """What is to be done, and why."""
        return self._key("plan")

    def items(self, attempt: str) -> str:
        """The list that the distributed Map reads. Two that plan at once must not mix theirs: the plan says whose holds."""
        return self._key(f"{attempt}/items")

    def keys(self, attempt: str, number: int) -> str:
        """Keys to look up."""
        return self._key(f"{attempt}/keys-{number}")

    def result(self, item: int, turn: int) -> str:
        """What one turn of an item found."""
        return self._key(f"results/{item}-{turn}")

    @property
    def verdict(self) -> str:
        """All tables with their verdicts, and every key that differs."""
        return f"reports/aurora/{self.clone}/verifications/{self.name}.json"

    def _key(self, name: str) -> str:
        return f"aurora/{self.clone}/verifications/{self.name}/{name}.json"
