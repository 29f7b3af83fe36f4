"""Cutting over and back on real servers under load: nothing is lost or doubled, never two take writes, whatever ends in the middle."""

from __future__ import annotations

import itertools
import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.mysql import Server
from kuroshio.aurora.switching import Switching
from kuroshio.errors import CutOverRefused, CutOverReturned, KuroshioError, Outpaced
from lab import moto_engine
from lab.databases.writers import Judgement, judge, writers
from lab.rds.testing import PASSWORD, USER
from tests.lab.aurora.switched import APP, Whole, whole
from tests.workflows.machine import definition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.databases.writers import Running as RunningWriters

_CLIENTS = itertools.count(1, 2)
_SLOW_S = 0.01


@pytest.fixture(scope="module")
def place() -> Iterator[Whole]:
    with whole() as both:
        yield both


@contextmanager
def load(place: Whole) -> Iterator[RunningWriters]:
    """Two clients by the name; at the end everything that they were promised is there once."""
    with writers(place.app(), clients=2, pace_s=_SLOW_S, first=next(_CLIENTS)) as running:
        yield running
    server = Server(place.lab.login("shop"))
    assert running.written.count > 0
    assert judge(server, running.written) == Judgement(lost=0, doubled=0)
    server.close()


@contextmanager
def never_two(place: Whole, follower: str) -> Iterator[None]:
    """Who follows is asked first: if it is open, the other was fenced before, and must still be."""
    ended, both = threading.Event(), []
    other = {"copy-1": "shop-1", "shop-1": "copy-1"}[follower]

    def look() -> None:
        first, second = place.instance(follower), place.instance(other)
        while not ended.is_set():
            try:
                is_open = [not int(each.rows("SELECT @@GLOBAL.read_only")[0][0]) for each in (first, second)]
            except KuroshioError:
                continue  # its connection was ended with those of others
            if all(is_open):
                both.append(is_open)
        first.close()
        second.close()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    assert not both


def is_over(place: Whole) -> bool:
    """Whether the clone has the name now."""
    instance = place.lab.rds.describe_db_instances(DBInstanceIdentifier="copy-1")["DBInstances"][0]
    return bool(instance["DBClusterIdentifier"] == "shop")


def test_over_and_back_under_load(place: Whole) -> None:
    place.verify()
    assert place.do("check", before_approval=True)["state"] == "ready"
    with pytest.raises(CutOverRefused, match=r"not cut over: approved \(nobody has approved it\)$"):
        place.do("check")
    for run in ("run-1", "run-2"):
        approved = {"answer": "approved", "by": "ada", "answered_at": "now", "run": run}
        place.ledger.put("copy", "approval#cut-over", approved)
        with pytest.raises(CutOverRefused, match="another run"):
            place.do("check", "run-3")
        assert place.do("check", run)["holds"]
    with load(place):
        with never_two(place, "copy-1"):
            record = place.do("switch")
        assert is_over(place)
        assert [step["step"] for step in record["steps"]] == ["fenced", "reached", "moved", "decided", "opened"]
        assert {each["who"].partition("@")[0] for each in record["connections"]} <= {APP, USER}
        assert place.do("switch") == record
        assert place.do("switch", "another run") == record
        assert place.do("reverse")["state"] == "following"
        assert place.do("reverse") == {"state": "following", "from": record["back_from"], "left": []}
        assert place.do("check", "run-2", direction="back")["holds"]
        with never_two(place, "shop-1"):
            back = place.do("cut_back", "run-2")
        assert not is_over(place)
        assert back["direction"] == "back"
        place.do("reverse", "run-2", direction="back")
    assert place.open_ones() == ["shop-1"]
    assert [each["direction"] for each in place.ledger.all("copy", "cutover#")] == ["over", "back"]
    phases = [each["phase"] for each in place.ledger.all("copy", "event#") if "phase" in each]
    assert phases == ["cutting-over", "done", "cutting-over", "ready"]


class Killed(BaseException):
    """The Lambda ends here: killed, or out of time."""


class Dying:
    """Wraps whatever the switch is made with; the process ends before or after one of its calls."""

    def __init__(self, inner: Any, fatal: tuple[str, str]) -> None:
        self._inner, self._fatal = inner, fatal

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name in {"source", "target", "name"} and callable(found):
            return lambda *arguments: Dying(
                found(*arguments), (self._fatal[0].removeprefix(f"{name}."), self._fatal[1])
            )
        if name != self._fatal[0]:
            return found

        def fatal(*arguments: Any, **named: Any) -> Any:
            if self._fatal[1] == "before":
                raise Killed
            found(*arguments, **named)
            raise Killed

        return fatal


