"""RDS in the lab: what its API says of clusters is so on the servers, and a clone begins where its event says."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from harness import lab_in_process

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance
from kuroshio.aurora import seed
from kuroshio.aurora.cluster import Event
from kuroshio.errors import ServiceUnavailable
from lab.engine import find
from lab.rds.testing import PASSWORD, USER, aurora

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.mysql import Login
    from lab.rds.testing import Running

DOCS = Path(__file__).parents[3] / "docs" / "lab.md"


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    with aurora() as running:
        running.create_source("shop", readers=1)
        yield running


def one(lab: Running, name: str) -> dict[str, Any]:
    found: dict[str, Any] = lab.rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]
    return found


def told(lab: Running, name: str) -> seed.Seed | None:
    instance = lab.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    events = lab.rds.describe_events(SourceIdentifier=name, SourceType="db-instance")["Events"]
    return seed.told(
        [Event(event["SourceIdentifier"], event["Date"], event["Message"]) for event in events],
        name,
        instance["InstanceCreateTime"],
    )


def remove(lab: Running, name: str) -> None:
    lab.rds.delete_db_instance(DBInstanceIdentifier=f"{name}-1", SkipFinalSnapshot=True)
    lab.rest()
    lab.rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)


class Writers:
    """Threads that write transactions until they are told to stop."""

    def __init__(self, login: Login) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(login, number)) for number in range(3)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, login: Login, number: int) -> None:
        server = Server(login)
        while not self._stop.is_set():
            server.rows("INSERT INTO app.orders (note, amount) VALUES (%s, 1), (%s, 2)", (str(number), str(number)))
        server.close()


def checksum(server: Server) -> list[tuple[Any, ...]]:
    return server.rows(
        "SELECT COUNT(*), SUM(id), SUM(amount), BIT_XOR(CRC32(CONCAT(id, note, amount))) FROM app.orders"
    )


def test_a_clone_of_a_source_that_is_written_to_begins_exactly_where_its_event_says(lab: Running) -> None:
    source = lab.sql("shop")
    with Writers(lab.login("shop")):
        lab.clone("shop", "copy")
    begin = told(lab, "copy-1")
    assert begin is not None
    logs = {str(row[0]): int(row[1]) for row in source.rows("SHOW BINARY LOGS")}
    seed.check(begin, logs, log_bin=True, enhanced=False)
    clone, at = lab.sql("copy"), one(lab, "shop")
    clone.rows(
        "CALL mysql.rds_set_external_source(%s, %s, %s, %s, %s, %s, 1)",
        (at["Endpoint"], at["Port"], USER, PASSWORD, begin.position.file, begin.position.offset),
    )
    assert clone.rows("CALL mysql.rds_start_replication()") == [("Slave running normally.",)]
    Instance(lab.login("copy")).wait(Instance(lab.login("shop")).position(), 60)
    assert checksum(clone) == checksum(source)
    clone.rows("CALL mysql.rds_reset_external_source()")
    remove(lab, "copy")


@pytest.mark.parametrize("fault", ["lost", "late", "early", "stale"])
def test_the_event_can_be_what_it_must_not_be(lab: Running, fault: str) -> None:
    lab.faults.event = fault
    try:
        lab.clone("shop", f"odd-{fault}")
        name = f"odd-{fault}-1"
        if fault in {"lost", "late"}:
            assert told(lab, name) is None
            lab.faults.release()
            assert (told(lab, name) is None) == (fault == "lost")
        elif fault == "stale":
            earlier = datetime.now(UTC) - timedelta(hours=3)
            events = lab.rds.describe_events(SourceIdentifier=name, SourceType="db-instance", StartTime=earlier)[
                "Events"
            ]
            created = lab.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["InstanceCreateTime"]
            assert [event["Date"] < created for event in events if "Binlog" in event["Message"]] == [True]
        else:
            early = told(lab, name)
            logs = {str(row[0]): int(row[1]) for row in lab.sql("shop").rows("SHOW BINARY LOGS")}
            assert early is not None
            assert 0 < early.position.offset < logs[early.position.file]
        remove(lab, f"odd-{fault}")
    finally:
        lab.faults.event = ""


def test_a_clone_whose_group_is_not_named_gets_the_default_one_and_no_binlog(lab: Running) -> None:
    lab.rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="bare",
        SourceDBClusterIdentifier="shop",
        RestoreType="copy-on-write",
        UseLatestRestorableTime=True,
    )
    lab.rest()
    assert one(lab, "bare")["DBClusterParameterGroup"] == "default.aurora-mysql8.0"
    lab.add_instance("bare", "bare-1")
    lab.rest()
    bare = lab.sql("bare")
    assert bare.rows("SELECT @@log_bin") == [(0,)]
    assert checksum(bare) == checksum(lab.sql("shop"))
    assert told(lab, "bare-1") is not None
    bare.close()
    remove(lab, "bare")


def test_the_binlog_comes_with_the_reboot_and_a_clone_without_one_tells_nothing(lab: Running) -> None:
    lab.create_source("quiet", binlog=False)
    assert lab.sql("quiet").rows("SELECT @@log_bin") == [(0,)]
    lab.clone("quiet", "never")
    assert told(lab, "never-1") is None
    remove(lab, "never")
    assert one(lab, "quiet")["DBClusterMembers"][0]["DBClusterParameterGroupStatus"] == "in-sync"
    lab.turn_binlog("quiet", "ROW")
    assert one(lab, "quiet")["DBClusterMembers"][0]["DBClusterParameterGroupStatus"] == "pending-reboot"
    lab.rds.reboot_db_instance(DBInstanceIdentifier="quiet-1")
    lab.rest()
    assert one(lab, "quiet")["DBClusterMembers"][0]["DBClusterParameterGroupStatus"] == "in-sync"
    assert lab.sql("quiet").rows("SELECT @@log_bin, @@binlog_format") == [(1, "ROW")]
    assert "DB instance restarted" in lab.messages("quiet-1")
    remove(lab, "quiet")


def test_a_dynamic_parameter_takes_effect_at_once(lab: Running) -> None:
    def turn(state: str) -> None:
        change = {"ParameterName": "event_scheduler", "ParameterValue": state, "ApplyMethod": "immediate"}
        lab.rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="shop", Parameters=[change])

    turn("ON")
    assert lab.sql("shop").rows("SELECT @@event_scheduler") == [("ON",)]
    turn("OFF")
    assert lab.sql("shop").rows("SELECT @@event_scheduler") == [("OFF",)]


def test_after_a_failover_the_reader_writes_and_the_endpoint_is_the_same(lab: Running) -> None:
    before = checksum(lab.sql("shop")), one(lab, "shop")["Port"]
    lab.rds.failover_db_cluster(DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-2")
    lab.rest()
    writers = [m["DBInstanceIdentifier"] for m in one(lab, "shop")["DBClusterMembers"] if m["IsClusterWriter"]]
    assert writers == ["shop-2"]
    assert (checksum(lab.sql("shop")), one(lab, "shop")["Port"]) == before


def test_a_name_keeps_its_endpoint_whichever_cluster_bears_it(lab: Running) -> None:
    lab.clone("shop", "next")
    lab.sql("next").rows("INSERT INTO app.orders (note) VALUES ('of the clone')")
    port = one(lab, "shop")["Port"]
    lab.rds.modify_db_cluster(DBClusterIdentifier="shop", NewDBClusterIdentifier="shop-old", ApplyImmediately=True)
    with pytest.raises(ServiceUnavailable):
        lab.sql("shop").rows("SELECT 1")
    lab.rds.modify_db_cluster(DBClusterIdentifier="next", NewDBClusterIdentifier="shop", ApplyImmediately=True)
    assert one(lab, "shop")["Port"] == port
    assert lab.sql("shop").rows("SELECT COUNT(*) FROM app.orders WHERE note = 'of the clone'") == [(1,)]
    assert lab.sql("shop-old").rows("SELECT COUNT(*) FROM app.orders WHERE note = 'of the clone'") == [(0,)]
    lab.rds.modify_db_cluster(DBClusterIdentifier="shop", NewDBClusterIdentifier="next", ApplyImmediately=True)
    lab.rds.modify_db_cluster(DBClusterIdentifier="shop-old", NewDBClusterIdentifier="shop", ApplyImmediately=True)
    remove(lab, "next")


def test_refusals_carry_the_codes_of_rds(lab: Running) -> None:
    rds = lab.rds
    static = {"ParameterName": "binlog_format", "ParameterValue": "ROW", "ApplyMethod": "immediate"}
    dynamic = {"ParameterName": "event_scheduler", "ParameterValue": "ON", "ApplyMethod": "immediate"}
    default = "default.aurora-mysql8.0"
    with pytest.raises(rds.exceptions.DBClusterNotFoundFault):
        one(lab, "nobody")
    with pytest.raises(rds.exceptions.DBInstanceNotFoundFault):
        rds.describe_db_instances(DBInstanceIdentifier="nobody")
    with pytest.raises(rds.exceptions.DBParameterGroupNotFoundFault):
        rds.describe_db_cluster_parameters(DBClusterParameterGroupName="nobody")
    with pytest.raises(rds.exceptions.DBClusterAlreadyExistsFault):
        lab.rds.restore_db_cluster_to_point_in_time(
            DBClusterIdentifier="shop",
            SourceDBClusterIdentifier="shop",
            RestoreType="copy-on-write",
            UseLatestRestorableTime=True,
        )
    with pytest.raises(rds.exceptions.InvalidDBClusterStateFault):
        rds.delete_db_cluster(DBClusterIdentifier="shop", SkipFinalSnapshot=True)
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName="shop", Parameters=[static])
    with pytest.raises(ClientError, match="default one"):
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=default, Parameters=[dynamic])
    with pytest.raises(ClientError, match="without source type"):
        rds.describe_events(SourceIdentifier="shop-1")
    with pytest.raises(ClientError, match="NotImplemented"):
        rds.describe_db_proxies()


def test_a_lab_has_this_rds_behind_its_door(tmp_path: Path) -> None:
    with lab_in_process(tmp_path) as whole:
        groups = whole.aws("rds").describe_db_subnet_groups()["DBSubnetGroups"]
        assert [group["DBSubnetGroupName"] for group in groups] == ["default"]
    find().remove_network("kuroshio-in-process")


def test_the_example_of_the_docs_runs() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    example = next(block for block in blocks if "lab.rds.testing" in block)
    scope: dict[str, Any] = {}
    exec(example, scope)  # noqa: S102 - ours
    told = [event.message for event in scope["lab"].aurora.account.events if event.source == "copy-1"]
    assert [
        message for message in told if message.startswith("Binlog position from crash recovery is mysql-bin-changelog.")
    ]
