"""The steps of ``prepare_source`` and ``clone_cluster``, wired as their Lambdas are, on the lab's RDS and real servers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pymysql
import pytest

from kuroshio.adapters import aws
from kuroshio.adapters.mysql import Login, Server
from kuroshio.adapters.replication import Instance
from kuroshio.adapters.row_repair import SqlRepairs
from kuroshio.aurora.request import SCHEMA
from kuroshio.errors import CloneFailed, RequestRefused, SeedRefused, ServiceUnavailable
from kuroshio.wiring import aurora as wiring
from lab.place import OPERATOR, REGION
from lab.rds.testing import PASSWORD, USER, aurora

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.rds.testing import Running

TABLE, BUCKET = "ledger", "plans"
RUN = "arn:aws:states:ap-northeast-1:123456789012:execution:replicate-cluster:one"


@dataclass
class Steps:
    """Asks for steps as the state machine does: repeats what failed for a while, waits between."""

    lab: Running
    secret: str

    def __call__(self, step: str, *, clone: str = "copy", **more: Any) -> dict[str, Any]:
        request = {"schema": SCHEMA, "source": "shop", "clone": clone, "secrets": {"source": self.secret}, **more}
        preparing = step in {"binlog_on", "reboot", "binlog_state", "account", "retention", "restore"}
        function = wiring.prepare_source() if preparing else wiring.clone_cluster()
        for _ in range(30):
            try:
                return function.run({"step": step, "run": RUN, "request": request})
            except ServiceUnavailable:
                time.sleep(0.1)
        raise AssertionError(f"{step} is never done")

    def until(self, step: str, key: str, value: object, **more: Any) -> dict[str, Any]:
        for _ in range(300):
            answer = self(step, **more)
            if answer[key] == value:
                return answer
            time.sleep(0.1)
        raise AssertionError(f"{step} never answers {key}={value}")

    def make(self, clone: str, **more: Any) -> None:
        """A clone whose writer is up."""
        self("clone", clone=clone, **more)
        self.until("state", "ready", value=True, clone=clone, **more)
        self("instance", clone=clone, **more)
        self.until("state", "ready", value=True, clone=clone, **more)

    def login(self) -> dict[str, str]:
        """That of the replication account."""
        arn = self("account")["secret"]
        found: dict[str, str] = json.loads(aws.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
        return found


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    with aurora() as running:
        running.create_source("shop", binlog=False)
        yield running


@pytest.fixture
def steps(lab: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    environment = {
        "AWS_ENDPOINT_URL": lab.endpoint_url, "AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": OPERATOR.access_key_id,
        "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_access_key, "LEDGER_TABLE": TABLE, "PLAN_BUCKET": BUCKET,
        "DATABASE_AUTHORITY": f"s3://{BUCKET}/authorities/rds.pem", "SECRET_PREFIX": "kuroshio/dev/aurora/",
    }  # fmt: skip
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget()
    yield Steps(lab, kept(lab))
    forget()


def forget() -> None:
    aws.forget_clients()
    wiring.prepare_source.cache_clear()
    wiring.clone_cluster.cache_clear()


def kept(lab: Running) -> str:
    """The ledger, the authority and the master's login are there. Return the ARN of that."""
    secrets = aws.client("secretsmanager")
    found = [each["ARN"] for each in secrets.list_secrets()["SecretList"] if each["Name"].endswith("/shop")]
    if found:
        return found[0]
    aws.client("dynamodb").create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )  # fmt: skip
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="authorities/rds.pem", Body=lab.aurora.authority.bundle.read_bytes())
    login = json.dumps({"username": USER, "password": PASSWORD})
    return str(secrets.create_secret(Name="kuroshio/dev/aurora/shop", SecretString=login)["ARN"])


def checksum(server: Server) -> list[tuple[Any, ...]]:
    return server.rows("SELECT COUNT(*), SUM(id), BIT_XOR(CRC32(CONCAT(id, note, amount))) FROM app.orders")


