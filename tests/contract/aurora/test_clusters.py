"""Clusters of RDS: by moto where it knows the operation, else by answers that botocore's own model has judged."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.aurora.cluster import Event, Quota
from kuroshio.errors import AccessRefused, NotFound, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SEED = "Binlog position from crash recovery is mysql-bin-changelog.000007 4711"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        aws.forget_clients()
        yield
    aws.forget_clients()


@pytest.fixture
def rds() -> Iterator[Stubber]:
    """RDS whose answers are written here; request and answer are both held against the service's model."""
    with Stubber(aws.client("rds")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def make_cluster(name: str, group: str = "", *instances: str) -> None:
    client = aws.client("rds")
    own = {"DBClusterParameterGroupName": group} if group else {}
    client.create_db_cluster(
        DBClusterIdentifier=name, Engine="aurora-mysql", MasterUsername="admin", MasterUserPassword="p" * 12,
        Tags=[{"Key": "team", "Value": "orders"}], **own,
    )  # fmt: skip
    for instance in instances:
        client.create_db_instance(
            DBInstanceIdentifier=instance,
            DBClusterIdentifier=name,
            Engine="aurora-mysql",
            DBInstanceClass="db.r6g.large",
        )


def make_group(name: str) -> None:
    aws.client("rds").create_db_cluster_parameter_group(
        DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description="of orders"
    )


def test_a_cluster_is_told_with_its_instances() -> None:
    make_group("own")
    make_cluster("orders", "own", "orders-1", "orders-2")
    make_cluster("other", "", "other-1")

    found = RdsClusters().cluster("orders")

    assert (found.name, found.engine, found.status, found.port) == ("orders", "aurora-mysql", "available", 3306)
    assert found.arn.startswith("arn:aws:rds:ap-northeast-1:")
    assert (found.parameter_group, found.master_user, found.tags) == ("own", "admin", {"team": "orders"})
    assert [(member.name, member.instance_class) for member in found.members] == [
        ("orders-1", "db.r6g.large"),
        ("orders-2", "db.r6g.large"),
    ]
    assert [member.name for member in found.members if member.is_writer] == ["orders-1"]
    assert found.writer is not None
    assert found.writer.status == "available"
    assert found.writer.created is not None


def test_a_cluster_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound, match="nobody"):
        RdsClusters().cluster("nobody")


def test_a_group_is_used_by_the_clusters_that_have_it() -> None:
    make_group("shared")
    for name in ("b", "a"):
        make_cluster(name, "shared")
    make_cluster("c")

    assert RdsClusters().groups_used_by("shared") == ["a", "b"]
    assert [cluster.name for cluster in RdsClusters().clusters()] == ["a", "b", "c"]


def test_the_addresses_of_a_subnet_group_are_those_of_its_subnets() -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ids = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=block)["Subnet"]["SubnetId"] for block in ("10.0.1.0/24", "10.0.2.0/28")
    ]
    aws.client("rds").create_db_subnet_group(DBSubnetGroupName="inner", DBSubnetGroupDescription="-", SubnetIds=ids)

    assert RdsClusters().free_addresses("inner") == {ids[0]: 251, ids[1]: 11}
    with pytest.raises(NotFound):
        RdsClusters().free_addresses("nothing")


def parameter(name: str, value: str | None) -> dict[str, Any]:
    given = {} if value is None else {"ParameterValue": value}
    return {"ParameterName": name, "ApplyType": "static", "IsModifiable": True, "Source": "user", **given}


def test_parameters_are_read_over_their_pages(rds: Stubber) -> None:
    group = {"DBClusterParameterGroupName": "own"}
    first = {"Parameters": [parameter("binlog_format", "ROW")], "Marker": "more"}
    rds.add_response("describe_db_cluster_parameters", first, group)
    rds.add_response("describe_db_cluster_parameters", {"Parameters": [parameter("event_scheduler", None)]}, {**group, "Marker": "more"})  # fmt: skip

    found = RdsClusters().parameters("own")

    assert [(each.name, each.value, each.apply_type, each.modifiable) for each in found] == [
        ("binlog_format", "ROW", "static", True),
        ("event_scheduler", None, "static", True),
    ]


