"""What was found out about a cluster before anything is changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding weighs. ``unknown`` blocks like ``blocking``: what cannot be known is not fine."""

    BLOCKING = "blocking"
    UNKNOWN = "unknown"
    WARNING = "warning"
    NOTE = "note"
    FINE = "fine"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: a stable ``code`` in kebab-case, what was found, and what to do about it."""

    code: str
    severity: Severity
    message: str
    remedy: str = ""
    about: tuple[str, ...] = ()  # tables, clusters or accounts that it is about, all of them

    @property
    def stops(self) -> bool:
        """Whether nothing may be begun while it stands."""
        return self.severity in (Severity.BLOCKING, Severity.UNKNOWN)

    def document(self) -> dict[str, Any]:
        """As it travels."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "remedy": self.remedy,
            "about": list(self.about),
        }
