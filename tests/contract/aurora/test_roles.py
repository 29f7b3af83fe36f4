"""What the roles of prepare_source and clone_cluster allow, by the simulator of the lab's permissions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from lab.permissions.judge import Need, judge
from lab.permissions.roles import Role

ROOT = Path(__file__).parents[3]
VALUES = {
    "AWS::Partition": "aws", "AWS::Region": "ap-northeast-1", "AWS::AccountId": "123456789012",
    "AWS::URLSuffix": "amazonaws.com", "Environment": "dev",
}  # fmt: skip
RDS = "arn:aws:rds:ap-northeast-1:123456789012"
SECRETS = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret"
OURS = (("kuroshio:clone-of", "shop"),)


def written(value: Any) -> Any:
    """With what Fn::Sub puts in."""
    if isinstance(value, list):
        return [written(each) for each in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("Fn::Sub"), str):
        return re.sub(r"\$\{([^}]+)\}", lambda found: VALUES[found[1]], value["Fn::Sub"])
    if "Fn::GetAtt" in value:
        return "arn:aws:logs:ap-northeast-1:123456789012:log-group:x:*"
    return {key: written(each) for key, each in value.items()}


@pytest.fixture(scope="module")
def roles() -> dict[str, Role]:
    resources = yaml_parse((ROOT / "aurora.yaml").read_text())["Resources"]
    names = ("PrepareSource", "CloneCluster")
    found = {name: resources[f"{name}Role"]["Properties"]["Policies"] for name in names}
    return {
        name: Role(
            f"arn:aws:iam::123456789012:role/{name}",
            name,
            {p["PolicyName"]: written(p["PolicyDocument"]) for p in each},
        )
        for name, each in found.items()
    }


ALLOWED = [
    ("PrepareSource", "rds:ModifyDBClusterParameterGroup", f"{RDS}:cluster-pg:shop", ()),
    ("PrepareSource", "rds:CreateDBClusterParameterGroup", f"{RDS}:cluster-pg:kuroshio-binlog-of-shop", ()),
    ("PrepareSource", "rds:RebootDBInstance", f"{RDS}:db:shop-1", ()),
    ("PrepareSource", "secretsmanager:CreateSecret", f"{SECRETS}:kuroshio/dev/aurora/shop-copy/replication-AbCdEf", ()),
    ("CloneCluster", "rds:RestoreDBClusterToPointInTime", f"{RDS}:cluster:shop-copy", ()),
    ("CloneCluster", "rds:CreateDBInstance", f"{RDS}:db:shop-copy-1", ()),
    ("CloneCluster", "rds:ModifyDBClusterParameterGroup", f"{RDS}:cluster-pg:kuroshio-shop-copy", ()),
    ("CloneCluster", "rds:ModifyDBCluster", f"{RDS}:cluster:shop-copy", OURS),
    ("CloneCluster", "rds:DeleteDBCluster", f"{RDS}:cluster:shop-copy", OURS),
    ("CloneCluster", "rds:DeleteDBInstance", f"{RDS}:db:shop-copy-1", OURS),
]
REFUSED = [
    ("PrepareSource", "rds:DeleteDBCluster", f"{RDS}:cluster:shop", OURS),
    ("PrepareSource", "rds:DeleteDBClusterParameterGroup", f"{RDS}:cluster-pg:shop", ()),
    ("PrepareSource", "secretsmanager:DeleteSecret", f"{SECRETS}:kuroshio/dev/aurora/shop-AbCdEf", ()),
    (
        "PrepareSource",
        "secretsmanager:DeleteSecret",
        f"{SECRETS}:kuroshio/prod/aurora/shop-copy/replication-AbCdEf",
        (),
    ),
    ("CloneCluster", "rds:DeleteDBCluster", f"{RDS}:cluster:shop", ()),
    ("CloneCluster", "rds:DeleteDBInstance", f"{RDS}:db:shop-1", (("team", "orders"),)),
    ("CloneCluster", "rds:ModifyDBCluster", f"{RDS}:cluster:shop", ()),
    ("CloneCluster", "rds:RebootDBInstance", f"{RDS}:db:shop-1", ()),
    ("CloneCluster", "rds:ModifyDBClusterParameterGroup", f"{RDS}:cluster-pg:shop", ()),
    ("CloneCluster", "secretsmanager:CreateSecret", f"{SECRETS}:kuroshio/dev/aurora/shop-copy/replication-AbCdEf", ()),
]


def test_the_roles_allow_what_the_steps_do_and_nothing_that_would_harm_the_source(roles: dict[str, Role]) -> None:
    needs = [Need(roles[role].arn, *rest) for role, *rest in ALLOWED + REFUSED]
    decisions = {verdict.need: verdict.is_allowed for verdict in judge(needs, roles.values())}
    assert [need for need in needs[: len(ALLOWED)] if not decisions[need]] == []
    assert [need for need in needs[len(ALLOWED) :] if decisions[need]] == []
