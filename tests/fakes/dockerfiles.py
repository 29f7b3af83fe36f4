"""Random Dockerfiles, written from a model that knows what they copy: it holds every file against every source.

It knows neither Kuroshio's parser nor its matcher. No two files of the tree have one name, so that nothing that is copied
covers anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

FOLDERS = ["", "a", "a/b", "c", "lib"]
KINDS = ["x{}.py", "run{}.sh", "data{}"]
PATHS = [f"{folder}/{kind.format(at)}".lstrip("/") for at, folder in enumerate(FOLDERS) for kind in KINDS]
SOURCES = [
    "a",
    "a/b",
    "c",
    "lib",
    "x0.py",
    "a/x1.py",
    "*.py",
    "a/*.sh",
    "?",
    "li*",
    "a/?/d*",
    "*/run3.sh",
    "[ac]",
    "./c/",
    "/a/b",
    "[^a]/x?.py",
    "l*/*",
]
FORMS = ["plain", "json", "continued", "document", "variable", "argument", "trigger", "mount"]


@dataclass(frozen=True)
class Step:
    """One instruction of a stage: its sources, and how it is written."""

    sources: tuple[str, ...]
    form: str

    def lines(self, at: str) -> list[str]:
        """The instruction; ``at`` is a text that no other step of the file has."""
        words = " ".join(self.sources)
        first, others = self.sources[0], " ".join(self.sources[1:])
        mounts = [f"--mount=type=bind,source={each},target=/m" for each in self.sources]
        forms = {
            "plain": [f"copy {words} /{at}/"],
            "json": ["COPY [" + ", ".join(f'"{each}"' for each in (*self.sources, f"/{at}/")) + "]"],
            "continued": [
                "ADD --chown=0:0 \\",
                "  # a comment",
                *(f"  {each} \\" for each in self.sources),
                f"  /{at}/",
            ],
            "document": ["RUN <<EOF", "COPY nothing /", "EOF", f"COPY {words} /{at}/"],
            "variable": [f"ENV V{at}={first}", f"COPY ${{V{at}:-z}} {others} /{at}/"],
            "argument": [f'ARG A{at}="{first}"', f"COPY $A{at} {others} /{at}/"],
            "trigger": [f"ONBUILD COPY {words} /{at}/"],
            "mount": [f"RUN {' '.join(mounts)} true"],
        }
        is_wild = any(character in words for character in "*?[")
        return forms["plain" if self.form == "mount" and is_wild else self.form]


@dataclass(frozen=True)
class Stage:
    """``parent``: the stage that it begins with, ``origin``: one that it copies from; -1 for none."""

    parent: int
    origin: int
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Dockerfile:
    """A whole file, and which stage is built."""

    stages: tuple[Stage, ...]
    target: int

    def text(self) -> str:
        lines = ["# syntax=docker/dockerfile:1", "ARG UNUSED=a"]
        for at, stage in enumerate(self.stages):
            lines.append(f"FROM {'scratch' if stage.parent < 0 else f's{stage.parent}'} AS s{at}")
            if stage.origin >= 0:
                lines.append(f"COPY --from={'s' if stage.origin % 2 else ''}{stage.origin} / /from{at}/")
            for number, step in enumerate(stage.steps):
                lines += step.lines(f"{at}_{number}")
        return "\n".join(lines) + "\n"

    def copied(self) -> set[str]:
        """All files that the stages which lead to the target can copy."""
        reached: set[int] = set()
        waiting = [self.target]
        while waiting:
            at = waiting.pop()
            if at >= 0 and at not in reached:
                reached.add(at)
                waiting += [self.stages[at].parent, self.stages[at].origin]
        sources = [source for at in reached for step in self.stages[at].steps for source in step.sources]
        return {path for path in PATHS if any(_is_copied(source, path) for source in sources)}


def _is_copied(source: str, path: str) -> bool:
    wanted = source.replace("./", "", 1).strip("/").replace("[^", "[!").split("/")
    parts = path.split("/")
    return len(parts) >= len(wanted) and all(map(fnmatchcase, parts, wanted))


def dockerfile(random: Random, forms: Sequence[str]) -> Dockerfile:
    """One of one to four stages."""
    stages = []
    for at in range(random.randint(1, 4)):
        steps = [
            Step(tuple(random.choices(SOURCES, k=random.randint(1, 3))), random.choice(forms))
            for _ in range(random.randint(0, 2))
        ]
        stages.append(Stage(random.randint(-1, at - 1), random.randint(-1, at - 1), tuple(steps)))
    return Dockerfile(tuple(stages), random.randrange(len(stages)))
