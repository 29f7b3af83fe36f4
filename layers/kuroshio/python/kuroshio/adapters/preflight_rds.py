"""What preflight asks of RDS. It reads, and what it may not read is unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from kuroshio.aurora.preflight.facts import RdsFacts, Unknown
from kuroshio.errors import NotFound, PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.aurora.cluster import Cluster, Parameter
    from kuroshio.aurora.preflight.facts import Known
    from kuroshio.aurora.request import ReplicateRequest

T = TypeVar("T")


def rds_facts(rds: RdsClusters, request: ReplicateRequest, runs: Known[tuple[str, ...]]) -> RdsFacts:
    """Ask all of it. ``runs``: the clones that other runs make of the source, which the ledger knows.

    Raises ServiceUnavailable; what is refused is unknown.
    """
    cluster = _known(lambda: _cluster(rds, request.source))
    clusters = _known(lambda: tuple(rds.clusters()))
    if cluster is None or isinstance(cluster, Unknown) or cluster.engine != "aurora-mysql":
        why = Unknown("the source is none that can be cloned, so nothing more was asked")
        return RdsFacts(rds.region, cluster, clusters, why, why, why, why, why, runs)
    own = _known(lambda: _parameters(rds, cluster.parameter_group))
    given = request.options.parameter_group
    subnets = request.options.subnet_group or cluster.subnet_group
    return RdsFacts(
        region=rds.region,
        cluster=cluster,
        clusters=clusters,
        parameters=own,
        clone_parameters=_known(lambda: _parameters(rds, given)) if given else own,
        free_addresses=_known(lambda: rds.free_addresses(subnets)),
        quotas=_known(rds.quotas),
        upgrade_targets=_known(lambda: tuple(rds.upgrade_targets(cluster.engine, cluster.version)))
        if request.upgrade_to
        else (),
        runs=runs,
    )


def _cluster(rds: RdsClusters, name: str) -> Cluster | None:
    try:
        return rds.cluster(name)
    except NotFound:
        return None


def _parameters(rds: RdsClusters, group: str) -> Mapping[str, Parameter]:
    return {parameter.name: parameter for parameter in rds.parameters(group)}


def _known(ask: Callable[[], T]) -> Known[T]:
    try:
        return ask()
    except PermanentError as error:
        return Unknown(str(error))
