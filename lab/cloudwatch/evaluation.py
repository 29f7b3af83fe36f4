"""When an alarm changes its state: CloudWatch's rules, above all those for data that is missing.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

_OPERATORS = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
# How many more periods than it needs an alarm looks back over. The document's example is 5 for 3; nothing else is published.
_FURTHER_PERIODS = 2


@dataclass(frozen=True)
class Rule:
    """What makes an alarm: M of N periods on the wrong side of a threshold."""

    comparison: str
    threshold: float
    periods: int
    to_alarm: int
    missing: str = "missing"

    @property
    def range(self) -> int:
        """How many periods are looked at."""
        return self.periods + _FURTHER_PERIODS

    @property
    def is_known(self) -> bool:
        return self.comparison in _OPERATORS

    def is_breaching(self, value: float) -> bool:
        return bool(_OPERATORS[self.comparison][0](value, self.threshold))


@dataclass(frozen=True)
class Verdict:
    state: str
    reason: str


def evaluate(rule: Rule, values: Sequence[float | None], before: str) -> Verdict:
    """The state after the values of the evaluation range, the newest last, None where a period has none."""
    real = [value for value in values if value is not None]
    if len(real) >= rule.periods:
        return _judged(rule, real[-rule.periods :], 0)
    if real and rule.missing in {"missing", "ignore"}:
        return _of_few(rule, values, real, before)
    if rule.missing == "missing":
        return Verdict(INSUFFICIENT, f"Insufficient Data: {rule.periods} datapoints were unknown.")
    if rule.missing == "ignore":
        return Verdict(before, f"Unchanged: {rule.periods} datapoints were unknown.")
    return _judged(rule, real, rule.periods - len(real))


def _of_few(rule: Rule, values: Sequence[float | None], real: Sequence[float], before: str) -> Verdict:
    """Fewer than needed, and nothing is put in their place: only what surely is wrong, or surely is not, counts."""
    breaching = [value for value in real if rule.is_breaching(value)]
    if len(breaching) >= rule.to_alarm or len(breaching) < len(real):
        return _judged(rule, real, 0)
    oldest = next(len(values) - n for n, value in enumerate(values) if value is not None)
    if rule.missing == "missing" and oldest >= rule.to_alarm:
        return Verdict(ALARM, _words(rule, real, len(breaching), 0))
    return Verdict(before, f"Unchanged: {len(real)} of {rule.periods} datapoints were known.")


def _judged(rule: Rule, real: Sequence[float], filled: int) -> Verdict:
    breaching = sum(rule.is_breaching(value) for value in real) + (filled if rule.missing == "breaching" else 0)
    state = ALARM if breaching >= rule.to_alarm else OK
    return Verdict(state, _words(rule, real, breaching, filled))


def _words(rule: Rule, real: Sequence[float], breaching: int, filled: int) -> str:
    """As CloudWatch says it."""
    known = f"{len(real)} datapoint{'' if len(real) == 1 else 's'} [{', '.join(map(str, real))}]"
    missing = f" and {filled} missing datapoints treated as {rule.missing}" if filled else ""
    words = _OPERATORS[rule.comparison][1]
    verb = "was" if breaching else "were not"
    return f"Threshold Crossed: {known}{missing}: {breaching} {verb} {words} the threshold ({rule.threshold})."