STEPS = [
    "target.shut",
    "name.prepare",
    "source.fence",
    "target.wait",
    "name.move",
    "target.open",
    "source.end_all",
    "target.detach",
    "name.settle",
]


def start(place: Whole) -> tuple[str, str, str]:
    """The step, the direction and who follows, for the next switch of the pair."""
    return ("cut_back", "back", "shop-1") if is_over(place) else ("switch", "over", "copy-1")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("fatal", STEPS)
def test_a_run_that_is_killed_is_finished_or_undone_by_the_next(place: Whole, fatal: str, moment: str) -> None:
    step, direction, follower = start(place)
    run = f"killed {fatal} {moment}"
    event = {"step": step, "run": run, "request": place.request(), "direction": direction}
    over = (STEPS.index(fatal), moment) >= (STEPS.index("target.open"), "after") or fatal == "target.open"
    with load(place), never_two(place, follower):
        with pytest.raises(Killed):
            place.switching(Dying(place.servers(), (fatal, moment))).run(event)
        if not over:
            with pytest.raises(Outpaced, match="has until"):
                place.switching().run(event)
            place.ahead_s += 300
            assert place.do("check", run, direction=direction)["state"] == "resumed"
            with pytest.raises(CutOverReturned, match="in the middle"):
                place.switching().run(event)
            with pytest.raises(CutOverReturned, match="in the middle"):
                place.switching().run(event)
        else:
            assert place.switching().run(event)["back_from"]
            place.do("reverse", run, direction=direction)
    assert is_over(place) == (over == (direction == "over"))
    assert place.open_ones() == [("copy-1" if is_over(place) else "shop-1")]


def test_a_login_that_read_only_does_not_stop_is_refused_before_anything_is_changed(place: Whole) -> None:
    _, direction, _ = start(place)
    server = place.lab.aurora.server("shop")
    server.administer(f"CREATE USER rogue@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON *.* TO rogue@'%'")
    place.verify()
    open_before = place.open_ones()
    with pytest.raises(CutOverRefused, match=r"no-rogue-writers \(read_only does not stop rogue@%"):
        place.do("check", direction=direction, before_approval=True)
    assert place.open_ones() == open_before
    answer = place.switching().run(
        {"step": "check", "run": "x", "direction": direction, "request": place.request(dry_run=True)}
    )
    assert [each["name"] for each in answer["conditions"] if not each["holds"]] == ["no-rogue-writers"]
    server.administer("DROP USER rogue@'%'")


def test_a_restart_of_either_server_changes_nothing(place: Whole) -> None:
    step, direction, _ = start(place)
    place.do("reverse", place.do(step, "restarted", direction=direction)["run"], direction=direction)
    live, idle = ("copy-1", "shop-1") if is_over(place) else ("shop-1", "copy-1")
    for instance in (live, idle):
        place.lab.rds.reboot_db_instance(DBInstanceIdentifier=instance)
    place.lab.rest()
    assert place.open_ones() == [live]


def test_a_statement_that_writes_for_long_sends_it_back_before_anybody_waits_long(place: Whole) -> None:
    step, direction, follower = start(place)
    live = "copy-1" if is_over(place) else "shop-1"
    writing = place.instance(live)

    def write() -> None:
        with suppress(KuroshioError):
            writing.rows("UPDATE app.orders SET note = 'slow' WHERE id = 1 AND SLEEP(30) = 0")

    slow = threading.Thread(target=write)
    with load(place), never_two(place, follower):
        slow.start()
        watcher = place.instance(live)
        while not watcher.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE app.orders%%'", ()
        ):
            continue
        with pytest.raises(CutOverReturned, match="1205"):
            place.do(step, "slow", direction=direction)
        for (number,) in watcher.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'UPDATE app%%'", ()
        ):
            watcher.rows("CALL mysql.rds_kill(%s)", (number,))
        watcher.close()
        slow.join()
    writing.close()
    assert place.open_ones() == [live]


