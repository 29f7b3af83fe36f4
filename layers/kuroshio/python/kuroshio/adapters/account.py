"""What an account holds that a deployment needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.adapters.parameters import SsmParameter
from kuroshio.adapters.stack_outputs import outputs
from kuroshio.errors import NotFound
from kuroshio.preflight.readiness import Account, Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTERED_BY_A_PERSON = {"Key": "kuroshio:entered-by", "Value": "person"}


def observe(environment: str) -> Account:
    """Look at the account and region of the credentials at hand. No value of any secret is read."""
    with aws.translated("asking whose credentials these are"):
        account = aws.client("sts").get_caller_identity()["Account"]
    try:
        made = outputs(f"kuroshio-foundation-{environment}")
    except NotFound:
        made = None
    image = _image(made["ImageParameterName"]) if made else None
    return Account(
        id=account,
        region=str(aws.client("sts").meta.region_name),
        outputs=made,
        image=image,
        image_exists=bool(image) and _exists(str(image)),
        secrets=_secrets(made) if made else (),
    )


def _image(parameter: str) -> str | None:
    try:
        return SsmParameter(parameter).read()
    except NotFound:
        return None


def _exists(uri: str) -> bool:
    """``uri`` is registry/repository:tag or registry/repository@digest."""
    name, _, digest = uri.partition("@")
    path, _, tag = name.partition("/")[2].partition(":")
    try:
        with aws.translated(f"looking for the image {uri}"):
            wanted = {"imageDigest": digest} if digest else {"imageTag": tag}
            aws.client("ecr").describe_images(repositoryName=path, imageIds=[wanted])  # type: ignore[list-item]
    except NotFound:
        return False
    return True


def _secrets(outputs: Mapping[str, str]) -> tuple[Secret, ...]:
    """The foundation puts out the ARN of every secret that it makes."""
    arns = [value for value in outputs.values() if ":secretsmanager:" in value]
    return tuple(secret for secret in map(_secret, arns) if secret)


def _secret(arn: str) -> Secret | None:
    with aws.translated(f"describing the secret {arn}"):
        found = aws.client("secretsmanager").describe_secret(SecretId=arn)
    if ENTERED_BY_A_PERSON not in found.get("Tags", []):
        return None
    stages = [stage for stages in found.get("VersionIdsToStages", {}).values() for stage in stages]
    return Secret(found["Name"], is_entered="AWSCURRENT" in stages)