def test_a_source_without_a_binlog_gets_a_clone_that_follows_it_and_is_then_as_it_was(
    lab: Running, steps: Steps
) -> None:
    source = lab.sql("shop")
    assert steps("binlog_on") == {"state": "reboot", "group": "shop", "instances": ["shop-1"]}
    assert steps("binlog_state") == {"state": "applying"}
    assert steps("reboot") == {"rebooting": ["shop-1"]}
    steps.until("binlog_state", "state", "on")
    assert steps("reboot") == {"rebooting": []}
    assert source.rows("SELECT @@log_bin, @@binlog_format") == [(1, "ROW")]

    account = steps("account")
    assert steps("account") == account
    assert steps("retention") == {"hours": 72, "before": None}
    source.rows(
        "CREATE EVENT app.tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO app.orders (note, amount) VALUES ('tick', 1)"
    )
    source.rows("INSERT INTO app.orders (note, amount) VALUES ('before the clone', 1)")
    steps.make("copy")
    lab.aurora.purge("shop")
    begin = steps("seed")
    assert begin["told"]
    assert steps("seed") == begin

    clone, login, at = lab.sql("copy"), steps.login(), lab.aurora.account.cluster("shop")
    assert at.group == "shop"
    source.rows("INSERT INTO app.orders (note, amount) VALUES ('after it', 2)")
    file, _, offset = begin["position"].rpartition(":")
    clone.rows(
        "CALL mysql.rds_set_external_source(%s, %s, %s, %s, %s, %s, 1)",
        (lab.aurora.address, lab.aurora.port("shop"), login["username"], login["password"], file, int(offset)),
    )
    assert clone.rows("CALL mysql.rds_start_replication()") == [("Slave running normally.",)]
    Instance(lab.login("copy")).wait(Instance(lab.login("shop")).position(), 30)
    assert checksum(clone) == checksum(source)
    assert steps("restore")["left"] == [
        "the source stays prepared: the clone copy is still there, and would lose its way"
    ]
    clone.rows("CALL mysql.rds_reset_external_source()")

    assert steps.until("remove", "gone", value=True) == {"gone": True, "left": []}
    left = steps("restore")["left"]
    assert left == ["shop writes its binlog until it next restarts: nothing was restarted for that"]
    assert source.rows("SELECT COUNT(*) FROM mysql.user WHERE User LIKE 'kuroshio%'") == [(0,)]
    assert lab.aurora.account.group("shop").values == {}
    assert sorted(lab.aurora.account.clusters) == ["shop"]
    source.rows("DROP EVENT app.tick")


@pytest.fixture
def ready(lab: Running, steps: Steps) -> Steps:
    """The source is as a clone needs it."""
    steps("binlog_on", clone="other")
    steps("reboot", clone="other")
    steps.until("binlog_state", "state", "on", clone="other")
    steps("retention", clone="other")
    lab.sql("shop").rows("INSERT INTO app.orders (note, amount) VALUES ('another', 1)")
    return steps


def test_the_account_opens_the_binlog_over_tls_and_nothing_else(lab: Running, ready: Steps) -> None:
    server = lab.aurora.server("shop")
    server.administer("SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 1")
    login = ready.login()
    user, password = login["username"], login["password"]
    with pytest.raises(pymysql.err.OperationalError, match="1045"):
        pymysql.connect(
            host=lab.aurora.address, port=lab.aurora.port("shop"), user=user, password=password, ssl_disabled=True
        )
    own = Server(Login(lab.aurora.address, lab.aurora.port("shop"), user, password, lab.aurora.authority.bundle))
    (privileges,) = {row[0].partition(" ON ")[0] for row in own.rows("SHOW GRANTS")}
    assert privileges == "GRANT REPLICATION SLAVE, BINLOG MONITOR"
    assert own.rows("SHOW DATABASES") == [("information_schema",)]
    own.close()
    server.administer("SET GLOBAL general_log = 0")
    logged = server.administer("SELECT argument FROM mysql.general_log")
    assert f"CREATE USER IF NOT EXISTS '{user}'" in logged
    assert password not in logged


def test_a_password_that_was_rotated_in_the_secret_is_the_accounts_after_the_step_is_repeated(
    lab: Running, ready: Steps
) -> None:
    before = ready.login()
    arn = ready("account")["secret"]
    rotated = json.dumps({**before, "password": "Another-1-of-the-same"})
    aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=rotated)
    ready("account")
    address = (lab.aurora.address, lab.aurora.port("shop"), before["username"])
    Instance(Login(*address, "Another-1-of-the-same", lab.aurora.authority.bundle)).position()


