"""What is said on a pull request after its merge: what travels, how that differs from its plan, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.rendering import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.release.derivation import Release
    from kuroshio.release.merges import Difference

MARKER = "<!-- kuroshio:merged -->"
_MAX_LISTED = 50


@dataclass(frozen=True)
class Outcome:
    """What came of a deployment so far: units that were deployed, and whether it is over."""

    deployed: frozenset[str] = frozenset()
    is_over: bool = False


def body(release: Release, difference: Difference | None, outcome: Outcome) -> str:
    """Return the comment. Ids from the repository can neither break out of their cell nor call people."""
    return "\n".join(_lines(release, difference, outcome)) + "\n"


def _lines(release: Release, difference: Difference | None, outcome: Outcome) -> Iterator[str]:
    plan = release.plan
    yield from (MARKER, f"### After the merge: {words.verdict(plan)}", "")
    yield from _difference(difference)
    if plan.units:
        yield from ("| unit | change | |", "|---|---|---|")
        for unit in plan.units[:_MAX_LISTED]:
            carried = "owed since an earlier push; " if unit.id in release.carried else ""
            yield f"| {_code(unit.id)} | {unit.change} | {carried}{_state(unit.id, outcome)} |"
        if len(plan.units) > _MAX_LISTED:
            yield f"| and {len(plan.units) - _MAX_LISTED:,} more | | |"
    yield from ("", f"<sub>Kuroshio: from {plan.base[:12]}, which is deployed, to {plan.head[:12]}</sub>")


def _difference(difference: Difference | None) -> Iterator[str]:
    if difference is None:
        return
    if not difference.is_known:
        yield from ("There is no stored plan of this pull request to compare with.", "")
        return
    if not difference.absent and not difference.unplanned:
        yield from ("The merge changes what the plan forecast.", "")
        return
    yield from ("> [!IMPORTANT]", "> The merge changes something else than the plan forecast.")
    if difference.absent:
        yield f"> - forecast, but not changed: {_codes(difference.absent)}"
    if difference.unplanned:
        yield f"> - changed, but not forecast: {_codes(difference.unplanned)}"
    yield ""


def _state(unit: str, outcome: Outcome) -> str:
    if unit in outcome.deployed:
        return "deployed"
    return "**not deployed**: it is owed, and the next push carries it" if outcome.is_over else "to be deployed"


def _codes(units: tuple[str, ...]) -> str:
    more = f" and {len(units) - _MAX_LISTED:,} more" if len(units) > _MAX_LISTED else ""
    return ", ".join(_code(unit) for unit in units[:_MAX_LISTED]) + more


def _code(text: str) -> str:
    quoted = words.printable(text).translate({ord("`"): "'", ord("|"): "\N{BROKEN BAR}"})
    return f"`{quoted}`"
