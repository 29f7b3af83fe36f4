"""The parts of a report about decisions: what was asked, who asked and approved, what preflight had found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Block, Cell, Paragraph, Section, Table, Tone
from kuroshio.aurora.report.records import items, part, text
from kuroshio.aurora.report.story import asked_by

if TYPE_CHECKING:
    from kuroshio.aurora.report.records import Record, Records

_ANSWERS = {"approved": Tone.GOOD, "rejected": Tone.BAD}
_SEVERITIES = {"blocking": Tone.BAD, "unknown": Tone.BAD, "warning": Tone.WARN, "fine": Tone.GOOD}
_POLICIES = {"stop": "stop at the first", "skip": "skip"}


def asked(records: Records) -> Section:
    """The request in words, and each approval with its answer."""
    blocks: list[Block] = [_request(records)]
    if records.approvals:
        blocks.append(_approvals(records.approvals))
    else:
        blocks.append(Paragraph("Nothing was asked for approval."))
    return Section("asked", "What was asked, and who approved", blocks)


def _request(records: Records) -> Table:
    request, errors = records.request, part(records.request, "errors")
    numbers = ", ".join(map(str, items(errors, "numbers")))
    policy = _POLICIES.get(text(errors, "policy"), text(errors, "policy"))
    skipping = f" up to {text(errors, 'most')} of {numbers}" if text(errors, "policy") == "skip" else ""
    facts = [
        ("source", text(request, "source") or text(records.state, "source")),
        ("clone", records.clone),
        ("asked by", asked_by(records) or "not known"),
        ("begun (UTC)", words.clock(moment(records.state, "started"))),
        ("errors of replication", f"{policy}{skipping}"),
        ("verification", text(request, "verify")),
        ("upgrade", text(request, "upgrade_to") or "none"),
        ("binlog kept for", f"{text(request, 'retention_hours')} h"),
        ("taken upon themselves", ", ".join(map(str, items(request, "overrides"))) or "nothing"),
        ("execution", text(records.state, "run")),
    ]
    rows = [(Cell(name), Cell(value)) for name, value in facts if value.strip(" h")]
    return Table("The request", (), rows)


def _approvals(approvals: list[Record]) -> Table:
    rows = [
        (
            Cell(text(each, "name")),
            Cell("\n".join(map(str, items(each, "asked")))),
            Cell(words.clock(moment(each, "asked_at")), tight=True),
            Cell(text(each, "answer") or "no answer yet", _ANSWERS.get(text(each, "answer"), Tone.WARN)),
            Cell(words.clock(moment(each, "answered_at")) if text(each, "answer") else "", tight=True),
            Cell("\n".join(said for said in (words.person(text(each, "by")), text(each, "reason")) if said)),
        )
        for each in approvals
    ]
    return Table(
        "Approvals", ("name", "what was asked", "asked (UTC)", "answer", "answered (UTC)", "by whom, and why"), rows
    )


def preflight(records: Records) -> Section | None:
    """Every finding, the gravest first; None where there was no preflight."""
    findings = [each for each in items(records.preflight, "findings") if isinstance(each, dict)]
    if not findings:
        return None
    rows = [
        (
            Cell(text(each, "severity"), _SEVERITIES.get(text(each, "severity"), Tone.PLAIN)),
            Cell(text(each, "code"), code=True),
            Cell("\n".join([text(each, "message"), *_about(each)])),
            Cell(text(each, "remedy")),
        )
        for each in findings
    ]
    at = moment(records.preflight)
    caption = "What was found before anything was changed" + (f", at {words.clock(at)} UTC" if at else "")
    table = Table(caption, ("severity", "finding", "what was found", "what to do"), rows)
    return Section("preflight", "Preflight", [table])


def _about(finding: Record) -> list[str]:
    about = [str(each) for each in items(finding, "about")]
    return [words.listed(about, 20)] if about else []
