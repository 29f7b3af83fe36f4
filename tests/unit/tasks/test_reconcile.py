"""What is there becomes what the file says, whatever was there before; and doing it again changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.errors import InvalidRequest
from kuroshio.tasks.declaration.reading import parse
from kuroshio.tasks.reconcile.changes import Action, Change
from kuroshio.tasks.reconcile.comparison import compare
from kuroshio.tasks.reconcile.desired import Place, wanted
from tests.fakes.paper_windows import PaperAccount, PaperWindow

if TYPE_CHECKING:
    from kuroshio.tasks.declaration.model import Declaration

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("dev", "arn:run-task", "arn:role", "arn:queue")
ON = {"tags": {"Role": "db"}}
DAILY = {"cron": "0 3 * * ? *"}
WINDOW = {"hours": 2, "cutoff": 1}
MACHINE = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:nightly"


def declared(tasks: dict[str, Any], **top: Any) -> Declaration:
    return parse(json.dumps({"zone": "Asia/Tokyo", **top, "tasks": tasks}).encode(), now=NOW)


def apply(account: PaperAccount, file: Declaration, place: Place = PLACE) -> list[Change]:
    changes = list(compare(file, account.seen(), place, NOW))
    for change in changes:
        account.carry_out(change)
    return changes


def actions(changes: list[Change]) -> list[str]:
    return [f"{change.action} {change.task}" for change in changes]


def shell(**more: Any) -> dict[str, Any]:
    return {"run": {"shell": "ls"}, "on": ON, "at": DAILY, "window": WINDOW, **more}


def applied(tasks: dict[str, Any]) -> PaperAccount:
    account = PaperAccount()
    apply(account, declared(tasks))
    return account


def other_target(window: PaperWindow) -> None:
    if window.targets:
        window.targets["by-hand"] = {"ResourceType": "INSTANCE", "Targets": [{"Key": "tag:A", "Values": ["b"]}]}
        for task in window.tasks.values():
            task["Targets"] = [{"Key": "WindowTargetIds", "Values": ["by-hand"]}]


def test_a_new_window_is_made_with_its_target_before_its_task() -> None:
    account = PaperAccount()
    assert actions(apply(account, declared({"task": shell()}))) == [
        "create window task",
        "register target task",
        "register task task",
    ]
    [window] = account.windows.values()
    assert window.tags | {"kuroshio:digest": ""} == {
        "kuroshio:environment": "dev",
        "kuroshio:task": "task",
        "kuroshio:digest": "",
    }
    [task] = window.tasks.values()
    assert task["TaskInvocationParameters"] == {
        "RunCommand": {
            "Parameters": {"commands": ["set -eu", "ls"], "executionTimeout": ["3600"]},
            "TimeoutSeconds": 600,
        }
    }


def test_a_disabled_window_is_made_and_disabled_before_it_has_a_task() -> None:
    account = PaperAccount()
    assert actions(apply(account, declared({"task": shell(enabled=False)}))) == [
        "create window task",
        "update window task",
        "register target task",
        "register task task",
    ]
    assert [window.fields["Enabled"] for window in account.windows.values()] == [False]


def test_a_single_time_is_sent_to_a_window_in_utc_and_to_scheduler_in_its_zone() -> None:
    at = {"once": "2026-11-22 23:00"}
    account = applied({"window": shell(at=at), "schedule": {"run": {"function": "f"}, "at": at}})
    [window] = account.windows.values()
    assert (window.fields["Schedule"], window.fields["ScheduleTimezone"]) == ("at(2026-11-22T14:00:00)", "UTC")
    schedule = account.schedules["schedule"]
    assert schedule["ScheduleExpression"] == "at(2026-11-22T23:00:00)"
    assert (schedule["ScheduleExpressionTimezone"], schedule["ActionAfterCompletion"]) == ("Asia/Tokyo", "DELETE")
    # Nobody wants a release of 23:00 on the next day, which is what Scheduler's default comes to.
    assert schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 900


@pytest.mark.parametrize(
    ("run", "kind", "arn", "parameters"),
    [
        (
            {"function": "report:live", "payload": {"é": 1}},
            "LAMBDA",
            "report",
            {"Lambda": {"Payload": '{"é":1}'.encode(), "Qualifier": "live"}},
        ),
        (
            {"state_machine": MACHINE},
            "STEP_FUNCTIONS",
            MACHINE,
            {"StepFunctions": {"Input": "{}", "Name": "{{INVOCATION_ID}}"}},
        ),
        (
            {"automation": "AWS-Restart", "parameters": {"A": 1}, "version": 3},
            "AUTOMATION",
            "AWS-Restart",
            {"Automation": {"Parameters": {"A": ["1"]}, "DocumentVersion": "3"}},
        ),
    ],
)
def test_each_kind_of_task_has_its_own_parameters(
    run: dict[str, Any], kind: str, arn: str, parameters: dict[str, Any]
) -> None:
    [window] = applied({"task": {"run": run, "at": DAILY, "window": WINDOW}}).windows.values()
    [task] = window.tasks.values()
    assert (task["TaskType"], task["TaskArn"], task["TaskInvocationParameters"]) == (kind, arn, parameters)
    assert "MaxConcurrency" not in task


def test_a_task_that_only_follows_others_has_nothing_of_its_own() -> None:
    file = declared(
        {"one": {"run": {"function": "f"}, "at": DAILY}, "two": {"run": {"function": "f"}, "after": ["one"]}}
    )
    assert actions(apply(PaperAccount(), file)) == ["create schedule one"]
    assert wanted(file.tasks[1], PLACE) is None


def test_a_changed_type_is_registered_before_the_old_task_goes() -> None:
    account = applied({"task": shell()})
    changes = apply(account, declared({"task": shell(run={"state_machine": MACHINE})}))
    assert actions(changes) == ["register task task", "deregister task task", "tag window task"]
    assert changes[0].reason == "its type cannot be changed: the new one comes first"


def test_a_task_that_loses_its_targets_is_registered_anew_and_the_target_goes_last() -> None:
    account = applied({"task": shell(run={"state_machine": MACHINE})})
    plain = {"run": {"state_machine": MACHINE}, "at": DAILY, "window": WINDOW}
    assert actions(apply(account, declared({"task": plain}))) == [
        "register task task",
        "deregister task task",
        "deregister target task",
        "tag window task",
    ]


def test_who_begins_the_runs_changes_without_a_gap() -> None:
    account = applied({"task": shell()})
    assert actions(apply(account, declared({"task": shell(overlap="queue")}))) == [
        "create schedule task",
        "delete window task",
    ]
    assert actions(apply(account, declared({"task": shell()}))) == [
        "create window task",
        "register target task",
        "register task task",
        "delete schedule task",
    ]


def test_what_was_changed_by_hand_is_said_so_and_changed_back() -> None:
    account = applied({"task": shell(), "other": {"run": {"function": "f"}, "at": DAILY}})
    [window] = account.windows.values()
    window.fields |= {"Duration": 5, "EndDate": "2026-12-01T00:00:00Z"}
    account.schedules["other"]["State"] = "DISABLED"
    file = declared({"task": shell(), "other": {"run": {"function": "f"}, "at": DAILY}})
    assert [change.reason for change in apply(account, file)] == [
        "changed by hand: Duration is 5 and shall be 2, EndDate is '2026-12-01T00:00:00Z' and shall be None",
        "changed by hand: State is 'DISABLED' and shall be 'ENABLED'",
    ]
    assert compare(file, account.seen(), PLACE, NOW) == ()


def test_a_task_that_was_given_another_target_by_hand_is_given_its_own_before_that_one_goes() -> None:
    account = applied({"task": shell()})
    [window] = account.windows.values()
    other_target(window)
    changes = apply(account, declared({"task": shell()}))
    assert [(change.action, change.reason) for change in changes] == [
        ("update task", "it names another target"),
        ("deregister target", "the file has one of it"),
    ]


def test_what_the_file_changes_is_no_change_by_hand() -> None:
    account = applied({"task": shell()})
    changes = apply(account, declared({"task": shell(window={"hours": 3})}))
    assert [change.reason for change in changes] == [
        "Cutoff is 1 and shall be 0, Duration is 2 and shall be 3",
        "it is as the file says now",
    ]


def test_only_what_carries_our_tags_is_touched() -> None:
    account = applied({"task": shell()})
    [ours] = account.windows.values()
    for tags in ({}, {"kuroshio:task": "task"}, {"kuroshio:environment": "prod", "kuroshio:task": "task"}):
        account.add(PaperWindow(ours.fields, tags, ours.targets, ours.tasks))
    assert actions(apply(account, declared({}))) == ["delete window task"]
    assert len(account.windows) == 3


def test_a_refused_task_keeps_what_it_has_until_its_only_time_is_over() -> None:
    account = applied({"task": shell(), "other": {"run": {"function": "f"}, "at": DAILY}})
    broken = declared({"task": shell(concurrency=0), "other": {"run": {}}})
    assert set(broken.refused) == {"task", "other"}
    assert compare(broken, account.seen(), PLACE, NOW) == ()
    [window] = account.windows.values()
    window.fields |= {"Schedule": "at(2026-11-21T10:00:00)", "ScheduleTimezone": "UTC"}
    assert compare(broken, account.seen(), PLACE, NOW) == ()  # its two hours are not over
    window.fields["Schedule"] = "at(2026-11-21T09:59:00)"
    [change] = compare(broken, account.seen(), PLACE, NOW)
    assert (change.action, change.reason) == (Action.DELETE_WINDOW, "its only time is over")


def test_a_file_with_something_wrong_outside_of_its_tasks_changes_nothing() -> None:
    account = applied({"task": shell()})
    with pytest.raises(InvalidRequest, match=r"is not to be applied: tasks\.yaml, line 1, column 10"):
        compare(declared({"task": shell()}, zone="Nowhere"), account.seen(), PLACE, NOW)
