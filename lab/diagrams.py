"""Pictures of the state machines, drawn from their definitions: ``python -m lab.diagrams`` writes the page anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = "docs/workflows/machines.md"
_HEAD = """# The state machines, drawn

Written by `python -m lab.diagrams` from `statemachines/*.asl.yaml`; a test holds them together. Dotted: where a failure goes.
"""


def page(root: Path) -> str:
    """Return the page with a Mermaid picture of every machine, which GitHub renders."""
    parts = [_HEAD]
    for path in sorted((root / "statemachines").glob("*.asl.yaml")):
        definition = yaml.safe_load(path.read_text())
        parts.append(
            f"\n## {path.name.removesuffix('.asl.yaml')}\n\n{definition['Comment'].strip()}\n\n{diagram(definition)}"
        )
    return "".join(parts)


def diagram(definition: dict[str, Any]) -> str:
    """Return the Mermaid picture of one machine's own states."""
    lines = [f"  Start(( )) --> {definition['StartAt']}"]
    for name, state in definition["States"].items():
        lines.append(f"  {name}{_shape(name, state['Type'])}")
        lines += [f"  {name} {arrow} {target}" for arrow, target in _ways(state)]
    return "```mermaid\nflowchart TD\n" + "\n".join(lines) + "\n```\n"


def _shape(name: str, kind: str) -> str:
    opening, closing = {"Choice": ("{", "}"), "Succeed": ("([", "])"), "Fail": ("([", "])")}.get(kind, ("[", "]"))
    return f'{opening}"{name}"{closing}'


def _ways(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for way in (state, *state.get("Choices", []), {"Next": state.get("Default")}):
        if way.get("Next"):
            yield "-->", way["Next"]
    for catcher in state.get("Catch", []):
        yield f"-. {' '.join(catcher['ErrorEquals'])} .->", catcher["Next"]


if __name__ == "__main__":
    (Path.cwd() / PAGE).write_text(page(Path.cwd()))
