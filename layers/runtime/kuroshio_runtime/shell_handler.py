"""Shell handlers: ``script.function``, a function of ``script.sh``, in a process of its own per invocation.

The event is its standard input, what it prints is the response, its standard error goes to the log. When it ends,
everything that it started ends with it.
"""

import _signal  # type: ignore[import-not-found]
import os
import select
import time

from kuroshio_runtime import RuntimeFault, journal, wire
from kuroshio_runtime.api import RESPONSE_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kuroshio_runtime.handler import Answer, Handle
    from kuroshio_runtime.invocation import Invocation

TAIL = 4096  # bytes of standard error that an error message carries
PIPE = 64 * 1024
MARGIN_MS = 200  # before Lambda's deadline, or a tenth of a shorter timeout
SHARE = 10
LAST_BREATH_MS = 1000
# Inherited by all that the handler starts: as long as one of them lives, our end of the pipe stays open.
LEASH = 99
# The second line runs outside of any condition, so that the script's own `set -e` counts inside the function.
CALL = '. "$0"\n"$1"'
FIND = '. "$0" >&2\ncommand -v "$1"'
HASHBANG_LIMIT = 256


def load(script: str, function: str) -> "Handle":
    """The function of `script`. Raises RuntimeFault ``Runtime.HandlerNotFound`` where there is none."""
    with open(script, "rb") as source:
        text = source.read()
    shell = interpreter(text[:HASHBANG_LIMIT].split(b"\n", 1)[0].decode(errors="replace"))
    if not defines(text, function) and not finds(shell, script, function):
        raise RuntimeFault("Runtime.HandlerNotFound", f"Handler '{function}' missing in script '{script}'")
    return ShellHandler([*shell, "-c", CALL, script, function])


def interpreter(first_line: str) -> "list[str]":
    """The shell and its options that the script's first line names; ``/bin/sh`` without one."""
    if not first_line.startswith("#!"):
        return ["/bin/sh"]
    words = first_line[2:].split()
    if words and words[0].endswith("/env"):
        words = [word for word in words[1:] if word != "-S"]
    if words and "/" not in words[0]:
        candidates = [os.path.join(folder, words[0]) for folder in os.get_exec_path()]
        words[0] = next(filter(os.path.isfile, candidates), words[0])
    return words or ["/bin/sh"]


def defines(text: bytes, function: str) -> bool:
    """Whether the script visibly defines the function, in one of the two ways that shells know."""
    name = function.encode()
    for line in text.splitlines():
        words = line.replace(b"(", b" (").split()
        if words[:1] == [name] and words[1:2] and words[1].startswith(b"("):
            return True
        if words[:2] == [b"function", name]:
            return True
    return False


def finds(shell: "list[str]", script: str, function: str) -> bool:
    """Whether the shell itself knows the function: it may come from a file that the script reads."""
    arguments = [*shell, "-c", FIND, script, function]
    nothing = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
    ]
    child = os.posix_spawn(shell[0], arguments, os.environ, file_actions=nothing)
    return os.waitpid(child, 0)[1] == 0


class ShellHandler:
    """Runs one process per invocation and answers with what it prints."""

    def __init__(self, arguments: "list[str]") -> None:
        self._arguments = arguments
        self._name = f"{os.path.basename(arguments[-2])} {arguments[-1]}"

    def __call__(self, invocation: "Invocation") -> "Answer":
        """What the function printed, if it is JSON; ``null`` if it printed nothing.

        Raises RuntimeFault: ``ExitStatus<n>``, ``KilledBySignal<n>``, ``Sandbox.Timedout``,
        ``Function.ResponseSizeTooLarge`` or ``Runtime.MarshalError``.
        """
        run = Run(self._arguments, invocation)
        try:
            run.watch(stop_at(invocation, time.time()))
        finally:
            run.end()
        self._judge(run)
        return self._json(b"".join(run.output)), "application/json"

    def _judge(self, run: "Run") -> None:
        said = bytes(run.tail).decode(errors="replace").strip()
        said = f": {said}" if said else ", and wrote nothing to standard error"
        if run.too_large:
            raise RuntimeFault(
                "Function.ResponseSizeTooLarge",
                f"{self._name} printed more than the maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
            )
        if run.timed_out:
            raise RuntimeFault("Sandbox.Timedout", f"{self._name} was stopped just before its deadline{said}")
        if os.WIFSIGNALED(run.status):
            signal = os.WTERMSIG(run.status)
            raise RuntimeFault(f"KilledBySignal{signal}", f"{self._name} was killed by signal {signal}{said}")
        if code := os.WEXITSTATUS(run.status):
            raise RuntimeFault(f"ExitStatus{code}", f"{self._name} exited with status {code}{said}")

    def _json(self, output: bytes) -> bytes:
        body = output.strip(b" \t\r\n")
        if not body:
            return b"null"
        try:
            wire.parse(body)
        except RuntimeFault as fault:
            start = body[:100].decode(errors="replace")
            raise RuntimeFault(
                "Runtime.MarshalError",
                f"{self._name} must print one JSON value and nothing else; it printed {start!r} ({fault})",
            ) from None
        return body


