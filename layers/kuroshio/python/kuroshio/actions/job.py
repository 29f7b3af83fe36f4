"""A job of GitHub Actions, as its environment describes it and as it is answered.

Variables and files: https://docs.github.com/actions/reference/workflows-and-actions (variables, workflow commands).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.errors import ConfigurationMissing, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEEDED = ("GITHUB_EVENT_NAME", "GITHUB_EVENT_PATH", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
# GitHub drops a summary of more than 1 MiB, and counts all of a step's.
_MAX_SUMMARY = 900_000


@dataclass(frozen=True)
class Job:
    """The job's environment. ``input`` reads what the action's own inputs became."""

    environ: Mapping[str, str]

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Job:
        """Return the job. Raises ConfigurationMissing outside GitHub Actions, naming all that is missing."""
        missing = [name for name in _NEEDED if not environ.get(name)]
        if missing:
            raise ConfigurationMissing(f"{', '.join(missing)}: GitHub Actions sets these; run this as a step of a job")
        return cls(environ)

    @property
    def event_name(self) -> str:
        return self.environ["GITHUB_EVENT_NAME"]

    @property
    def run(self) -> int:
        return int(self.environ["GITHUB_RUN_ID"])

    @property
    def repository(self) -> str:
        return self.environ["GITHUB_REPOSITORY"]

    @property
    def api(self) -> str:
        return self.environ.get("GITHUB_API_URL", "https://api.github.com")

    @property
    def url(self) -> str:
        """Where the repository is fetched from."""
        return f"{self.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{self.repository}"

    def event(self) -> dict[str, Any]:
        """Return the event's payload. Raises InvalidRequest."""
        try:
            found = json.loads(Path(self.environ["GITHUB_EVENT_PATH"]).read_bytes())
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"the event's payload cannot be read: {error}") from None
        if not isinstance(found, dict):
            raise InvalidRequest("the event's payload is no object")
        return found

    def input(self, name: str, *, needed: bool = False) -> str:
        """Return an input of the action. Raises ConfigurationMissing when it is needed and empty."""
        value = self.environ.get(f"KUROSHIO_{name.upper().replace('-', '_')}", "").strip()
        if needed and not value:
            raise ConfigurationMissing(f"the input {name} is empty; give it in the step's `with:`")
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return an input that is one of ``choices``; empty means the first. Raises InvalidRequest."""
        value = self.input(name) or choices[0]
        if value not in choices:
            raise InvalidRequest(f"the input {name} is {value!r}; it must be {' or '.join(choices)}")
        return value

    def answer(self, **outputs: str) -> None:
        """Give outputs to later steps. No value can end its own quotation: the delimiter is drawn anew."""
        lines = []
        for name, value in outputs.items():
            end = f"end-{uuid.uuid4()}"
            lines.append(f"{name.replace('_', '-')}<<{end}\n{value}\n{end}\n")
        self._append("GITHUB_OUTPUT", "".join(lines))

    def summarize(self, markdown: str) -> None:
        """Write to the job's summary page."""
        self._append("GITHUB_STEP_SUMMARY", markdown[:_MAX_SUMMARY] + "\n")

    def note(self, level: str, message: str) -> None:
        """Show a ``notice``, ``warning`` or ``error`` beside the run. Nothing in the message can be a command."""
        escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
        print(f"::{level} title=Kuroshio::{escaped}", flush=True)  # noqa: T201 - how GitHub Actions is spoken to

    def tell(self, line: str) -> None:
        """Write a line of the step's log that cannot be taken for a command."""
        print(line.replace("\n", " ").replace("::", ": :"), flush=True)  # noqa: T201 - the step's log

    def _append(self, variable: str, text: str) -> None:
        if path := self.environ.get(variable):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(text)
