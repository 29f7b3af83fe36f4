"""Straight to Mackerel, behind the port of the outbox: for machines that have an API key and no queue.

It cannot merge what several writers say of one minute, so it refuses what would have to be added up.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from kuroshio.errors import (
    AccessRefused,
    ConfigurationMissing,
    InvalidRequest,
    NotFound,
    RequestRefused,
    ServiceUnavailable,
)
from kuroshio.mackerel.messages import unpacked
from kuroshio.mackerel.points import Combine
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from kuroshio.errors import KuroshioError
    from kuroshio.mackerel.ports import Answer, Api

_NOT_FOUND = 404
_FAILURES: dict[Verdict, type[KuroshioError]] = {
    Verdict.RETRY: ServiceUnavailable,
    Verdict.SLOW_DOWN: ServiceUnavailable,
    Verdict.PARK: AccessRefused,
    Verdict.SPLIT: RequestRefused,
}


class DirectOutbox:
    """Implements ``mackerel.ports.Outbox``. ``host`` is Mackerel's id of the host that carries the check reports."""

    def __init__(self, api: Api, host: str) -> None:
        self._api, self._host = api, host

    def send(self, message: str) -> None:
        """Return once Mackerel has all of it; sent again, it changes nothing.

        Raises ServiceUnavailable, AccessRefused (a wrong key), NotFound (no such service), RequestRefused, and
        InvalidRequest for what needs a queue.
        """
        parcel = unpacked(message, time.time())
        if any(point.combine != Combine.LAST for point in parcel.points) or parcel.annotations or parcel.downtimes:
            raise InvalidRequest("only the queue can add up, and knows which annotations and downtimes there are")
        for service in sorted({point.service for point in parcel.points}):
            points = [point for point in parcel.points if point.service == service]
            body = [{"name": point.name, "time": point.minute, "value": point.value} for point in points]
            self._post(f"/services/{service}/tsdb", body)
        if parcel.reports:
            if not self._host:
                raise ConfigurationMissing("check reports need a host of Mackerel: its agent's, or --host")
            self._post("/monitoring/checks/report", {"reports": [each.posted(self._host) for each in parcel.reports]})

    def _post(self, path: str, body: Any) -> None:
        answer = self._api.call("POST", path, body)
        meaning = verdict(answer)
        if meaning is not Verdict.DELIVERED:
            raise _failure(answer, meaning)(f"Mackerel answered to {path} with {answer.status}: {answer.message}")


def _failure(answer: Answer, meaning: Verdict) -> type[KuroshioError]:
    return NotFound if answer.status == _NOT_FOUND else _FAILURES[meaning]
