"""From the start of the process to its end: find the handler, then serve one invocation after the other."""

import _signal  # type: ignore[import-not-found]
import gc
import os
import sys

from kuroshio_runtime.api import ApiGone, RuntimeApi
from kuroshio_runtime.invocation import Invocation, present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from kuroshio_runtime.handler import Answer, Handle

TERMINATED = 128 + _signal.SIGTERM
BUNDLE = "kuroshio_runtime/modules.bundle"
RARELY = 50_000  # objects more than there were; Python's own threshold is 700 to 2,000


def main(opt: str, argv: "list[str]") -> None:
    """Serve the handler named by `argv` or ``_HANDLER`` until the process is told to stop; never returns normally."""
    prepare_process(opt)
    api = connect()
    try:
        handle = load(argv[-1] if len(argv) > 1 else os.environ.get("_HANDLER", ""))
    except BaseException as error:  # noqa: BLE001 - sys.exit() at import is to be reported like everything else
        leave_after_init_error(api, error)
    gc.freeze()
    # Handlers import late, so the first invocation still creates what lives for ever: look for garbage more rarely, not
    # never, for it may also be the one that works for a quarter of an hour.
    usual = gc.get_threshold()
    gc.set_threshold(RARELY)
    gc.enable()
    warn_if_shared()
    try:
        if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from kuroshio_runtime import snapstart

            snapstart.pause(api)
        serve(api, handle, usual)
    except ApiGone as gone:
        from kuroshio_runtime import journal

        journal.note("ERROR", f"The Runtime API failed, this environment ends: {gone}")
        sys.exit(1)


def prepare_process(opt: str) -> None:
    """What an invocation may rely on: paths, working directory, output that no timeout can swallow, SIGTERM."""
    root = os.environ.setdefault("LAMBDA_TASK_ROOT", "/var/task")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layers = [f"{opt}/python/lib/{version}/site-packages", f"{opt}/python"]
    system = [f"{sys.prefix}/local/lib/{version}/dist-packages", f"{sys.prefix}/lib/python3/dist-packages"]
    system += [f"{sys.prefix}/lib/{version}/site-packages"]
    sys.path[:0] = [root, *filter(os.path.isdir, layers)]
    sys.path += filter(os.path.isdir, system)
    os.chdir(root)
    for stream in (sys.stdout, sys.stderr):
        # Lambda kills at the deadline: a line must be out when it is written.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    _signal.signal(_signal.SIGTERM, terminate)
    if os.path.isfile(f"{opt}/{BUNDLE}"):
        find_in_bundle(f"{opt}/{BUNDLE}")
    sys.meta_path.insert(0, ConfigureLogging)


def find_in_bundle(path: str) -> None:
    """Import from one file what an image has put there; a file that is not for this Python is as good as none."""
    from kuroshio_runtime.bundled import Bundle

    try:
        sys.meta_path.insert(0, Bundle(path))
    except ValueError as error:
        from kuroshio_runtime import journal

        journal.note("WARN", str(error))


def terminate(_signal_number: int, _frame: "FrameType | None") -> None:
    """As PID 1 of a container nobody dies of SIGTERM by default; so leave in an orderly way, with atexit."""
    present.stopping = True
    sys.exit(TERMINATED)


def connect() -> RuntimeApi:
    """The Runtime API that the environment names."""
    try:
        return RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    except (KeyError, ValueError):
        address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
        sys.exit(
            f"bootstrap: AWS_LAMBDA_RUNTIME_API must be host:port, not {address!r}; run me inside Lambda or aws-lambda-rie"
        )


def load(name: str) -> "Handle":
    """The handler `name`: a shell function if ``<script>.sh`` exists, otherwise a Python function.

    Raises RuntimeFault under AWS's names, or whatever the handler's module raises.
    """
    from kuroshio_runtime import RuntimeFault

    module, dot, function = name.rpartition(".")
    if not dot or not module or not function:
        raise RuntimeFault(
            "Runtime.MalformedHandlerName", f"Bad handler {name!r}: it must be module.function or script.function"
        )
    path = os.path.join(os.environ["LAMBDA_TASK_ROOT"], module.replace(".", "/"))
    if not os.path.isfile(path + ".sh"):
        from kuroshio_runtime import python_handler

        return python_handler.load(module.replace("/", "."), function)
    if os.path.isfile(path + ".py") or os.path.isdir(path):
        raise RuntimeFault(
            "Runtime.MalformedHandlerName", f"Bad handler {name!r}: there is both {path}.sh and a Python module {path}"
        )
    from kuroshio_runtime import shell_handler

    return shell_handler.load(path + ".sh", function)


