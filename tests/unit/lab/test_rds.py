"""The parts of the lab's RDS that need no server: rules of groups and clusters, times of events, the protocol."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from lab.databases.server import BINLOG
from lab.rds import settings, wire
from lab.rds.clusters import Account, Cluster
from lab.rds.parameters import Group, default_groups
from lab.rds.refusal import Refused

FAMILY = "aurora-mysql8.0"
RDS = botocore.session.get_session().get_service_model("rds")


def change(name: str, value: str, method: str = "pending-reboot") -> dict[str, str]:
    return {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}


def cluster(account: Account, name: str = "shop", **given: Any) -> Cluster:
    parts = {"version": "8.0.mysql_aurora.3.08.0", "group": "", "subnet_group": "", "user": "admin", "tags": {}}
    made = account.add_cluster(name, **(parts | given))
    made.status = "available"
    return made


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ([change("binlog_format", "ROW", "immediate")], "InvalidParameterCombination"),
        ([change("binlog_format", "SOMETIMES")], "InvalidParameterValue"),
        ([change("sync_binlog", "0")], "InvalidParameterValue"),
        ([change("no_such_thing", "1")], "InvalidParameterValue"),
        ([change("event_scheduler", "ON", "tomorrow")], "InvalidParameterValue"),
        ([change("event_scheduler", "ON")] * 21, "InvalidParameterValue"),
    ],
)
def test_a_refused_change_changes_nothing(changes: list[dict[str, str]], code: str) -> None:
    group = Group("mine", FAMILY, "")
    with pytest.raises(Refused) as refused:
        group.modify([change("time_zone", "Asia/Tokyo"), *changes])
    assert (refused.value.code, group.values) == (code, {})


def test_amazons_own_groups_stay_as_they_are() -> None:
    group = default_groups()[f"default.{FAMILY}"]
    with pytest.raises(Refused, match="default"):
        group.modify([change("event_scheduler", "ON")])
    with pytest.raises(Refused, match="default"):
        group.reset(None)


def test_only_a_static_parameter_makes_members_wait_for_a_reboot() -> None:
    account = Account()
    account.add_group("mine", FAMILY, "")
    home = cluster(account, group="mine")
    member = account.add_instance("shop-1", "shop", "db.r6g.large", 1, {})
    member.applied = account.static_values(home)
    account.group("mine").modify([change("event_scheduler", "ON", "immediate")])
    assert account.in_sync(member)
    account.group("mine").modify([change("binlog_format", "ROW")])
    assert not account.in_sync(member)


def test_a_server_has_a_binlog_unless_its_format_is_off() -> None:
    assert not set(BINLOG) <= set(settings.options({"binlog_format": "OFF"}))
    mixed = settings.options({"binlog_format": "MIXED"})
    assert set(BINLOG) <= set(mixed)
    assert [option for option in mixed if "binlog-format" in option][
        -1
    ] == "--binlog-format=MIXED"  # the last one holds
    assert settings.statements({"read_only": "{TrueIfReplica}", "time_zone": "UTC"}) == (
        "SET GLOBAL read_only = 0;SET GLOBAL time_zone = '+00:00';"
    )


def test_a_cluster_with_instances_or_protection_is_not_deleted_and_its_group_neither() -> None:
    account = Account()
    account.add_group("mine", FAMILY, "")
    home = cluster(account, group="mine")
    member = account.add_instance("shop-1", "shop", "db.r6g.large", 1, {})
    codes = []
    for attempt in (lambda: account.judge_removal(home), lambda: account.remove_group("mine")):
        with pytest.raises(Refused) as refused:
            attempt()
        codes.append(refused.value.code)
    assert codes == ["InvalidDBClusterStateFault", "InvalidDBParameterGroupState"]
    member.status = "deleting"
    home.protected = True
    with pytest.raises(Refused, match="protected"):
        account.judge_removal(home)
    home.protected = False
    account.judge_removal(home)  # RDS takes it while the last instance goes
    home.status = "deleting"
    with pytest.raises(Refused, match="already being deleted"):
        account.judge_removal(home)
    account.remove_instance(member)
    account.remove_cluster(home)
    account.remove_group("mine")
    assert account.clusters == {}


@pytest.mark.parametrize("name", ["1shop", "shop-", "sh--op", "shöp", "s" * 64, ""])
def test_names_follow_rdss_rule(name: str) -> None:
    with pytest.raises(Refused, match="not a valid identifier"):
        cluster(Account(), name)


def test_a_group_of_another_family_or_none_and_a_missing_subnet_group_are_refused() -> None:
    account = Account()
    account.add_group("old", "aurora-mysql5.7", "")
    given = [({"group": "old"}, "InvalidParameterCombination"), ({"group": "nobody"}, "DBParameterGroupNotFound")]
    given += [
        ({"subnet_group": "nowhere"}, "DBSubnetGroupNotFoundFault"),
        ({"version": "9.9.x"}, "InvalidParameterCombination"),
    ]
    for parts, code in given:
        with pytest.raises(Refused) as refused:
            cluster(account, **parts)
        assert refused.value.code == code


def test_members_follow_a_renamed_cluster() -> None:
    account = Account()
    home = cluster(account)
    account.add_instance("shop-1", "shop", "db.r6g.large", 1, {})
    account.rename(home, "shop-old")
    assert [one.name for one in account.members(account.cluster("SHOP-OLD"))] == ["shop-1"]
    with pytest.raises(Refused):
        account.cluster("shop")


def test_events_are_of_the_time_and_the_source_that_is_asked_for() -> None:
    account, noon = Account(), datetime(2026, 1, 15, 12, tzinfo=UTC)
    for hours, source in ((0, "a"), (1, "a"), (1, "b"), (-24 * 15, "a")):
        account.tell("db-instance", source, f"{source}{hours}", at=noon + timedelta(hours=hours))
    end = noon + timedelta(hours=2)
    told = account.told("db-instance", "a", noon - timedelta(days=30), end)
    assert [event.message for event in told] == ["a0", "a1"]
    assert [event.message for event in account.told("", "", noon + timedelta(minutes=1), end)] == ["a1", "b1"]
    assert list(account.told("db-instance", "a", noon, end, ["failover"])) == []


REQUESTS: list[tuple[str, dict[str, Any]]] = [
    ("DescribeDBClusters", {"Filters": [{"Name": "db-cluster-id", "Values": ["a", "b"]}], "MaxRecords": 20}),
    ("RestoreDBClusterToPointInTime", {"DBClusterIdentifier": "a", "UseLatestRestorableTime": True}),
    ("ModifyDBClusterParameterGroup", {"DBClusterParameterGroupName": "g", "Parameters": [change("x", "<&>")] * 12}),
    ("CreateDBCluster", {"VpcSecurityGroupIds": ["sg-1"], "Tags": [{"Key": "k", "Value": "v=&"}]}),
]


@pytest.mark.parametrize(("operation", "given"), REQUESTS)
def test_what_a_client_asks_is_read_as_it_was_meant(operation: str, given: dict[str, Any]) -> None:
    model = RDS.operation_model(operation)
    sent = create_serializer("query", include_validation=False).serialize_to_request(given, model)["body"]
    form = "&".join(f"{key}={_quoted(str(value))}" for key, value in sent.items())
    assert wire.parameters(operation, form.encode()) == given


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def test_what_the_lab_answers_is_read_by_a_client_as_it_was_meant() -> None:
    at = datetime(2026, 1, 15, 12, 0, 0, 123000, tzinfo=UTC)
    event = {"SourceIdentifier": "a", "Message": "<&>", "EventCategories": ["x", "y"], "Date": at}
    answer = wire.answer("DescribeEvents", {"Events": [event], "Marker": None})
    response = {"body": answer.body, "headers": answer.headers, "status_code": answer.status}
    parsed = create_parser("query").parse(response, RDS.operation_model("DescribeEvents").output_shape)
    assert parsed["Events"] == [event]
    with pytest.raises(KeyError, match="has no Colour"):
        wire.answer("DescribeEvents", {"Events": [{"Colour": "blue"}]})
