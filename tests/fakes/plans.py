"""Bundles and plans in memory. They pass the contract tests of those in S3 (tests/contract/test_plans.py)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kuroshio.errors import NotFound, PlanConflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.changes.plan import Plan
    from kuroshio.changes.ports import Repository
    from kuroshio.changes.request import DetectRequest


class MemoryPlans:
    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}

    def create(self, key: str, content: bytes, content_type: str) -> None:
        kept, _ = self.objects.setdefault(key, (content, content_type))
        if kept != content:
            raise PlanConflict(f"{key} holds another plan")

    def read(self, key: str) -> bytes:
        if key not in self.objects:
            raise NotFound(key)
        return self.objects[key][0]


class MemoryBundles:
    """Gives repositories that a test has put under a key."""

    def __init__(self, repositories: dict[str, Repository]) -> None:
        self._repositories = repositories

    @contextmanager
    def opened(self, key: str) -> Iterator[Repository]:
        if key not in self._repositories:
            raise NotFound(key)
        yield self._repositories[key]


class MemoryJournal:
    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.seconds: dict[str, float] = {}

    def planned(self, request: DetectRequest, plan: Plan) -> None:
        self.told.append((request.plan, plan.complete))

    def timed(self, request: DetectRequest, seconds: Mapping[str, float]) -> None:
        self.seconds = dict(seconds)


class MemoryNotes:
    """Keeps what was written last, as texts."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, str]] = {}

    def read(self, repository: str, edition: str) -> Mapping[str, str]:
        return self.kept.get((repository, edition), {})

    def write(self, repository: str, edition: str, notes: Mapping[str, str]) -> None:
        self.kept[repository, edition] = dict(notes)
