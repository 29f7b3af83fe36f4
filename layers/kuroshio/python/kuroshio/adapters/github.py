"""GitHub's REST API: comments of pull requests, and the pull requests of a commit."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import kuroshio
from kuroshio.errors import AccessRefused, NotFound, RequestRefused, ServiceUnavailable
from kuroshio.github.comment import Comment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from urllib3 import BaseHTTPResponse, PoolManager

_PER_PAGE = 100
_MAX_PAGES = 100
_ATTEMPTS = 4
_LONGEST_PAUSE_S = 30.0
_OK, _REFUSED, _ABSENT = range(200, 300), (401, 403), (404, 410)
_LATER = (429, 500, 502, 503, 504)


class GitHub:
    """One repository as a token may see it. Implements ``github.comment.Comments`` and ``github.merge.Merges``."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        self._token = token
        self._pool: PoolManager | None = None

    def comments(self, number: int) -> list[Comment]:
        """Return all comments of a pull request, the oldest first."""
        return [
            Comment(each["id"], (each.get("user") or {}).get("login", ""), each.get("body") or "")
            for each in self._pages(f"/issues/{number}/comments")
        ]

    def create(self, number: int, body: str) -> int:
        """Write a comment and return its id."""
        return int(self._call("POST", f"/issues/{number}/comments", {"body": body})["id"])

    def update(self, comment: int, body: str) -> None:
        """Replace a comment's text."""
        self._call("PATCH", f"/issues/comments/{comment}", {"body": body})

    def delete(self, comment: int) -> None:
        """Take a comment away; one that is gone already is success."""
        try:
            self._call("DELETE", f"/issues/comments/{comment}")
        except NotFound:
            return

    def pulls_of(self, commit: str) -> list[dict[str, Any]]:
        """Return the pull requests that GitHub associates with a commit."""
        return list(self._pages(f"/commits/{commit}/pulls"))

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        for page in range(1, _MAX_PAGES + 1):
            found = self._call("GET", f"{path}?per_page={_PER_PAGE}&page={page}")
            yield from found
            if len(found) < _PER_PAGE:
                return

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        for attempt in range(1, _ATTEMPTS + 1):
            answer = self._request(method, path, body)
            pause = _pause(answer, attempt)
            # A comment that was perhaps written is not written again: the next run finds and updates it.
            if pause is None or attempt == _ATTEMPTS or (method == "POST" and answer.status not in (403, 429)):
                break
            time.sleep(pause)
        return self._result(f"{method} {self._base}{path}", answer)

    def _request(self, method: str, path: str, body: Any) -> BaseHTTPResponse:
        import urllib3

        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self._token}",
            "User-Agent": f"kuroshio/{kuroshio.__version__}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        data = None if body is None else json.dumps(body).encode()
        if self._pool is None:
            self._pool = urllib3.PoolManager(timeout=20.0, retries=False)
        try:
            # A redirect would carry the token to wherever it points.
            return self._pool.request(method, self._base + path, body=data, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            raise ServiceUnavailable(f"{method} {self._base}{path}: {type(error).__name__}") from None

    @staticmethod
    def _result(doing: str, answer: BaseHTTPResponse) -> Any:
        if answer.status in _OK:
            return json.loads(answer.data) if answer.data else None
        said = f"{doing} was answered with {answer.status}: {answer.data[:300].decode('utf-8', 'replace')}"
        if answer.status in _LATER or _is_limited(answer):
            raise ServiceUnavailable(said)
        if answer.status in _REFUSED:
            raise AccessRefused(said)
        raise (NotFound if answer.status in _ABSENT else RequestRefused)(said)


def _is_limited(answer: BaseHTTPResponse) -> bool:
    """Rate limits come as 403 as well: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api."""
    return "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"


def _pause(answer: BaseHTTPResponse, attempt: int) -> float | None:
    """Seconds until another try makes sense; None: it does not."""
    if answer.status not in _LATER and not (answer.status in _REFUSED and _is_limited(answer)):
        return None
    asked = answer.headers.get("retry-after", "")
    return min(_LONGEST_PAUSE_S, float(asked) if asked.isdecimal() else 0.5 * 2**attempt)
