"""Every finding at once, and what somebody took upon themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kuroshio.aurora.finding import Finding, Severity
from kuroshio.aurora.preflight.binlog_rules import BINLOG_RULES
from kuroshio.aurora.preflight.cluster_rules import CLUSTER_RULES
from kuroshio.aurora.preflight.data_rules import DATA_RULES
from kuroshio.aurora.preflight.refusals import REFUSALS
from kuroshio.aurora.preflight.rules import Case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.aurora.preflight.facts import Facts
    from kuroshio.aurora.request import ReplicateRequest

RULES = (*CLUSTER_RULES, *BINLOG_RULES, *DATA_RULES)
_FINAL = frozenset(rule.code for rule in (*REFUSALS, *RULES) if rule.is_final)
_CODES = frozenset(rule.code for rule in (*REFUSALS, *RULES))
_ORDER = list(Severity)


def judge(facts: Facts, request: ReplicateRequest, *, answerable: str, secret: str = "") -> list[Finding]:
    """Return one finding of each rule, the gravest first.

    ``answerable``: who asks, and so answers for what ``request.overrides`` names. ``secret``: the ARN of the login.
    """
    case = Case(facts, request, secret)
    refused = list(_refusals(case))
    found = refused if refused[-1].stops else [*refused, *(rule.finding(case) for rule in RULES)]
    taken = [_taken(finding, answerable) if finding.code in request.overrides else finding for finding in found]
    return sorted([*taken, *_odd(request.overrides)], key=lambda finding: _ORDER.index(finding.severity))


def may_begin(findings: Iterable[Finding]) -> bool:
    """Whether nothing stands in the way."""
    return not any(finding.stops for finding in findings)


def _refusals(case: Case) -> Iterator[Finding]:
    """Up to the first that stops: the engine of a cluster that is not there is nothing."""
    for rule in REFUSALS:
        finding = rule.finding(case)
        yield finding
        if finding.stops:
            return


def _taken(finding: Finding, answerable: str) -> Finding:
    if not finding.stops:
        return finding
    if finding.code in _FINAL:
        return replace(finding, remedy=f"{finding.remedy} Nobody can take this upon themselves.")
    return replace(finding, severity=Severity.WARNING, message=f"{finding.message}. {answerable} answers for it")


def _odd(overrides: Iterable[str]) -> Iterator[Finding]:
    unknown = tuple(sorted(set(overrides) - _CODES))
    if unknown:
        message = f"overrides names {', '.join(unknown)}, and no finding is called so"
        yield Finding("overrides", Severity.BLOCKING, message, f"Findings are {', '.join(sorted(_CODES))}.", unknown)
