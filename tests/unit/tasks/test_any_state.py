"""Any file and any state of the account: it becomes what the file says, without a gap, and a second time changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kuroshio.tasks.reconcile.comparison import compare
from tests.fakes.paper_windows import PaperAccount, PaperWindow
from tests.unit.tasks.test_reconcile import DAILY, MACHINE, NOW, PLACE, WINDOW, applied, apply, declared, other_target

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = st.sampled_from(["one", "two", "three", "four"])
TARGETS = st.sampled_from([
    {"tags": {"Role": "db", "Stage": ["a", "b"]}},
    {"instances": ["i-0123456789abcdef0", "i-0123456789abcdef1"]},
    {"resource_group": "web"},
])  # fmt: skip
COMMANDS = st.sampled_from([
    {"shell": "ls\npwd"},
    {"document": "AWS-Patch", "parameters": {"B": ["2", "1"], "A": True}, "version": "$DEFAULT"},
])  # fmt: skip
OTHERS = st.sampled_from([
    {"automation": "AWS-Restart", "parameters": {"A": [1]}},
    {"function": "f:live", "payload": {"b": 1, "a": [None, 1.5, "é"]}},
    {"state_machine": MACHINE, "input": {"b": 1, "a": {}}},
])  # fmt: skip
COMMON: dict[str, st.SearchStrategy[Any]] = {
    "at": st.sampled_from([DAILY, {"rate": "1 hour"}, {"once": "2026-11-22 23:00"}, {"cron": "0 30 2 ? * TUE#3 *"}]),
    "zone": st.sampled_from(["Asia/Tokyo", "Europe/Berlin"]),
}
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "window": st.sampled_from([WINDOW, {"hours": 1}, {"minutes": 30}]),
    "overlap": st.sampled_from(["skip", "queue"]),
    "enabled": st.booleans(),
    "timeout": st.just({"execution": 60}),
    "grace": st.sampled_from(["1m", "1d"]),
    "freezes": st.just([]),
    "after": st.just(["anchor"]),
}
TASKS = st.one_of(
    st.fixed_dictionaries({**COMMON, "run": COMMANDS, "on": TARGETS}, optional={**OPTIONAL, "errors": st.just("10%")}),
    st.fixed_dictionaries({**COMMON, "run": OTHERS}, optional=OPTIONAL),
    st.fixed_dictionaries({**COMMON, "run": OTHERS, "on": TARGETS}, optional={**OPTIONAL, "concurrency": st.just(2)}),
)
# Of those above few are windows: these are.
WINDOWS = st.one_of(
    st.fixed_dictionaries({**COMMON, "run": st.one_of(COMMANDS, OTHERS), "on": TARGETS, "window": st.just(WINDOW)}),
    st.fixed_dictionaries({**COMMON, "run": OTHERS, "window": st.just(WINDOW)}, optional={"enabled": st.booleans()}),
)
FILES = st.dictionaries(NAMES, st.one_of(WINDOWS, TASKS)).map(
    lambda tasks: {**tasks, "anchor": {"run": {"function": "f"}, "at": DAILY}}
)


def other_values(window: PaperWindow) -> None:
    window.fields |= {"Duration": 24, "Enabled": False, "StartDate": "2030-01-01T00:00:00Z", "ScheduleOffset": 2}
    for task in window.tasks.values():
        task |= {"Priority": 7, "CutoffBehavior": "CANCEL_TASK", "Description": "by hand"}


def other_type(window: PaperWindow) -> None:
    for task in window.tasks.values():
        task |= {"TaskType": "RUN_COMMAND", "TaskInvocationParameters": {"RunCommand": {"Parameters": {"c": ["x"]}}}}


def twice(window: PaperWindow) -> None:
    window.targets |= {f"{name}-again": dict(each) for name, each in window.targets.items()}
    window.tasks |= {f"{name}-again": dict(each) for name, each in window.tasks.items()}


def no_task(window: PaperWindow) -> None:
    window.tasks.clear()


def nothing(window: PaperWindow) -> None:
    window.tasks.clear()
    window.targets.clear()


def no_digest(window: PaperWindow) -> None:
    window.tags.pop("kuroshio:digest", None)


# What hands, or an apply that was cut off, leave behind.
DAMAGE = st.sampled_from([other_values, other_type, other_target, twice, no_task, nothing, no_digest])
DAMAGES = st.lists(st.tuples(st.integers(0, 9), DAMAGE))


@settings(max_examples=150, deadline=None)
@given(
    files=st.one_of(st.tuples(FILES, FILES), FILES.map(lambda one: (one, one))), damages=DAMAGES, copied=st.booleans()
)
def test_any_state_becomes_what_the_file_says_and_a_second_time_changes_nothing(
    files: tuple[dict[str, Any], dict[str, Any]],
    damages: list[tuple[int, Callable[[PaperWindow], None]]],
    copied: bool,
) -> None:
    before, after = files
    account = applied(before)
    windows = list(account.windows.values())
    for at, damage in damages if windows else []:
        damage(windows[at % len(windows)])
    for window in windows if copied else []:  # an answer to a create that was lost
        account.add(PaperWindow(dict(window.fields), dict(window.tags), dict(window.targets), dict(window.tasks)))
    stranger = account.add(PaperWindow({"Name": "of others", "Schedule": "rate(1 hour)"}, {}))
    file = declared(after)
    assert file.errors == []
    ran = {task.name for task in file.tasks if task.at and account.runs(task.name)}
    for change in compare(file, account.seen(), PLACE, NOW):
        assert change.reason
        account.carry_out(change)
        assert all(account.runs(name) for name in ran), change
    assert compare(file, account.seen(), PLACE, NOW) == ()
    assert account.windows.pop(stranger).fields["Name"] == "of others"
    assert account.runs("anchor") == 1
    fresh = applied(after)
    assert essence(account) == essence(fresh)


def essence(account: PaperAccount) -> Any:
    """Without ids, in an order that says nothing."""

    def of(window: PaperWindow) -> str:
        tasks = [{**task, "Targets": bool(task.get("Targets"))} for task in window.tasks.values()]
        fields = {name: each for name, each in window.fields.items() if name != "WindowId"}
        return repr(
            [
                sorted(fields.items()),
                sorted(window.tags.items()),
                [*window.targets.values()],
                [sorted(t.items()) for t in tasks],
            ]
        )

    return sorted(map(of, account.windows.values())), account.schedules


@settings(max_examples=60, deadline=None)
@given(before=FILES, after=FILES, stop=st.integers(0, 12))
def test_an_apply_that_is_cut_off_is_finished_by_the_next(
    before: dict[str, Any], after: dict[str, Any], stop: int
) -> None:
    account, file = applied(before), declared(after)
    for change in compare(file, account.seen(), PLACE, NOW)[:stop]:
        account.carry_out(change)
    apply(account, file)
    assert compare(file, account.seen(), PLACE, NOW) == ()
    assert essence(account) == essence(applied(after))
