"""From a request to a published plan: what the function ``detect_changes`` does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.changes.detection import decide
from kuroshio.changes.observation import observe
from kuroshio.changes.plan import Change, Plan
from kuroshio.changes.ports import NoNotes
from kuroshio.changes.remembering import Remembered
from kuroshio.changes.rendering import document, markdown
from kuroshio.changes.request import DetectRequest, parse
from kuroshio.changes.timing import Stopwatch, TimedRepository

if TYPE_CHECKING:
    from kuroshio.changes.ports import Bundles, Journal, Notes, Plans, Repository


@dataclass(frozen=True)
class Publication:
    """Detects what a request asks about and publishes the plan. ``notes`` keep what was found out for the next request."""

    bundles: Bundles
    plans: Plans
    journal: Journal
    notes: Notes = field(default_factory=NoNotes)
    watch: Stopwatch = field(default_factory=Stopwatch)

    def publish(self, event: object) -> dict[str, Any]:
        """Write the plan and its rendering, and return where they are with what they come to: small, never the plan.

        The same request again writes the same, which changes nothing. Raises InvalidRequest, NotFound (no bundle),
        RepositoryUnreadable, LimitExceeded, PlanConflict, or what the adapters raise for AWS.
        """
        self.watch.reset()
        with self.watch.part("in_all"):
            request = parse(event)
            remembered = Remembered(self.notes, request.repository)
            with self.bundles.opened(request.bundle) as repository:
                plan = self._detect(repository, request, remembered)
            with self.watch.part("write"):  # the plan last: where it is, its rendering is
                self.plans.create(request.report, markdown.write(plan).encode(), "text/markdown; charset=utf-8")
                self.plans.create(request.plan, document.write(plan).encode(), "application/json")
            with self.watch.part("keep_analyses"):
                remembered.save()
        self.journal.planned(request, plan)
        self.journal.timed(request, self.watch.seconds)
        return _answer(request, plan)

    def _detect(self, repository: Repository, request: DetectRequest, remembered: Remembered) -> Plan:
        with self.watch.part("kept_analyses"):
            remembered.load()
        timed = TimedRepository(repository, self.watch)
        with self.watch.part("observe"):
            seen = observe(timed, request.base, request.head, remembered.templates, remembered.imports)
        with self.watch.part("compare"):
            return decide(seen)


def _answer(request: DetectRequest, plan: Plan) -> dict[str, Any]:
    return {
        "plan": request.plan,
        "report": request.report,
        "complete": plan.complete,
        "units": {change.value: plan.count(change) for change in Change},
        "merge_base": plan.merge_base,
    }
