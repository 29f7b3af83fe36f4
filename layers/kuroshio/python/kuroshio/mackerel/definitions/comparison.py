"""What lies between what is wanted and what is there, and the calls that close the gap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kuroshio.errors import RequestRefused
from kuroshio.mackerel.definitions.differences import Difference, differences
from kuroshio.mackerel.definitions.marks import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.mackerel.definitions.wanted import Wanted

NOTE = "kuroshio"  # the namespace of the service's metadata in which we note what cannot be asked for


class Action(StrEnum):
    """What is done to a thing."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REFRESH = "refresh"  # nothing differs, but Mackerel forgets it unless it is sent again


@dataclass(frozen=True)
class Call:
    """A request to Mackerel."""

    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Step:
    """One thing that is not as it shall be, and the request that makes it so."""

    action: Action
    kind: str
    name: str
    call: Call
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Observed:
    """What Mackerel holds. ``dashboards`` have widgets where they are ours; ``noted`` are digests by graph definition."""

    services: frozenset[str]
    roles: frozenset[str]
    monitors: tuple[dict[str, Any], ...]
    dashboards: tuple[dict[str, Any], ...]
    noted: Mapping[str, str]


def compare(wanted: Wanted, observed: Observed) -> list[Step]:
    """The steps, in the order in which they can be done. Raises RequestRefused where something stands in the way."""
    return [
        *_service(wanted, observed),
        *_definitions(wanted, observed),
        *_monitors(wanted, observed),
        *_dashboard(wanted, observed),
    ]


def _service(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Made where they lack, never changed or removed: with a service Mackerel deletes all its metrics."""
    if wanted.name not in observed.services:
        yield Step(Action.CREATE, "service", wanted.name, Call("POST", "/services", wanted.service))
    for name, role in wanted.roles.items():
        if name not in observed.roles:
            yield Step(Action.CREATE, "role", name, Call("POST", f"/services/{wanted.name}/roles", role))


def _definitions(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    """Mackerel has no way to ask for them, so what was sent last is noted beside the service."""
    digests = {name: _digest(document) for name, document in wanted.definitions.items()}
    for name, document in wanted.definitions.items():
        call = Call("POST", "/graph-defs/create", [document])
        if name not in observed.noted:
            yield Step(Action.CREATE, "graph definition", name, call)
        elif observed.noted[name] != digests[name]:
            change = Difference("digest", observed.noted[name][:12], digests[name][:12])
            yield Step(Action.UPDATE, "graph definition", name, call, (change,))
        elif "*" in name or "#" in name:
            yield Step(Action.REFRESH, "graph definition", name, call)
    for name in sorted(observed.noted.keys() - digests.keys()):
        yield Step(Action.DELETE, "graph definition", name, Call("DELETE", "/graph-defs", {"name": name}))
    if digests != observed.noted:
        path = f"/services/{wanted.name}/metadata/{NOTE}"
        yield Step(Action.UPDATE, "note of graph definitions", NOTE, Call("PUT", path, {"graphDefinitions": digests}))


def _monitors(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in observed.monitors:
        if (key := key_of(entry, "monitor", wanted.name)) is not None:
            found.setdefault(key, []).append(entry)
    for key, document in wanted.monitors.items():
        there = found.get(key, [])
        if not there:
            yield Step(Action.CREATE, "monitor", document["name"], Call("POST", "/monitors", _sent(document)))
            continue
        found[key] = there[1:]  # of a creation whose answer was lost there may be two
        if changes := tuple(differences(document, there[0])):
            # Muting is done by people, in the middle of something: it stays.
            body = _sent({"isMute": there[0].get("isMute"), **document})
            call = Call("PUT", f"/monitors/{there[0]['id']}", body)
            yield Step(Action.UPDATE, "monitor", document["name"], call, changes)
    for entry in (entry for entries in found.values() for entry in entries):
        yield Step(Action.DELETE, "monitor", entry["name"], Call("DELETE", f"/monitors/{entry['id']}"))


def _dashboard(wanted: Wanted, observed: Observed) -> Iterator[Step]:
    ours = [entry for entry in observed.dashboards if key_of(entry, "dashboard", wanted.name) is not None]
    document = wanted.dashboard
    if document is not None:
        taken = next((each for each in observed.dashboards if each["urlPath"] == document["urlPath"]), None)
        if taken is not None and taken not in ours:
            raise RequestRefused(
                f"the dashboard {taken['title']!r} has the path {taken['urlPath']} and is not ours; "
                "give ours another one (dashboard.path), or remove that one"
            )
        ours.sort(key=lambda entry: entry["urlPath"] != document["urlPath"])
        there = ours.pop(0) if ours else None
        if there is None:
            yield Step(Action.CREATE, "dashboard", document["title"], Call("POST", "/dashboards", document))
        elif changes := tuple(differences(document, there)):
            call = Call("PUT", f"/dashboards/{there['id']}", document)
            yield Step(Action.UPDATE, "dashboard", document["title"], call, changes)
    for entry in ours:
        yield Step(Action.DELETE, "dashboard", entry["title"], Call("DELETE", f"/dashboards/{entry['id']}"))


def _sent(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _digest(document: Any) -> str:
    return sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
