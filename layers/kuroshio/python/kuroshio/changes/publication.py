"""From a request to a published plan: what the function ``detect_changes`` does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.changes.detection import detect
from kuroshio.changes.plan import Change, Plan
from kuroshio.changes.rendering import document, markdown
from kuroshio.changes.request import DetectRequest, parse

if TYPE_CHECKING:
    from kuroshio.changes.ports import Analyses, Bundles, Journal, Plans


@dataclass(frozen=True)
class Publication:
    """Detects what a request asks about and publishes the plan."""

    bundles: Bundles
    plans: Plans
    journal: Journal
    analyses: Analyses | None = None

    def publish(self, event: object) -> dict[str, Any]:
        """Write the plan and its rendering, and return where they are with what they come to: small, never the plan.

        The same request again writes the same, which changes nothing. Raises InvalidRequest, NotFound (no bundle),
        RepositoryUnreadable, LimitExceeded, PlanConflict, or what the adapters raise for AWS.
        """
        request = parse(event)
        with self.bundles.opened(request.bundle) as repository:
            plan = detect(repository, request.base, request.head, self.analyses)
        # The plan last: where it is, its rendering is.
        self.plans.create(request.report, markdown.write(plan).encode(), "text/markdown; charset=utf-8")
        self.plans.create(request.plan, document.write(plan).encode(), "application/json")
        self.journal.planned(request, plan)
        return _answer(request, plan)


def _answer(request: DetectRequest, plan: Plan) -> dict[str, Any]:
    return {
        "plan": request.plan,
        "report": request.report,
        "complete": plan.complete,
        "units": {change.value: plan.count(change) for change in Change},
        "merge_base": plan.merge_base,
    }
