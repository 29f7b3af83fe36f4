"""How a clone stands, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Paragraph, Tone
from kuroshio.aurora.report.proof import ended, upto
from kuroshio.aurora.report.records import moment, number, text
from kuroshio.aurora.report.story import PHASES, closed_ms, is_open

if TYPE_CHECKING:
    from kuroshio.aurora.report.records import Records

_SAID = {
    "": Paragraph("Only a preflight was made; nothing was changed."),
    "aborted": Paragraph("It was given up, and what had been made was removed.", Tone.WARN),
    "cutting-over": Paragraph("The cut-over is under way: which of the two takes writes is being decided.", Tone.WARN),
}


def verdict(records: Records) -> Paragraph:
    """The first sentence of a report."""
    phase = text(records.state, "phase")
    taken = [each for each in records.cutovers if is_open(each)]
    if phase == "failed":
        return Paragraph(f"Stopped by an error: {_why(records)}", Tone.BAD)
    if phase in _SAID:
        return _SAID[phase]
    if taken:
        last = taken[-1]
        at = words.clock(moment(last, "began_at") or moment(last), fine=True)
        said = f"{records.clone} took over at {at}; writes were refused for {words.milliseconds(closed_ms(last))}. {_proven(records)}"
        return Paragraph(said, _tone(records))
    if not records.verifications:
        return Paragraph(f"{PHASES.get(phase, phase)}. Nothing was compared yet.", Tone.PLAIN)
    return Paragraph(f"{PHASES.get(phase, phase)}. {_proven(records)}", _tone(records))


def _proven(records: Records) -> str:
    if not records.verifications:
        return "The two were never compared."
    last = records.verifications[-1]
    differing, unsettled = number(last, "differences"), number(last, "unsettled") or 0
    where = f"up to {upto(last)}, " if upto(last) else ""
    when = f"{where}{words.clock(ended(last))}"
    if differing is None:
        return f"The last comparison ({when}) has no result."
    if differing:
        return f"The last comparison found {words.count(differing, 'difference')} ({when})."
    if unsettled:
        return f"No difference was found ({when}), and {words.count(unsettled, 'row')} never stood still."
    skipped = f" {words.count(len(records.skips), 'transaction')} skipped on the way." if records.skips else ""
    return f"Proven equal to its source: 0 differences ({when}).{skipped}"


def _tone(records: Records) -> Tone:
    if not records.verifications:
        return Tone.WARN
    last = records.verifications[-1]
    differing = number(last, "differences")
    if differing is None or differing:
        return Tone.BAD
    return Tone.WARN if number(last, "unsettled") or records.skips else Tone.GOOD


def _why(records: Records) -> str:
    failures = [event for event in records.events if text(event, "phase") == "failed"]
    told = failures[-1] if failures else records.state
    said = [text(told, name) for name in ("error", "cause", "reason", "message")]
    return ": ".join(each for each in said if each) or "the ledger does not say which"
