"""The one host of an environment that carries its check reports: Mackerel takes reports of hosts only.

A host that is registered through the API is a standard one, the most expensive kind; hosts that post no metrics are not
counted (support.mackerel.io 360039702912), so nothing here ever posts a host metric. Never one host per execution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kuroshio.errors import RequestRefused
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.mackerel.ports import Answer
    from kuroshio.mackerel.turns import Channel

_NOT_FOUND = 404


@dataclass(frozen=True)
class CheckHost:
    """The host as it shall be. ``identifier`` is what it is found by, in place of an id that somebody must keep."""

    identifier: str
    name: str
    roles: tuple[str, ...] = ()  # "<service>:<role>"; Mackerel creates those that it does not know


def ensured(channel: Channel, host: CheckHost, checks: Iterable[str]) -> str:
    """The id of the host, registered if it is not there, with exactly these checks in its list.

    Mackerel deletes check monitors that the list does not name, so it must name all. Raises TurnEnded where Mackerel
    cannot be asked, RequestRefused where it refuses the host.
    """
    wanted = _registration(host, checks)
    where = f"/hosts-by-custom-identifier/{quote(host.identifier, safe='')}"
    known = channel.call("GET", where, expected=(_NOT_FOUND,))
    if known.status == _NOT_FOUND:
        return _id(channel.call("POST", "/hosts", wanted))
    key = _judged(known).document["host"]["id"]
    return _id(channel.call("PUT", f"/hosts/{key}", wanted))


def _registration(host: CheckHost, checks: Iterable[str]) -> dict[str, Any]:
    return {
        "name": host.name,
        "customIdentifier": host.identifier,
        "meta": {"agent-name": "kuroshio"},
        "roleFullnames": list(host.roles),
        "checks": [{"name": name} for name in sorted(set(checks))],
    }


def _id(answer: Answer) -> str:
    return str(_judged(answer).document["id"])


def _judged(answer: Answer) -> Answer:
    if verdict(answer) is not Verdict.DELIVERED:
        raise RequestRefused(f"Mackerel refuses the host of the check reports: HTTP {answer.status}: {answer.message}")
    return answer
