"""The login by which a clone follows, in Secrets Manager. Its value is in no answer, no error and no log."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.aurora.making import Secret
from kuroshio.errors import AccessRefused, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

from contextlib import contextmanager

_ABSENT = "ResourceNotFoundException"
_THERE = frozenset({"ResourceExistsException", "InvalidRequestException"})  # the second while it is being deleted
# By this name one request has one token, whoever repeats it: Secrets Manager makes one version of it.
_TOKENS = uuid.uuid5(uuid.NAMESPACE_URL, "kuroshio/aurora/replication")


class ReplicationSecrets:
    """Implements ``aurora.making.Secrets``. Names stand behind ``prefix``, which the functions' roles may read."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def find(self, name: str) -> Secret | None:
        """The login of that name, as it is now: somebody may rotate it. Raises RequestRefused where it is none."""
        client, name = aws.client("secretsmanager"), self._prefix + name
        told = _told(name)
        if not told or "DeletedDate" in told:
            return None
        with _asking("GetSecretValue", name):
            value = client.get_secret_value(SecretId=told["ARN"]).get("SecretString", "")
        tags = {tag.get("Key", ""): tag.get("Value", "") for tag in told.get("Tags", [])}
        try:
            found = json.loads(value)
            user, password = found["username"], found["password"]
        except (ValueError, TypeError, KeyError):
            user = password = None  # an error of the decoder would quote the value
        if not (isinstance(user, str) and isinstance(password, str)):
            raise RequestRefused(f'the secret {name} holds no login; it must be {{"username": …, "password": …}}')
        return Secret(told["ARN"], user, password, tags)

    def create(self, name: str, user: str, password: str, tags: Mapping[str, str]) -> None:
        """Keep a login; one of that name that is there stays. Raises ServiceUnavailable while an earlier one is going."""
        from botocore.exceptions import ClientError

        name = self._prefix + name
        with _asking("CreateSecret and secretsmanager:TagResource", name):
            try:
                aws.client("secretsmanager").create_secret(
                    Name=name,
                    Description="The login by which an Aurora clone follows its source. Kuroshio removes it with the clone",
                    ClientRequestToken=str(uuid.uuid5(_TOKENS, name)),
                    SecretString=json.dumps({"username": user, "password": password}),
                    Tags=[{"Key": key, "Value": value} for key, value in sorted(tags.items())],
                )
            except ClientError as error:
                if aws.code_of(error) not in _THERE:
                    raise
        # "There is one" is the answer to the same name with another value, which a second password is: the first one stays.
        if "DeletedDate" in _told(name):
            raise ServiceUnavailable(
                f"an earlier secret {name} is being deleted: the name is free in a moment, or, where somebody deleted it with a "
                "recovery window, after that (or: aws secretsmanager restore-secret)"
            )

    def delete(self, name: str) -> None:
        """Remove it at once, if it is there."""
        from botocore.exceptions import ClientError

        name = self._prefix + name
        with _asking("DeleteSecret", name):
            try:
                aws.client("secretsmanager").delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
            except ClientError as error:
                if aws.code_of(error) != _ABSENT:
                    raise


def _told(name: str) -> dict[str, Any]:
    from botocore.exceptions import ClientError

    with _asking("DescribeSecret", name):
        try:
            return dict(aws.client("secretsmanager").describe_secret(SecretId=name))
        except ClientError as error:
            if aws.code_of(error) != _ABSENT:
                raise
    return {}


@contextmanager
def _asking(operation: str, name: str) -> Iterator[None]:
    try:
        with aws.translated(f"the secret {name}"):
            yield
    except AccessRefused as error:
        raise AccessRefused(f"{error}. The function's role needs secretsmanager:{operation} on {name}") from error
