"""How a clone stands, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.records import moment
from kuroshio.aurora.report import words
from kuroshio.aurora.report.blocks import Paragraph, Tone
from kuroshio.aurora.report.proof import ended, upto
from kuroshio.aurora.report.records import number, text
from kuroshio.aurora.report.story import PHASES, closed_ms, is_open, open_of, tone_of

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
        at = words.clock(moment(last), fine=True)
        who = "The old source took over again" if text(last, "direction") == "back" else f"{records.clone} took over"
        said = f"{who} at {at}; writes were refused for {words.milliseconds(closed_ms(last))}. {_proven(records)}"
        return Paragraph(said, _tone(records))
    if not records.verifications:
        return Paragraph(f"{PHASES.get(phase, phase)}. Nothing was compared yet.", Tone.PLAIN)
    return Paragraph(f"{PHASES.get(phase, phase)}. {_proven(records)}", _tone(records))


def _proven(records: Records) -> str:
    if not records.verifications:
        return "The two were never compared."
    last = records.verifications[-1]
    differing, left_open = number(last, "differences"), open_of(last)
    where = f"up to {upto(last)}, " if upto(last) else ""
    when = f"{where}{words.clock(ended(last))}"
    if differing is None:
        return f"The last comparison ({when}) has no result."
    if differing:
        return f"The last comparison found {words.count(differing, 'difference')} ({when})."
    if left_open:
        return f"No difference was found ({when}), but {' and '.join(left_open)}."
    skipped = f" {words.count(len(records.skips), 'transaction')} skipped on the way." if records.skips else ""
    return f"Proven equal to its source: 0 differences ({when}).{skipped}"


def _tone(records: Records) -> Tone:
    if not records.verifications:
        return Tone.WARN
    last = records.verifications[-1]
    return Tone.WARN if records.skips and tone_of(last) is Tone.GOOD else tone_of(last)


def _why(records: Records) -> str:
    failures = [event for event in records.events if text(event, "phase") == "failed"]
    told = failures[-1] if failures else records.state
    said = [text(told, name) for name in ("error", "cause", "reason", "message")]
    return ": ".join(each for each in said if each) or "the ledger does not say which"
