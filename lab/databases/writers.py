"""Clients that write to a database through its endpoint, connect again when they are thrown out, and count what was acknowledged.

Each is a process of its own, so that what it sees is not the waiting of one Python for another::

    with writers(login, clients=4) as running:
        ...                      # rename, fail over, cut over
    written = running.written    # how many, the longest gaps, what was answered
    assert judge(server, written) == Judgement(lost=0, doubled=0)

A transaction whose COMMIT got no answer may have happened or not. A client then looks before it repeats it, as an application
with numbered requests would: so what is acknowledged is there once, or something lost or doubled it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.mysql import Login, Server
from kuroshio.errors import KuroshioError, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = (
    "CREATE DATABASE IF NOT EXISTS writers",
    # No unique key: a write that is done twice must be there twice.
    (
        "CREATE TABLE IF NOT EXISTS writers.writes (id BIGINT PRIMARY KEY AUTO_INCREMENT, client INT NOT NULL, "
        "number BIGINT NOT NULL, KEY (client, number)) ENGINE = InnoDB"
    ),
    "CREATE TABLE IF NOT EXISTS writers.totals (client INT PRIMARY KEY, total BIGINT NOT NULL) ENGINE = InnoDB",
)
_PAUSE_S, _CONNECT_PAUSE_S = 0.001, 0.005  # before another try, on the same connection and for another one
_NOTED_S = 0.01  # gaps shorter than this are not told one by one
_ANSWER_S = 5.0


@dataclass(frozen=True)
class Gap:
    """A time without an acknowledged write. ``begin``: seconds since the epoch."""

    client: int
    begin: float
    seconds: float


@dataclass
class Written:
    """What the clients saw."""

    acknowledged: dict[int, int] = field(default_factory=dict)  # by client
    gaps: list[Gap] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)  # errors, by MySQL's number

    @property
    def count(self) -> int:
        """Of all clients."""
        return sum(self.acknowledged.values())

    def longest(self, begin: float = 0.0, end: float = float("inf")) -> float:
        """Seconds of the longest gap that any client saw, of those that touch this time."""
        touching = [gap.seconds for gap in self.gaps if gap.begin < end and gap.begin + gap.seconds > begin]
        return max(touching, default=0.0)


@dataclass(frozen=True)
class Judgement:
    """What became of the acknowledged writes."""

    lost: int
    doubled: int


class Running:
    """The processes; ``written`` is there once they have ended."""

    def __init__(self, login: Login, clients: int, pace_s: float, first: int) -> None:
        arguments = [login.host, str(login.port), login.user, str(login.authority), str(pace_s)]
        self.written = Written()
        self._processes = []
        for client in range(first, first + clients):
            process = subprocess.Popen(
                [sys.executable, "-m", "lab.databases.writers", str(client), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            self._processes.append(process)
            self._pipe(process.stdin).write(login.password + "\n")
            self._pipe(process.stdin).flush()

    def await_first_writes(self) -> None:
        """Return when each has had one acknowledged."""
        for process in self._processes:
            if self._pipe(process.stdout).readline() != "writing\n":
                raise RuntimeError("a writer ended before its first write")

    def stop(self) -> None:
        """End them, each after the write that it is at."""
        for process in self._processes:
            self._pipe(process.stdin).close()
        for process in self._processes:
            with self._pipe(process.stdout) as pipe:
                told = json.loads(pipe.read())
            process.wait()
            client = told["client"]
            self.written.acknowledged[client] = told["acknowledged"]
            self.written.gaps += [Gap(client, begin, seconds) for begin, seconds in told["gaps"]]
            self.written.answers.update(told["answers"])

    @staticmethod
    def _pipe(pipe: Any) -> Any:
        return pipe


@contextmanager
def writers(login: Login, *, clients: int = 4, pace_s: float = 0.002, first: int = 1) -> Iterator[Running]:
    """Clients ``first`` … that write one after the other and rest for ``pace_s``. No two of a number on one database."""
    running = Running(login, clients, pace_s, first)
    try:
        running.await_first_writes()
        yield running
    finally:
        running.stop()


def prepare(server: Server) -> None:
    """Make the tables, if they are not there."""
    for statement in TABLES:
        server.rows(statement)


def judge(server: Server, written: Written) -> Judgement:
    """Compare what was acknowledged with what is there. A client may have one more, whose answer it did not wait for."""
    lost = doubled = 0
    for client, acknowledged in written.acknowledged.items():
        found, distinct = server.rows(
            "SELECT COUNT(*), COUNT(DISTINCT number) FROM writers.writes WHERE client = %s AND number <= %s",
            (client, acknowledged),
        )[0]
        total = server.rows("SELECT COALESCE(SUM(total), 0) FROM writers.totals WHERE client = %s", (client,))[0][0]
        lost += acknowledged - int(distinct)
        doubled += max(int(found) - int(distinct), int(total) - acknowledged - 1, 0)
    return Judgement(lost, doubled)


# One client ---------------------------------------------------------------------------------------------------------------


class Client:
    """Writes one numbered transaction after the other until it is told to stop."""

    def __init__(self, number: int, login: Login, pace_s: float) -> None:
        self._client, self._pace_s = number, pace_s
        self._server = Server(login, answer_s=_ANSWER_S)
        self._acknowledged, self._answers = 0, Counter[str]()
        self._gaps: list[tuple[float, float]] = []
        self._stop = threading.Event()

    def run(self) -> dict[str, Any]:
        """Write until standard input ends."""
        threading.Thread(target=self._listen, daemon=True).start()
        last = 0.0
        while not self._stop.is_set():
            if not self._write_next():
                continue
            now = time.time()
            if last and now - last >= _NOTED_S:
                self._gaps.append((last, now - last))
            if not last:
                print("writing", flush=True)
            last = now
            time.sleep(self._pace_s)
        return {
            "client": self._client,
            "acknowledged": self._acknowledged,
            "gaps": self._gaps,
            "answers": self._answers,
        }

    def _listen(self) -> None:
        sys.stdin.read()
        self._stop.set()

    def _write_next(self) -> bool:
        """Do the next one, whatever it takes; False where it was told to stop before."""
        number, unknown = self._acknowledged + 1, False
        while True:
            try:
                if not (unknown and self._is_there(number)):
                    self._transact(number)
            except KuroshioError as error:
                # Read-only (1290) is a clear no, of one statement: a new BEGIN would commit what came before it. A connection
                # that ended may have been a yes.
                unknown = unknown or "MySQL 1290" not in str(error)
                self._roll_back()
                self._answers[str(error).partition("MySQL ")[2].partition(":")[0]] += 1
                if self._stop.is_set():
                    return False
                time.sleep(_CONNECT_PAUSE_S if isinstance(error, ServiceUnavailable) else _PAUSE_S)
            else:
                self._acknowledged = number
                return True

    def _transact(self, number: int) -> None:
        self._server.rows("BEGIN")
        self._server.rows("INSERT INTO writers.writes (client, number) VALUES (%s, %s)", (self._client, number))
        self._server.rows(
            "INSERT INTO writers.totals VALUES (%s, 1) ON DUPLICATE KEY UPDATE total = total + 1", (self._client,)
        )
        self._server.rows("COMMIT")

    def _roll_back(self) -> None:
        with suppress(KuroshioError):
            self._server.rows("ROLLBACK")

    def _is_there(self, number: int) -> bool:
        found = self._server.rows(
            "SELECT COUNT(*) FROM writers.writes WHERE client = %s AND number = %s", (self._client, number)
        )
        return bool(found[0][0])


def main() -> None:
    """One client: number, host, port, user, authority, pace; the password comes by standard input."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("client", type=int)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("user")
    parser.add_argument("authority", type=Path)
    parser.add_argument("pace", type=float)
    asked = parser.parse_args()
    password = sys.stdin.readline().rstrip("\n")
    login = Login(asked.host, asked.port, asked.user, password, asked.authority)
    print(json.dumps(Client(asked.client, login, asked.pace).run()), flush=True)


if __name__ == "__main__":
    main()
