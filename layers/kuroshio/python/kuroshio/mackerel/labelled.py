"""Labelled figures: a name and labels, which Mackerel takes by OTLP alone.

They cannot go through the queue: a cell has no labels, and Mackerel has no API to ask what it holds of them, so nobody could
tell what was lost. Whoever reads the queue sets such a message aside, because it is of another schema.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsFloat

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel import points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCHEMA = "kuroshio.labelled/1"
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_MOST, _LONGEST = 20, 250


@dataclass(frozen=True)
class Labelled:
    """A gauge: what it was at a time (epoch seconds)."""

    service: str
    name: str
    labels: tuple[tuple[str, str], ...]
    time: int
    value: float


def labelled(
    service: str, name: str, value: SupportsFloat, labels: Mapping[str, str], *, at: float, now: float
) -> Labelled:
    """A figure that Mackerel will keep. Raises InvalidRequest as ``points.point`` does, and for impossible labels."""
    made = points.point(service, name, value, at=at, now=now, combine=points.Combine.LAST, key="")
    for label, text in labels.items():
        if not _LABEL.fullmatch(label):
            raise InvalidRequest(f"the label {label!r:.80}: a name has A-Z a-z 0-9 _ . and does not begin with a digit")
        if not text.isprintable() or not 0 < len(text) <= _LONGEST:
            raise InvalidRequest(f"the label {label}: 1 to {_LONGEST} printable signs, not {text!r:.80}")
    if len(labels) > _MOST:
        raise InvalidRequest(f"{len(labels)} labels; {_MOST} are the most")
    return Labelled(made.service, made.name, tuple(sorted(labels.items())), made.time, made.value)


def packed(figures: Sequence[Labelled]) -> str:
    """The message for an outbox that knows labels."""
    entries = [
        {
            "service": each.service,
            "name": each.name,
            "labels": dict(each.labels),
            "time": each.time,
            "value": each.value,
        }
        for each in figures
    ]
    return json.dumps({"schema": SCHEMA, "points": entries}, separators=(",", ":"), allow_nan=False)


def unpacked(message: str) -> list[Labelled]:
    """What ``packed`` packed. Raises InvalidRequest for any other message: those have figures that must be added up."""
    document = json.loads(message)
    if document.get("schema") != SCHEMA:
        raise InvalidRequest(f"only labelled figures ({SCHEMA}) go by OTLP, not {document.get('schema')!r:.80}")
    return [
        Labelled(each["service"], each["name"], tuple(sorted(each["labels"].items())), each["time"], each["value"])
        for each in document["points"]
    ]
