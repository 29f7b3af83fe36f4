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
    from kuroshio.adapters.approvals import caller
    from kuroshio.changes.rendering.words import printable

    place = Place(env, ledger_table)
    asked = _open(place, clone, name)
    click.echo(f"{clone} asks for approval: {name}, since {asked.get('asked_at', 'an unknown time')}", err=True)
    for sentence in asked.get("asked", []):
        click.echo(f"  {printable(str(sentence))}", err=True)
    if not confirmed("Reject this?" if is_rejected else "Approve this?", yes=yes):
        raise SystemExit(_UNANSWERED)
    answer = {"answer": "rejected" if is_rejected else "approved", "by": caller(), "reason": reason}
    _give(place, clone, name, asked, answer)
    told = {"clone": clone, "name": name, **answer}
    click.echo(json.dumps(told, indent=2) if as_json else f"{answer['answer']} by {answer['by']}")


def _open(place: Place, clone: str, name: str) -> dict[str, Any]:
    """The approval that waits, or whose answer was written down and perhaps never given. Raises NotFound."""
    asked = place.ledger.read(clone, f"approval#{name}")
    if asked is None:
        raise NotFound(
            f"{clone} never asked for the approval {name}; kuroshio aurora status {clone} says what it waits for"
        )
    if asked.get("answer") and not asked.get("token"):
        raise NotFound(
            f"{name} of {clone} was {asked['answer']} by {asked.get('by', 'somebody')} at "
            f"{asked.get('answered_at', 'an unknown time')}"
        )
    return asked


def _give(place: Place, clone: str, name: str, asked: dict[str, Any], answer: dict[str, str]) -> None:
    """Write the answer down first: the run looks it up as soon as it goes on. The token goes once it was used."""
    from kuroshio.adapters.approvals import approve as send
    from kuroshio.adapters.approvals import reject

    at, key = datetime.now(UTC), f"approval#{name}"
    kept = {field: value for field, value in asked.items() if field != "token"}
    answered = {**kept, **answer, "name": name, "answered_at": at.isoformat()}
    place.ledger.put(clone, key, {**answered, "token": asked["token"]})
    try:
        if answer["answer"] == "rejected":
            reject(asked["token"], answer["by"], answer["reason"])
        else:
            send(asked["token"], {"approved": True, **answer})
    except NotFound:
        place.ledger.put(clone, key, asked)
        raise
    place.ledger.put(clone, key, answered)
    # The record has the last answer, an event each of them: a clone may be asked the same again.
    place.ledger.note(clone, "event", {"what": f"{answer['answer'].capitalize()}: {name}", **answer}, at)
