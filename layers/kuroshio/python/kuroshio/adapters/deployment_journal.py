"""The DORA figures in logs and in CloudWatch (EMF: inside a log line, no call), whether Mackerel answers or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kuroshio.release.dora import Figures


class DeploymentJournal:
    """Implements ``release.reporting.Journal``. What is unknown is not written: CloudWatch bills a metric by the hour."""

    def __init__(self) -> None:
        from aws_lambda_powertools.logging import Logger

        self._logger = Logger()

    def reported(self, figures: Figures, told: int) -> None:
        """Tell what was computed, and of how many deployments Mackerel is told."""
        from aws_lambda_powertools.metrics import EphemeralMetrics

        self._logger.info("deployments reported", extra={"deployments": figures.deployments, "told": told})
        known = {
            "LeadTime": ("Seconds", figures.lead_time),
            "ChangeFailureRate": ("Percent", figures.change_failure_rate),
            "TimeToRestore": ("Seconds", figures.time_to_restore),
        }
        metrics = EphemeralMetrics()
        metrics.add_metric("DeploymentsIn30Days", "Count", figures.deployments)
        for name, (unit, value) in known.items():
            if value is not None:
                metrics.add_metric(name, unit, value)
        metrics.flush_metrics()
