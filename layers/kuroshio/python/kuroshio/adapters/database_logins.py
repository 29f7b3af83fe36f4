"""Logins of the master users, from Secrets Manager, tried before they are handed out.

A clone has its source's password until somebody changes either, and a secret may be rotated at any moment: so the current
value of a secret is tried, the same read again, and the one before it. Only a refused login (1045) makes another be tried.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.adapters.mysql import Login, Server
from kuroshio.errors import AccessRefused, ConfigurationMissing, InvalidRequest, NotFound, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.request import ReplicateRequest

_REFUSED = "MySQL 1045"


class DatabaseLogins:
    """``authority``: ``s3://bucket/key`` of the certificates that those of the databases lead to."""

    def __init__(self, rds: RdsClusters, authority: str) -> None:
        self._rds = rds
        self._uri = authority
        self._bundle: Path | None = None
        self._known: dict[str, tuple[str, str]] = {}

    def source(self, request: ReplicateRequest) -> Login:
        """The master user's at the source's writer. Raises NotFound, InvalidRequest, AccessRefused, ServiceUnavailable."""
        return self.login(self._rds.cluster(request.source), request.secrets.source)

    def clone(self, request: ReplicateRequest) -> Login:
        """The master user's at the clone's writer. Raises the same."""
        cluster, secret = self._rds.cluster(request.clone), request.secrets.clone
        if not secret and not cluster.master_secret:
            secret = self.secret_of_source(request)
        return self.login(cluster, secret)

    def secret_of_source(self, request: ReplicateRequest) -> str:
        """The ARN of the secret with the source's login; empty where there is none."""
        return request.secrets.source or self._rds.cluster(request.source).master_secret

    def login(self, cluster: Cluster, secret: str = "") -> Login:
        """The first of the secret's logins that the cluster's endpoint takes."""
        named = secret or cluster.master_secret
        if not named:
            raise InvalidRequest(
                f"RDS manages no secret of {cluster.name}, and the request's secrets name none with its master user's login"
            )
        refusal: AccessRefused | None = None
        tried = set()
        for user, password in self._candidates(named):
            if (user, password) in tried:
                continue
            tried.add((user, password))
            login = Login(cluster.endpoint, cluster.port, user, password, self.authority())
            try:
                _try(login)
            except AccessRefused as error:
                if _REFUSED not in str(error):
                    raise
                refusal = error
                self._known.pop(named, None)
            else:
                self._known[named] = (user, password)
                return login
        raise AccessRefused(f"{refusal}. The secret {named} does not hold the password of {cluster.name}") from refusal

    def authority(self) -> Path:
        """The certificates, fetched once by this process."""
        if self._bundle is None:
            bucket, _, key = self._uri.removeprefix("s3://").partition("/")
            if not self._uri.startswith("s3://") or not key:
                raise ConfigurationMissing(f"DATABASE_AUTHORITY is {self._uri}; it must be s3://bucket/key")
            with aws.translated(f"reading {self._uri}"):
                body = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            folder = Path(tempfile.mkdtemp(prefix="kuroshio-authority-"))
            (folder / "authority.pem").write_bytes(body)
            self._bundle = folder / "authority.pem"
        return self._bundle

    def _candidates(self, secret: str) -> Iterator[tuple[str, str]]:
        if secret in self._known:
            yield self._known[secret]
        current = _read(secret, "AWSCURRENT")
        if current is None:
            raise NotFound(f"the secret {secret} has no value")
        yield current
        previous = _read(secret, "AWSPREVIOUS")
        if previous is not None:
            yield previous


def _try(login: Login) -> None:
    server = Server(login)
    try:
        server.rows("SELECT 1")
    finally:
        server.close()


def _read(secret: str, stage: str) -> tuple[str, str] | None:
    """User and password; None where the secret has no version of that stage."""
    from botocore.exceptions import ClientError

    with aws.translated(f"reading the login in the secret {secret}"):
        try:
            answer = aws.client("secretsmanager").get_secret_value(SecretId=secret, VersionStage=stage)
        except ClientError as error:
            if stage == "AWSPREVIOUS" and aws.code_of(error) == "ResourceNotFoundException":
                return None
            raise
    return _parsed(secret, answer.get("SecretString", ""))


def _parsed(secret: str, text: str) -> tuple[str, str]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None  # the decoder's message would quote the secret
    if isinstance(found, dict) and isinstance(found.get("username"), str) and isinstance(found.get("password"), str):
        return found["username"], found["password"]
    raise RequestRefused(
        f'the secret {secret} holds no login; it must be {{"username": …, "password": …}}, as RDS writes it'
    )