def test_clusters_and_their_instances_are_read_over_their_pages(rds: Stubber) -> None:
    def listed(name: str) -> dict[str, Any]:
        members = [{"DBInstanceIdentifier": f"{name}-1", "IsClusterWriter": True, "DBClusterParameterGroupStatus": "in-sync"}]  # fmt: skip
        return {"DBClusterIdentifier": name, "Engine": "aurora-mysql", "DBClusterMembers": members}

    def instance(name: str) -> dict[str, Any]:
        return {"DBInstanceIdentifier": name, "DBInstanceStatus": "available"}

    rds.add_response("describe_db_instances", {"DBInstances": [instance("a-1")], "Marker": "m"}, {})
    rds.add_response("describe_db_instances", {"DBInstances": [instance("b-1")]}, {"Marker": "m"})
    rds.add_response("describe_db_clusters", {"DBClusters": [listed("b")], "Marker": "m"}, {})
    rds.add_response("describe_db_clusters", {"DBClusters": [listed("a")]}, {"Marker": "m"})

    found = RdsClusters().clusters()

    assert [(each.name, each.members[0].status, each.members[0].applied) for each in found] == [
        ("a", "available", "in-sync"),
        ("b", "available", "in-sync"),
    ]


def test_events_are_those_of_the_instance_the_earliest_first(rds: Stubber) -> None:
    asked = {"SourceIdentifier": "orders-1", "SourceType": "db-instance", "StartTime": NOON}

    def told(minute: int, text: str) -> dict[str, Any]:
        return {
            "SourceIdentifier": "orders-1",
            "Date": NOON.replace(minute=minute),
            "Message": text,
            "EventCategories": [],
        }

    rds.add_response("describe_events", {"Events": [told(9, "restarted")], "Marker": "m"}, asked)
    rds.add_response("describe_events", {"Events": [told(2, SEED)]}, {**asked, "Marker": "m"})

    assert RdsClusters().events("orders-1", NOON) == [
        Event("orders-1", NOON.replace(minute=2), SEED),
        Event("orders-1", NOON.replace(minute=9), "restarted"),
    ]


def test_quotas_are_told_by_their_names(rds: Stubber) -> None:
    rds.add_response("describe_account_attributes", {"AccountQuotas": [{"AccountQuotaName": "DBClusters", "Used": 39, "Max": 40}]}, {})  # fmt: skip
    assert RdsClusters().quotas() == {"DBClusters": Quota(39, 40)}


def test_a_version_tells_what_it_can_become(rds: Stubber) -> None:
    version = "5.7.mysql_aurora.2.11.4"
    asked = {"Engine": "aurora-mysql", "EngineVersion": version, "IncludeAll": True}
    targets = [{"Engine": "aurora-mysql", "EngineVersion": "8.0.mysql_aurora.3.08.0"}]
    rds.add_response("describe_db_engine_versions", {"DBEngineVersions": [{"ValidUpgradeTarget": targets}]}, asked)
    assert RdsClusters().upgrade_targets("aurora-mysql", version) == ["8.0.mysql_aurora.3.08.0"]


def test_a_cluster_of_the_least_that_rds_may_tell(rds: Stubber) -> None:
    rds.add_response("describe_db_clusters", {"DBClusters": [{"DBClusterIdentifier": "a", "Engine": "aurora-mysql"}]})
    rds.add_response("describe_db_instances", {"DBInstances": []})
    found = RdsClusters().cluster("a")
    assert (found.members, found.writer, found.engine_mode, found.serverless) == ((), None, "provisioned", False)


def test_an_answer_without_a_cluster_is_not_found(rds: Stubber) -> None:
    rds.add_response("describe_db_clusters", {"DBClusters": []})
    with pytest.raises(NotFound, match="ap-northeast-1 has no cluster a"):
        RdsClusters().cluster("a")


@pytest.mark.parametrize(
    ("code", "status", "ours"),
    [("AccessDenied", 403, AccessRefused), ("Throttling", 400, ServiceUnavailable), ("DBClusterParameterGroupNotFound", 404, NotFound), ("DBParameterGroupNotFound", 404, NotFound)],
)  # fmt: skip
def test_refusals_are_ours(rds: Stubber, code: str, status: int, ours: type[Exception]) -> None:
    rds.add_client_error("describe_db_cluster_parameters", code, "so RDS says", status)
    with pytest.raises(ours, match=r"describe db cluster parameters own: .*so RDS says"):
        RdsClusters().parameters("own")
