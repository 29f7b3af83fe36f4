"""What preflight reads of a real server, with each trap laid in turn and taken away again."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest
from harness import eventually

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.preflight_facts import holders, sql_facts
from kuroshio.aurora.preflight.facts import SqlFacts, Unknown
from lab.rds import administration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Pair

    from kuroshio.adapters.mysql import Login

PASSWORD = "keeps-order"


@pytest.fixture(scope="module")
def keeper(pair: Pair) -> Iterator[Login]:
    """The master user of RDS, who has no SUPER, beside RDS's procedures."""
    administration.install(pair.source, "keeper", PASSWORD)
    yield replace(pair.login(pair.source), user="keeper", password=PASSWORD)
    pair.source.administer("SET SESSION sql_log_bin = 0; DROP USER keeper@'%'")


@pytest.fixture
def server(pair: Pair, keeper: Login) -> Iterator[Server]:
    server = Server(pair.login(pair.source))
    server.rows("CREATE DATABASE traps")
    server.rows("CREATE TABLE traps.kept (id INT PRIMARY KEY, n INT)")
    server.rows("CALL mysql.rds_set_configuration('binlog retention hours', 48)")
    try:
        yield server
    finally:
        server.rows("DROP DATABASE traps")
        server.rows("CALL mysql.rds_set_configuration('binlog retention hours', NULL)")
        server.close()


def of_traps(found: Any) -> list[str]:
    """Other tests have databases on this server too."""
    assert not isinstance(found, Unknown), found
    return [each for each in found if "traps." in each]


def test_a_server_without_traps_is_known_in_all(pair: Pair, server: Server) -> None:
    found = sql_facts(pair.login(pair.source))

    assert [each.name for each in fields(found) if isinstance(getattr(found, each.name), Unknown)] == []
    assert (found.server_name, found.is_writable, found.user) == ("", True, "root@%")
    assert (found.log_bin, found.binlog_format, found.row_image, found.checksum) == (True, "ROW", "FULL", "CRC32")
    assert str(found.cipher).startswith("TLS_")
    assert (found.enhanced, found.retention_hours, found.gtid_mode) == (False, 48, "")
    assert (found.follows, found.replicas, found.filters, found.prepared) == ((), (), (), ())
    assert "root@%" in tuple(found.accounts)  # type: ignore[arg-type]
    assert "root@%" in tuple(found.privileged)  # type: ignore[arg-type]


def test_what_lies_in_the_databases_is_told_by_name(pair: Pair, server: Server) -> None:
    for statement in (
        "CREATE TABLE traps.bare (id INT)",
        "CREATE TABLE traps.prefixed (id VARCHAR(50), PRIMARY KEY (id(3)))",
        "CREATE TABLE traps.old (id INT PRIMARY KEY) ENGINE = MyISAM",
        "CREATE EVENT traps.sweep ON SCHEDULE EVERY 1 DAY DO DELETE FROM traps.kept",
        "CREATE EVENT traps.asleep ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM traps.kept",
        "CREATE TRIGGER traps.adding BEFORE INSERT ON traps.kept FOR EACH ROW SET NEW.n = 1",
        "CREATE DEFINER = gone@nowhere VIEW traps.orphan AS SELECT 1 AS one",
        "CREATE VIEW traps.owned AS SELECT 1 AS one",
        "CREATE DEFINER = gone@nowhere PROCEDURE traps.orphan() SELECT 1",
    ):
        server.rows(statement)

    found = sql_facts(pair.login(pair.source))

    assert of_traps(found.without_key) == ["traps.bare", "traps.prefixed"]
    assert of_traps(found.other_engines) == ["traps.old (MyISAM)"]
    assert of_traps(found.events) == ["traps.sweep"]
    assert of_traps(found.triggers) == ["traps.adding"]
    assert of_traps(found.definers) == ["view traps.orphan of gone@nowhere", "routine traps.orphan of gone@nowhere"]


