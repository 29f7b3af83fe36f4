"""What is there, as AWS's answers tell it, of any number of windows and schedules, whoever they belong to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT, TASK, DIGEST = "kuroshio:environment", "kuroshio:task", "kuroshio:digest"


@dataclass(frozen=True)
class Window:
    """A maintenance window. ``targets`` and ``tasks`` by their ids, as their own answers have them."""

    id: str
    fields: Mapping[str, Any]
    tags: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tasks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """``schedules``: of our group alone, which is how they are asked for, by name."""

    windows: tuple[Window, ...] = ()
    schedules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def windows_of(self, environment: str) -> dict[str, list[Window]]:
        """The windows with our tags, by task."""
        found: dict[str, list[Window]] = {}
        for window in self.windows:
            if window.tags.get(ENVIRONMENT) == environment and window.tags.get(TASK):
                found.setdefault(window.tags[TASK], []).append(window)
        return found


def targets_of(task: Mapping[str, Any]) -> list[str]:
    """The window's targets that a task names."""
    return [each for pair in task.get("Targets") or [] if pair["Key"] == "WindowTargetIds" for each in pair["Values"]]
