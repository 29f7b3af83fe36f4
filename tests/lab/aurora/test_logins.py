"""Logins from Secrets Manager (moto's), tried at a real server."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.database_logins import DatabaseLogins
from kuroshio.adapters.mysql import Server
from kuroshio.aurora.cluster import Cluster
from kuroshio.aurora.request import ReplicateRequest, Secrets
from kuroshio.errors import AccessRefused, ConfigurationMissing, InvalidRequest, NotFound, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.aurora.conftest import Pair

REQUEST = ReplicateRequest("shop", "shop-next")
SHOP = Cluster("shop", "arn", "aurora-mysql", "8.0", "available", "127.0.0.1", "", 0, "group", "subnets", ())


@dataclass
class TwoClusters:
    """Both at one server."""

    port: int
    secrets: dict[str, str] = field(default_factory=dict)

    def cluster(self, name: str) -> Cluster:
        return replace(SHOP, name=name, port=self.port, master_secret=self.secrets.get(name, ""))


@dataclass
class World:
    pair: Pair
    clusters: TwoClusters
    logins: DatabaseLogins

    def secret(self, name: str, text: str) -> str:
        return str(aws.client("secretsmanager").create_secret(Name=name, SecretString=text)["ARN"])

    def rotate(self, arn: str, password: str) -> None:
        aws.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=login(password))

    def set_password(self, password: str) -> None:
        server = Server(self.pair.login(self.pair.source))
        server.rows("CREATE OR REPLACE USER master@'%%' IDENTIFIED BY %s", (password,))
        server.close()


def login(password: str) -> str:
    return json.dumps({"username": "master", "password": password})


@pytest.fixture
def world(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        aws.forget_clients()
        aws.client("s3").create_bucket(Bucket="kept")
        aws.client("s3").put_object(Bucket="kept", Key="aurora/ca.pem", Body=pair.authority.bundle.read_bytes())
        clusters = TwoClusters(pair.source.port)
        made = World(pair, clusters, DatabaseLogins(clusters, "s3://kept/aurora/ca.pem"))
        made.set_password("first")
        yield made
    aws.forget_clients()


def test_the_secret_that_rds_manages_is_used_and_a_named_one_comes_before_it(world: World) -> None:
    world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    assert world.logins.source(REQUEST).password == "first"
    own = world.secret("own", login("other"))
    with pytest.raises(AccessRefused, match=f"1045.*The secret {own} does not hold the password of shop"):
        world.logins.source(replace(REQUEST, secrets=Secrets(source=own)))


def test_a_clone_has_its_sources_password_until_a_secret_of_its_own_is_there(world: World) -> None:
    world.clusters.secrets["shop"] = world.secret("source", login("first"))
    assert world.logins.clone(REQUEST).password == "first"
    world.set_password("second")
    world.clusters.secrets["shop-next"] = world.secret("clone", login("second"))
    assert world.logins.clone(REQUEST).password == "second"


def test_a_secret_that_was_rotated_is_read_again(world: World) -> None:
    arn = world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    assert world.logins.source(REQUEST).password == "first"
    world.set_password("second")
    world.rotate(arn, "second")
    assert world.logins.source(REQUEST).password == "second"


def test_a_clone_keeps_the_password_that_its_sources_secret_had_before(world: World) -> None:
    arn = world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    world.rotate(arn, "second")
    assert world.logins.clone(REQUEST).password == "first"


def test_a_secret_that_is_rotated_later_than_the_password_is_waited_for_by_its_refusal(world: World) -> None:
    world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    world.set_password("second")
    with pytest.raises(AccessRefused, match="1045"):
        world.logins.source(REQUEST)


def test_a_login_shows_no_password(world: World) -> None:
    world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    assert "first" not in repr(world.logins.source(REQUEST))


def test_no_secret_at_all_is_said_so(world: World) -> None:
    with pytest.raises(InvalidRequest, match="RDS manages no secret of shop"):
        world.logins.source(REQUEST)


def test_a_secret_that_is_not_there_is_named(world: World) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf"
    with pytest.raises(NotFound, match="gone-AbCdEf"):
        world.logins.source(replace(REQUEST, secrets=Secrets(source=arn)))


@pytest.mark.parametrize("text", ["hunter2", "[]", '{"username": "master"}', '{"username": "m", "password": 12345}'])
def test_a_secret_of_another_form_is_refused_without_being_shown(world: World, text: str) -> None:
    world.clusters.secrets["shop"] = world.secret("odd", text)
    with pytest.raises(RequestRefused, match="holds no login") as caught:
        world.logins.source(REQUEST)
    assert "hunter2" not in str(caught.value)
    assert "12345" not in str(caught.value).replace("123456789012", "")


@pytest.mark.parametrize("uri", ["kept/aurora/ca.pem", "s3://kept", "/etc/ssl/ca.pem"])
def test_an_authority_that_is_no_address_is_refused(world: World, uri: str) -> None:
    with pytest.raises(ConfigurationMissing, match="it must be s3://bucket/key"):
        DatabaseLogins(world.clusters, uri).authority()


def test_a_server_of_another_authority_is_not_given_the_password(world: World) -> None:
    other = world.pair.authority.new(world.pair.source.folder / "another")
    aws.client("s3").put_object(Bucket="kept", Key="other.pem", Body=other.bundle.read_bytes())
    world.clusters.secrets["shop"] = world.secret("managed", login("first"))
    with pytest.raises(Exception, match="CERTIFICATE_VERIFY_FAILED"):
        DatabaseLogins(world.clusters, "s3://kept/other.pem").source(REQUEST)
