"""Where AWS refuses or delays, the lab does so on demand."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.calls import Call

#: kind -> (HTTP status, error code); the codes that differ by service stand in ``_CODES``.
KINDS = {
    "throttled": (400, "ThrottlingException"),
    "not-found": (404, "ResourceNotFoundException"),
    "conflict": (409, "ConflictException"),
    "access-denied": (403, "AccessDeniedException"),
    "error": (500, "InternalServerError"),
    "lost": (500, "InternalServerError"),  # the call is done, and its answer does not arrive
    "delay": (0, ""),
}
_CODES = {
    ("s3", "throttled"): (503, "SlowDown"),
    ("s3", "not-found"): (404, "NoSuchKey"),
    ("s3", "conflict"): (409, "OperationAborted"),
    ("s3", "access-denied"): (403, "AccessDenied"),
    ("s3", "error"): (500, "InternalError"),
    ("dynamodb", "throttled"): (400, "ProvisionedThroughputExceededException"),
    ("dynamodb", "conflict"): (400, "TransactionConflictException"),
    ("lambda", "throttled"): (429, "TooManyRequestsException"),
    ("lambda", "conflict"): (409, "ResourceConflictException"),
    ("lambda", "error"): (500, "ServiceException"),
    ("ecr", "not-found"): (400, "RepositoryNotFoundException"),
    ("ssm", "not-found"): (400, "ParameterNotFound"),
    ("iam", "not-found"): (404, "NoSuchEntity"),
    ("rds", "access-denied"): (403, "AccessDenied"),
    ("rds", "throttled"): (400, "Throttling"),
    ("rds", "not-found"): (404, "DBClusterNotFoundFault"),
    ("rds", "conflict"): (400, "InvalidDBClusterStateFault"),
    ("rds", "error"): (500, "InternalFailure"),
}


@dataclass(frozen=True)
class Fault:
    """``service`` and ``operation`` name the calls to disturb (``*`` is any), ``contains`` a part of their resource's ARN,
    ``caller`` a part of the calling role's. Ends after ``times`` calls or at ``until`` (seconds of the monotonic clock).
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    contains: str = ""
    caller: str = ""
    code: str = ""
    seconds: float = 0.0
    times: int | None = None
    until: float | None = None
    id: int = field(default=0, compare=False)

    def meets(self, call: Call, resource: str, caller: str, now: float) -> bool:
        return (
            self.service in {"*", call.service}
            and self.operation in {"*", call.operation}
            and self.contains in resource
            and self.caller in caller
            and (self.until is None or now < self.until)
            and self.times != 0
        )

    def error(self, service: str) -> tuple[int, str]:
        """HTTP status and error code that this fault answers with, or (0, "") for a mere delay."""
        status, code = _CODES.get((service, self.kind), KINDS[self.kind])
        return status, self.code or code


class Faults:
    """The faults in force."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: dict[int, Fault] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, *, duration: float | None = None, **fields: Any) -> Fault:
        """Put a fault in force: ``times`` calls, or ``duration`` seconds, or until ``clear``. Raises ValueError for a kind that is none."""
        if fields.get("kind") not in KINDS:
            raise ValueError(f"{fields.get('kind')!r} is not a kind of fault; the kinds are {', '.join(KINDS)}")
        fault = Fault(**fields, id=next(self._ids), until=None if duration is None else self._clock() + duration)
        with self._lock:
            self._faults[fault.id] = fault
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def in_force(self) -> list[Fault]:
        now = self._clock()
        with self._lock:
            return [fault for fault in self._faults.values() if fault.times != 0 and (fault.until or now + 1) > now]

    def take(self, call: Call, resource: str, caller: str) -> Fault | None:
        """The fault that this call meets, if any, counted down."""
        now = self._clock()
        with self._lock:
            fault = next((f for f in self._faults.values() if f.meets(call, resource, caller, now)), None)
            if fault is not None and fault.times is not None:
                self._faults[fault.id] = replace(fault, times=fault.times - 1)
            return fault