def test_an_open_and_a_prepared_transaction_are_seen(pair: Pair, server: Server) -> None:
    open_one, prepared = Server(pair.login(pair.source)), Server(pair.login(pair.source))
    thread = int(open_one.rows("SELECT CONNECTION_ID()")[0][0])
    open_one.rows("BEGIN")
    open_one.rows("INSERT INTO traps.kept VALUES (1, 1)")
    for statement in ("XA START 'left'", "INSERT INTO traps.kept VALUES (2, 2)", "XA END 'left'", "XA PREPARE 'left'"):
        prepared.rows(statement)
    try:
        # InnoDB shows its transactions from a copy that it renews at most ten times a second.
        found = eventually(lambda: (facts := sql_facts(pair.login(pair.source))).transactions and facts)
    finally:
        prepared.rows("XA ROLLBACK 'left'")
        open_one.rows("ROLLBACK")
        prepared.close()
        open_one.close()

    assert (thread, "root") in {(each.thread, each.user) for each in found.transactions}
    assert all(each.seconds >= 0 for each in found.transactions)
    assert found.prepared == ("left",)


def test_settings_of_the_binlog_and_of_writing_are_read_as_they_are(pair: Pair, server: Server) -> None:
    server.rows("SET GLOBAL binlog_format = 'MIXED', GLOBAL binlog_row_image = 'MINIMAL', GLOBAL read_only = 1")
    try:
        found = sql_facts(pair.login(pair.source))
    finally:
        server.rows("SET GLOBAL binlog_format = 'ROW', GLOBAL binlog_row_image = 'FULL', GLOBAL read_only = 0")
    assert (found.binlog_format, found.row_image, found.is_writable) == ("MIXED", "MINIMAL", False)


def test_who_follows_and_who_is_followed_are_seen(following: Pair) -> None:
    clone = Server(following.login(following.clone))
    assert clone.rows("SELECT MASTER_POS_WAIT(%s, %s, 10)", position(following)) is not None

    assert sql_facts(following.login(following.clone)).follows == (f"{following.source.address()}:3306",)
    assert len(sql_facts(following.login(following.source)).replicas) == 1  # type: ignore[arg-type]
    clone.close()


def position(pair: Pair) -> tuple[Any, ...]:
    source = Server(pair.login(pair.source))
    source.rows("CREATE TABLE live.t (id INT PRIMARY KEY)")
    found = source.named("SHOW MASTER STATUS")[0]
    source.close()
    return (found["File"], found["Position"])


@pytest.mark.parametrize(("value", "hours"), [("NULL", 0), ("2160", 2160)])
def test_the_retention_is_what_the_procedure_tells(keeper: Login, server: Server, value: str, hours: int) -> None:
    server.rows(f"CALL mysql.rds_set_configuration('binlog retention hours', {value})")
    assert sql_facts(keeper).retention_hours == hours


def test_the_master_user_of_rds_needs_no_more_to_know_all(keeper: Login, server: Server) -> None:
    found = sql_facts(keeper)
    assert [each.name for each in fields(found) if isinstance(getattr(found, each.name), Unknown)] == []
    assert found.user == "keeper@%"
    assert "keeper@%" not in tuple(found.privileged)  # type: ignore[arg-type]


def test_an_account_that_is_shown_a_part_does_not_take_it_for_all(pair: Pair, server: Server) -> None:
    server.rows("CREATE TABLE traps.bare (id INT)")
    server.rows("CREATE OR REPLACE USER small@'%'")
    server.rows("GRANT SELECT ON traps.kept TO small@'%'")
    try:
        found = sql_facts(replace(pair.login(pair.source), user="small"))
    finally:
        server.rows("DROP USER small@'%'")

    unknown = {each.name for each in fields(found) if isinstance(getattr(found, each.name), Unknown)}
    assert unknown >= {
        "retention_hours", "follows", "replicas", "without_key", "other_engines", "events", "triggers", "filters",
        "definers", "transactions", "accounts", "privileged",
    }  # fmt: skip
    assert isinstance(found.other_engines, Unknown)
    assert "small@% has no global SELECT" in found.other_engines.why


def test_a_login_that_is_refused_leaves_all_unknown(pair: Pair) -> None:
    found = sql_facts(replace(pair.login(pair.source), user="nobody", password="wrong"))
    assert isinstance(found.log_bin, Unknown)
    assert "1045" in found.log_bin.why
    assert found == SqlFacts.unreached(found.log_bin.why)


def test_a_privilege_comes_by_roles_of_roles() -> None:
    edges = [("powerful@%", "team@%"), ("team@%", "ann@%"), ("harmless@%", "bob@%"), ("team@%", "powerful@%")]
    assert holders({"powerful@%"}, edges) == {"powerful@%", "team@%", "ann@%"}
