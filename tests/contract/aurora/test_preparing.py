"""Groups that are default, shared or changed meanwhile; two clones of one source; logins that are taken or rotated."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_changes import RdsChanges
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.aurora.ownership import user_of
from kuroshio.errors import AccessRefused, InvalidRequest, NotFound, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from conftest import Paper

SECRET = "kuroshio/test/aurora/shop-copy/replication"
LEFT = "shop writes its binlog until it next restarts: nothing was restarted for that"


def values(paper: Paper, group: str) -> dict[str, str]:
    return paper.aurora.account.group(group).values


def turned_on(paper: Paper, **fields: Any) -> None:
    if paper.prepare("binlog_on", **fields)["state"] == "reboot":
        paper.prepare("reboot", **fields)
        paper.aurora.rest()
    assert paper.prepare("binlog_state", **fields) == {"state": "on"}


def test_a_binlog_that_is_on_is_left_as_it_is(paper: Paper) -> None:
    paper.source()
    paper.wire.calls.clear()
    assert paper.prepare("binlog_on") == {"state": "on"}
    assert {call for call in paper.wire.calls if not call.startswith("Describe")} == set()
    assert paper.ledger.all("source/shop", "") == []


def test_a_binlog_that_the_next_restart_would_switch_off_is_kept_on(paper: Paper) -> None:
    paper.source()
    RdsChanges(RdsClusters()).set_parameters("shop", {"binlog_format": "OFF"})
    assert paper.prepare("binlog_on") == {"state": "on"}
    assert values(paper, "shop") == {"binlog_format": "ROW"}
    assert paper.prepare("restore")["left"] == [LEFT]
    assert values(paper, "shop") == {"binlog_format": "OFF"}


def test_a_group_of_the_sources_own_is_changed_and_set_back_to_what_it_had(paper: Paper) -> None:
    paper.source(binlog=False)
    RdsChanges(RdsClusters()).set_parameters("shop", {"binlog_format": "MIXED", "time_zone": "Asia/Tokyo"})
    turned_on(paper)
    assert values(paper, "shop") == {"binlog_format": "ROW", "time_zone": "Asia/Tokyo"}
    assert paper.prepare("restore")["left"] == [LEFT]
    assert values(paper, "shop") == {"binlog_format": "MIXED", "time_zone": "Asia/Tokyo"}


def test_a_group_that_others_have_is_copied_and_not_changed(paper: Paper) -> None:
    paper.group("shared", time_zone="Asia/Tokyo")
    paper.source(group="default.aurora-mysql8.0", binlog=False)
    for name in ("shop", "billing"):
        if name == "billing":
            paper.source(name, group="default.aurora-mysql8.0", binlog=False)
        aws.client("rds").modify_db_cluster(DBClusterIdentifier=name, DBClusterParameterGroupName="shared")
    turned_on(paper)
    assert values(paper, "shared") == {"time_zone": "Asia/Tokyo"}
    assert values(paper, "kuroshio-binlog-of-shop") == {"time_zone": "Asia/Tokyo", "binlog_format": "ROW"}
    assert paper.prepare("restore")["left"] == [LEFT]
    assert paper.aurora.account.cluster("shop").group == "shared"
    assert "kuroshio-binlog-of-shop" not in paper.aurora.account.groups


def test_a_group_of_our_name_that_is_not_ours_is_left_alone(paper: Paper) -> None:
    paper.source(group="default.aurora-mysql8.0", binlog=False)
    paper.group("kuroshio-binlog-of-shop")
    with pytest.raises(
        RequestRefused, match="parameter group kuroshio-binlog-of-shop already, and by its tags it is not ours"
    ):
        paper.prepare("binlog_on")
    assert values(paper, "kuroshio-binlog-of-shop") == {}
    assert paper.aurora.account.cluster("shop").group == "default.aurora-mysql8.0"


def test_what_somebody_changed_since_stays_so(paper: Paper) -> None:
    source = paper.source(binlog=False)
    turned_on(paper)
    paper.prepare("retention")
    source.retention = 240
    RdsChanges(RdsClusters()).set_parameters("shop", {"binlog_format": "STATEMENT"})
    left = paper.prepare("restore")["left"]
    assert left == [
        "shop keeps its binlogs for 240 hours, which somebody set since: it stays so",
        "the parameter group shop of shop was changed by somebody since: it stays as it is",
    ]
    assert source.retention == 240


def test_a_binlog_that_somebody_reads_stays_on(paper: Paper) -> None:
    source = paper.source(binlog=False)
    turned_on(paper)
    source.readers = ("dms from 10.0.0.7:4711",)
    assert paper.prepare("restore")["left"] == [
        "binlog_format of shop stays ROW: dms from 10.0.0.7:4711 reads the binlog"
    ]
    source.readers = (f"{user_of('shop-copy')} from 10.0.0.8:4712",)  # of the clone that is gone
    assert paper.prepare("restore")["left"] == [LEFT]


def test_a_source_stays_prepared_while_its_clone_is_there(paper: Paper) -> None:
    source = paper.source()
    paper.prepare("account")
    paper.ready()
    assert paper.prepare("restore")["left"] == [
        "the source stays prepared: the clone shop-copy is still there, and would lose its way"
    ]
    assert len(source.accounts) == 1
    assert paper.removed() == []
    assert paper.prepare("restore") == {"left": []}
    assert source.accounts == {}


def test_of_two_clones_the_last_undoes_what_both_need(paper: Paper) -> None:
    source = paper.source(binlog=False)
    turned_on(paper)
    for clone, hours in (("shop-copy", 72), ("other", 100)):
        paper.prepare("account", clone=clone)
        assert paper.prepare("retention", clone=clone, retention_hours=hours) == {"hours": hours, "before": None}
    assert len(source.accounts) == 2
    left = paper.prepare("restore")["left"]
    assert left == [f"the {what} of shop stays as it is: other needs it" for what in ("retention", "binlog")]
    assert (source.retention, len(source.accounts)) == (100, 1)
    assert paper.prepare("restore", clone="other", retention_hours=100)["left"] == [LEFT]
    assert (source.retention, source.accounts, values(paper, "shop")) == (None, {}, {})


def test_a_retention_that_is_long_enough_is_left_as_it_is(paper: Paper) -> None:
    source = paper.source()
    source.retention = 168
    assert paper.prepare("retention") == {"hours": 168, "before": 168}
    paper.prepare("restore")
    assert source.retention == 168


def test_after_a_cut_over_the_cluster_that_was_prepared_is_restored_and_not_the_one_of_its_name(paper: Paper) -> None:
    source = paper.source()
    paper.prepare("account")
    paper.prepare("retention")
    paper.ready()
    rds = aws.client("rds")
    rds.modify_db_cluster(DBClusterIdentifier="shop", NewDBClusterIdentifier="shop-old")
    rds.modify_db_cluster(DBClusterIdentifier="shop-copy", NewDBClusterIdentifier="shop")
    now = paper.aurora.paper("shop")
    paper.prepare("restore")
    assert (source.retention, source.accounts) == (None, {})
    assert now.retention == 72
    assert len(now.accounts) == 1


def test_a_source_that_is_gone_leaves_nothing_to_restore_but_the_secret(paper: Paper) -> None:
    paper.source()
    paper.prepare("account")
    paper.prepare("retention")
    rds = aws.client("rds")
    rds.delete_db_instance(DBInstanceIdentifier="shop-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier="shop", SkipFinalSnapshot=True)
    paper.aurora.rest()
    assert paper.prepare("restore") == {"left": []}
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []


def test_what_cannot_be_undone_is_told_with_what_to_do_by_hand(paper: Paper) -> None:
    source = paper.source()
    user = paper.prepare("account")["user"]
    paper.prepare("retention")
    paper.databases.refusal = AccessRefused("MySQL 1045: Access denied for user 'admin'")
    left = paper.prepare("restore")["left"]
    assert left[0].endswith(f"By hand on shop: DROP USER IF EXISTS '{user}'@'%'")
    assert left[1].startswith("the retention of binlogs: MySQL 1045")
    paper.databases.refusal = None
    assert paper.prepare("restore") == {"left": []}
    assert (source.retention, source.accounts) == (None, {})


def test_a_restart_that_switched_nothing_on_is_given_up(paper: Paper) -> None:
    source = paper.source(binlog=False)
    paper.prepare("binlog_on")
    paper.prepare("reboot")
    paper.aurora.rest()
    source.forced = {"binlog_format": "OFF"}
    assert paper.prepare("binlog_state") == {"state": "applying"}
    paper.later = timedelta(minutes=16)
    with pytest.raises(RequestRefused, match="its log_bin is off and its binlog_format OFF; the parameter group shop"):
        paper.prepare("binlog_state")


def test_a_restart_waits_until_rds_is_done_with_something_else(paper: Paper) -> None:
    paper.source(binlog=False)
    paper.prepare("binlog_on")
    paper.aurora.account.cluster("shop").status = "backing-up"
    with pytest.raises(ServiceUnavailable, match="shop is backing-up, its writer shop-1 available"):
        paper.prepare("reboot")
    assert "RebootDBInstance" not in paper.wire.calls


def test_readers_that_stayed_up_are_restarted_once_each(paper: Paper) -> None:
    paper.source(binlog=False, readers=2)
    paper.prepare("binlog_on")
    paper.prepare("reboot")
    paper.aurora.rest()
    for name in ("shop-2", "shop-3"):  # as since Aurora 2.10
        paper.aurora.account.instance(name).applied = {"binlog_format": "OFF"}
    seen = []
    for _ in range(3):
        seen.append(paper.prepare("binlog_state")["state"])
        paper.aurora.rest()
    assert seen == ["applying", "applying", "on"]
    assert paper.wire.calls.count("RebootDBInstance") == 3


# The login --------------------------------------------------------------------------------------------------------------


def kept() -> dict[str, str]:
    found: dict[str, str] = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"])
    return found


def test_the_password_is_in_the_secret_and_nowhere_else(paper: Paper) -> None:
    source = paper.source()
    answer = paper.prepare("account")
    login = kept()
    assert source.accounts[answer["user"]][0] == login["password"]
    assert len(login["password"]) == 32
    everything = json.dumps([answer, paper.ledger.all("shop-copy", ""), paper.ledger.all("source/shop", "")])
    assert login["password"] not in everything
    assert paper.ledger.read("shop-copy", "account")["secret"] == answer["secret"]  # type: ignore[index]


def test_a_password_that_was_rotated_becomes_the_accounts(paper: Paper) -> None:
    source = paper.source()
    user = paper.prepare("account")["user"]
    rotated = json.dumps({**kept(), "password": "rotated"})
    aws.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=rotated)
    paper.prepare("account")
    assert source.accounts[user][0] == "rotated"


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ('{"username": "x"}', "holds no login"),
        ("x", "holds no login"),
        ('{"username": "me", "password": "p"}', "not ours"),
    ],
)
def test_a_secret_of_our_name_that_is_not_ours_is_left_alone(paper: Paper, text: str, refusal: str) -> None:
    source = paper.source()
    aws.client("secretsmanager").create_secret(Name=SECRET, SecretString=text)
    with pytest.raises(RequestRefused, match=refusal) as caught:
        paper.prepare("account")
    assert '"p"' not in str(caught.value)
    assert source.accounts == {}
    assert len(paper.prepare("restore")["left"]) == 1
    assert aws.client("secretsmanager").get_secret_value(SecretId=SECRET)["SecretString"] == text


def test_a_secret_that_somebody_is_deleting_is_waited_for(paper: Paper) -> None:
    paper.source()
    paper.prepare("account")
    aws.client("secretsmanager").delete_secret(SecretId=SECRET, RecoveryWindowInDays=7)
    with pytest.raises(ServiceUnavailable, match="is being deleted"):
        paper.prepare("account")


# Refusals ---------------------------------------------------------------------------------------------------------------


def test_another_engine_is_refused_by_name_before_anything_is_changed(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.source()
    monkeypatch.setattr("lab.rds.documents._ENGINE", "aurora-postgresql")
    with pytest.raises(InvalidRequest, match="engine aurora-postgresql, which is not supported; aurora-mysql is"):
        paper.prepare("binlog_on")


def test_a_source_of_another_region_is_not_found_in_this_one(paper: Paper) -> None:
    with pytest.raises(NotFound, match="DBCluster shop not found"):
        paper.prepare("binlog_on")


@pytest.mark.parametrize(
    ("operation", "group"),
    [
        ("CreateDBClusterParameterGroup", "default.aurora-mysql8.0"),
        ("ModifyDBClusterParameterGroup", "shop"),
        ("ModifyDBCluster", "default.aurora-mysql8.0"),
    ],
)
def test_a_permission_that_is_lacking_is_named(paper: Paper, operation: str, group: str) -> None:
    paper.source(group=group, binlog=False)
    paper.wire.faults[operation] = ["denied"]
    with pytest.raises(AccessRefused, match=f"The function's role needs rds:{operation} on "):
        paper.prepare("binlog_on")
    assert paper.prepare("binlog_on")["state"] == "reboot"
    assert paper.prepare("restore")["left"] in ([], [LEFT])


def test_rds_that_throttles_is_asked_again(paper: Paper) -> None:
    paper.source(binlog=False)
    paper.wire.faults["ModifyDBClusterParameterGroup"] = ["throttled", "throttled"]
    assert paper.prepare("binlog_on")["state"] == "reboot"
