"""What is not known, what rests on something, and what is left: a report that is silent about these is no proof."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import words
from kuroshio.aurora.report.records import items, number, text
from kuroshio.aurora.report.story import is_open, step_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.report.records import Record, Records

_UNSEEN_S = 15 * 60  # three turns of watch_clones
_PARTIAL = frozenset({"delta", "untouched"})
_FOLLOWED = frozenset({"following", "caught-up", "verifying", "upgrading", "ready", "cutting-over", "done"})


def unknown(records: Records) -> list[str]:
    """What nobody can say from the records, one sentence each."""
    return [
        *_of_preflight(records),
        *_of_seed(records),
        *_of_verification(records),
        *_of_watching(records),
        *_of_people(records),
    ]


def left(records: Records) -> list[str]:
    """What somebody has still to do or to remove: as the last step that cleaned up or failed has listed it."""
    lists = [items(record, "left") for record in (*records.events, records.state) if "left" in record]
    said = [str(each) for each in (lists[-1] if lists else [])]
    last = records.cutovers[-1] if records.cutovers else {}
    if last and not is_open(last) and "returned" not in step_names(last):
        said.append("The last cut-over neither ended nor returned: see whether the source or the clone takes writes")
    return said


def _of_preflight(records: Records) -> Iterator[str]:
    if not records.preflight:
        yield "No preflight is in the ledger: what stood in the way of a clone, if anything did, is not known"
    for finding in items(records.preflight, "findings"):
        if isinstance(finding, dict) and text(finding, "severity") == "unknown":
            yield f"Preflight could not find out: {text(finding, 'message')}"


def _of_seed(records: Records) -> Iterator[str]:
    begun = text(records.state, "phase") in _FOLLOWED
    if begun and not records.seed:
        yield "Where the clone begins in the source's binlog is not in the ledger, although it follows"


def _of_verification(records: Records) -> Iterator[str]:
    if not records.verifications:
        if records.seed:
            yield "Nothing was compared yet: whether the clone equals its source is not known"
        return
    last = records.verifications[-1]
    at = moment(last)
    if number(last, "differences") is None:
        yield "The last comparison has no result"
    if number(last, "unsettled"):
        rows = words.count(number(last, "unsettled"), "row")
        yield f"{rows} changed each time they were looked at: whether they are equal is not known"
    later = [skip for skip in records.skips if at is not None and (moment(skip) or at) > at]
    if later:
        tables = sorted({str(table) for skip in later for table in items(skip, "tables")})
        named = f" (tables: {words.listed(tables)})" if tables else ""
        yield f"{words.count(len(later), 'transaction')} skipped after the last comparison{named}: what they changed is not proven"
    for table in items(last, "tables"):
        if isinstance(table, dict) and text(table, "unknown"):
            yield f"Whether {text(table, 'table')} is equal is not known: {text(table, 'unknown')}"
    rests = [table for table in items(last, "tables") if isinstance(table, dict) and text(table, "proof") in _PARTIAL]
    swept = any(text(each, "proof") == "full" and each.get("equal") for each in records.verifications)
    if rests and not swept:
        yield (
            f"For {words.count(len(rests), 'table')} the proof rests on the seed position: rows that neither server's binlog "
            "touched since then were not read. A full verification that finds nothing closes that"
        )
    yield from _since(records, last)


def _since(records: Records, last: Record) -> Iterator[str]:
    upto = text(last, "upto") or text(last, "since")
    opened = [text(each, "position") for each in records.cutovers if is_open(each)]
    if opened and opened[-1] and upto != opened[-1]:
        yield (
            f"What was written between {upto or 'the last comparison'} and {opened[-1]}, where the clone took over, was replicated and "
            "not compared"
        )


def _of_watching(records: Records) -> Iterator[str]:
    times = [at for at in map(moment, records.lags) if at is not None]
    gaps = [(before, after) for before, after in pairwise(times) if (after - before).total_seconds() > _UNSEEN_S]
    for before, after in gaps:
        yield f"Nobody watched the clone from {words.clock(before)} to {words.clock(after)} UTC: how far behind it was is not known"


def _of_people(records: Records) -> Iterator[str]:
    for each in records.approvals:
        if text(each, "answer") and not text(each, "by"):
            yield f"Who answered the approval {text(each, 'name')} is not in the ledger"
    approved = {text(each, "name") for each in records.approvals if text(each, "answer") == "approved"}
    if any(is_open(each) for each in records.cutovers) and "cut-over" not in approved:
        yield "The clone took over, and no approval of it is in the ledger"
