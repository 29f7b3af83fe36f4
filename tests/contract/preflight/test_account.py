"""What is seen of an account, through the services' own answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.account import observe
from kuroshio.cli import kuroshio_command
from kuroshio.preflight.readiness import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

FOUNDATION = {
    "Resources": {
        "Repository": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "kuroshio-dev"}},
        "ImageParameter": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/kuroshio/dev/image", "Type": "String", "Value": "registry/kuroshio-dev:initial"},
        },
    },
    "Outputs": {"ImageParameterName": {"Value": {"Ref": "ImageParameter"}}},
}


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        aws.forget_clients()
        yield
    aws.forget_clients()


def deploy_foundation() -> None:
    """With its secrets made beside it: moto's CloudFormation knows none."""
    make = aws.client("secretsmanager").create_secret
    key = make(Name="mackerel-api-key", Tags=[{"Key": "kuroshio:entered-by", "Value": "person"}])["ARN"]
    drawn = make(Name="drawn-by-lot", SecretString="4")["ARN"]
    outputs = {**FOUNDATION["Outputs"], "MackerelKeyArn": {"Value": key}, "DrawnArn": {"Value": drawn}}
    body = json.dumps({**FOUNDATION, "Outputs": outputs})
    aws.client("cloudformation").create_stack(StackName="kuroshio-foundation-dev", TemplateBody=body)


def test_an_empty_account_has_no_foundation() -> None:
    seen = observe("dev")

    assert (seen.id, seen.region) == ("123456789012", "ap-northeast-1")
    assert (seen.outputs, seen.image, seen.image_exists, seen.secrets) == (None, None, False, ())


def test_the_image_in_force_is_looked_for_in_the_repository() -> None:
    deploy_foundation()

    seen = observe("dev")
    assert (seen.image, seen.image_exists) == ("registry/kuroshio-dev:initial", False)

    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"digest": "sha256:" + "0" * 64},
            "layers": [],
        }
    )
    aws.client("ecr").put_image(repositoryName="kuroshio-dev", imageManifest=manifest, imageTag="initial")
    assert observe("dev").image_exists


def test_secrets_that_a_person_enters_are_seen_and_their_values_are_not() -> None:
    deploy_foundation()
    assert observe("dev").secrets == (Secret("mackerel-api-key", is_entered=False),)

    aws.client("secretsmanager").put_secret_value(SecretId="mackerel-api-key", SecretString="entered by hand")

    assert observe("dev").secrets == (Secret("mackerel-api-key", is_entered=True),)


def test_the_command_names_what_is_missing_and_ends_with_1() -> None:
    deploy_foundation()

    done = CliRunner().invoke(kuroshio_command, ["preflight", "--env", "dev", "--account", "000000000000"])

    assert done.exit_code == 1
    assert [line.split(":")[0] for line in done.output.splitlines()] == [
        "MISSING  account",
        "ready    foundation",
        "MISSING  image",
        "MISSING  secret mackerel-api-key",
    ]
