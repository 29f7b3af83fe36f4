"""The parts of a report about data: what was compared, what differs, what was skipped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Block, Cell, Listing, Paragraph, Section, Table, Tone
from kuroshio.aurora.report.records import items, number, text
from kuroshio.aurora.report.story import outcome, tone_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.aurora.report.records import Record, Records

_MOST_KEYS = 1_000
_MOST_LOOKS = 40
_KINDS = {
    "missing": "is not on the clone",
    "extra": "is on the clone alone",
    "different": "has other values",
    "unsettled": "changed each time it was looked at",
}


def verification(records: Records) -> Section:
    """What was compared, which proof covers which table up to where, and every key that differs."""
    title = "Verification"
    if not records.verifications:
        nothing = Paragraph("Nothing was compared: whether the clone equals its source is not known.", Tone.WARN)
        return Section("verification", title, [nothing])
    last = records.verifications[-1]
    blocks: list[Block] = [_all(records.verifications)]
    tables = [table for table in items(last, "tables") if isinstance(table, dict)]
    if tables:
        blocks.append(_tables(tables, last))
    findings = [each for each in items(last, "findings") if isinstance(each, dict)]
    if findings:
        blocks += _keys(findings, last)
    definitions = [each for each in items(last, "schema_findings") if isinstance(each, dict)]
    if definitions:
        blocks.append(_definitions(definitions))
    return Section("verification", title, blocks)


def _all(verifications: list[Record]) -> Table:
    newest = list(reversed(verifications))
    shown = [each for place, each in enumerate(newest) if place < _MOST_LOOKS or tone_of(each) is not Tone.GOOD]
    rows = [
        (
            Cell(words.clock(ended(each)), tight=True),
            Cell(text(each, "proof") or "not known"),
            Cell(text(each, "since"), code=True),
            Cell(upto(each), code=True),
            Cell(words.count(number(each, "rows"), "row"), number=True),
            Cell(words.span(took(each)), number=True),
            Cell(outcome(each), tone_of(each)),
        )
        for each in shown
    ]
    hidden = (
        f" ({len(newest) - len(rows):,} earlier ones found nothing and are not shown)"
        if len(rows) < len(newest)
        else ""
    )
    caption = f"Comparisons of the clone with its source, the latest first{hidden}"
    return Table(
        caption, ("ended (UTC)", "proof", "from position", "up to position", "compared", "took", "result"), rows
    )


def _tables(tables: list[Record], last: Record) -> Table:
    caption = "Tables at the latest comparison. Full proof reads every row; delta proof those that a binlog touched since it began; an untouched table has none"
    rows = [
        (
            Cell(name_of(each), code=True),
            Cell(text(each, "proof") or text(last, "proof") or "not known"),
            Cell("\n".join(map(str, items(each, "reasons")))),
            Cell(words.count(number(each, "rows"), "row"), number=True),
            Cell(text(each, "upto") or upto(last), code=True),
            _differing(each),
        )
        for each in sorted(tables, key=lambda each: (-(number(each, "differences") or 0), name_of(each)))
    ]
    return Table(caption, ("table", "proof", "because", "compared", "up to position", "result"), rows)


def _differing(table: Record) -> Cell:
    differing, unsettled = number(table, "differences"), number(table, "unsettled") or 0
    if differing is None or text(table, "unknown"):
        return Cell(f"not known: {text(table, 'unknown')}" if text(table, "unknown") else "not known", Tone.WARN)
    if differing or unsettled:
        said = [words.count(differing, "difference")] * bool(differing) + [f"{unsettled:,.0f} unsettled"] * bool(
            unsettled
        )
        return Cell(", ".join(said), Tone.BAD if differing else Tone.WARN)
    return Cell("equal", Tone.GOOD)


def _definitions(findings: list[Record]) -> Table:
    rows = [
        (Cell(text(each, "message"), Tone.BAD), Cell(", ".join(map(str, items(each, "about"))), code=True))
        for each in findings
    ]
    return Table("Definitions that are not alike", ("what", "tables"), rows)


def _keys(findings: list[Record], last: Record) -> Iterator[Block]:
    rows = [
        (
            Cell(name_of(each), code=True),
            Cell(_key(each.get("key")), code=True),
            Cell(
                _KINDS.get(text(each, "kind"), text(each, "kind")),
                Tone.WARN if text(each, "kind") == "unsettled" else Tone.BAD,
            ),
        )
        for each in findings[:_MOST_KEYS]
    ]
    yield Table("Rows that differ, by primary key", ("table", "key", "the row"), rows)
    all_of_them = max((number(last, "differences") or 0) + (number(last, "unsettled") or 0), len(findings))
    if all_of_them > len(rows):
        where = text(last, "report")
        more = f"{all_of_them - len(rows):,.0f} more are not shown here"
        yield Paragraph(f"{more}; all are in {where}." if where else f"{more}.", Tone.WARN)


def skips(records: Records) -> Section | None:
    """Every transaction that the clone did not do, with what was in it; None where there is none."""
    if not records.skips:
        return None
    why = "A skip leaves out a whole transaction, not only the row that failed. The tables below were to be compared again afterwards."
    blocks: list[Block] = [Paragraph(why), _all_skips(records.skips)]
    for place, skip in enumerate(records.skips, start=1):
        content = _content(skip)
        if content:
            blocks.append(
                Listing(f"Transaction {place}, at {text(skip, 'position') or 'an unknown position'}", content)
            )
            if skip.get("cut"):
                blocks.append(
                    Paragraph(f"It is longer than this; all of it is in {text(skip, 'file') or 'no file'}.", Tone.WARN)
                )
        else:
            blocks.append(Paragraph(f"What transaction {place} held is not in the ledger.", Tone.BAD))
    return Section("skips", "Transactions that were skipped", blocks)


def _all_skips(found: list[Record]) -> Table:
    rows = [
        (
            Cell(str(place), number=True),
            Cell(words.clock(moment(skip)), tight=True),
            Cell(text(skip, "number") or "not known", Tone.WARN),
            Cell(text(skip, "message")),
            Cell("\n".join(map(str, items(skip, "tables"))), code=True),
            Cell(text(skip, "position"), code=True),
        )
        for place, skip in enumerate(found, start=1)
    ]
    return Table(
        "Errors of replication that were skipped", ("", "when (UTC)", "error", "message", "tables", "at position"), rows
    )


def _content(skip: Mapping[str, Any]) -> str:
    for name in ("transaction", "content", "statements", "rows", "events"):
        found = skip.get(name)
        if isinstance(found, str) and found:
            return found
        if isinstance(found, list) and found:
            return "\n".join(
                each if isinstance(each, str) else json.dumps(each, ensure_ascii=False, default=str) for each in found
            )
        if isinstance(found, dict) and found:
            return json.dumps(found, indent=2, ensure_ascii=False, default=str)
    return ""


def name_of(record: Record) -> str:
    """A table as ``schema.name``, however its record has it."""
    name = record.get("table")
    if isinstance(name, list | tuple):
        return ".".join(map(str, name))
    schema = text(record, "schema")
    return (
        f"{schema}.{text(record, 'name') or text(record, 'table')}"
        if schema
        else text(record, "table") or text(record, "name")
    )


def _key(key: object) -> str:
    return ", ".join(map(str, key)) if isinstance(key, list | tuple) else str(key)


def upto(verification: Record) -> str:
    """The position up to which a verification proves something, empty where none is recorded."""
    return text(verification, "upto")


def ended(verification: Record) -> Any:
    """When it was over."""
    return moment(verification)


def took(verification: Record) -> float | None:
    """Seconds from its beginning to its end."""
    given, began, end = number(verification, "seconds"), moment(verification, "began"), ended(verification)
    if given is not None or began is None or end is None:
        return given
    return float((end - began).total_seconds())
