"""A role in AWS, taken with the token that GitHub gives a job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from kuroshio.adapters import aws
from kuroshio.errors import AccessRefused, ConfigurationMissing, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_AUDIENCE = "sts.amazonaws.com"
_OK = 200
URL, TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"


@dataclass(frozen=True)
class Keys:
    """Keys of a role for an hour."""

    access: str
    secret: str
    session: str

    def environment(self) -> dict[str, str]:
        """Return them as every AWS client reads them."""
        return {
            "AWS_ACCESS_KEY_ID": self.access,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.session,
        }


def is_offered(environ: Mapping[str, str]) -> bool:
    """Whether GitHub offers the job a token: it does with ``id-token: write``, and never to a fork's pull request."""
    return bool(environ.get(URL) and environ.get(TOKEN))


def assume(role: str, session: str, environ: Mapping[str, str]) -> Keys:
    """Take the role. The keys are returned and written nowhere, so that no later step of the job has them.

    Raises ConfigurationMissing where GitHub offers no token, AccessRefused where the role's trust does not name this
    job's subject.
    """
    if not is_offered(environ):
        raise ConfigurationMissing("GitHub offers this job no token; give the job `permissions: id-token: write`")
    token = _token(environ[URL], environ[TOKEN])
    with aws.translated(f"taking the role {role}"):
        given = aws.client("sts").assume_role_with_web_identity(
            RoleArn=role, RoleSessionName=session, WebIdentityToken=token
        )["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _token(url: str, bearer: str) -> str:
    import urllib3

    with urllib3.PoolManager(timeout=20.0, retries=urllib3.Retry(3, redirect=0, backoff_factor=0.5)) as pool:
        try:
            answer = pool.request(
                "GET", f"{url}&audience={quote(_AUDIENCE)}", headers={"Authorization": f"Bearer {bearer}"}
            )
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(f"asking GitHub for the job's token: {type(error).__name__}") from None
        if answer.status != _OK:
            raise AccessRefused(f"asking GitHub for the job's token was answered with {answer.status}")
        return str(json.loads(answer.data)["value"])
