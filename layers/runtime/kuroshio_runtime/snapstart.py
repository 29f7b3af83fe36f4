"""SnapStart: say that the process may be photographed, and go on in the restored copy.

Hooks are those of AWS's ``snapshot_restore_py``, if the handler imported it.
"""

import sys

from kuroshio_runtime import faults, journal
from kuroshio_runtime.api import ApiGone, RuntimeApi

# The exit codes of AWS's own Python runtime.
BEFORE_SNAPSHOT_FAILED = 64
AFTER_RESTORE_FAILED = 65


def pause(api: RuntimeApi) -> None:
    """Return in the restored copy, after the handler's hooks. Exits with 64 or 65 where a hook fails."""
    try:
        run_before_snapshot()
        received = api.get("/restore/next")
        if received.status != 200:
            raise ApiGone(f"GET /restore/next answered {received.status}: {received.body[:200]!r}")
    except BaseException as error:  # noqa: BLE001 - a hook may raise anything
        leave(api, "/init/error", error, "Runtime.BeforeSnapshotError", BEFORE_SNAPSHOT_FAILED)
    api.disconnect()  # a connection of before the snapshot leads nowhere
    try:
        run_after_restore()
    except BaseException as error:  # noqa: BLE001
        leave(api, "/restore/error", error, "Runtime.AfterRestoreError", AFTER_RESTORE_FAILED)


def run_before_snapshot() -> None:
    """The hooks in the reverse order of their registration."""
    if hooks := sys.modules.get("snapshot_restore_py"):
        registered = hooks.get_before_snapshot()
        while registered:
            function, args, kwargs = registered.pop()
            function(*args, **kwargs)


def run_after_restore() -> None:
    """The hooks in the order of their registration."""
    if hooks := sys.modules.get("snapshot_restore_py"):
        for function, args, kwargs in hooks.get_after_restore():
            function(*args, **kwargs)


def leave(api: RuntimeApi, path: str, error: BaseException, header_type: str, status: int) -> None:
    """Report the error of a hook and exit."""
    failure = faults.describe(error)
    failure.header_type = header_type
    try:
        faults.report(api, path, failure, None)
    except ApiGone as gone:
        journal.note("ERROR", f"The error could not be reported: {gone}")
    sys.exit(status)
