"""Figures as text: ``name=value`` of a command line, and the lines ``name value time`` that mkr throw and plugins write."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.errors import InvalidRequest, LimitExceeded
from kuroshio.mackerel.messages import in_messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kuroshio.mackerel.metrics import Writer

_MOST_NAMED = 10  # wrong lines


class Figure(NamedTuple):
    """One figure, and where it stood."""

    where: str
    name: str
    value: str
    at: str | None


def from_words(words: Iterable[str], at: str | None) -> Iterator[Figure]:
    """Of ``name=value``; a name may hold signs of equality. Raises InvalidRequest."""
    for word in words:
        name, sign, value = word.rpartition("=")
        if not sign:
            raise InvalidRequest(f"{word!r:.80} is not NAME=VALUE")
        yield Figure(f"{word!r:.80}", name, value, at)


def from_lines(lines: Iterable[str], at: str | None) -> Iterator[Figure]:
    """Of ``name value`` or ``name value time``, as mkr throw reads them; ``at`` is the time of those without one.

    Raises InvalidRequest.
    """
    for number, line in enumerate(lines, 1):
        match line.split():
            case []:
                continue
            case [name, value]:
                yield Figure(f"line {number}", name, value, at)
            case [name, value, time]:
                yield Figure(f"line {number}", name, value, time)
            case _:
                raise InvalidRequest(f"line {number} is not 'name value' or 'name value time': {line.strip()!r:.80}")


def written(figures: Iterable[Figure], writer: Writer, combine: str) -> tuple[int, list[str]]:
    """How many figures there were, and the messages that carry them. Raises InvalidRequest that names what is wrong.

    All are judged before any is packed, so that nothing is sent of what is partly wrong.
    """
    packed: list[str] = []

    def put(name: str, value: float, at: float | None) -> None:
        try:
            writer.put(name, value, combine=combine, at=at)
        except LimitExceeded:
            packed.extend(in_messages(writer.taken()))
            writer.put(name, value, combine=combine, at=at)

    count = judged(figures, put)
    return count, [*packed, *in_messages(writer.taken())]


def judged(figures: Iterable[Figure], put: Callable[[str, float, float | None], None]) -> int:
    """Hand each figure to ``put``; how many there were. Raises InvalidRequest that names all that are wrong."""
    count, wrong = 0, []
    for figure in figures:
        count += 1
        try:
            put(figure.name, _number(figure.value), None if figure.at is None else seconds(figure.at))
        except InvalidRequest as error:
            wrong.append(f"{figure.where}: {error}")
    if wrong:
        more = f"; and {len(wrong) - _MOST_NAMED} more" if len(wrong) > _MOST_NAMED else ""
        raise InvalidRequest(f"{'; '.join(wrong[:_MOST_NAMED])}{more}. Nothing was sent")
    return count


def seconds(text: str) -> float:
    """Epoch seconds of such a number, or of a date in ISO 8601 with its zone. Raises InvalidRequest."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidRequest(f"{text!r:.80} is no time: epoch seconds, or 2026-11-21T09:00:00+09:00 with its zone")
    return moment.timestamp()


def _number(text: str) -> float:
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise InvalidRequest(f"{text!r:.80} is no number")
