"""The account for replication, names and tags of what is ours, and how far RDS is: without RDS and without a server."""

from __future__ import annotations

import random
import re

import pytest

from kuroshio.aurora import account, ownership, progress
from kuroshio.aurora.account import Account
from kuroshio.aurora.cluster import Cluster, Member
from kuroshio.aurora.dialect import Dialect
from kuroshio.aurora.request import ReplicateRequest, parse
from kuroshio.errors import CloneFailed, RequestRefused

REQUEST = ReplicateRequest("shop", "shop-next")
NEEDED = {"REPLICATION SLAVE", "REPLICATION CLIENT"}


@pytest.mark.parametrize("seed", range(20))
def test_a_password_fits_every_server(seed: int) -> None:
    made = account.password(random.Random(seed).choice)  # noqa: S311 - the same each time
    assert re.fullmatch(r"[\w.~-]{32}", made, re.ASCII)
    assert all(re.search(kind, made) for kind in ("[a-z]", "[A-Z]", "[0-9]", "[-_.~]"))


def test_no_two_passwords_are_alike() -> None:
    assert len({account.password() for _ in range(50)}) == 50


def test_the_hash_is_that_of_mysql_native_password() -> None:
    assert account.native_hash("password") == "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19"  # of MySQL's PASSWORD()


@pytest.mark.parametrize("version", ["5.7.12-log", "8.0.36", "8.4.7", "9.7.4"])
def test_mysql_gets_the_password_in_a_create_and_never_in_a_grant(version: str) -> None:
    statements = account.writing(Dialect.of(version), "me", "secret")
    for statement, parameters in statements:
        assert ("secret" in parameters) == statement.endswith("IDENTIFIED BY %s REQUIRE SSL")
    assert statements[-1] == ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO %s@'%%'", ("me",))


def test_mariadb_never_sees_the_password() -> None:
    statements = account.writing(Dialect.of("11.8.3-MariaDB"), "me", "secret")
    assert "secret" not in str(statements)
    assert sum(account.native_hash("secret") in parameters for _, parameters in statements) == 2


@pytest.mark.parametrize(
    ("privileges", "needs_tls", "is_right"),
    [
        (NEEDED, True, True),
        ({"REPLICATION SLAVE", "BINLOG MONITOR"}, True, True),
        (NEEDED, False, False),
        ({"REPLICATION SLAVE"}, True, False),
        ({"USAGE"}, True, False),
        (NEEDED | {"SELECT"}, True, False),
    ],
)
def test_an_account_is_right_with_what_it_needs_over_tls(privileges: set[str], needs_tls: bool, is_right: bool) -> None:
    assert Account("me", needs_tls, frozenset(privileges)).is_right is is_right


def test_an_account_that_may_more_is_refused_by_what_it_may() -> None:
    Account("me", needs_tls=True, privileges=frozenset(NEEDED)).refuse_more()
    with pytest.raises(RequestRefused, match="me on the source may also FILE, SELECT"):
        Account("me", needs_tls=True, privileges=frozenset(NEEDED | {"SELECT", "FILE"})).refuse_more()


@pytest.mark.parametrize("clone", ["a", "shop-next", "a" * 63, "a-" * 30 + "abc", "a" * 60 + "-bc"])
def test_names_are_as_rds_and_mysql_take_them(clone: str) -> None:
    assert len(ownership.user_of(clone)) <= 32
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", ownership.writer_of(clone))
    assert len(ownership.writer_of(clone)) <= 63
    assert re.fullmatch(r"[a-z](-?[a-z0-9])*", ownership.group_of_clone(clone, "aurora-mysql8.4"))


def test_users_of_clones_that_begin_alike_differ() -> None:
    assert ownership.user_of("shop-2026-november") != ownership.user_of("shop-2026-nov")


def test_amazons_own_tags_and_those_of_another_clone_are_not_copied() -> None:
    of_source = {"team": "orders", "aws:cloudformation:stack-name": "x", "kuroshio:clone": "another"}
    assert ownership.clone_tags(REQUEST, "run", of_source) == {
        "team": "orders", "kuroshio:clone-of": "shop", "kuroshio:clone": "shop-next", "kuroshio:run": "run",
    }  # fmt: skip


def test_more_tags_than_rds_takes_leave_out_some_of_the_source() -> None:
    request = parse({**REQUEST.document(), "options": {"tags": {"use": "staging"}}})
    found = ownership.clone_tags(request, "run", {f"tag-{number:02}": "x" for number in range(50)})
    assert len(found) == 50
    assert {"use", "kuroshio:clone", "kuroshio:clone-of", "kuroshio:run"} <= set(found)


def cluster(status: str = "available", **member: str) -> Cluster:
    members = tuple(Member(name, is_writer=True, applied="in-sync", status=state) for name, state in member.items())
    return Cluster("copy", "", "aurora-mysql", "8.0", status, "", "", 3306, "g", "s", (), members)


@pytest.mark.parametrize(
    ("found", "writer", "is_ready", "status"),
    [
        (cluster("creating"), "", False, "creating"),
        (cluster(), "", True, "available"),
        (cluster(), "one", False, "creating"),
        (cluster(one="backing-up"), "one", False, "backing-up"),
        (cluster(one="configuring-log-exports"), "one", False, "configuring-log-exports"),
        (cluster("upgrading", one="available"), "one", False, "upgrading"),
        (cluster(one="available"), "one", True, "available"),
        (cluster("a-word-of-next-year"), "", False, "a-word-of-next-year"),
    ],
)
def test_rds_is_waited_for_while_it_goes_on(found: Cluster, writer: str, is_ready: bool, status: str) -> None:
    assert progress.judge(found, writer) == progress.Progress(is_ready, status)


@pytest.mark.parametrize("status", sorted(progress._GIVEN_UP))
def test_what_does_not_end_by_itself_is_not_waited_for(status: str) -> None:
    with pytest.raises(CloneFailed, match=f"the cluster copy is {status}: "):
        progress.judge(cluster(status))
    with pytest.raises(CloneFailed, match=f"the instance one is {status}: "):
        progress.judge(cluster(one=status), "one")
