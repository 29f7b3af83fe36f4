"""The one comment on a pull request: what it says, and how it stays one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kuroshio.changes.rendering.markdown import MARKER
from kuroshio.github.event import Order
from kuroshio.github.waves import waves

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan

AUTHOR = "github-actions[bot]"
_ORDER = re.compile(r"<!-- kuroshio:order (\S+) (\d+) -->")


@dataclass(frozen=True)
class Comment:
    """A comment as it stands on GitHub."""

    id: int
    author: str
    body: str


class Comments(Protocol):
    """The comments of a pull request."""

    def comments(self, number: int) -> list[Comment]:
        """Return all comments, the oldest first."""

    def create(self, number: int, body: str) -> int:
        """Write a comment and return its id."""

    def update(self, comment: int, body: str) -> None:
        """Replace a comment's text."""

    def delete(self, comment: int) -> None:
        """Take a comment away."""


def body(report: str, plan: Plan, order: Order | None) -> str:
    """Return the comment: the plan's ``report``, what travels when, and the event that it belongs to, hidden."""
    hidden = f"<!-- kuroshio:order {order.updated} {order.run} -->\n" if order else ""
    return f"{hidden}{report}{_when(plan)}"


def order_of(text: str) -> Order | None:
    """Return the event that a comment of ours belongs to."""
    found = _ORDER.search(text)
    return Order(found[1], int(found[2])) if found else None


def say(comments: Comments, number: int, text: str, *, marker: str = MARKER, author: str = AUTHOR) -> bool:
    """Write the comment, or update the one that is there. False: it tells of a newer event and was left alone.

    Only a comment of ``author`` counts: anybody can write the marker. Of two that were made at once the older stays.
    """
    ours = _ours(comments, number, marker, author)
    if ours and not _may_replace(ours[0].body, text):
        return False
    if ours:
        comments.update(ours[0].id, text)
    else:
        comments.create(number, text)
        ours = _ours(comments, number, marker, author)
        if ours and ours[0].body != text and _may_replace(ours[0].body, text):
            comments.update(ours[0].id, text)
    for extra in ours[1:]:
        comments.delete(extra.id)
    return True


def _ours(comments: Comments, number: int, marker: str, author: str) -> list[Comment]:
    found = (each for each in comments.comments(number) if each.author == author and marker in each.body)
    return sorted(found, key=lambda each: each.id)


def _may_replace(old: str, new: str) -> bool:
    before, now = order_of(old), order_of(new)
    return before is None or now is None or not before.is_after(now)


def _when(plan: Plan) -> str:
    lines = [f"{at}. {wave}" for at, wave in enumerate(waves(plan.units), 1)]
    if not lines:
        return "\nNothing travels when this is merged.\n"
    after = "After the merge the plan is made again from what the merge really changed."
    return "\n".join(["", "**What travels when**", "", *lines, "", after, ""])
