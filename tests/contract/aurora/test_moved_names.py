"""Names that move: from what they lead to, never over what somebody else set, twice without harm, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_name import ClusterName, Holder
from kuroshio.adapters.moved_names import Address, DnsRecord, NameParameter, SecretHost
from kuroshio.errors import NotFound, Outpaced, RequestRefused, ServiceUnavailable
from lab.moto_engine import dns

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD, NEW = Address("shop.cluster-x.rds.amazonaws.com", 3306), Address("copy.cluster-x.rds.amazonaws.com", 3307)


def left() -> float:
    return 1.0


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    dns.patch()
    with mock_aws():
        aws.forget_clients()
        yield
    aws.forget_clients()


class Record:
    """A record of Route 53 for a test."""

    def __init__(self) -> None:
        self.client: Any = aws.client("route53")
        made = self.client.create_hosted_zone(Name="internal.", CallerReference="1")
        self.zone = made["HostedZone"]["Id"].rpartition("/")[2]
        self.change("CREATE", "db.internal.", OLD.host)
        self.change("CREATE", "db2.internal.", "elsewhere.example.com")
        self.name = DnsRecord(self.zone, "db.internal", OLD, NEW)

    def change(self, action: str, name: str, *values: str) -> None:
        found = {"Name": name, "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": value} for value in values]}
        changes = [{"Action": action, "ResourceRecordSet": found}]
        self.client.change_resource_record_sets(HostedZoneId=self.zone, ChangeBatch={"Changes": changes})

    def lead(self, host: str) -> None:
        self.change("UPSERT", "db.internal.", host)

    def now(self) -> str:
        sets = self.client.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return str(next(each for each in sets if each["Name"] == "db.internal.")["ResourceRecords"][0]["Value"])


class Secret:
    """A secret as RDS's rotation writes it."""

    def __init__(self) -> None:
        self.client = aws.client("secretsmanager")
        held = {"username": "app", "password": "x", "host": OLD.host, "port": OLD.port}
        self.arn = self.client.create_secret(Name="shop/db", SecretString=json.dumps(held))["ARN"]
        self.name = SecretHost(self.arn, OLD, NEW)

    def lead(self, host: str) -> None:
        self.client.put_secret_value(SecretId=self.arn, SecretString=json.dumps(self.held() | {"host": host}))

    def held(self) -> dict[str, Any]:
        held: dict[str, Any] = json.loads(
            self.client.get_secret_value(SecretId=self.arn, VersionStage="AWSCURRENT")["SecretString"]
        )
        return held

    def now(self) -> str:
        return str(self.held()["host"])


class Parameter:
    """A parameter with a host alone."""

    def __init__(self) -> None:
        self.client = aws.client("ssm")
        self.client.put_parameter(Name="/shop/db", Type="String", Value=OLD.host)
        self.name = NameParameter("/shop/db", OLD, NEW)

    def lead(self, host: str) -> None:
        self.client.put_parameter(Name="/shop/db", Value=host, Overwrite=True)

    def now(self) -> str:
        return self.client.get_parameter(Name="/shop/db")["Parameter"]["Value"]


@pytest.fixture(params=[Record, Secret, Parameter], ids=["record", "secret", "parameter"])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_it_moves_and_moves_back_however_often_it_is_asked(kind: Any) -> None:
    assert kind.name.leads_to() == "source"
    for _ in range(2):
        kind.name.move_back()
        assert kind.now() == OLD.host
    for _ in range(2):
        kind.name.move(left)
        assert kind.now() == NEW.host
    kind.name.settle()
    assert kind.name.leads_to() == "target"
    kind.name.move_back()
    assert (kind.now(), kind.name.leads_to()) == (OLD.host, "source")
    kind.name.move(left)
    assert kind.now() == NEW.host


def test_what_was_prepared_is_moved_and_not_prepared_twice(kind: Any) -> None:
    kind.name.prepare()
    assert kind.now() == OLD.host
    kind.name.move(left)
    assert kind.now() == NEW.host
    kind.name.move_back()
    assert kind.now() == OLD.host
    kind.name.prepare()
    kind.name.move_back()
    kind.name.move(left)
    assert kind.now() == NEW.host


def test_what_somebody_else_set_is_left_alone_both_ways(kind: Any) -> None:
    kind.lead("third.example.com")
    assert kind.name.leads_to() == "third.example.com"
    for move in (lambda: kind.name.move(left), kind.name.move_back):
        with pytest.raises(RequestRefused, match="third"):
            move()
        assert kind.now() == "third.example.com"


class Interrupting:
    """A client between whose calls somebody else writes."""

    def __init__(self, client: Any, before: str, act: Any) -> None:
        self._client, self._before, self._act = client, before, act

    def __getattr__(self, name: str) -> Any:
        if name == self._before and self._act is not None:
            act, self._act = self._act, None
            act()
        return getattr(self._client, name)


