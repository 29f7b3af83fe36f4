"""Values of the file, each with the rule that AWS has for it. What is wrong is collected: one look tells all of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

import yaml

from kuroshio.changes.places import Place
from kuroshio.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
D = TypeVar("D")
MOST_TASKS = 1_000
MOST_ENTRIES = 100  # of any other list
_DURATION = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass
class Problems:
    """What is wrong so far."""

    found: list[SettingsInvalid] = field(default_factory=list)

    def read(self, place: Place | None, reader: Callable[[Place], T], default: D) -> T | D:
        """What the reader makes of a place; the default where nothing stands there, or nothing right."""
        if place is None:
            return default
        try:
            return reader(place)
        except SettingsInvalid as error:
            self.found.append(error)
        return default

    def refuse(self, place: Place, expected: str) -> None:
        """Note what was expected at a place."""
        self.found.append(place.refused(expected))

    def keys(self, place: Place, known: tuple[str, ...], required: tuple[str, ...] = ()) -> dict[str, Place]:
        """The values of a mapping. Keys that are not known are refused, with the known one that they resemble."""
        found: dict[str, Place] = {}
        pairs = self.read(place, Place.pairs, None)
        for key, value in pairs or ():
            if key.value in known:
                found[key.value] = value
                continue
            [*meant] = get_close_matches(key.value, known, n=1)
            hint = f"; is {meant[0]} meant?" if meant else ""
            self.refuse(Place(key.file, "the key", key.node, key.value), f"one of: {', '.join(known)}{hint}")
        for name in required if pairs is not None else ():
            if name not in found:
                self.refuse(place, f"a mapping with the key {name}")
        return found

    def one_of(self, place: Place, given: dict[str, Place], kinds: tuple[str, ...]) -> str:
        """Which one of some keys is given; empty, and refused, where it is none or several."""
        there = [kind for kind in kinds if kind in given]
        if len(there) == 1:
            return there[0]
        if isinstance(place.node, yaml.MappingNode):
            said = f"not {' and '.join(there)}" if there else "not none"
            self.refuse(place, f"a mapping with exactly one of the keys {', '.join(kinds)}, {said}")
        return ""


def repeated(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """The keys below a node that stand twice in one mapping, each once, however often aliases lead there."""
    waiting, seen = [node], set()
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, yaml.SequenceNode):
            waiting += each.value
        elif isinstance(each, yaml.MappingNode):
            yield from twice(each)
            waiting += [value for _, value in each.value]


def twice(node: yaml.MappingNode) -> Iterator[yaml.Node]:
    """The keys of one mapping that stood in it before."""
    seen = set()
    for key, _ in node.value:
        if key.value in seen:
            yield key
        if isinstance(key, yaml.ScalarNode):
            seen.add(key.value)


def matching(pattern: str, expected: str) -> Callable[[Place], str]:
    """A text of a form."""

    def read(place: Place) -> str:
        text = place.text(expected)
        if not re.fullmatch(pattern, text):
            raise place.refused(expected)
        return text

    return read


def texts(each: Callable[[Place], str], expected: str, most: int = MOST_ENTRIES) -> Callable[[Place], tuple[str, ...]]:
    """At least one such text, each once."""

    def read(place: Place) -> tuple[str, ...]:
        items = place.items(expected)
        if not 0 < len(items) <= most:
            raise place.refused(f"{expected}, 1 to {most} of them, not {len(items)}")
        found = [each(item) for item in items]
        if len(set(found)) < len(found):
            raise place.refused(f"{expected}, none of them twice")
        return tuple(found)

    return read


def whole(least: int, most: int, unit: str = "") -> Callable[[Place], int]:
    """A whole number within bounds."""

    def read(place: Place) -> int:
        value = place.value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise place.refused(f"a whole number{unit} from {least:,} to {most:,}")
        return value

    return read


def span(least: timedelta, most: timedelta, expected: str) -> Callable[[Place], timedelta]:
    """A time such as 15m."""

    def read(place: Place) -> timedelta:
        found = _DURATION.fullmatch(place.text(expected))
        length = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
        if not least <= length <= most:
            raise place.refused(expected)
        return length

    return read


def day(place: Place) -> date:
    """A date."""
    expected = "a date such as 2026-12-28"
    try:
        return date.fromisoformat(matching(r"\d{4}-\d{2}-\d{2}", expected)(place))
    except ValueError:
        raise place.refused(expected) from None


def clock(text: str) -> time:
    """A time of day such as 22:00; 24:00 is the next midnight."""
    return time() if text == "24:00" else time.fromisoformat(text)


def document(place: Place, most: int) -> str:
    """What stands there as JSON, without blanks, of at most so many bytes."""
    if not isinstance(place.value, dict):
        raise place.refused("a mapping, which is sent as JSON")
    try:
        text = json.dumps(place.value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except (ValueError, UnicodeEncodeError):  # .nan, .inf, half a surrogate pair
        raise place.refused("values that JSON has") from None
    if size > most:
        raise place.refused(f"at most {most:,} bytes as JSON, not {size:,}: that is what SSM takes")
    return text