def test_an_account_that_may_more_than_a_clone_needs_is_refused(lab: Running, ready: Steps) -> None:
    user = ready("account")["user"]
    lab.sql("shop").rows("GRANT SELECT ON *.* TO %s@'%%'", (user,))
    with pytest.raises(RequestRefused, match=f"{user} on the source may also SELECT"):
        ready("account")
    lab.sql("shop").rows("DROP USER %s@'%%'", (user,))


def test_a_clone_takes_nobodys_writes_and_fires_no_event(lab: Running, ready: Steps) -> None:
    source = lab.sql("shop")
    source.rows(
        "CREATE EVENT app.fires ON SCHEDULE EVERY 1 SECOND DO INSERT INTO app.orders (note, amount) VALUES ('x', 1)"
    )
    lab.rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="shop",
        Parameters=[{"ParameterName": "event_scheduler", "ParameterValue": "ON", "ApplyMethod": "immediate"}],
    )
    ready.make("guarded")
    clone = lab.sql("guarded")
    assert ready("seed", clone="guarded")["told"]
    assert clone.rows("SELECT @@log_bin, @@event_scheduler, @@read_only") == [(1, "OFF", 1)]
    assert clone.rows("SELECT STATUS FROM information_schema.EVENTS") == [("ENABLED",)]
    with pytest.raises(RequestRefused, match="1290"):
        clone.rows("INSERT INTO app.orders (note, amount) VALUES ('rogue', 1)")
    SqlRepairs(lab.login("shop"), lab.login("guarded"))._write(["DELETE FROM app.orders WHERE id = 1"])
    assert clone.rows("SELECT @@read_only, COUNT(*) FROM app.orders WHERE id = 1") == [(1, 0)]
    source.rows("DROP EVENT app.fires")
    lab.rds.reset_db_cluster_parameter_group(
        DBClusterParameterGroupName="shop",
        Parameters=[{"ParameterName": "event_scheduler", "ApplyMethod": "immediate"}],
    )
    ready.until("remove", "gone", value=True, clone="guarded")


def test_a_clone_that_somebody_switched_the_event_scheduler_on_for_is_refused(lab: Running, ready: Steps) -> None:
    ready.make("loose")
    lab.aurora.server("loose").administer("SET GLOBAL event_scheduler = ON")
    with pytest.raises(CloneFailed, match=r"loose started without .*: its event_scheduler is on"):
        ready("seed", clone="loose")
    ready.until("remove", "gone", value=True, clone="loose")


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [("early", "is early: the source had written up to"), ("purged", "purged, or the position is not")],
)
def test_a_position_that_is_not_the_clones_own_is_refused(lab: Running, ready: Steps, fault: str, refusal: str) -> None:
    lab.faults.event = fault if fault == "early" else ""
    name = f"odd-{fault}"
    try:
        ready.make(name)
        if fault == "purged":
            lab.sql("shop").rows("CALL mysql.rds_set_configuration('binlog retention hours', NULL)")
            lab.aurora.purge("shop")
            lab.sql("shop").rows("CALL mysql.rds_set_configuration('binlog retention hours', 72)")
        with pytest.raises(SeedRefused, match=refusal):
            ready("seed", clone=name)
    finally:
        lab.faults.event = ""
    ready.until("remove", "gone", value=True, clone=name)


def test_the_clone_is_upgraded_when_it_does_not_follow(lab: Running, ready: Steps) -> None:
    ready.make("newer")
    upgrade = {"clone": "newer", "upgrade_to": "8.4.mysql_aurora.8.4.7"}
    ready("seed", clone="newer")
    done = ready.until("upgrade", "version", upgrade["upgrade_to"], **upgrade)
    assert done["status"] == "available"
    assert lab.aurora.account.cluster("newer").group == "kuroshio-newer-aurora-mysql8-4"
    assert lab.sql("newer").rows("SELECT @@log_bin, @@event_scheduler, @@read_only") == [(1, "OFF", 1)]
    ready.until("remove", "gone", value=True, clone="newer")
    assert [name for name in lab.aurora.account.groups if "newer" in name] == []
