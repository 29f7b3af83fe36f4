"""`make lint`: ask every judge, two at a time; one line each, and the details of what they object to."""

from __future__ import annotations

import logging
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab.lint import exceptions, judges, workplace
from lab.lint.finding import Finding

_AT_ONCE = 2


@dataclass(frozen=True)
class Verdict:
    """What one judge said, what of it was accepted, and how long it took."""

    judge: str
    findings: list[Finding]
    accepted: int
    seconds: float

    def __str__(self) -> str:
        """One line for people."""
        sentence = f"{len(self.findings)} findings" if self.findings else "clean"
        aside = f", {self.accepted} accepted with a reason" if self.accepted else ""
        return f"  {'FAIL' if self.findings else 'ok':4}  {self.judge:24} {self.seconds:5.1f} s  {sentence}{aside}"


def main(names: list[str]) -> int:
    """Ask the judges of these names, or all. Return 1 where one objects."""
    # aws-sam-translator asks for a region before it looks at anything.
    os.environ.setdefault("AWS_DEFAULT_REGION", "ap-northeast-1")
    os.environ["SAM_CLI_TELEMETRY"] = "0"
    # It warns of metrics of its own that nobody asked it to publish.
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)
    place = workplace.prepared(Path.cwd())
    asked = [name for name in judges.ALL if not names or name in names]
    with ThreadPoolExecutor(_AT_ONCE) as hall:
        verdicts = []
        for verdict in hall.map(lambda name: ask(name, place), asked):
            print(verdict, flush=True)
            verdicts.append(verdict)
    for verdict in verdicts:
        for finding in verdict.findings:
            print(f"{verdict.judge}: {finding}", file=sys.stderr)
    return int(any(verdict.findings for verdict in verdicts))


def ask(name: str, place: workplace.Workplace) -> Verdict:
    """Ask one judge, and take what exceptions.yaml accepts off its findings."""
    begun = time.monotonic()
    try:
        said = judges.ALL[name](place)
    except judges.JudgeBroken as error:
        said = [Finding("", "no verdict", str(error))]
    left = exceptions.remaining(name, said, exceptions.exemptions())
    return Verdict(name, left, len([finding for finding in said if finding not in left]), time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
