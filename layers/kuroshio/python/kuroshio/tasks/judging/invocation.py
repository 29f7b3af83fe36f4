"""One command on one instance, as ``ListCommandInvocations`` and ``GetCommandInvocation`` tell of it.

``Status`` is too coarse and ``StatusDetails`` has the truth, which the API reference writes with spaces
(``Delivery Timed Out``) and the wire carries without (``DeliveryTimedOut``). An exit code of the agent's is no exit code
of the script's: -1 stands for "none".
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.tasks.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE = -1  # what the agent reports where nothing ended: not begun, timed out, cancelled
_SIGNALLED = 128  # a shell reports a command that died of signal n as 128 + n
_RUNNING = frozenset({"pending", "inprogress", "delayed", "cancelling"})
_UNDELIVERED = {
    "undeliverable": "SSM could not deliver it: the instance does not exist or does not answer",
    "invalidplatform": "the document is not for this instance's platform",
    "accessdenied": "the instance's role, or ours, may not run this document there",
}


@dataclass(frozen=True)
class Invocation:
    """``began``: whether the instance reported that it began. ``exit_code``: None where there is none."""

    instance: str
    details: str  # StatusDetails as it came
    exit_code: int | None = None
    began: bool = False

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Invocation:
        """Read an answer of either operation."""
        plugins = found.get("CommandPlugins") or [{}]
        code = found.get("ResponseCode", plugins[-1].get("ResponseCode", _NONE))
        began = found.get("ExecutionStartDateTime") or plugins[0].get("ResponseStartDateTime")
        details = str(found.get("StatusDetails") or found.get("Status") or "")
        return cls(str(found["InstanceId"]), details, None if code in (None, _NONE) else int(code), bool(began))

    @property
    def word(self) -> str:
        """``StatusDetails`` without the differences between the reference and the wire."""
        return "".join(self.details.split()).lower()

    @property
    def is_running(self) -> bool:
        """Whether SSM has not yet said how it ended."""
        return self.word in _RUNNING

    def verdict(self) -> Verdict | None:
        """What it means; None while it runs."""
        word = self.word
        if word in _RUNNING:
            return None
        if word in _UNDELIVERED:
            return Verdict(Outcome.UNDELIVERED, _UNDELIVERED[word])
        judge = _JUDGES.get(word)
        if judge is None:
            return Verdict(
                Outcome.UNDELIVERED, f"SSM says {self.details!r}, a word that is not known here: look at it there"
            )
        return judge(self)

    def _of_success(self) -> Verdict:
        if self.exit_code:
            # A document may name exit codes that it takes for success (successCodes of aws:runShellScript's kin).
            return Verdict(Outcome.SUCCEEDED, f"it ended with exit code {self.exit_code}, which its document accepts")
        return Verdict(Outcome.SUCCEEDED, "it ended with exit code 0")

    def _of_failure(self) -> Verdict:
        if self.exit_code is None:
            return Verdict(Outcome.FAILED, "SSM says that it failed, and names no exit code")
        name = _signal(self.exit_code)
        if name:
            return Verdict(Outcome.KILLED, f"it was killed by {name} (exit code {self.exit_code})")
        return Verdict(Outcome.FAILED, f"it ended with exit code {self.exit_code}")

    def _of_cancellation(self) -> Verdict:
        if self.began:
            return Verdict(
                Outcome.KILLED, "it was cancelled while it ran; SSM does not promise that its processes ended"
            )
        return Verdict(Outcome.DID_NOT_RUN, "it was cancelled before it began")

    def _of_termination(self) -> Verdict:
        return Verdict(
            Outcome.DID_NOT_RUN, "SSM sent it to no further instance, because the error budget was used up before"
        )

    def _of_late_delivery(self) -> Verdict:
        return Verdict(
            Outcome.UNDELIVERED,
            "SSM had no word of it in time. It may have run all the same: look at the instance before it is repeated",
        )

    def _of_late_end(self) -> Verdict:
        return Verdict(Outcome.TIMED_OUT, "it did not end within its execution timeout, and the agent ended it")


_JUDGES = {
    "success": Invocation._of_success,  # noqa: SLF001 - the class's own table
    "failed": Invocation._of_failure,  # noqa: SLF001
    "cancelled": Invocation._of_cancellation,  # noqa: SLF001
    "terminated": Invocation._of_termination,  # noqa: SLF001
    "deliverytimedout": Invocation._of_late_delivery,  # noqa: SLF001
    "executiontimedout": Invocation._of_late_end,  # noqa: SLF001
}


def _signal(exit_code: int) -> str:
    try:
        return signal.Signals(exit_code - _SIGNALLED).name
    except ValueError:
        return ""
