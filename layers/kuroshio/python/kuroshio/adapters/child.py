"""A command as a child: its output passes through untouched and is remembered in part, signals reach it, time is bounded."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
_FROM_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_CHUNK = 65_536
_LINGER = 2.0  # seconds of silence, once the command itself has ended and something it started keeps its output open
# What shells and timeout(1) say.
NOT_FOUND, NOT_EXECUTABLE, TIMED_OUT, BY_SIGNAL = 127, 126, 124, 128


@dataclass(frozen=True)
class Exit:
    """``code`` is what a shell would say; ``how`` is for people."""

    code: int
    how: str
    output: str = ""


@dataclass
class Excerpt:
    """The beginning and the end of what was written."""

    most: int = 4096  # bytes of each
    _head: bytearray = field(default_factory=bytearray)
    _tail: bytearray = field(default_factory=bytearray)
    _total: int = 0

    def add(self, data: bytes) -> None:
        """Bytes, in the order in which they came."""
        self._total += len(data)
        room = self.most - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        del self._tail[: -self.most]

    def text(self) -> str:
        """What is known of it, with dots where something is left out."""
        gap = b"\n...\n" if self._total > 2 * self.most else b""
        return bytes(self._head + gap + self._tail).decode(errors="replace")


@dataclass
class _Child:
    """The process, once there is one. With a terminal it stays in our group, where the terminal's signals reach it."""

    argv: Sequence[str]
    grace: float
    is_interactive: bool
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = field(default_factory=list)
    timed_out: bool = False

    def start(self) -> None:
        """Raises OSError where there is no such program."""
        group = None if self.is_interactive else 0
        self.process = subprocess.Popen(self.argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, process_group=group)
        for number in self.early:
            self.pass_on(number)

    def pass_on(self, number: int, _: Any = None) -> None:
        """A signal that we got."""
        if self.process is None:
            self.early.append(number)
        elif not (self.is_interactive and number in _FROM_THE_TERMINAL):
            self._signal(number)

    def out_of_time(self, *_: Any) -> None:
        """First ask it to end, then do not ask."""
        self._signal(signal.SIGKILL if self.timed_out else signal.SIGTERM)
        if not self.timed_out:
            signal.setitimer(signal.ITIMER_REAL, max(self.grace, 0.001))
        self.timed_out = True

    def _signal(self, number: int) -> None:
        assert self.process is not None  # noqa: S101 - the alarm is set, and signals pass, once it runs
        try:
            if self.is_interactive:
                self.process.send_signal(number)
            else:
                os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass  # it has just ended


def run(argv: Sequence[str], *, timeout: float | None = None, grace: float = 10.0) -> Exit:
    """Run the command to its end, whatever that is; raises nothing for what the command does."""
    child = _Child(argv, grace, sys.stdin is not None and sys.stdin.isatty())
    excerpt = Excerpt()
    with _signals(child):
        try:
            child.start()
        except OSError as error:
            sys.stderr.write(f"kuroshio wrap: {argv[0]}: {error.strerror}\n")
            is_absent = isinstance(error, FileNotFoundError)
            return Exit(NOT_FOUND if is_absent else NOT_EXECUTABLE, f"could not be started: {error.strerror}")
        if timeout is not None:
            signal.setitimer(signal.ITIMER_REAL, timeout)
        assert child.process is not None  # noqa: S101 - it was started
        _pump(child.process, excerpt)
        code = child.process.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
    if child.timed_out:
        return Exit(TIMED_OUT, f"timed out after {timeout:g} s", excerpt.text())
    if code < 0:
        return Exit(BY_SIGNAL - code, f"killed by {_name(-code)}", excerpt.text())
    return Exit(code, f"exit code {code}", excerpt.text())


@contextmanager
def _signals(child: _Child) -> Iterator[None]:
    """Pass signals on; those that our caller ignores (nohup) stay ignored, in the command too."""
    before: dict[int, Callable[..., Any] | int | None] = {signal.SIGALRM: signal.getsignal(signal.SIGALRM)}
    signal.signal(signal.SIGALRM, child.out_of_time)
    for number in _FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, child.pass_on)
    try:
        yield
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


def _pump(process: subprocess.Popen[bytes], excerpt: Excerpt) -> None:
    """Pass on what it writes until nobody can write any more, or it has ended and there is silence."""
    assert process.stdout is not None  # noqa: S101 - both were asked for
    assert process.stderr is not None  # noqa: S101
    with selectors.DefaultSelector() as selector, _ended(process) as end, process.stdout, process.stderr:
        open_pipes = {process.stdout: 1, process.stderr: 2}
        for pipe, to in open_pipes.items():
            selector.register(pipe, selectors.EVENT_READ, to)
        selector.register(end, selectors.EVENT_READ)
        has_ended = False
        while open_pipes:
            ready = selector.select(_LINGER if has_ended else None)
            if not ready:
                return
            for key, _ in ready:
                if key.data is None:
                    has_ended = True
                    selector.unregister(end)
                elif not _passed(key.fd, key.data, excerpt):
                    selector.unregister(key.fileobj)
                    pipe = next(each for each in open_pipes if each is key.fileobj)
                    del open_pipes[pipe]
                    pipe.close()


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[int]:
    """Something that becomes readable when the process has ended."""
    descriptor = os.pidfd_open(process.pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _passed(source: int, to: int, excerpt: Excerpt) -> bool:
    """Whether there was something, and somebody took it. If nobody does, the command learns it by its own next write."""
    data = os.read(source, _CHUNK)
    excerpt.add(data)
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(to, left) :]
    except OSError:
        return False
    return bool(data)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # most real-time signals have none
        return f"signal {number}"
