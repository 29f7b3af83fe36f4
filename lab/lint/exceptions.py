"""Findings that are accepted, each with its reason, from exceptions.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lab.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_FILE = Path(__file__).with_name("exceptions.yaml")


@dataclass(frozen=True)
class Exemption:
    """Findings of ``judge`` under ``rule`` whose place matches ``where`` are accepted for ``reason``."""

    judge: str
    rule: str
    where: str
    reason: str

    def covers(self, judge: str, finding: Finding) -> bool:
        """Whether the finding is one of those."""
        return (
            self.judge == judge
            and fnmatchcase(finding.rule, self.rule)
            and fnmatchcase(finding.where, self.where)
            and len(self.reason) > 0
        )


def exemptions(path: Path = _FILE) -> list[Exemption]:
    """Read the file. Raises TypeError where an entry lacks a field."""
    return [Exemption(**entry) for entry in yaml.safe_load(path.read_text())]


def remaining(judge: str, findings: Iterable[Finding], accepted: Sequence[Exemption]) -> list[Finding]:
    """Return the findings that nothing covers, and one for each exemption of this judge that covers nothing any more."""
    found = list(findings)
    stale = [
        Finding(one.where, one.rule, "exceptions.yaml accepts this, and the judge no longer objects: remove the entry")
        for one in accepted
        if one.judge == judge and not any(one.covers(judge, finding) for finding in found)
    ]
    return [finding for finding in found if not any(one.covers(judge, finding) for one in accepted)] + stale
