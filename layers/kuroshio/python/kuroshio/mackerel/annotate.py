"""Annotations: made once, found again by their marker where an answer was lost, and updated when they end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kuroshio.mackerel import places
from kuroshio.mackerel.points import DAY, marked
from kuroshio.mackerel.ports import Key, Record
from kuroshio.mackerel.shelf import resolved, rewritten, set_aside
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from kuroshio.mackerel.ports import Answer, Ledger
    from kuroshio.mackerel.shelf import Tally
    from kuroshio.mackerel.turns import Channel

_NOT_FOUND = 404
_BATCH = 25


def send(ledger: Ledger, channel: Channel, tally: Tally, service: str, *, now: float) -> None:
    """Bring the service's annotations to Mackerel. Raises TurnEnded where no more can pass."""
    lane = places.annotations_of(service)
    while entries := ledger.scan(places.due(lane), _BATCH):
        for entry in entries:
            key = Key(f"mackerel#annotations#{service}", entry.key.sk)
            record = ledger.read([key]).get(key)
            answer = _sent(ledger, channel, record) if record is not None else None
            if answer is not None and verdict(answer) is Verdict.SPLIT:
                set_aside(ledger, lane, entry, f"HTTP {answer.status}: {answer.message}", now)
                tally.set_aside += 1
            else:
                tally.delivered += answer is not None
                resolved(ledger, entry)


def _sent(ledger: Ledger, channel: Channel, record: Record) -> Answer | None:
    """The last answer to bringing it there, or None where Mackerel has it as it is."""
    wanted = _wanted(record.body)
    if record.body["sent"] == wanted:
        return None
    known = record.body["id"] or (_found(channel, record.body) if record.body["trying"] else None)
    if known is not None:
        answer = channel.call("PUT", f"/graph-annotations/{known}", wanted, expected=(_NOT_FOUND,))
        if answer.status != _NOT_FOUND:  # somebody deleted it: it is made again
            return _noted(ledger, record, answer, {"id": known, "sent": wanted})
    # Noted before it is tried: a POST whose answer is lost leaves an annotation whose id nobody told us.
    record = rewritten(ledger, record, lambda latest: replace(latest, body={**latest.body, "id": None, "trying": True}))
    answer = channel.call("POST", "/graph-annotations", wanted)
    return _noted(ledger, record, answer, {"id": (answer.document or {}).get("id"), "sent": wanted, "trying": False})


def _noted(ledger: Ledger, record: Record, answer: Answer, change: dict[str, Any]) -> Answer:
    if verdict(answer) is Verdict.DELIVERED:
        rewritten(ledger, record, lambda latest: replace(latest, body={**latest.body, **change}))
    return answer


def _found(channel: Channel, body: Any) -> str | None:
    last = body["last"] or body["first"]
    query = f"service={body['service']}&from={body['first'] - DAY}&to={last + DAY}"
    document = channel.call("GET", f"/graph-annotations?{query}").document or {}
    mark = marked(body["marker"])
    return next((entry["id"] for entry in document.get("graphAnnotations", []) if mark in entry["description"]), None)


def _wanted(body: Any) -> dict[str, Any]:
    description = f"{body['description']} {marked(body['marker'])}".strip()
    last = body["last"] if body["last"] is not None else body["first"]
    return {
        "service": body["service"],
        "title": body["title"],
        "description": description,
        "from": body["first"],
        "to": max(last, body["first"]),
    }
