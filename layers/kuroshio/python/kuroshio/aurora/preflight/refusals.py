"""What makes a source none at all. Where one of these stops, nothing else is worth saying."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from kuroshio.aurora.preflight.rules import Rule, Verdict, blocking, fine

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.preflight.rules import Case

SUPPORTED = "Aurora MySQL 2 (5.7), 3 (8.0) and later, provisioned or Serverless v2"
_MAJOR = re.compile(r"(\d+)\.(\d+)(?:\.mysql_aurora\.(\d+)\.(\d+))?")
_REGION = 3  # of the parts of an ARN


def _exists(found: Cluster | None, case: Case) -> Verdict:
    rds, name = case.facts.rds, case.request.source
    if found is not None:
        return fine(f"{name} is {found.engine} {found.version} in {rds.region}")
    others = [each.name for each in rds.clusters] if isinstance(rds.clusters, tuple) else []
    near = difflib.get_close_matches(name, others, n=3)
    return blocking(
        f"{rds.region} has no cluster {name}" + (f"; did you mean {' or '.join(near)}?" if near else ""),
        "Check the name, the account and the region: a cluster of another region can neither be seen nor cloned here.",
        near,
    )


def _region(cluster: Cluster, case: Case) -> Verdict:
    here = case.facts.rds.region
    named = {"the cluster": cluster.arn, "its secret": case.secret or cluster.master_secret}
    away = {what: region for what, arn in named.items() if (region := _region_of(arn)) not in ("", here)}
    if away:
        said = " and ".join(f"{what} is in {region}" for what, region in away.items())
        return blocking(
            f"{said}, and this runs in {here}", "Start it in the region of the cluster: no clone crosses one."
        )
    return fine(f"all is in {here}")


def _region_of(arn: str) -> str:
    parts = arn.split(":")
    return parts[_REGION] if len(parts) > _REGION else ""


def _engine(engine: str, case: Case) -> Verdict:
    if engine == "aurora-mysql":
        return fine("the engine is Aurora MySQL")
    called = {"aurora-postgresql": "Aurora PostgreSQL", "aurora": "Aurora MySQL 1 (5.6)"}.get(engine, engine)
    return blocking(
        f"{case.request.source} is {called}, which is not supported",
        f"Supported is {SUPPORTED}." + (" PostgreSQL has no binlog." if "postgres" in engine else ""),
    )


def _mode(mode: str, _case: Case) -> Verdict:
    if mode == "provisioned":
        return fine("the cluster is provisioned or Serverless v2")
    called = {"serverless": "Serverless v1"}.get(mode, f"of the engine mode {mode}")
    return blocking(
        f"the cluster is {called}, which has no binlog replication", f"Convert it first. Supported is {SUPPORTED}."
    )


def _version(version: str, _case: Case) -> Verdict:
    found = _MAJOR.match(version)
    if found is None:
        return blocking(f"the engine version {version!r} is in no form that is known", f"Supported is {SUPPORTED}.")
    if (int(found[1]), int(found[2])) < (5, 7):
        return blocking(f"the engine version is {version}, which is not supported", f"Supported is {SUPPORTED}.")
    return fine(f"the engine version is {version}")


REFUSALS = (
    Rule("cluster", "whether the cluster exists", lambda case: case.facts.rds.cluster, _exists, is_final=True),
    Rule("region", "the region", lambda case: case.cluster, _region, is_final=True),
    Rule("engine", "the engine", lambda case: case.cluster.engine, _engine, is_final=True),
    Rule("engine-mode", "the engine mode", lambda case: case.cluster.engine_mode, _mode, is_final=True),
    Rule("engine-version", "the engine version", lambda case: case.cluster.version, _version, is_final=True),
)
