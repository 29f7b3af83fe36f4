"""One run on a set of instances, judged instance by instance against the set that was expected.

A command's own status is never read: ``Success`` hides instances that it could not be delivered to (one success and four
``Undeliverable`` are a ``Success``), and an instance that the tag no longer names is in no list at all.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.tasks.verdict import Outcome, Verdict, gravest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kuroshio.tasks.judging.invocation import Invocation

_SHOWN = 5  # instances that a sentence names


@dataclass(frozen=True)
class Expected:
    """The instances on which the task has to run. ``lost``: those of them that do not answer, each with why."""

    instances: tuple[str, ...]
    lost: Mapping[str, str]


@dataclass(frozen=True)
class Judgement:
    """Verdicts by instance, in the order in which they were expected; ``running``: those without one yet."""

    verdicts: Mapping[str, Verdict]
    running: tuple[str, ...]
    unexpected: tuple[str, ...]  # it ran there too, and nobody expected it

    @property
    def is_final(self) -> bool:
        """Whether every instance has its verdict."""
        return not self.running

    def of_the_run(self) -> Verdict:
        """One verdict for all. Raises ValueError while some are running."""
        if self.running:
            raise ValueError(f"{len(self.running)} instances have no verdict yet")
        if not self.verdicts:
            return Verdict(Outcome.DID_NOT_RUN, "no instance was there to run it on")
        outcomes = [verdict.outcome for verdict in self.verdicts.values()]
        outcome = gravest(outcomes)
        return Verdict(outcome, self._sentence(outcome, Counter(outcomes)))

    def _sentence(self, outcome: Outcome, counts: Counter[Outcome]) -> str:
        total = len(self.verdicts)
        if outcome is Outcome.SUCCEEDED:
            told = f"it succeeded on {_instances(total)}" if total == 1 else f"it succeeded on all {_instances(total)}"
        elif total == 1:
            [(instance, verdict)] = self.verdicts.items()
            told = f"on {instance}, {verdict.reason}"
        else:
            shares = ", ".join(
                f"{count} {word}" for word, count in sorted(counts.items(), key=lambda pair: str(pair[0]))
            )
            told = f"of {_instances(total)} {shares}; {self._first(outcome)}"
        if self.unexpected:
            told += f"; it also ran on {_named(self.unexpected)}, where nobody expected it"
        return told

    def _first(self, outcome: Outcome) -> str:
        those = [instance for instance, verdict in self.verdicts.items() if verdict.outcome is outcome]
        return f"{_named(those)} {outcome}: {self.verdicts[those[0]].reason}"


def judge(expected: Expected, invocations: Iterable[Invocation], *, over: str = "") -> Judgement:
    """Judge what SSM has said so far.

    ``over``: why no more is to be expected of SSM (a sentence); then who has not ended is judged as far as is known.
    An instance may be named more than once: pages of a list that changes repeat themselves. An ended one counts.
    """
    told: dict[str, Invocation] = {}
    for each in invocations:
        if each.instance not in told or told[each.instance].is_running:
            told[each.instance] = each
    verdicts: dict[str, Verdict] = {}
    running = []
    for instance in expected.instances:
        verdict = _verdict(instance, told.get(instance), expected.lost, over)
        if verdict is None:
            running.append(instance)
        else:
            verdicts[instance] = verdict
    unexpected = tuple(sorted(set(told) - set(expected.instances)))
    return Judgement(verdicts, tuple(running), unexpected)


def _verdict(instance: str, told: Invocation | None, lost: Mapping[str, str], over: str) -> Verdict | None:
    if told is not None:
        return told.verdict() or (_unended(told, over) if over else None)
    if instance in lost:
        return Verdict(Outcome.UNREACHABLE, lost[instance])
    if over:
        return Verdict(Outcome.DID_NOT_RUN, f"SSM never tried it on {instance}: {over}")
    return None


def _unended(told: Invocation, over: str) -> Verdict:
    if told.began:
        return Verdict(Outcome.TIMED_OUT, f"it began and SSM never told its end: {over}")
    return Verdict(Outcome.UNDELIVERED, f"SSM still says {told.details!r}, and whether it began is not known: {over}")


def _instances(number: int) -> str:
    return f"{number} instance" if number == 1 else f"{number} instances"


def _named(instances: Sequence[str]) -> str:
    rest = len(instances) - _SHOWN
    return ", ".join(instances[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
