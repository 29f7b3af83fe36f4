"""A deployment that a job on GitHub recorded is a span and figures in Mackerel: real functions, their roles and their policies.

Runs after test_outbox.py, which finds out what happens before anybody made the service.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from deployed import FOUNDATION
from harness import eventually

from kuroshio.adapters import aws
from kuroshio.adapters.deployment_history import DynamoHistory
from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
from kuroshio.mackerel import state
from kuroshio.release.history import Deployment
from lab.mackerel.in_process import InProcessApi

if TYPE_CHECKING:
    import pytest
    from deployed import Deployed

    from lab.mackerel import FakeMackerel

SERVICE = "kuroshio-dev"


def test_a_deployment_is_a_span_that_ends_and_its_units_and_lead_time_are_figures(
    deployed: Deployed, mackerel: FakeMackerel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    table = deployed.output(FOUNDATION, "LedgerTableName")
    history, ledger = DynamoHistory(table), DynamoOutboxLedger(table)
    InProcessApi(mackerel).call("POST", "/services", {"name": SERVICE})
    began = datetime.now(UTC) - timedelta(minutes=5)
    running = Deployment("octo/shop#main", "a" * 40, began, ("cart", "mail"), began - timedelta(minutes=30))

    def spans() -> list[dict[str, Any]]:
        state.redrive(ledger)
        for function in ("report-deployments", "flush-metrics"):
            answer = deployed.aws("lambda").invoke(FunctionName=f"kuroshio-dev-{function}", Payload=b"{}")
            assert "FunctionError" not in answer, json.loads(answer["Payload"].read())
        return [each for each in mackerel.org.annotations.values() if "octo/shop" in each["title"]]

    history.keep(running)
    [span] = eventually(spans, within_s=120)
    assert "is being deployed" in span["title"]
    history.keep(replace(running, ended=began + timedelta(minutes=4), deployed={"cart": "", "mail": ""}))
    [span] = eventually(lambda: [each for each in spans() if "deployed, 2 units" in each["title"]], within_s=120)
    assert span["to"] - span["from"] == 4 * 60

    def figures() -> dict[str, float]:
        """Spans and figures have a lane each: none waits for the other."""
        spans()
        held = {series.name: list(points.values())[-1] for series, points in mackerel.org.points.items()}
        return held if "dora.lead_time" in held and "deployments.units" in held else {}

    held = eventually(figures, within_s=120)
    assert (held["deployments.units"], held["deployments.failed_units"]) == (2, 0)
    assert held["dora.lead_time"] == 34 * 60
    aws.forget_clients()
