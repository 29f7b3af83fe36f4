"""What one file leads to in one tree: the resolved form of an analysis."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """A folder that a file may read from at run time, because of ``reason``.

    ``modules``: its modules may be imported too. Otherwise only its other files are meant.
    """

    folder: str
    reason: str
    modules: bool = True


# Reasons that are kept for one folder: a hostile file has a hundred thousand.
_MAX_REASONS = 20


@dataclass(slots=True)
class Links:
    """Where one file leads: ``files`` in the order in which they are imported, as logical paths."""

    files: dict[str, None] = field(default_factory=dict)
    spans: dict[Span, None] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    manifests: dict[str, None] = field(default_factory=dict)

    def add(self, *paths: str) -> None:
        """Lead to these files too."""
        self.files.update(dict.fromkeys(paths))

    def widen(self, folder: str, reason: str, *, modules: bool = True) -> None:
        """Lead to all that lies in a folder."""
        told = sum(span.folder == folder and span.modules is modules for span in self.spans)
        if told < _MAX_REASONS:
            self.spans.setdefault(Span(folder, reason, modules))
