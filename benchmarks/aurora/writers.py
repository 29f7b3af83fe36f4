"""Clients that write to a source all the time, in processes of their own: what verification must not get in the way of."""

from __future__ import annotations

import multiprocessing
import random
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.mysql import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.mysql import Login

_THINKS_S = 0.004
_CLIENTS = 4


@dataclass
class Writers:
    """``done``: transactions that the servers have acknowledged so far, and the seconds that these took, of all clients."""

    done: Any
    spent: Any

    def during(self, began: tuple[int, float, float]) -> tuple[float, float]:
        """Transactions a second, and milliseconds for each, since ``now`` was taken."""
        count, spent, at = began
        done = self.done.value - count
        return done / (time.perf_counter() - at), (self.spent.value - spent) / max(done, 1) * 1000

    def now(self) -> tuple[int, float, float]:
        """Where the counts are."""
        return self.done.value, self.spent.value, time.perf_counter()


@contextmanager
def writing(login: Login, table: str, rows: int) -> Iterator[Writers]:
    """Let clients update, insert and delete rows of a table, each with a short pause after every transaction."""
    context = multiprocessing.get_context("spawn")
    writers = Writers(context.Value("q", 0), context.Value("d", 0.0))
    stop = context.Event()
    clients = [
        context.Process(target=_write, args=(login, table, rows, number, (stop, writers.done, writers.spent)))
        for number in range(_CLIENTS)
    ]
    for client in clients:
        client.start()
    try:
        while not writers.done.value:
            time.sleep(0.05)
        yield writers
    finally:
        stop.set()
        for client in clients:
            client.join()


def _write(login: Login, table: str, rows: int, number: int, shared: tuple[Any, Any, Any]) -> None:
    stop, done, spent = shared
    server, choice = Server(login), random.Random(number)
    own = rows + 1 + number  # rows that this client alone inserts and deletes
    while not stop.is_set():
        began = time.perf_counter()
        key = choice.randint(1, rows)
        server.rows(f"UPDATE {table} SET amount = amount + 1 WHERE id = {key}")  # noqa: S608 - numbers of ours
        if choice.random() < 0.1:  # noqa: PLR2004 - some of each kind
            server.rows(f"INSERT INTO {table} (id, customer, amount, note) VALUES ({own}, 1, 1, 'new')")  # noqa: S608
            server.rows(f"DELETE FROM {table} WHERE id = {own}")  # noqa: S608
        with done.get_lock():
            done.value += 1
        with spent.get_lock():
            spent.value += time.perf_counter() - began
        time.sleep(_THINKS_S)
    server.close()