def warn_if_shared() -> None:
    """Lambda Managed Instances would send several invocations at once; we take them one after the other."""
    if os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1") != "1":
        from kuroshio_runtime import journal

        journal.note("WARN", "AWS_LAMBDA_MAX_CONCURRENCY is set, but this runtime serves one invocation at a time")


def leave_after_init_error(api: RuntimeApi, error: BaseException) -> None:
    """Report why no handler could be had, and exit with 1: without a report Lambda waits for the timeout."""
    from kuroshio_runtime import faults, journal

    if present.stopping:
        sys.exit(TERMINATED)
    try:
        faults.report(api, "/init/error", faults.describe(error), None)
    except ApiGone as gone:
        journal.note("ERROR", f"The init error could not be reported: {gone}")
    sys.exit(1)


def serve(api: RuntimeApi, handle: "Handle", usual: "tuple[int, int, int]") -> None:
    """Take invocations one at a time and answer each exactly once. Raises ApiGone, or SystemExit after SIGTERM.

    After the first answer the collector goes back to its ``usual`` thresholds.
    """
    process, settled = os.getpid(), False
    while True:
        received = api.next()
        try:
            invocation = Invocation(received)
        except (KeyError, ValueError) as error:
            raise ApiGone(f"an invocation without usable headers: {error!r}") from error
        present.invocation = invocation
        set_trace(invocation.trace_id)
        try:
            answer = handle(invocation)
        except BaseException as error:  # noqa: BLE001 - nothing that a handler does may end the environment
            leave_if_forked(process, 1)
            fail(api, invocation, error)
        else:
            leave_if_forked(process, 0)
            respond(api, invocation, answer)
        if present.stopping:
            sys.exit(TERMINATED)
        present.invocation = None
        if not settled:
            gc.set_threshold(*usual)
            settled = True


def set_trace(trace_id: "str | None") -> None:
    """Custom runtimes must hand the trace id on themselves, and take it away when there is none."""
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    elif "_X_AMZN_TRACE_ID" in os.environ:
        del os.environ["_X_AMZN_TRACE_ID"]


def leave_if_forked(process: int, status: int) -> None:
    """A child that the handler forked comes back here too: it must not answer for its parent."""
    if os.getpid() != process:
        flush()
        os._exit(status)


def respond(api: RuntimeApi, invocation: Invocation, answer: "Answer") -> None:
    """Post a response. That it was refused as late or too large is logged, and the environment lives on."""
    flush()
    if not isinstance(answer, tuple):
        from kuroshio_runtime import streaming

        streaming.respond(api, invocation, answer)
        return
    body, content_type = answer
    received = api.respond(invocation.request_id, invocation.invocation_id, body, content_type)
    if received.status != 202:
        from kuroshio_runtime import journal

        journal.refused("response", received)


def fail(api: RuntimeApi, invocation: Invocation, error: BaseException) -> None:
    """Post an invocation error, or leave if the error is SIGTERM's."""
    if present.stopping:
        sys.exit(TERMINATED)
    flush()
    from kuroshio_runtime import faults

    failure = faults.describe(error, invocation.request_id)
    faults.report(api, f"/invocation/{invocation.request_id}/error", failure, invocation.invocation_id)


def flush() -> None:
    """Empty the buffers: the environment is frozen as soon as the next invocation is asked for."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # noqa: BLE001, S112 - the handler closed it, or replaced it with anything
            continue


class ConfigureLogging:
    """An import hook that sets ``logging`` up as Lambda's runtimes do, at the moment somebody imports it."""

    @classmethod
    def find_spec(cls, name: str, path: "Any" = None, target: "Any" = None) -> "Any":
        """Nothing for all modules but ``logging``; for that one the real spec, with our setup after it."""
        if name != "logging":
            return None
        sys.meta_path.remove(cls)
        specs: Iterator[Any] = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        spec = next(filter(None, specs))
        execute: Callable[[Any], None] = spec.loader.exec_module

        def execute_and_configure(module: "Any") -> None:
            execute(module)
            from kuroshio_runtime import logs

            logs.configure()

        spec.loader.exec_module = execute_and_configure
        return spec


if TYPE_CHECKING:
    from typing import Any