class Run:
    """One process of a shell handler, from its start until nothing of it is left."""

    def __init__(self, arguments: "list[str]", invocation: "Invocation") -> None:
        self.output: list[bytes] = []
        self.tail = bytearray()
        self.status = 0
        self.timed_out = False
        self.too_large = False
        self._printed = 0
        self._line = b""
        self._request_id = invocation.request_id
        event = os.memfd_create("event")
        self._stdout, stdout = os.pipe()
        self._stderr, stderr = os.pipe()
        self._leash, leash = os.pipe()
        try:
            write_all(event, invocation.body)
            os.lseek(event, 0, os.SEEK_SET)
            self.pid = os.posix_spawn(
                arguments[0],
                arguments,
                environment(invocation),
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, event, 0),
                    (os.POSIX_SPAWN_DUP2, stdout, 1),
                    (os.POSIX_SPAWN_DUP2, stderr, 2),
                    (os.POSIX_SPAWN_DUP2, leash, LEASH),
                ],
                setsid=True,
                # Python ignores these two, and a shell would inherit that.
                setsigdef=[_signal.SIGPIPE, _signal.SIGXFSZ],
            )
        except OSError as error:
            self._close()
            raise RuntimeFault("Runtime.InvalidEntrypoint", f"cannot start {arguments[0]}: {error}") from error
        finally:
            for descriptor in (event, stdout, stderr, leash):
                os.close(descriptor)

    def watch(self, stop_at_ms: float) -> None:
        """Take in what the process writes until it has ended, printed too much or met the deadline."""
        ended = os.pidfd_open(self.pid)
        poll = select.poll()
        for descriptor in (self._stdout, self._stderr, ended):
            poll.register(descriptor, select.POLLIN)
        try:
            while not self.too_large:
                ready = poll.poll(max(0, stop_at_ms - time.time() * 1000) if stop_at_ms else None)
                for descriptor, _ in ready:
                    if descriptor != ended and not self._take(descriptor):
                        poll.unregister(descriptor)
                if not ready:
                    self.timed_out = True
                if not ready or any(descriptor == ended for descriptor, _ in ready):
                    return
        finally:
            os.close(ended)

    def end(self) -> None:
        """Kill what is left of the process and its children, take in what they had written, and close."""
        kill_group(self.pid)
        self.status = os.waitpid(self.pid, 0)[1]
        if not is_closed(self._leash, 0):
            kill_holders(self._leash)
            is_closed(self._leash, LAST_BREATH_MS)
        for descriptor in (self._stdout, self._stderr):
            os.set_blocking(descriptor, False)
            while not self.too_large and self._take(descriptor):
                continue
        if self._line:
            self._log(b"\n")
        self._close()

    def _take(self, descriptor: int) -> bool:
        """Read once; False when there is nothing more."""
        try:
            data = os.read(descriptor, PIPE)
        except BlockingIOError:  # a daemon that slipped its leash holds the pipe open
            return False
        if descriptor == self._stdout:
            self.output.append(data)
            self._printed += len(data)
            self.too_large = self._printed > RESPONSE_LIMIT
        elif data:
            self.tail += data
            del self.tail[:-TAIL]
            self._log(data)
        return bool(data)

    def _log(self, data: bytes) -> None:
        """Standard error to the log: as it is, or line by line as JSON where the function asks for that."""
        if not journal.is_json():
            write_all(2, data)
            return
        *lines, self._line = (self._line + data).split(b"\n")
        for line in filter(None, lines):
            if line.startswith(b"{"):
                write_all(2, line + b"\n")
            else:
                journal.note("INFO", line.decode(errors="replace"))

    def _close(self) -> None:
        for descriptor in (self._stdout, self._stderr, self._leash):
            os.close(descriptor)


def stop_at(invocation: "Invocation", now: float) -> float:
    """When to stop the process, in milliseconds since the epoch: early enough to say so ourselves. 0 is never."""
    deadline = invocation.deadline_ms
    return deadline and deadline - min(MARGIN_MS, max(0, deadline - now * 1000) / SHARE)


def environment(invocation: "Invocation") -> "dict[str, str]":
    """Ours, and each ``Lambda-Runtime-*`` header under its name as a variable (``LAMBDA_RUNTIME_DEADLINE_MS``)."""
    variables = dict(os.environ)
    for name, value in invocation.headers.items():
        if name.startswith("lambda-runtime-"):
            variables[name.upper().replace("-", "_")] = value
    return variables


def kill_group(pid: int) -> None:
    """Kill the process group that `pid` leads. Until it is waited for, nobody else can have that number."""
    try:
        os.killpg(pid, _signal.SIGKILL)
    except ProcessLookupError:
        return


def is_closed(leash: int, patience_ms: int) -> bool:
    """Whether nobody holds the other end any more, within `patience_ms`: the killed need a moment to die."""
    poll = select.poll()
    poll.register(leash, 0)  # the hang-up is always reported
    return bool(poll.poll(patience_ms))


def kill_holders(leash: int) -> None:
    """Kill every process that still holds the leash: it left the group (``setsid``, ``set -m``), not the handler."""
    pipe = os.readlink(f"/proc/self/fd/{leash}")
    for process in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if int(process) != os.getpid() and os.readlink(f"/proc/{process}/fd/{LEASH}") == pipe:
                os.kill(int(process), _signal.SIGKILL)
        except OSError:  # it ended by itself, or is not ours
            continue


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`; a log that is closed is no reason to fail."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        if descriptor > 2:
            raise