@pytest.mark.parametrize(
    ("kind", "call"),
    [
        (Record, "change_resource_record_sets"),
        (Secret, "update_secret_version_stage"),
        (Parameter, "put_parameter"),
    ],
    indirect=["kind"],
    ids=["record", "secret", "parameter"],
)
@pytest.mark.parametrize("prepared", [False, True])
def test_somebody_who_writes_in_between_is_not_written_over(
    kind: Any, call: str, prepared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if prepared:
        kind.name.prepare()
    real = aws.client
    interrupting: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in interrupting:
            interrupting[service] = Interrupting(real(service), call, lambda: kind.lead("third.example.com"))  # type: ignore[call-overload]
        return interrupting[service]

    monkeypatch.setattr(aws, "client", client)
    with pytest.raises((RequestRefused, Outpaced)):
        kind.name.move(left)
    assert kind.now() == "third.example.com"


def test_a_secret_keeps_its_other_fields_and_gets_the_port() -> None:
    secret = Secret()
    secret.name.move(left)
    assert secret.held() == {"username": "app", "password": "x", "host": NEW.host, "port": NEW.port}
    other = secret.client.create_secret(Name="other", SecretString="not json: hunter2")["ARN"]
    with pytest.raises(RequestRefused) as refused:
        SecretHost(other, OLD, NEW).move(left)
    assert "hunter2" not in str(refused.value)


def test_a_parameter_with_a_port_keeps_one() -> None:
    aws.client("ssm").put_parameter(Name="/p", Type="SecureString", Value=str(OLD))
    name = NameParameter("/p", OLD, NEW)
    name.move(left)
    found = aws.client("ssm").get_parameter(Name="/p", WithDecryption=True)["Parameter"]
    assert (found["Value"], found["Type"]) == (str(NEW), "SecureString")
    assert name.leads_to() == "target"


def test_a_record_that_is_not_there_or_not_one_is_refused() -> None:
    record = Record()
    with pytest.raises(NotFound):
        DnsRecord(record.zone, "nobody.internal", OLD, NEW).leads_to()
    with pytest.raises(NotFound):
        DnsRecord("ZNONE", "db.internal", OLD, NEW).leads_to()
    record.client.change_resource_record_sets(
        HostedZoneId=record.zone,
        ChangeBatch={"Changes": [
            {"Action": "CREATE", "ResourceRecordSet": {
                "Name": "weighted.internal.", "Type": "CNAME", "TTL": 5, "SetIdentifier": one, "Weight": 1,
                "ResourceRecords": [{"Value": OLD.host}]}}
            for one in "ab"
        ]},
    )  # fmt: skip
    with pytest.raises(RequestRefused, match="not one CNAME"):
        DnsRecord(record.zone, "weighted.internal", OLD, NEW).move(left)


# The name of a cluster ---------------------------------------------------------------------------------------------------


class Clusters:
    """RDS, which takes its time for a rename: ``slow`` looks."""

    def __init__(self, slow: int = 3) -> None:
        self.homes = {"shop-1": "shop", "copy-1": "copy"}
        self.slow, self._busy = slow, dict.fromkeys(self.homes, 0)
        self._waiting: dict[str, str] = {}
        self.renames: list[tuple[str, str]] = []
        self.fails_after: int | None = None

    def home(self, instance: str) -> tuple[str, str]:
        if self._busy[instance]:
            self._busy[instance] -= 1
            if not self._busy[instance]:
                self.homes[instance] = self._waiting.pop(instance)
                return self.homes[instance], "available"
            return self.homes[instance], "renaming"
        return self.homes[instance], "available"

    def rename(self, cluster: str, name: str) -> tuple[str, str]:
        instance = next(key for key, value in self.homes.items() if value == cluster)
        if name in {*self.homes.values(), *self._waiting.values()}:
            raise RequestRefused(f"DBClusterAlreadyExistsFault: {name}")
        self.renames.append((cluster, name))
        self._busy[instance], self._waiting[instance] = self.slow, name
        if self.fails_after == len(self.renames):
            raise ServiceUnavailable("the answer is lost")
        return cluster, "renaming"


def named(clusters: Clusters) -> ClusterName:
    now = [0.0]

    def pause(seconds: float) -> None:
        now[0] += seconds

    return ClusterName(clusters, "shop", Holder("shop-1", "shop-old"), Holder("copy-1", "copy"), lambda: now[0], pause)


def test_the_name_of_a_cluster_is_given_in_two_halves_that_wait_for_each_other() -> None:
    clusters = Clusters()
    name = named(clusters)
    assert name.leads_to() == "source"
    name.move(left)
    assert clusters.renames == [("shop", "shop-old"), ("copy", "shop")]
    assert name.leads_to() == "target"
    name.move(left)
    assert len(clusters.renames) == 2
    name.move_back()
    assert clusters.homes == {"shop-1": "shop", "copy-1": "copy"}


@pytest.mark.parametrize("half", [1, 2])
def test_after_either_half_it_goes_on_or_back(half: int) -> None:
    for finish in ("move", "move_back"):
        clusters = Clusters()
        clusters.fails_after = half
        with pytest.raises(ServiceUnavailable):
            named(clusters).move(left)
        if finish == "move":
            named(clusters).move(left)
            assert clusters.homes == {"shop-1": "shop-old", "copy-1": "shop"}
        else:
            named(clusters).move_back()
            assert clusters.homes == {"shop-1": "shop", "copy-1": "copy"}


def test_rds_that_never_gets_done_is_left_when_time_is_up() -> None:
    clusters = Clusters(slow=10_000)
    with pytest.raises(RuntimeError):
        named(clusters).move(deadline_of(iter(range(5))))
    with pytest.raises(ServiceUnavailable, match="300 s"):
        named(clusters).move_back()


def deadline_of(looks: Iterator[int]) -> Any:
    def look() -> float:
        if next(looks, None) is None:
            raise RuntimeError
        return 1.0

    return look


def test_a_cluster_that_somebody_renamed_is_left_alone() -> None:
    clusters = Clusters()
    clusters.homes["shop-1"] = "else"
    assert named(clusters).leads_to() == "neither of else and copy"
    with pytest.raises(RequestRefused, match="somebody renamed it"):
        named(clusters).move(left)
