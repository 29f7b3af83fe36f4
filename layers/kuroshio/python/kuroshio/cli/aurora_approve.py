"""``kuroshio aurora approve``: a person's answer to a workflow that waits for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from kuroshio.aurora.report.records import APPROVALS
from kuroshio.cli.aurora_place import Place, confirmed, for_clones
from kuroshio.errors import NotFound

_UNANSWERED = 3


@click.command()
@click.argument("clone")
@click.argument("name", type=click.Choice(list(APPROVALS)))
@for_clones
@click.option("--reject", "is_rejected", is_flag=True, help="Say no.")
@click.option("--reason", default="", help="Why; it stands in the report.")
@click.option("--yes", is_flag=True, help="Answer without being asked once more.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: clone, name, answer, by.")
def approve(  # noqa: PLR0917 - click passes all by keyword
    clone: str,
    name: str,
    env: str,
    ledger_table: str | None,
    is_rejected: bool,  # noqa: FBT001
    reason: str,
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show what the run of CLONE asks under NAME, and answer it in your name.

    Exit codes: 0 answered, 3 nothing was answered, 1 nobody waits for it, or failed.
    """
    from kuroshio.adapters.approvals import approve as send
    from kuroshio.adapters.approvals import caller, reject
    from kuroshio.changes.rendering.words import printable

    place = Place(env, ledger_table)
    asked = _open(place, clone, name)
    click.echo(f"{clone} asks for approval: {name}, since {asked.get('asked_at', 'an unknown time')}", err=True)
    for sentence in asked.get("asked", []):
        click.echo(f"  {printable(str(sentence))}", err=True)
    if not confirmed("Reject this?" if is_rejected else "Approve this?", yes=yes):
        raise SystemExit(_UNANSWERED)
    answer = {"answer": "rejected" if is_rejected else "approved", "by": caller(), "reason": reason}
    if is_rejected:
        reject(asked["token"], answer["by"], reason)
    else:
        send(asked["token"], {"approved": True, **answer})
    _note(place, clone, name, asked, answer)
    told = {"clone": clone, "name": name, **answer}
    click.echo(json.dumps(told, indent=2) if as_json else f"{answer['answer']} by {answer['by']}")


def _open(place: Place, clone: str, name: str) -> dict[str, Any]:
    """The approval that waits. Raises NotFound where none does."""
    asked = place.ledger.read(clone, f"approval#{name}")
    if asked is None:
        raise NotFound(
            f"{clone} never asked for the approval {name}; kuroshio aurora status {clone} says what it waits for"
        )
    if asked.get("answer"):
        raise NotFound(
            f"{name} of {clone} was {asked['answer']} by {asked.get('by', 'somebody')} at {asked.get('answered_at', 'an unknown time')}"
        )
    return asked


def _note(place: Place, clone: str, name: str, asked: dict[str, Any], answer: dict[str, str]) -> None:
    """The record has the last answer, and an event has each: a clone may be asked the same again."""
    at = datetime.now(UTC)
    kept = {field: value for field, value in asked.items() if field != "token"}
    place.ledger.put(clone, f"approval#{name}", {**kept, **answer, "name": name, "answered_at": at.isoformat()})
    place.ledger.note(
        clone,
        "event",
        {"what": f"{answer['answer'].capitalize()}: {name}", "reason": answer["reason"], "by": answer["by"]},
        at,
    )
