"""The tasks of a file, as values. Nothing here is invalid: ``reading`` lets nothing else through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from kuroshio.tasks.calendar.schedule import cron, once, rate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kuroshio.errors import SettingsInvalid
    from kuroshio.tasks.calendar.freezes import Freeze
    from kuroshio.tasks.calendar.schedule import Schedule

Parameters = tuple[tuple[str, tuple[str, ...]], ...]  # SSM's: texts by name, each a list


@dataclass(frozen=True)
class Shell:
    """Lines for a shell. ``script``: the file that they were read from; empty where they stand in tasks.yaml itself."""

    text: str
    script: str = ""

    @property
    def commands(self) -> tuple[str, ...]:
        """As ``AWS-RunShellScript`` takes them. The exit code is the last line's, whatever failed before, unless -e is set."""
        lines = self.text.splitlines()
        if not lines[0].startswith("#!"):
            return ("set -eu", *lines)
        # An interpreter is named: only a shell knows "set", and the line has to stay the first.
        words = {word.rpartition("/")[2] for word in lines[0][2:].split()[:2]}
        is_shell = bool(words & {"sh", "bash", "dash", "ksh", "zsh"})
        return (lines[0], "set -eu", *lines[1:]) if is_shell else tuple(lines)


@dataclass(frozen=True)
class Document:
    """A command document of SSM. An empty ``version`` is the document's default one."""

    name: str
    parameters: Parameters = ()
    version: str = ""


@dataclass(frozen=True)
class Automation:
    """A runbook of SSM."""

    name: str
    parameters: Parameters = ()
    version: str = ""


@dataclass(frozen=True)
class Function:
    """A Lambda function. ``payload``: JSON; SSM takes at most 4,096 bytes of it."""

    name: str
    payload: str = "{}"


@dataclass(frozen=True)
class StateMachine:
    """A state machine. ``input``: JSON; SSM takes at most 4,096 bytes of it."""

    arn: str
    input: str = "{}"


Run = Shell | Document | Automation | Function | StateMachine
Command = Shell | Document  # what SendCommand carries to instances


@dataclass(frozen=True)
class Targets:
    """One of the three; tags are ANDed, the values of one are ORed. ``once``: on exactly one instance of them."""

    instances: tuple[str, ...] = ()
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    resource_group: str = ""
    once: bool = False


@dataclass(frozen=True)
class Timing:
    """``kind``: cron, rate or once, as ``text`` is to be read."""

    kind: str
    text: str
    zone: str

    def schedule(self, anchor: datetime) -> Schedule:
        """When it is due. ``anchor``: from when a rate is counted."""
        match self.kind:
            case "cron":
                return cron(self.text, self.zone)
            case "rate":
                return rate(self.text, anchor)
            case _:
                return once(self.text, self.zone)

    def __str__(self) -> str:
        """As AWS writes it, with its zone."""
        return f"{self.kind}({self.text}) {self.zone}"


@dataclass(frozen=True)
class Window:
    """How long a run has, and for how long before its end nothing more begins."""

    length: timedelta
    cutoff: timedelta = timedelta()


@dataclass(frozen=True)
class Timeouts:
    """In seconds. ``delivery``: until an instance has begun; ``execution``: from there on. They are never one figure."""

    delivery: int = 600
    execution: int | None = None  # None: what the document says; 3,600 for a shell


class Overlap(StrEnum):
    """What becomes of a run whose predecessor still runs."""

    SKIP = "skip"
    QUEUE = "queue"


class Carrier(StrEnum):
    """Who begins a run: SSM by itself, or EventBridge Scheduler, which starts the workflow ``run_task``."""

    WINDOW = "window"
    SCHEDULER = "scheduler"


@dataclass(frozen=True)
class Task:
    """One entry of the file. ``at`` is None for one that only follows others."""

    name: str
    run: Run
    zone: str
    on: Targets | None = None
    at: Timing | None = None
    window: Window | None = None
    after: tuple[str, ...] = ()
    concurrency: str = "1"
    errors: str = "0"
    timeout: Timeouts = Timeouts()
    retries: int = 0
    overlap: Overlap = Overlap.SKIP
    catches_up: bool = False
    grace: timedelta = timedelta(minutes=15)
    downtime: tuple[str, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    tells_mackerel: bool = False
    is_enabled: bool = True
    line: int = 0
    carrier: Carrier = Carrier.SCHEDULER
    because: str = ""  # why that carrier

    @property
    def is_command(self) -> bool:
        """Whether it runs on instances, by SendCommand."""
        return isinstance(self.run, Command)


@dataclass(frozen=True)
class Warned:
    """Something that is right and may surprise."""

    task: str
    line: int
    text: str


@dataclass(frozen=True)
class Declaration:
    """A whole file. What is refused is not what is gone: whoever applies it leaves refused tasks as they are.

    ``problems``: what is wrong outside of the tasks. Then there are no tasks: nobody knows what it should have said of them.
    """

    file: str
    tasks: tuple[Task, ...] = ()
    problems: tuple[SettingsInvalid, ...] = ()
    refused: Mapping[str, tuple[SettingsInvalid, ...]] = field(default_factory=dict)
    warnings: tuple[Warned, ...] = ()

    @property
    def errors(self) -> list[SettingsInvalid]:
        """Everything that is wrong, in the order of the file."""
        found = [*self.problems, *(each for those in self.refused.values() for each in those)]
        return sorted(found, key=lambda error: (error.line, error.column))
