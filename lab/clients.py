"""boto3 clients that go through the lab's door."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from lab.keys import INTERNAL
from lab.place import REGION
from lab.ports import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

_CONFIG = Config(
    retries={"max_attempts": 0, "mode": "standard"},
    connect_timeout=10,
    read_timeout=930,
    max_pool_connections=50,
    inject_host_prefix=False,
)


def client(service: str, endpoint: str, region: str, keys: Credentials) -> Any:
    """A boto3 client of ``service`` (any, so it has no type of its own) that retries nothing by itself."""
    make: Any = boto3.session.Session().client
    return make(
        service,
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id=keys.access_key_id,
        aws_secret_access_key=keys.secret_access_key,
        aws_session_token=keys.session_token or None,
        config=_CONFIG,
    )


class Clients:
    """One client per service, region and key: creating one costs tens of milliseconds, and they are safe to share."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()
        self.credentials_of: Callable[[str], Credentials] = lambda _role_arn: INTERNAL

    def internal(self, service: str, region: str = REGION) -> Any:
        """A client of the lab's own, whose calls no policy judges."""
        return self._client(service, region, INTERNAL)

    def for_role(self, service: str, region: str, role_arn: str) -> Any:
        """A client with the role's temporary keys."""
        return self._client(service, region, self.credentials_of(role_arn))

    def assume(self, role_arn: str) -> Credentials:
        """Temporary keys of the role. Raises botocore's ClientError if there is no such role."""
        answer = self.internal("sts").assume_role(RoleArn=role_arn, RoleSessionName="lab")["Credentials"]
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])

    def _client(self, service: str, region: str, keys: Credentials) -> Any:
        with self._lock:
            known = (service, region, keys.access_key_id)
            if known not in self._clients:
                self._clients[known] = client(service, self._endpoint, region, keys)
            return self._clients[known]
