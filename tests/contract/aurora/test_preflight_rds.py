"""What preflight reads of RDS, judged at once: by moto, and by RDS's refusals where moto knows too little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.adapters.preflight_rds import rds_facts
from kuroshio.aurora import request as requests
from kuroshio.aurora.finding import Severity
from kuroshio.aurora.preflight import judgement
from kuroshio.aurora.preflight.facts import Facts, SqlFacts, Unknown
from kuroshio.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.request import ReplicateRequest

CLUSTER = {
    "DBClusterIdentifier": "orders", "Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0",
    "DBClusterParameterGroup": "own", "DBSubnetGroup": "inner", "Status": "available",
    "DBClusterArn": "arn:aws:rds:ap-northeast-1:123456789012:cluster:orders",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        aws.forget_clients()
        yield
    aws.forget_clients()


def asked(**given: Any) -> ReplicateRequest:
    return requests.parse({"schema": requests.SCHEMA, "source": "orders", "clone": "orders-next", **given})


def test_a_cluster_that_is_not_there_is_one_refusal_with_the_region() -> None:
    facts = Facts(rds_facts(RdsClusters(), asked(), ()), SqlFacts.unreached("no login"))
    found = judgement.judge(facts, asked(), answerable="mika")
    assert [(each.code, each.severity) for each in found] == [("cluster", Severity.BLOCKING)]
    assert "ap-northeast-1 has no cluster orders" in found[0].message


def test_postgresql_is_refused_by_its_name() -> None:
    aws.client("rds").create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-postgresql", MasterUsername="admin", MasterUserPassword="p" * 12
    )
    facts = Facts(rds_facts(RdsClusters(), asked(), ()), SqlFacts.unreached("no login"))
    found = {each.code: each for each in judgement.judge(facts, asked(), answerable="mika")}
    assert "Aurora PostgreSQL, which is not supported" in found["engine"].message


def answer_the_cluster(rds: Stubber) -> None:
    rds.add_response("describe_db_clusters", {"DBClusters": [CLUSTER]}, {"DBClusterIdentifier": "orders"})
    rds.add_response("describe_db_instances", {"DBInstances": []})
    rds.add_response("describe_db_instances", {"DBInstances": []}, {})
    rds.add_response("describe_db_clusters", {"DBClusters": [CLUSTER]}, {})


def test_what_is_refused_is_unknown_and_the_rest_is_read() -> None:
    with Stubber(aws.client("rds")) as rds:
        answer_the_cluster(rds)
        for operation in ("describe_db_cluster_parameters", "describe_db_subnet_groups", "describe_account_attributes"):
            rds.add_client_error(operation, "AccessDenied", "not for you", 403)
        found = rds_facts(RdsClusters(), asked(), ())
        rds.assert_no_pending_responses()

    unknown = (found.parameters, found.clone_parameters, found.free_addresses, found.quotas)
    assert all(isinstance(each, Unknown) and "not for you" in each.why for each in unknown)
    assert found.upgrade_targets == ()
    assert isinstance(found.clusters, tuple)
    assert [each.name for each in found.clusters] == ["orders"]


def test_the_groups_that_the_request_names_are_asked_for() -> None:
    wanted = "8.4.mysql_aurora.4.01.0"
    target = {"ValidUpgradeTarget": [{"EngineVersion": wanted}]}
    off = {"ParameterName": "event_scheduler", "ParameterValue": "OFF", "ApplyType": "dynamic"}
    with Stubber(aws.client("rds")) as rds:
        answer_the_cluster(rds)
        rds.add_response("describe_db_cluster_parameters", {"Parameters": []}, {"DBClusterParameterGroupName": "own"})
        rds.add_response(
            "describe_db_cluster_parameters", {"Parameters": [off]}, {"DBClusterParameterGroupName": "next"}
        )
        rds.add_response(
            "describe_db_subnet_groups", {"DBSubnetGroups": [{"Subnets": []}]}, {"DBSubnetGroupName": "outer"}
        )
        rds.add_response("describe_account_attributes", {"AccountQuotas": []})
        rds.add_response("describe_db_engine_versions", {"DBEngineVersions": [target]})
        options = {"parameter_group": "next", "subnet_group": "outer"}
        found = rds_facts(RdsClusters(), asked(options=options, upgrade_to=wanted), ())
        rds.assert_no_pending_responses()

    assert (found.parameters, found.free_addresses, found.quotas) == ({}, {}, {})
    assert isinstance(found.clone_parameters, dict)
    assert found.clone_parameters["event_scheduler"].value == "OFF"
    assert found.upgrade_targets == (wanted,)


def test_a_service_that_fails_is_asked_again_and_never_taken_for_unknown() -> None:
    with Stubber(aws.client("rds")) as rds:
        rds.add_client_error("describe_db_clusters", "InternalFailure", "later", 500)
        with pytest.raises(ServiceUnavailable):
            rds_facts(RdsClusters(), asked(), ())
