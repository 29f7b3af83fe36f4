"""A rule: one fact, what it means, and a finding of one stable code, whatever the fact is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.cluster import Cluster
from kuroshio.aurora.finding import Finding, Severity
from kuroshio.aurora.preflight.facts import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sized

    from kuroshio.aurora.preflight.facts import Facts
    from kuroshio.aurora.request import ReplicateRequest


@dataclass(frozen=True)
class Verdict:
    """A finding without its code."""

    severity: Severity
    message: str
    remedy: str = ""
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """What is judged: the facts, and what was asked for."""

    facts: Facts
    request: ReplicateRequest
    secret: str = ""

    @property
    def cluster(self) -> Cluster:
        """The source. Only for rules that are asked once it is known to be there."""
        found = self.facts.rds.cluster
        if not isinstance(found, Cluster):
            raise TypeError("the source was not found, so nothing more can be judged")
        return found

    @property
    def binlog_is_right(self) -> bool:
        """Whether the source writes a binlog of rows already, so that its parameter group stays as it is."""
        sql = self.facts.sql
        return sql.log_bin is True and sql.binlog_format == "ROW"


@dataclass(frozen=True)
class Rule:
    """``what`` names the fact in words. ``judge`` is asked only where the fact is known."""

    code: str
    what: str
    fact: Callable[[Case], Any]
    judge: Callable[[Any, Case], Verdict]
    is_final: bool = field(default=False)  # nobody can take it upon themselves

    def finding(self, case: Case) -> Finding:
        """Judge. A fact that is unknown blocks: what cannot be known is not fine."""
        value = self.fact(case)
        if isinstance(value, Unknown):
            message = f"{self.what} could not be found out: {value.why}"
            return Finding(self.code, Severity.UNKNOWN, message, "Make it readable, or name the finding in overrides.")
        verdict = self.judge(value, case)
        return Finding(self.code, verdict.severity, verdict.message, verdict.remedy, verdict.about)


def fine(message: str) -> Verdict:
    """It was looked at, and nothing is to be done."""
    return Verdict(Severity.FINE, message)


def note(message: str, remedy: str = "", about: Iterable[str] = ()) -> Verdict:
    """Worth knowing."""
    return Verdict(Severity.NOTE, message, remedy, tuple(about))


def warning(message: str, remedy: str = "", about: Iterable[str] = ()) -> Verdict:
    """Nothing fails by it at once, and somebody should look at it."""
    return Verdict(Severity.WARNING, message, remedy, tuple(about))


def blocking(message: str, remedy: str, about: Iterable[str] = ()) -> Verdict:
    """Nothing may be begun while it is so."""
    return Verdict(Severity.BLOCKING, message, remedy, tuple(about))


def counted(things: Sized, one: str, many: str = "") -> str:
    """``3 tables``; which they are stands in ``about``."""
    number = len(things)
    return f"{number:,} {one if number == 1 else many or one + 's'}"
