"""Names that are taken, states in which RDS stays, events that are not what they must be, upgrades and removals."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_changes import RdsChanges
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.aurora.records import Phase
from kuroshio.errors import AccessRefused, CloneFailed, NotFound, RequestRefused, SeedRefused, ServiceUnavailable

if TYPE_CHECKING:
    from conftest import Paper

NEW = "8.4.mysql_aurora.8.4.7"


def described(name: str = "shop-copy") -> dict[str, Any]:
    found: dict[str, Any] = aws.client("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return found


def tags(found: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found["TagList"]}


@pytest.fixture
def source(paper: Paper) -> Paper:
    paper.source()
    return paper


# The clone --------------------------------------------------------------------------------------------------------------


def test_a_clone_is_as_its_source_but_for_its_group(source: Paper) -> None:
    RdsChanges(RdsClusters()).set_parameters("shop", {"time_zone": "Asia/Tokyo", "event_scheduler": "ON"})
    account = source.aurora.account
    account.cluster("shop").settings = {
        "EnableIAMDatabaseAuthentication": True,
        "KmsKeyId": "key",
        "CopyTagsToSnapshot": True,
    }
    account.instance("shop-1").settings = {"DBParameterGroupName": "own", "AutoMinorVersionUpgrade": False}
    source.ready(options={"tags": {"use": "staging"}})
    clone = described()
    instance = aws.client("rds").describe_db_instances(DBInstanceIdentifier="shop-copy-1")["DBInstances"][0]
    assert account.group("kuroshio-shop-copy").values == {
        "binlog_format": "ROW", "event_scheduler": "OFF", "time_zone": "Asia/Tokyo",
    }  # fmt: skip
    assert (clone["IAMDatabaseAuthenticationEnabled"], clone["KmsKeyId"], clone["DeletionProtection"]) == (
        True,
        "key",
        False,
    )
    assert (instance["AutoMinorVersionUpgrade"], instance["DBParameterGroups"][0]["DBParameterGroupName"]) == (
        False,
        "own",
    )
    assert (instance["DBInstanceClass"], instance["PubliclyAccessible"]) == ("db.r6g.large", False)
    mine = {"kuroshio:clone-of": "shop", "kuroshio:clone": "shop-copy"}
    assert tags(clone).items() >= ({"team": "orders", "use": "staging"} | mine).items()
    assert tags(instance).items() >= mine.items()
    assert source.ledger.read("shop-copy", "group") == {
        "name": "kuroshio-shop-copy", "as_source": {"binlog_format": "ROW", "event_scheduler": "ON"},
    }  # fmt: skip


def test_what_is_asked_for_comes_before_what_the_source_has(source: Paper) -> None:
    source.group("staging", time_zone="UTC", **{"replicate-ignore-db": "tmp"})
    source.aurora.account.subnet_groups["inner"] = ("subnet-9",)
    options = {
        "instance_class": "db.t4g.medium", "subnet_group": "inner", "security_groups": ["sg-2"], "parameter_group": "staging",
    }  # fmt: skip
    source.ready(options=options)
    clone = described()
    assert (clone["DBSubnetGroup"], clone["VpcSecurityGroups"][0]["VpcSecurityGroupId"]) == ("inner", "sg-2")
    assert source.aurora.account.instance("shop-copy-1").instance_class == "db.t4g.medium"
    values = source.aurora.account.group("kuroshio-shop-copy").values
    assert values == {"time_zone": "UTC", "binlog_format": "ROW", "event_scheduler": "OFF"}


@pytest.mark.parametrize("what", ["cluster", "group", "instance"])
def test_a_name_that_somebody_has_is_not_taken(source: Paper, what: str) -> None:
    match what:
        case "cluster":
            source.source("shop-copy", group="other")
        case "group":
            source.group("kuroshio-shop-copy", time_zone="UTC")
        case _:
            source.source("else", group="other")
            source.aurora.account.instances["shop-copy-1"] = source.aurora.account.instance("else-1")
    before = source.aurora.account.groups.get("kuroshio-shop-copy")
    with pytest.raises(RequestRefused, match=r"already.*nothing that exists is replaced"):
        source.ready()
    assert before is None or before.values == {"time_zone": "UTC"}
    assert ("shop-copy" in source.aurora.account.clusters) == (what != "group")


def test_a_clone_that_another_run_made_is_taken_over(source: Paper) -> None:
    source.ready(run="one")
    assert source.clone("clone", run="two") == {"status": "available"}
    assert source.clone("instance", run="two") == {"status": "available"}
    assert source.wire.calls.count("RestoreDBClusterToPointInTime") == 1


def test_a_copy_of_a_clone_with_all_its_tags_is_not_ours(source: Paper) -> None:
    source.ready()
    copied = [tag for tag in described()["TagList"] if tag["Key"].startswith("kuroshio")]
    aws.client("rds").restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="copied", SourceDBClusterIdentifier="shop-copy", RestoreType="copy-on-write",
        UseLatestRestorableTime=True, Tags=copied,
    )  # fmt: skip
    with pytest.raises(RequestRefused, match="a clone of shop made for shop-copy"):
        source.clone("clone", clone="copied")
    assert source.removed(clone="copied") == ["the cluster copied is not ours by its tags: nothing of it was touched"]


def test_nothing_is_cloned_while_the_source_writes_no_binlog_of_rows(paper: Paper) -> None:
    paper.source(binlog=False)
    with pytest.raises(SeedRefused, match="a clone of it would begin nowhere: nothing was made"):
        paper.clone("clone")
    assert "RestoreDBClusterToPointInTime" not in paper.wire.calls


@pytest.mark.parametrize(
    "operation",
    [
        "CopyDBClusterParameterGroup",
        "ModifyDBClusterParameterGroup",
        "RestoreDBClusterToPointInTime",
        "CreateDBInstance",
    ],
)
def test_a_permission_that_is_lacking_is_named_and_granting_it_is_enough(source: Paper, operation: str) -> None:
    source.wire.faults[operation] = ["denied"]
    with pytest.raises(AccessRefused, match=f"The function's role needs rds:{operation} on (kuroshio-)?shop-copy"):
        source.ready()
    source.aurora.rest()
    source.ready()
    assert source.clone("state") == {"ready": True, "status": "available"}


@pytest.mark.parametrize("operation", ["DeleteDBInstance", "DeleteDBCluster", "DeleteDBClusterParameterGroup"])
def test_a_removal_that_is_refused_is_told(source: Paper, operation: str) -> None:
    source.ready()
    source.wire.faults[operation] = ["denied"]
    try:
        left = source.removed()
    except AccessRefused as error:
        left = [str(error)]
    assert f"rds:{operation}" in left[0]
    source.aurora.rest()
    assert source.removed() == []


# States -----------------------------------------------------------------------------------------------------------------


def test_the_cluster_is_waited_for_and_then_its_instance(source: Paper) -> None:
    assert source.clone("clone") == {"status": "creating"}
    assert source.clone("state") == {"ready": False, "status": "creating"}
    assert source.clone("instance") == {"status": "creating"}  # too early: nothing was asked for
    source.aurora.rest()
    assert source.clone("state") == {"ready": True, "status": "available"}
    assert source.clone("instance") == {"status": "creating"}
    assert source.clone("state") == {"ready": False, "status": "creating"}
    source.aurora.rest()
    assert source.clone("state") == {"ready": True, "status": "available"}


@pytest.mark.parametrize(
    ("name", "status"),
    [("shop-copy", "cloning-failed"), ("shop-copy-1", "incompatible-parameters"), ("shop-copy-1", "storage-full")],
)
def test_a_wait_that_is_vain_ends(source: Paper, name: str, status: str) -> None:
    source.aurora.faults.statuses[name] = status
    source.clone("clone")
    source.aurora.rest()
    if name.endswith("-1"):
        source.clone("instance")
        source.aurora.rest()
    with pytest.raises(CloneFailed, match=f"{name} is {status}: "):
        source.clone("state")


def test_a_clone_that_somebody_removed_is_told(source: Paper) -> None:
    with pytest.raises(NotFound, match="ap-northeast-1 has no cluster shop-copy"):
        source.clone("state")
    with pytest.raises(NotFound):
        source.clone("seed")


def test_a_clone_that_is_going_is_not_taken_over(source: Paper) -> None:
    source.ready()
    source.clone("remove")
    with pytest.raises(ServiceUnavailable, match="is being removed still"):
        source.clone("clone")


# The seed ---------------------------------------------------------------------------------------------------------------


def test_the_seed_is_kept_and_later_events_do_not_matter(source: Paper) -> None:
    source.ready()
    begin = source.clone("seed")
    aws.client("rds").reboot_db_instance(DBInstanceIdentifier="shop-copy-1")
    source.aurora.rest()
    assert source.clone("seed") == begin
    kept = source.ledger.read("shop-copy", "seed")
    assert kept is not None
    assert (kept["position"], kept["resource"]) == (begin["position"], described()["DbClusterResourceId"])


def test_an_event_that_comes_late_is_waited_for(source: Paper) -> None:
    source.aurora.faults.event = "late"
    source.ready()
    assert source.clone("seed") == {"told": False, "position": ""}
    source.aurora.faults.release()
    assert source.clone("seed")["told"]


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [("lost", "told no binlog position within"), ("stale", "it is that of an earlier instance of this name")],
)
def test_an_event_that_never_comes_is_given_up_in_time(source: Paper, fault: str, refusal: str) -> None:
    source.aurora.faults.event = fault
    source.ready()
    assert not source.clone("seed")["told"]
    source.later = timedelta(minutes=14)
    assert not source.clone("seed")["told"]
    source.later = timedelta(minutes=16)
    with pytest.raises(SeedRefused, match=refusal):
        source.clone("seed")


def test_two_positions_before_the_first_was_kept_are_refused(source: Paper) -> None:
    source.ready()
    aws.client("rds").reboot_db_instance(DBInstanceIdentifier="shop-copy-1")
    source.aurora.rest()
    with pytest.raises(SeedRefused, match="it recovered twice"):
        source.clone("seed")


def test_a_position_from_before_the_clone_is_refused_unless_somebody_takes_it_upon_himself(source: Paper) -> None:
    RdsChanges(RdsClusters())
    source.aurora.paper("shop").write(500)
    source.clone("clone")
    source.aurora.rest()
    source.clone("instance")
    paper = source.aurora.paper("shop-copy")
    assert paper.last is not None
    paper.last = type(paper.last)(paper.last.file, paper.last.offset - 300)
    source.aurora.rest()
    with pytest.raises(SeedRefused, match="is early: the source had written up to"):
        source.clone("seed")
    assert source.clone("seed", overrides=["early-seed"])["told"]


@pytest.mark.parametrize("fault", ["enhanced", "off", "purged"])
def test_a_position_that_cannot_be_the_sources_is_refused(source: Paper, fault: str) -> None:
    source.ready()
    server = source.aurora.paper("shop")
    assert server.last is not None
    if fault == "enhanced":
        server.enhanced = True
    elif fault == "off":
        server.forced["binlog_format"] = "OFF"
    else:
        server.last = type(server.last)("mysql-bin-changelog.000001", 10)
    refusals = {"enhanced": "enhanced binlog", "off": "writes no binlog", "purged": "beyond the end of that file"}
    with pytest.raises(SeedRefused, match=refusals[fault]):
        source.clone("seed")
    if fault == "enhanced":
        assert source.clone("seed", overrides=["enhanced-binlog"])["told"]


def test_what_was_told_is_kept_though_the_source_does_not_answer(source: Paper) -> None:
    source.ready()
    source.aurora.paper("shop").container = ""
    with pytest.raises(ServiceUnavailable):
        source.clone("seed")
    aws.client("rds").reboot_db_instance(DBInstanceIdentifier="shop-copy-1")  # a second event, too late to confuse
    source.aurora.rest()
    source.aurora.paper("shop").container = "up"
    assert source.clone("seed")["told"]


def test_a_later_clone_of_the_name_begins_where_it_does_itself(source: Paper) -> None:
    source.ready()
    first = source.clone("seed")["position"]
    account = source.aurora.account
    for name in ("shop-copy-1",):  # removed by hand: the ledger does not know
        aws.client("rds").delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    aws.client("rds").delete_db_cluster(DBClusterIdentifier="shop-copy", SkipFinalSnapshot=True)
    source.aurora.rest()
    assert "shop-copy" not in account.clusters
    source.aurora.paper("shop").write()
    source.ready()
    second = source.clone("seed")["position"]
    assert second != first
    assert source.ledger.read("shop-copy", "seed")["position"] == second  # type: ignore[index]


def test_a_clone_whose_version_has_no_procedure_is_closed_by_its_group(source: Paper) -> None:
    source.aurora.paper("shop").has_procedure = False
    source.ready()
    source.aurora.paper("shop-copy").has_procedure = False
    assert not source.clone("seed")["told"]
    assert source.clone("seed")["told"]
    assert source.aurora.account.group("kuroshio-shop-copy").values["read_only"] == "1"


# Upgrade ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def seeded(source: Paper) -> Paper:
    RdsChanges(RdsClusters()).set_parameters("shop", {"time_zone": "Asia/Tokyo"})
    source.ready()
    source.clone("seed")
    return source


def test_an_upgrade_across_families_takes_the_values_along(seeded: Paper) -> None:
    assert seeded.clone("upgrade", upgrade_to=NEW)["status"] == "upgrading"
    assert seeded.clone("upgrade", upgrade_to=NEW)["status"] == "upgrading"
    seeded.aurora.rest()
    assert seeded.clone("upgrade", upgrade_to=NEW) == {"status": "available", "version": NEW}
    assert seeded.aurora.account.group("kuroshio-shop-copy-aurora-mysql8-4").values == {
        "binlog_format": "ROW", "event_scheduler": "OFF", "time_zone": "Asia/Tokyo",
    }  # fmt: skip
    assert seeded.aurora.paper("shop-copy").forced["read_only"] == "1"
    assert seeded.wire.calls.count("ModifyDBCluster") == 1
    assert seeded.removed() == []
    assert [name for name in seeded.aurora.account.groups if name.startswith("kuroshio")] == []


def test_a_minor_upgrade_keeps_the_group(seeded: Paper) -> None:
    version = "8.0.mysql_aurora.3.10.0"
    seeded.clone("upgrade", upgrade_to=version)
    seeded.aurora.rest()
    assert seeded.clone("upgrade", upgrade_to=version) == {"status": "available", "version": version}
    assert described()["DBClusterParameterGroup"] == "kuroshio-shop-copy"


def test_no_upgrade_is_asked_for_while_something_stands_against_it(seeded: Paper) -> None:
    server = seeded.aurora.paper("shop-copy")
    server.follows, server.open_work = (True, "mysql-bin-changelog.000001:4"), ["the XA transaction x is prepared"]
    with pytest.raises(RequestRefused) as caught:
        seeded.clone("upgrade", upgrade_to="5.7.mysql_aurora.2.12.0")
    said = str(caught.value)
    assert all(part in said for part in ("follows its source just now", "XA transaction x", "cannot become 5.7"))
    assert "ModifyDBCluster" not in seeded.wire.calls


def test_an_upgrade_that_rds_gives_up_is_told_and_may_be_tried_again(seeded: Paper) -> None:
    seeded.aurora.faults.no_upgrade = "orphaned FTS tables"
    seeded.clone("upgrade", upgrade_to=NEW)
    seeded.aurora.rest()
    with pytest.raises(CloneFailed, match="cannot be upgraded: orphaned FTS tables"):
        seeded.clone("upgrade", upgrade_to=NEW)
    seeded.aurora.faults.no_upgrade = ""
    seeded.clone("upgrade", upgrade_to=NEW)
    seeded.aurora.rest()
    assert seeded.clone("upgrade", upgrade_to=NEW)["version"] == NEW


# Removal ----------------------------------------------------------------------------------------------------------------


def test_a_clone_that_somebody_protects_or_adds_to_is_left(seeded: Paper) -> None:
    rds = aws.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="mine",
        DBClusterIdentifier="shop-copy",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )
    seeded.aurora.rest()
    assert seeded.removed() == ["the cluster shop-copy has mine, not ours by the tags: remove it and ask again"]
    rds.delete_db_instance(DBInstanceIdentifier="mine")
    seeded.aurora.rest()
    rds.modify_db_cluster(DBClusterIdentifier="shop-copy", DeletionProtection=True)
    assert "is protected from being deleted" in seeded.removed()[0]
    assert seeded.aurora.account.instance("shop-copy-1").status == "available"
    rds.modify_db_cluster(DBClusterIdentifier="shop-copy", DeletionProtection=False)
    assert seeded.removed() == []


@pytest.mark.parametrize("phase", [Phase.CUTTING_OVER, Phase.DONE])
def test_a_clone_that_took_over_is_never_removed(seeded: Paper, phase: Phase) -> None:
    seeded.ledger.phase("shop-copy", phase, seeded.clock())
    with pytest.raises(RequestRefused, match=f"took over, or is about to .it is {phase}."):
        seeded.clone("remove")
    assert described()["Status"] == "available"


def test_the_source_is_never_removed_whatever_it_is_called(seeded: Paper) -> None:
    assert seeded.removed(clone="shop", source="shop-copy") == [
        "the cluster shop is not ours by its tags: nothing of it was touched"
    ]


def test_a_group_that_another_cluster_has_stays_and_is_told(seeded: Paper) -> None:
    aws.client("rds").modify_db_cluster(DBClusterIdentifier="shop", DBClusterParameterGroupName="kuroshio-shop-copy")
    assert seeded.removed() == ["the parameter group kuroshio-shop-copy: shop has it"]


def test_removing_what_was_never_made_is_done_at_once(source: Paper) -> None:
    assert source.clone("remove") == {"gone": True, "left": []}
