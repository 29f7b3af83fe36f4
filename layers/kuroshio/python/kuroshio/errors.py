"""Every error that Kuroshio raises on purpose.

The class names are an interface: Lambda reports them as ``errorType`` and state machines match them in
``ErrorEquals``, so renaming one is a breaking change (``tests/workflows`` holds the two together)::

    KuroshioError
    ├── TransientError            nothing is wrong with the request: the same call may succeed later
    │   ├── ServiceUnavailable    AWS throttled, timed out or failed on its side
    │   └── Outpaced              somebody else wrote the record first
    ├── NotCaughtUp               a clone did not reach a position of its source in time; it may yet
    └── PermanentError            the same call will fail again
        ├── InvalidRequest        the event, the option or the file that was handed in is wrong
        ├── ConfigurationMissing  the environment lacks what the function or command needs
        ├── AccessRefused         AWS said that the role may not
        ├── NotFound              AWS has nothing under the name that was asked for
        ├── RequestRefused        AWS refused the call as it was made, for another reason
        ├── RepositoryUnreadable  not a git repository, a damaged bundle, an unknown revision
        ├── TemplateUnreadable    not well-formed YAML or JSON, or not a template
        ├── SettingsInvalid       kuroshio.yaml is not as its schema says
        ├── BinlogUnreadable      a server's binlog is cut off, damaged or in a form that is not known
        ├── PreflightRefused      what was found before anything was changed stands in the way
        ├── SeedRefused           where a clone begins in its source's binlog is missing, stale, ambiguous or impossible
        ├── ApprovalRejected      a person said no, or nobody answered in time
        ├── ReplicationBroken     a clone met an error of replication that it does not get over alone
        ├── CloneDiffers          a clone was compared with its source, and rows differ
        ├── FollowRefused         a clone follows something else than it should, or stands at an error that may not pass
        ├── CloneFailed           RDS gave a clone up, or it did not come up as it must
        ├── CutOverRefused        a condition of a cut-over does not hold; nothing was begun
        ├── RepairRefused         writing a row onto a clone would do more there than that
        ├── CutOverReturned       a cut-over was given up and undone, or needs a person to finish it
        ├── LimitExceeded         hostile or enormous input: a stated bound was passed
        ├── WorkflowFailed        an execution that was waited for ended without success
        ├── DeploymentFailed      a build, a push or a stack update failed; what was in force still is
        └── PlanConflict          an immutable plan exists under this name with another content
"""

from __future__ import annotations


class KuroshioError(Exception):
    """Something that Kuroshio can name. The message says what happened and what to do next."""

    exit_code = 1


class TransientError(KuroshioError):
    """Nothing is wrong with the request: the same call may succeed later."""


class ServiceUnavailable(TransientError):  # noqa: N818 - the name is the state machine's ErrorEquals
    """AWS throttled the call, timed out or failed on its side, after botocore's own retries."""


class Outpaced(TransientError):  # noqa: N818
    """Somebody else wrote the record between our reading and our writing it."""


class NotCaughtUp(KuroshioError):  # noqa: N818
    """A clone did not reach a position of its source in the time that was given. Whoever asked decides whether to wait on."""


class PermanentError(KuroshioError):
    """The same call will fail again until somebody changes something."""


class InvalidRequest(PermanentError):  # noqa: N818
    """The event, the option or the file that was handed in is wrong; the message names the field."""

    exit_code = 2


class ConfigurationMissing(PermanentError):  # noqa: N818
    """The environment lacks what the function or command needs; the message names all that is missing."""

    exit_code = 2


class AccessRefused(PermanentError):  # noqa: N818
    """AWS refused the call for lack of permission."""


class NotFound(PermanentError):  # noqa: N818
    """AWS has nothing under the name that was asked for."""


class RequestRefused(PermanentError):  # noqa: N818
    """AWS refused the call as it was made, for a reason that the message quotes."""


class RepositoryUnreadable(PermanentError):  # noqa: N818
    """Not a git repository, a damaged bundle, or a revision that is not in it."""


class TemplateUnreadable(PermanentError):  # noqa: N818
    """A file that should be a template is not well-formed YAML or JSON. The message begins with line and column."""


class SettingsInvalid(PermanentError):  # noqa: N818
    """A file of settings is not as its schema says. The message names the line, what stands there and what was expected."""

    exit_code = 2

    def __init__(self, message: str, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class BinlogUnreadable(PermanentError):  # noqa: N818
    """A binlog is cut off, damaged or in a form that is not known. The message names the file and the position."""


class PreflightRefused(PermanentError):  # noqa: N818
    """What was found before anything was changed stands in the way; the message names each finding."""

    exit_code = 2


class SeedRefused(PermanentError):  # noqa: N818
    """Where a clone begins in its source's binlog is missing, stale, ambiguous or impossible; the message says which."""


class ApprovalRejected(PermanentError):  # noqa: N818
    """A person was asked and said no, or nobody answered within a day."""


class ReplicationBroken(PermanentError):  # noqa: N818
    """A clone met an error of replication that it does not get over alone, and that no policy lets pass."""


class CloneDiffers(PermanentError):  # noqa: N818
    """A clone was compared with its source, and rows differ; the report names them."""


class FollowRefused(PermanentError):  # noqa: N818
    """A clone follows something else than it should, or stands at an error that the request does not let pass."""


class CloneFailed(PermanentError):  # noqa: N818
    """RDS gave a clone or its upgrade up, or it came up otherwise than it must; the message says how it is now."""


class CutOverRefused(PermanentError):  # noqa: N818
    """A condition of a cut-over does not hold; the message names each, the ledger has them all. Nothing was begun."""


class RepairRefused(PermanentError):  # noqa: N818
    """Writing a row onto a clone would do more there than that: triggers would fire, or the row has no key to find it by."""


class CutOverReturned(PermanentError):  # noqa: N818
    """A cut-over was given up: the source is written to as before, or the message says what a person must look at."""


class LimitExceeded(PermanentError):  # noqa: N818
    """A stated bound on size, depth or time was passed by what was handed in."""


class WorkflowFailed(PermanentError):  # noqa: N818
    """An execution that was waited for ended without success; the message has its error and cause."""

    def __init__(self, message: str, error: str = "") -> None:
        super().__init__(message)
        self.error = error


class DeploymentFailed(PermanentError):  # noqa: N818
    """A build, a push or an update of a stack ended without success; what was in force before is in force still."""


class PlanConflict(PermanentError):  # noqa: N818
    """A plan exists under this name with another content. Plans are immutable."""
