"""A pull request of two commits, its bundle handed in."""

from tests.workflows.machine import Scenario

_HEAD, _BASE = "b" * 40, "a" * 40
_ANSWER = {
    "plan": f"plans/octo/shop/pr-12/{_HEAD}-{_BASE}.json",
    "report": f"plans/octo/shop/pr-12/{_HEAD}-{_BASE}.md",
    "complete": True,
    "units": {"added": 0, "modified": 2, "removed": 0},
    "merge_base": "c" * 40,
}

SCENARIO = Scenario(
    given={
        "schema": "kuroshio.detect-request/1",
        "repository": "octo/shop",
        "pull_request": 12,
        "base": _BASE,
        "head": _HEAD,
        "bundle": f"incoming/octo/shop/pr-12/{_HEAD}-{_BASE}.bundle",
    },
    answers={"DetectChanges": {"Payload": _ANSWER}, "DiscardBundle": {}, "RecordFailure": {}},
    output=_ANSWER,
    path=["DetectChanges", "DiscardBundle", "PlanWritten"],
    detours={"RecordFailure": {"DetectChanges": "RepositoryUnreadable"}},
)
