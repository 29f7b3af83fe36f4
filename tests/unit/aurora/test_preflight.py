"""Every trap that can be seen before anything is changed: each is a finding, and a source without any has none."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.aurora import request as requests
from kuroshio.aurora.cluster import Cluster, Member, Parameter, Quota
from kuroshio.aurora.finding import Finding, Severity
from kuroshio.aurora.preflight import judgement
from kuroshio.aurora.preflight.facts import Facts, RdsFacts, SqlFacts, Transaction, Unknown

if TYPE_CHECKING:
    from kuroshio.aurora.request import ReplicateRequest

ARN = "arn:aws:rds:ap-northeast-1:123456789012:cluster:orders"
SECRET = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:orders"
SOURCE = Cluster(
    name="orders", arn=ARN, engine="aurora-mysql", version="8.0.mysql_aurora.3.08.0", status="available",
    endpoint="orders.cluster", reader_endpoint="orders.ro", port=3306, parameter_group="orders-group",
    subnet_group="inner", security_groups=("sg-1",), master_user="admin", clone_group="g",
    members=(Member("orders-1", True, "in-sync", "available"), Member("orders-2", False, "in-sync", "available")),
)  # fmt: skip
QUOTAS = {name: Quota(1, 40) for name in ("DBClusters", "DBInstances", "DBClusterParameterGroups")}
GOOD = Facts(
    RdsFacts("ap-northeast-1", SOURCE, (SOURCE,), {}, {}, {"subnet-1": 100}, QUOTAS, ("8.4.mysql_aurora.4.01.0",), ()),
    SqlFacts(
        server_name="orders-1", is_writable=True, user="admin@%", cipher="TLS_AES_256_GCM_SHA384", log_bin=True,
        binlog_format="ROW", row_image="FULL", checksum="CRC32", enhanced=False, retention_hours=72, gtid_mode="OFF",
        follows=(), replicas=(), without_key=(), other_engines=(), events=(), triggers=(), filters=(), definers=(),
        transactions=(), prepared=(), accounts=("app@%",), privileged=("admin@%",),
    ),
)  # fmt: skip


def asked(**given: Any) -> ReplicateRequest:
    return requests.parse({"schema": requests.SCHEMA, "source": "orders", "clone": "orders-next", **given})


def judge(facts: Facts, **given: Any) -> dict[str, Finding]:
    found = judgement.judge(facts, asked(**given), answerable="mika", secret=SECRET)
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def of_source(**changes: Any) -> Facts:
    cluster = replace(SOURCE, **changes)
    return of_rds(cluster=cluster, clusters=(cluster,))


def of_rds(**changes: Any) -> Facts:
    return replace(GOOD, rds=replace(GOOD.rds, **changes))


def of_sql(**changes: Any) -> Facts:
    return replace(GOOD, sql=replace(GOOD.sql, **changes))


def set_to(name: str, value: str) -> dict[str, Parameter]:
    return {name: Parameter(name, value, "static", modifiable=True, source="user")}


def clones(number: int) -> tuple[Cluster, ...]:
    return (SOURCE, *(replace(SOURCE, name=f"clone-{each}", parameter_group="other") for each in range(number)))


def test_a_source_without_any_trap_is_fine_in_all() -> None:
    found = judge(GOOD)
    assert {code: finding for code, finding in found.items() if finding.severity is not Severity.FINE} == {
        "accounts": found["accounts"]
    }
    assert found["accounts"].severity is Severity.NOTE
    assert judgement.may_begin(found.values())


B, W, N, F, U = Severity.BLOCKING, Severity.WARNING, Severity.NOTE, Severity.FINE, Severity.UNKNOWN
OFF = {"log_bin": False, "binlog_format": "OFF"}
SHARED = (SOURCE, replace(SOURCE, name="billing"), replace(SOURCE, name="search"))
RDS_TRAPS: list[tuple[str, str, Severity, Facts, str]] = [
    ("wrong name", "cluster", B, of_rds(cluster=None, clusters=(replace(SOURCE, name="order"),)), "has no cluster orders; did you mean order"),
    ("wrong name, nothing near", "cluster", B, of_rds(cluster=None, clusters=()), "ap-northeast-1 has no cluster orders"),
    ("another region", "region", B, of_source(arn=ARN.replace("ap-northeast-1", "us-east-1")), "the cluster is in us-east-1"),
    ("PostgreSQL", "engine", B, of_source(engine="aurora-postgresql"), "Aurora PostgreSQL, which is not supported"),
    ("RDS MySQL", "engine", B, of_source(engine="mysql"), "is mysql, which is not supported"),
    ("Aurora 1", "engine", B, of_source(engine="aurora"), r"Aurora MySQL 1 \(5.6\)"),
    ("Serverless v1", "engine-mode", B, of_source(engine_mode="serverless"), "Serverless v1, which has no binlog"),
    ("parallel query of old", "engine-mode", B, of_source(engine_mode="parallelquery"), "engine mode parallelquery"),
    ("5.6", "engine-version", B, of_source(version="5.6.mysql_aurora.1.23.4"), "not supported"),
    ("a version of no form", "engine-version", B, of_source(version="next"), "'next' is in no form"),
    ("no instance", "status", B, of_source(members=()), "no writer instance"),
    ("upgrading", "status", B, of_source(status="upgrading"), "the cluster is upgrading"),
    ("an instance away", "status", B, of_source(members=(Member("orders-1", True, "in-sync", "rebooting"),)), "orders-1 is rebooting"),
    ("clone name taken", "clone-name", B, of_rds(clusters=(SOURCE, replace(SOURCE, name="orders-next"))), "called orders-next already"),
    ("two runs", "other-runs", B, of_rds(runs=("orders-staging", "orders-next")), "another run makes orders-staging of"),
    ("a parameter waits", "pending-restart", W, of_source(members=(Member("orders-1", True, "pending-reboot", "available"),)), "restart of orders-1"),
    ("clone filters", "clone-parameters", W, of_rds(clone_parameters=set_to("replicate-ignore-db", "tmp")), "filters of replication"),
    ("clone filters, other spelling", "clone-parameters", W, of_rds(clone_parameters=set_to("binlog_do_db", "tmp")), "filters of replication"),
    ("clone's scheduler", "clone-parameters", N, of_rds(clone_parameters=set_to("event_scheduler", "ON")), "event_scheduler on"),
    ("clone read only", "clone-parameters", W, of_rds(clone_parameters=set_to("read_only", "1")), "read_only on"),
    ("yield seconds", "binlog-reading", W, of_rds(parameters=set_to("aurora_binlog_replication_max_yield_seconds", "60")), "may never catch up"),
    ("binlog filtering", "binlog-reading", W, of_rds(parameters=set_to("aurora_enable_repl_bin_log_filtering", "1")), "may never catch up"),
    ("the 16th clone", "clones", B, of_rds(clusters=clones(15)), "15 clones already, so the next is a full copy"),
    ("the 15th clone", "clones", F, of_rds(clusters=clones(14)), "14 clones"),
    ("no address", "addresses", B, of_rds(free_addresses={"a": 0, "b": 0}), "no free address"),
    ("few addresses", "addresses", W, of_rds(free_addresses={"a": 2, "b": 100}), "1 subnet has fewer"),
    ("no room for a cluster", "quotas", B, of_rds(quotas=QUOTAS | {"DBClusters": Quota(40, 40)}), "40 of 40 clusters"),
    ("a quota that is not told", "quotas", U, of_rds(quotas={"DBClusters": Quota(1, 40)}), "no quota of instances"),
    ("global database", "global-database", W, of_source(global_cluster=True), "in a global database"),
    ("managed password", "master-password", W, of_source(master_secret=SECRET), "RDS manages the master password"),
]  # fmt: skip
SQL_TRAPS: list[tuple[str, str, Severity, Facts, str]] = [
    ("another cluster", "server", B, of_sql(server_name="billing-1"), "billing-1, which is no instance of orders"),
    ("a reader", "server", B, of_sql(server_name="orders-2"), "a reader of orders"),
    ("no name of Aurora", "server", W, of_sql(server_name=""), "rests on its endpoint alone"),
    ("read only", "writer", B, of_sql(is_writable=False), "takes no writes"),
    ("not the master user", "login", B, of_sql(user="app@%"), "only the master user admin"),
    ("no TLS", "tls", B, of_sql(cipher=""), "not encrypted"),
    ("binlog off", "log-bin", W, of_sql(**OFF), "every reader: orders-1, orders-2"),
    ("binlog off, its format", "binlog-format", N, of_sql(**OFF), "becomes ROW with the binlog"),
    ("binlog off, a default group", "parameter-group", W, replace(of_source(parameter_group="default.aurora-mysql8.0"), sql=of_sql(**OFF).sql), "nobody can change"),
    ("binlog off, a shared group", "parameter-group", W, replace(of_rds(clusters=SHARED), sql=of_sql(**OFF).sql), "2 other clusters too .billing, search"),
    ("binlog off, an own group", "parameter-group", F, of_sql(**OFF), "alone"),
    ("binlog of rows, a shared group", "parameter-group", F, of_rds(clusters=SHARED), "stays as it is"),
    ("mixed", "binlog-format", W, of_sql(binlog_format="MIXED"), "binlog_format is MIXED"),
    ("minimal rows", "row-image", W, of_sql(row_image="MINIMAL"), "MINIMAL"),
    ("no checksum", "checksum", W, of_sql(checksum="NONE"), "no checksum"),
    ("enhanced binlog", "enhanced-binlog", B, of_sql(enhanced=True), "begins at 000001 again"),
    ("no retention", "retention", N, of_sql(retention_hours=0), "until RDS purges them"),
    ("short retention", "retention", N, of_sql(retention_hours=24), "for 24 hours; it becomes 72"),
    ("GTIDs", "gtid", N, of_sql(gtid_mode="ON"), "gtid_mode is ON"),
    ("source is a replica", "follows", B, of_sql(follows=("old.example:3306",)), "itself follows old.example:3306"),
    ("other replicas", "replicas", W, of_sql(replicas=("10.0.0.9",)), "10.0.0.9"),
    ("filters", "filters", B, of_sql(filters=("binlog_do_db = app",)), "binlog_do_db = app"),
    ("tables without key", "primary-keys", W, of_sql(without_key=("app.log",)), "1 table has no primary key"),
    ("MyISAM", "engines", B, of_sql(other_engines=("app.a (MyISAM)", "app.b (MEMORY)")), "2 tables are not of InnoDB"),
    ("events", "events", W, of_sql(events=("app.sweep",)), "1 event is enabled"),
    ("triggers under ROW", "triggers", N, of_sql(triggers=("app.t",)), "none fires a second time"),
    ("triggers under MIXED", "triggers", W, of_sql(triggers=("app.t",), binlog_format="MIXED"), "fires on the clone as well"),
    ("definers", "definers", W, of_sql(definers=("view app.v of gone@%",)), "1449"),
    ("a long transaction", "transactions", W, of_sql(transactions=(Transaction(7, "app", 60), Transaction(8, "app", 59))), "1 transaction is open for long.*7 of app, 60 s"),
    ("a short transaction", "transactions", F, of_sql(transactions=(Transaction(8, "app", 59),)), "no transaction"),
    ("XA", "prepared", W, of_sql(prepared=("x",)), "1 XA transaction is prepared"),
    ("an account beyond read_only", "privileged", W, of_sql(privileged=("admin@%", "root@%")), "1 account: root@%"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "severity", "facts", "said"), [trap[1:] for trap in RDS_TRAPS + SQL_TRAPS], ids=[t[0] for t in RDS_TRAPS + SQL_TRAPS]
)  # fmt: skip
def test_a_trap_is_a_finding_with_a_remedy(code: str, severity: Severity, facts: Facts, said: str) -> None:
    finding = judge(facts)[code]
    assert finding.severity is severity
    assert re.search(said, finding.message)
    assert finding.remedy or severity in (F, N)


def test_every_rule_has_a_trap() -> None:
    trapped = {code for _, code, severity, _, _ in RDS_TRAPS + SQL_TRAPS if severity is not F}
    assert {rule.code for rule in (*judgement.REFUSALS, *judgement.RULES)} - trapped == {"upgrade", "accounts"}


def test_a_source_that_was_listed_a_moment_earlier_is_not_its_own_clone() -> None:
    listed = (replace(SOURCE, status="backing-up"), *clones(14)[1:])
    assert judge(of_rds(clusters=listed))["clones"].severity is F


def test_a_default_group_is_no_obstacle_for_a_clone_that_gets_its_own() -> None:
    found = judge(GOOD, options={"parameter_group": "default.aurora-mysql8.0"})["clone-parameters"]
    assert (found.severity, "with the values of default.aurora-mysql8.0" in found.message) == (F, True)


@pytest.mark.parametrize(
    ("wanted", "severity"), [("", F), ("8.4.mysql_aurora.4.01.0", F), ("8.0.mysql_aurora.3.04.0", B)]
)
def test_an_upgrade_must_be_one_that_rds_makes(wanted: str, severity: Severity) -> None:
    assert judge(GOOD, upgrade_to=wanted)["upgrade"].severity is severity


def test_what_a_version_can_become_matters_only_where_an_upgrade_is_asked_for() -> None:
    facts = of_rds(upgrade_targets=Unknown("not allowed"))
    assert judge(facts)["upgrade"].severity is F
    assert judge(facts, upgrade_to="8.4.mysql_aurora.4.01.0")["upgrade"].severity is U


def test_a_secret_of_another_region_is_refused() -> None:
    found = judgement.judge(GOOD, asked(), answerable="mika", secret=SECRET.replace("ap-northeast-1", "eu-west-1"))
    assert [(f.code, f.message) for f in found if f.stops] == [
        ("region", "its secret is in eu-west-1, and this runs in ap-northeast-1")
    ]


def test_of_a_wrong_engine_nothing_else_is_said() -> None:
    found = judge(replace(of_source(engine="aurora-postgresql"), sql=SqlFacts.unreached("PostgreSQL answered")))
    assert set(found) == {"cluster", "region", "engine"}
    assert "PostgreSQL has no binlog" in found["engine"].remedy


# What is not known -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [each.name for each in fields(SqlFacts)])
def test_a_fact_of_sql_that_is_unknown_is_never_fine(name: str) -> None:
    found = judge(of_sql(**{name: Unknown("MySQL 1142: denied")}))
    unknown = [finding for finding in found.values() if finding.severity is U]
    assert len(unknown) == 1
    assert "MySQL 1142: denied" in unknown[0].message
    assert not judgement.may_begin(found.values())


@pytest.mark.parametrize("name", ["clusters", "parameters", "clone_parameters", "free_addresses", "quotas", "runs"])
def test_a_fact_of_rds_that_is_unknown_is_never_fine(name: str) -> None:
    found = judge(of_rds(**{name: Unknown("AccessDenied")}))
    assert [f.code for f in found.values() if f.severity is U]
    assert all("AccessDenied" in f.message for f in found.values() if f.severity is U)


def test_a_source_that_may_not_be_described_is_unknown_and_not_absent() -> None:
    found = judge(of_rds(cluster=Unknown("AccessDenied")))
    assert [(f.code, f.severity) for f in found.values()] == [("cluster", U)]


def test_without_a_login_all_of_sql_is_unknown_and_rds_is_judged_nevertheless() -> None:
    found = judge(replace(GOOD, sql=SqlFacts.unreached("no secret was given")))
    assert sum(f.severity is U for f in found.values()) == len(fields(SqlFacts))
    assert found["status"].severity is F


# What somebody takes upon themselves --------------------------------------------------------------------------------------


def test_an_override_makes_a_warning_that_names_who_answers() -> None:
    facts = of_sql(enhanced=True, triggers=Unknown("denied"))
    found = judge(facts, overrides=["enhanced-binlog", "triggers"])
    assert judgement.may_begin(found.values())
    for code in ("enhanced-binlog", "triggers"):
        assert found[code].severity is W
        assert found[code].message.endswith("mika answers for it")


def test_an_override_of_what_does_not_stop_changes_nothing() -> None:
    assert judge(GOOD, overrides=["enhanced-binlog"]) == judge(GOOD)


@pytest.mark.parametrize(
    ("code", "facts"),
    [("other-runs", of_rds(runs=("x",))), ("server", of_sql(server_name="billing-1")), ("engine", of_source(engine="mysql")),
     ("clone-name", of_rds(clusters=(SOURCE, replace(SOURCE, name="orders-next"))))],
)  # fmt: skip
def test_some_things_nobody_can_take_upon_themselves(code: str, facts: Facts) -> None:
    found = judge(facts, overrides=[code])[code]
    assert found.severity is B
    assert "Nobody can take this" in found.remedy


def test_an_override_of_no_finding_is_refused_with_the_names_of_all() -> None:
    found = judge(GOOD, overrides=["enhanced-binlogs"])["overrides"]
    assert found.severity is B
    assert "enhanced-binlog," in found.remedy


def test_the_gravest_come_first() -> None:
    facts = of_sql(enhanced=True, triggers=Unknown("denied"), row_image="MINIMAL", retention_hours=1)
    found = [finding.severity for finding in judgement.judge(facts, asked(), answerable="mika")]
    assert found == sorted(found, key=list(Severity).index)
    assert {B, U, W, N, F} == set(found)