class Machine:
    """The state machine with the function behind its tasks, on the real servers; a person who approves."""

    def __init__(self, place: Whole, name: str, dying: tuple[str, str] | None = None) -> None:
        self._place, self._name, self._dying = place, name, dying
        self._run = f"execution-{next(_CLIENTS)}"  # the engine gives all executions one name

    def run(self) -> moto_engine.Execution:
        calls = dict.fromkeys(("ProveConditions", "ProveAgain", "FinishOrUndo", "SetUpWayBack"), self._call)
        switch = "CutOver" if self._name == "cut_over" else "CutBack"
        tasks = {**calls, switch: self._switch, "AskApproval": self._approve}
        return moto_engine.run(definition(self._name), self._place.request(), tasks)

    def _call(self, arguments: Any, servers: Any = None) -> Any:
        try:
            return {"Payload": self._place.switching(servers).run(arguments["Payload"] | {"run": self._run})}
        except Killed:
            self._place.ahead_s += 300
            raise moto_engine.TaskFailed("Sandbox.Timedout", "the function is gone") from None
        except KuroshioError as error:
            raise moto_engine.TaskFailed(type(error).__name__, str(error)) from None

    def _switch(self, arguments: Any) -> Any:
        return self._call(arguments, Dying(self._place.servers(), self._dying) if self._dying else None)

    def _approve(self, arguments: Any) -> Any:
        item = {name: value.get("S") for name, value in arguments["Item"].items()}
        assert all("S" in said for said in arguments["Item"]["asked"]["L"])
        self._place.ledger.put("copy", item["sk"], {"answer": "approved", "by": "ada", "run": self._run})
        return {"approved": True}


def test_the_machines_cut_over_and_back_on_real_servers(place: Whole) -> None:
    place.verify()
    names = ["cut_over", "cut_back"]
    for name in reversed(names) if is_over(place) else names:
        with load(place):
            done = Machine(place, name).run()
        assert (done.status, done.path[-1]) == ("SUCCEEDED", "TookOver")
        assert done.output["way_back"]["state"] == "following"
        assert place.ledger.all("copy", "cutover#")[-1]["steps"] == done.output["steps"]
        assert {each["name"] for each in done.output["conditions"]} >= {"approved", "caught-up", "verified"}


@pytest.mark.parametrize("fatal", [("name.move", "after"), ("target.open", "after")])
def test_a_function_that_dies_is_followed_by_one_that_finishes_or_undoes(place: Whole, fatal: tuple[str, str]) -> None:
    place.verify()
    _, direction, follower = start(place)
    with load(place), never_two(place, follower):
        done = Machine(place, f"cut_{direction}", fatal).run()
        assert "FinishOrUndo" in done.path
    if fatal[0] == "target.open":
        assert (done.status, done.path[-1]) == ("SUCCEEDED", "TookOver")
    else:
        assert (done.status, done.error) == ("FAILED", "Sandbox.Timedout")
        assert "CutOverReturned" in str(done.cause)
    assert place.open_ones() == [("copy-1" if is_over(place) else "shop-1")]


@pytest.mark.parametrize("turn", range(int(os.environ.get("TWINS", "2"))))
def test_runs_at_once_cut_over_once_and_who_loses_touches_no_server(place: Whole, turn: int) -> None:
    step, direction, follower = start(place)
    answers: list[Any] = []

    def one(run: str) -> None:
        try:
            answers.append(place.do(step, run, direction=direction))
        except KuroshioError as error:
            answers.append(error)

    before = len(place.ledger.all("copy", "switch#"))
    with load(place), never_two(place, follower):
        runs = [threading.Thread(target=one, args=(f"twin-{turn}-{number}",)) for number in range(3)]
        for each in runs:
            each.start()
        for each in runs:
            each.join()
        done = [each for each in answers if isinstance(each, dict)]
        assert len({each["run"] for each in done}) == 1
        assert [each for each in answers if not isinstance(each, dict | Outpaced)] == []
        assert len(place.ledger.all("copy", "switch#")) == before + 1
        place.do("reverse", done[0]["run"], direction=direction)


def test_who_looked_before_another_cut_over_begins_nothing(place: Whole) -> None:
    """Between the look and the claim the other begins and ends: its target must not be shut, its source not opened."""
    if is_over(place):
        place.do("reverse", place.do("cut_back", "home", direction="back")["run"], direction="back")
    step, direction, follower = start(place)
    slow = Late(place.servers(), lambda: place.do(step, "first", direction=direction))
    late = Switching(place.ledger, slow, place.now, time.monotonic, time.sleep)
    with load(place), never_two(place, follower):
        with pytest.raises(Outpaced, match="since this one looked"):
            late.run({"step": step, "run": "second", "request": place.request(), "direction": direction})
        assert slow.touched == []
        place.do("reverse", "first", direction=direction)
    assert place.open_ones() == [("copy-1" if is_over(place) else "shop-1")]


class Late:
    """Servers that another run switches while this one has only asked where they are."""

    def __init__(self, inner: Any, meanwhile: Callable[[], Any]) -> None:
        self._inner, self._meanwhile, self.touched = inner, meanwhile, list[str]()

    def side(self, request: Any, role: str) -> dict[str, Any]:
        found: dict[str, Any] = self._inner.side(request, role)
        if role == "clone":
            self._meanwhile()
        return found

    def __getattr__(self, name: str) -> Any:
        self.touched.append(name)
        return getattr(self._inner, name)
