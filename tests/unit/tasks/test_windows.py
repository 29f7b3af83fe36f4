from __future__ import annotations

import pytest

from kuroshio.tasks.judging.windows import WindowExecution, WindowTask, judge, of_task
from kuroshio.tasks.verdict import Outcome, Verdict


def outcome(execution: WindowExecution) -> Outcome | None:
    verdict = judge(execution)
    return None if verdict is None else verdict.outcome


@pytest.mark.parametrize("details", ["No tasks to execute.", "no tasks to execute", " No Tasks To Execute. "])
def test_success_beside_no_tasks_to_execute_is_a_run_that_did_not_happen(details: str) -> None:
    assert outcome(WindowExecution("SUCCESS", details)) is Outcome.DID_NOT_RUN


def test_an_execution_without_tasks_ran_nothing_whatever_it_says() -> None:
    verdict = judge(WindowExecution("SUCCESS", "all is well", tasks=()))
    assert verdict == Verdict(Outcome.DID_NOT_RUN, "SSM says SUCCESS, but the window had no task to run")


def test_tasks_that_were_not_asked_for_are_not_none() -> None:
    assert outcome(WindowExecution("SUCCESS", tasks=None)) is Outcome.SUCCEEDED


@pytest.mark.parametrize(
    "task",
    [WindowTask("backup", "SUCCESS", "No Invocations to Execute"), WindowTask("backup", "SUCCESS", invocations=0)],
)
def test_a_task_whose_targets_are_nothing_did_not_run(task: WindowTask) -> None:
    assert outcome(WindowExecution("SUCCESS", tasks=(task,))) is Outcome.DID_NOT_RUN


def test_a_command_is_judged_by_its_instances() -> None:
    hidden = WindowTask(
        "backup", "SUCCESS", invocations=1, verdict=Verdict(Outcome.UNDELIVERED, "4 of 5 were not reached")
    )
    fine = WindowTask("report", "SUCCESS", invocations=1)
    verdict = judge(WindowExecution("SUCCESS", tasks=(fine, hidden)))
    assert verdict == Verdict(Outcome.UNDELIVERED, "of 2 tasks backup undelivered: 4 of 5 were not reached")


@pytest.mark.parametrize(
    ("status", "means"),
    [
        ("FAILED", Outcome.FAILED),
        ("TIMED_OUT", Outcome.TIMED_OUT),
        ("CANCELLED", Outcome.KILLED),
        ("SKIPPED_OVERLAPPING", Outcome.SKIPPED),
        ("A_WORD_OF_TOMORROW", Outcome.UNDELIVERED),
        ("PENDING", None),
        ("IN_PROGRESS", None),
        ("CANCELLING", None),
    ],
)
def test_each_status_has_its_meaning(status: str, means: Outcome | None) -> None:
    assert outcome(WindowExecution(status)) is means
    task = of_task(WindowTask("backup", status))
    assert (task.outcome if task else None) is means


def test_a_window_that_timed_out_before_it_began_its_last_task_is_no_success() -> None:
    done = WindowTask("backup", "SUCCESS", invocations=1)
    assert outcome(WindowExecution("TIMED_OUT", tasks=(done,))) is Outcome.TIMED_OUT


def test_a_task_that_goes_on_after_the_cut_off_is_waited_for() -> None:
    assert outcome(WindowExecution("SUCCESS", tasks=(WindowTask("backup", "IN_PROGRESS"),))) is None


def test_all_succeeded_is_said_once() -> None:
    tasks = (WindowTask("a", "SUCCESS", invocations=1), WindowTask("b", "SUCCESS", invocations=1))
    assert judge(WindowExecution("SUCCESS", tasks=tasks)) == Verdict(Outcome.SUCCEEDED, "all 2 tasks succeeded")
