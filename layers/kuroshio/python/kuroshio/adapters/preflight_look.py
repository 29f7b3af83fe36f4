"""Looks at a source and at the runs of others, for preflight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.adapters.preflight_facts import sql_facts
from kuroshio.adapters.preflight_rds import rds_facts
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.aurora.preflight.facts import RdsFacts, SqlFacts
    from kuroshio.aurora.request import ReplicateRequest


class PreflightLook:
    """Implements ``aurora.inspecting.Look``."""

    def __init__(self, rds: RdsClusters, logins: DatabaseLogins) -> None:
        self._rds, self._logins = rds, logins

    def rds(self, request: ReplicateRequest, runs: tuple[str, ...]) -> RdsFacts:
        """What RDS tells."""
        return rds_facts(self._rds, request, runs)

    def sql(self, request: ReplicateRequest) -> SqlFacts:
        """What the source's writer tells."""
        cluster = self._rds.cluster(request.source)
        if cluster.engine != "aurora-mysql":
            raise InvalidRequest(f"{request.source} is {cluster.engine}, so it was not asked in SQL")
        return sql_facts(self._logins.login(cluster, request.secrets.source))

    def secret(self, request: ReplicateRequest) -> str:
        """The ARN of the secret with the source's login."""
        return self._logins.secret_of_source(request)

    def is_running(self, run: str) -> bool:
        """Whether that execution has not ended. One that Step Functions has forgotten has."""
        if not run:
            return False
        with aws.translated(f"describing {run}"):
            try:
                found = aws.client("stepfunctions").describe_execution(executionArn=run)
            except aws.client("stepfunctions").exceptions.ExecutionDoesNotExist:
                return False
        return found["status"] in ("RUNNING", "PENDING_REDRIVE")
