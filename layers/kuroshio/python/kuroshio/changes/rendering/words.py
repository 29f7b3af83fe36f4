"""What all renderings say alike: paths, reasons and verdicts in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kuroshio.changes.plan import Cause, Change

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan, Reason

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_UNDECODED = re.compile(r"[\ud800-\udfff]")


def encodable(text: str) -> str:
    r"""Write bytes of a path that are not UTF-8 as ``\\xNN``, so that any text can be encoded."""
    return _UNDECODED.sub(lambda match: f"\\x{ord(match[0]) & 0xFF:02x}", text)


def printable(text: str) -> str:
    """Make text from a repository safe for a terminal or a page: nothing in it moves, hides or reverses."""
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", encodable(text))


def reason(reason: Reason) -> str:
    """Say one reason in a line, e.g. ``content of src/app.py (CodeUri)``."""
    path = printable(reason.path)
    links = [printable(link) for link in reason.through]
    if reason.cause is Cause.DEFINITION:
        return f"definition in {path}: {', '.join(links)}"
    if reason.cause in (Cause.LAYER, Cause.TASK_DEFINITION):
        return f"{reason.cause.value.replace('-', ' ')} {links[-1]}: {', '.join((path, *links[:-1]))}"
    if reason.cause is Cause.RENAMED:
        return f"renamed {path} (paired with {links[0]}; {', '.join(links[1:])})"
    verb = {
        Cause.UNIT_ADDED: "added to",
        Cause.UNIT_REMOVED: "removed from",
        Cause.CONTENT: "content of",
        Cause.MODE: "mode of",
        Cause.SYMLINK: "link",
        Cause.UNKNOWN: "cannot be known: see the warning on",
    }.get(reason.cause, reason.cause.value)
    return f"{verb} {path} ({', '.join(links)})" if links else f"{verb} {path}"


def verdict(plan: Plan) -> str:
    """Say in one sentence what the plan comes to."""
    counts = [f"{plan.count(change)} {change}" for change in Change if plan.count(change)]
    units = f"{len(plan.units)} unit{'' if len(plan.units) == 1 else 's'}"
    changed = f"{units}: {', '.join(counts)}" if counts else "No unit changes"
    return f"{changed}." if plan.complete else f"{changed}. Incomplete: see the warnings."


def span(plan: Plan) -> str:
    """Say which commits were compared."""
    merge_base = plan.merge_base[:12] if plan.merge_base else "none"
    return f"base {plan.base[:12]}, head {plan.head[:12]}, merge base {merge_base}"
