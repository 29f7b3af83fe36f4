"""Logs and CloudWatch metrics (EMF: metrics inside log lines, no call) through Powertools."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.plan import Plan
    from kuroshio.changes.request import DetectRequest
    from kuroshio.runs.run import Run


class PowertoolsJournal:
    """One log line per run or plan, and metrics: Runs and RunDuration by workflow and status, Plans and UnitsChanged,
    DetectionDuration.

    Implements ``runs.ports.Journal`` and ``changes.ports.Journal``.
    """

    def __init__(self) -> None:
        # Powertools' own package imports the Tracer with everything else; its parts do not.
        from aws_lambda_powertools.logging import Logger

        self._logger = Logger()

    def noted(self, run: Run, *, is_news: bool) -> None:
        """Tell of a run that was handed in. Only news is counted, or a repeated event would count a run twice."""
        about = {"workflow": run.workflow, "execution": run.execution, "status": run.status, "error": run.error}
        self._logger.info("run recorded" if is_news else "run was known already", extra={"run": about})
        if is_news and run.seconds is not None:
            _count(run, run.seconds)

    def warn(self, message: str) -> None:
        """Tell of what did not work and stops nothing."""
        self._logger.warning(message)

    def planned(self, request: DetectRequest, plan: Plan) -> None:
        """Tell of a plan that was published."""
        about = {"plan": request.plan, "units": len(plan.units), "complete": plan.complete}
        self._logger.info("plan published", extra={"about": about})
        from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

        metrics = EphemeralMetrics()
        metrics.add_dimension("complete", str(plan.complete).lower())
        metrics.add_metric("Plans", MetricUnit.Count, 1)
        metrics.add_metric("UnitsChanged", MetricUnit.Count, len(plan.units))
        metrics.flush_metrics()

    def timed(self, request: DetectRequest, seconds: Mapping[str, float]) -> None:
        """Tell how long the parts of a detection took: all of them in the log, the whole as a metric."""
        milliseconds = {name: round(each * 1000, 1) for name, each in seconds.items()}
        self._logger.info("plan timed", extra={"plan": request.plan, "milliseconds": milliseconds})
        from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

        metrics = EphemeralMetrics()
        metrics.add_metric("DetectionDuration", MetricUnit.Milliseconds, milliseconds["in_all"])
        metrics.flush_metrics()


def _count(run: Run, seconds: float) -> None:
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics()
    metrics.add_dimension("workflow", run.workflow)
    metrics.add_dimension("status", run.status)
    metrics.add_metric("Runs", MetricUnit.Count, 1)
    metrics.add_metric("RunDuration", MetricUnit.Seconds, seconds)
    metrics.flush_metrics()
