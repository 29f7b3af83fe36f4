"""What the audience sees: steps with their time, while they run and in a table at the end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class StepFailed(Exception):  # noqa: N818 - read by people, in one line
    """A command of the demo failed; the message carries the end of what it printed."""


@dataclass
class Stage:
    """Runs the demo's commands and keeps the time. On a terminal a spinner shows the newest line of output."""

    log: Path
    console: Console = field(default_factory=lambda: Console(emoji=False))  # ARNs hold ":secret:"
    timings: list[tuple[str, float]] = field(default_factory=list)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside, and say so when it is over."""
        begun = time.monotonic()
        with self.console.status(name) if self.console.is_terminal else contextlib.nullcontext():
            yield
        self.timings.append((name, time.monotonic() - begun))
        self.console.print(f"[green]✓[/] {escape(name)} [dim]({self.timings[-1][1]:.1f} s)[/]")

    def run(
        self,
        name: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        accept: tuple[int, ...] = (0,),
    ) -> str:
        """Run a command as a step and return its standard output.

        Raises StepFailed with the end of its messages where it ends with a code that is not accepted.
        """
        shown = " ".join([Path(command[0]).name, *command[1:]])
        self.console.print(f"$ {shown}", style="dim", markup=False, highlight=False)
        with self.step(name):
            return self._execute(command, env or {}, cwd, accept)

    def _execute(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path | None, accept: tuple[int, ...]
    ) -> str:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, **env}, cwd=cwd, check=False
            )
            log.write(done.stdout)
        if done.returncode not in accept:
            with self.log.open() as log:
                end = "".join(deque(log, maxlen=15))
            raise StepFailed(f"{Path(command[0]).name} ended with {done.returncode}; all of it is in {self.log}\n{end}")
        return done.stdout

    def table_of_timings(self) -> Table:
        """Where the time went."""
        table = Table(title="Timings", title_justify="left")
        table.add_column("step")
        table.add_column("seconds", justify="right")
        for name, seconds in self.timings:
            table.add_row(name, f"{seconds:.1f}")
        table.add_row("in all", f"{sum(seconds for _, seconds in self.timings):.1f}", style="bold")
        return table
