"""Mackerel over HTTPS, and the key to it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, Protocol

import kuroshio
from kuroshio.adapters import aws
from kuroshio.errors import ConfigurationMissing
from kuroshio.mackerel.ports import Answer

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

FIELD = "MACKEREL_API_KEY"  # of a secret that is a JSON object, as Secrets Manager's own page makes them
ORIGIN = "https://api.mackerelio.com"
_UNAUTHORIZED = 401
_KEY = re.compile(r"[A-Za-z0-9+/=_.-]+")
_CONNECT = 5.0  # seconds


class ApiKey(Protocol):
    """Where the key comes from."""

    def value(self) -> str:
        """The key, as it was last read."""

    def fresh(self) -> str:
        """The key, read again."""


class SecretKey:
    """The API key in Secrets Manager: read on first use, kept, and read again when Mackerel refuses it."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._value = ""

    def value(self) -> str:
        """The key. Raises NotFound, AccessRefused, ServiceUnavailable, and ConfigurationMissing where it is empty."""
        return self._value or self.fresh()

    def fresh(self) -> str:
        """The key as Secrets Manager has it now; raises as ``value`` does."""
        with aws.translated(f"reading the API key from the secret {self._secret}"):
            answer = aws.client("secretsmanager").get_secret_value(SecretId=self._secret)
        value = _key_in(answer.get("SecretString", "").strip())
        # Anything else would be refused by http.client, with an error that quotes it.
        if not _KEY.fullmatch(value):
            raise ConfigurationMissing(
                f"the secret {self._secret} holds no key; put Mackerel's API key into it, alone or as {{{FIELD!r}: key}}"
            )
        self._value = value
        return value


class GivenKey:
    """A key that somebody handed over, as in the environment variable MACKEREL_APIKEY: there is no newer one."""

    def __init__(self, value: str) -> None:
        """Raises ConfigurationMissing for what cannot be a key; http.client would refuse it with an error that quotes it."""
        if not _KEY.fullmatch(value):
            raise ConfigurationMissing("the API key that was given is more than a key; give Mackerel's API key alone")
        self._value = value

    def value(self) -> str:
        """The key."""
        return self._value

    def fresh(self) -> str:
        """The same key."""
        return self._value


class HttpMackerel:
    """The port ``Api`` over kept connections. Each call is one request, or two where the key was replaced meanwhile."""

    def __init__(self, key: ApiKey, *, origin: str = ORIGIN, timeout: float = 20.0) -> None:
        """``timeout``: seconds for a whole answer to begin; it must not exceed ``Pace.request_timeout``."""
        self._key, self._origin, self._timeout = key, origin.rstrip("/"), timeout
        self._pool: PoolManager | None = None

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request to a path below /api/v0. The answer has status 0 where none came, within ``timeout`` in any case.

        Raises what reading the key raises; never for what the network or Mackerel does.
        """
        begun, key = time.monotonic(), self._key.value()
        answer = self._request(method, path, body, key, self._timeout)
        if answer.status == _UNAUTHORIZED and (replaced := self._key.fresh()) != key:
            # Whoever waits for us counts from the beginning: what would end later is left to the next turn.
            left = self._timeout - (time.monotonic() - begun)
            return self._request(method, path, body, replaced, left) if left > 1 else answer
        return answer

    def _request(self, method: str, path: str, body: Any, key: str, within: float) -> Answer:
        import urllib3
        from urllib3.exceptions import HTTPError

        headers = {"X-Api-Key": key, "User-Agent": f"kuroshio/{kuroshio.__version__}"}
        if method != "GET":
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        try:
            # A redirect would carry the key to wherever it points.
            response = self._connections().request(
                method,
                f"{self._origin}/api/v0{path}",
                body=data,
                headers=headers,
                redirect=False,
                timeout=urllib3.Timeout(connect=_CONNECT, total=within),
            )
        except HTTPError as error:
            return Answer(0, message=f"{type(error).__name__}: {error}")
        return _answer(response)

    def _connections(self) -> PoolManager:
        if self._pool is None:
            import urllib3

            # urllib3's own retries would repeat a POST of which nobody knows whether it was processed.
            self._pool = urllib3.PoolManager(maxsize=2, retries=False)
        return self._pool


def _key_in(text: str) -> str:
    """The key in what a secret holds: the whole of it, or one field of an object."""
    if not text.startswith("{"):
        return text
    try:
        found = json.loads(text).get(FIELD, "")
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""


def _answer(response: BaseHTTPResponse) -> Answer:
    try:
        document = json.loads(response.data)
    except ValueError:
        document = None
    return Answer(response.status, document, _message(document) or response.reason or "", _seconds(response))


def _message(document: Any) -> str:
    """What an error says: {"error": {"message": ...}} today, {"error": "..."} of older deployments."""
    error = document.get("error") if isinstance(document, dict) else None
    return str(error.get("message", "")) if isinstance(error, dict) else str(error or "")


def _seconds(response: BaseHTTPResponse) -> float | None:
    """Retry-After, where it is a number: Mackerel documents none, a proxy before it may send one."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None
