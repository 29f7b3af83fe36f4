from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuroshio.tasks.judging.instances import Expected, judge
from kuroshio.tasks.judging.invocation import Invocation
from kuroshio.tasks.verdict import Outcome, Verdict, gravest

RUNNING = ("Pending", "In Progress", "InProgress", "Delayed", "Cancelling")
ENDED = {
    "Success": Outcome.SUCCEEDED,
    "Failed": Outcome.FAILED,
    "Delivery Timed Out": Outcome.UNDELIVERED,
    "DeliveryTimedOut": Outcome.UNDELIVERED,
    "Execution Timed Out": Outcome.TIMED_OUT,
    "ExecutionTimedOut": Outcome.TIMED_OUT,
    "Undeliverable": Outcome.UNDELIVERED,
    "InvalidPlatform": Outcome.UNDELIVERED,
    "AccessDenied": Outcome.UNDELIVERED,
    "Terminated": Outcome.DID_NOT_RUN,
    "Cancelled": Outcome.DID_NOT_RUN,
    "Word of tomorrow": Outcome.UNDELIVERED,
}


def outcome(invocation: Invocation) -> Outcome:
    verdict = invocation.verdict()
    assert verdict is not None
    return verdict.outcome


@pytest.mark.parametrize(("details", "means"), ENDED.items())
def test_the_details_have_the_truth_however_they_are_written(details: str, means: Outcome) -> None:
    assert outcome(Invocation("i-1", details)) is means


@pytest.mark.parametrize("details", RUNNING)
def test_what_runs_has_no_verdict(details: str) -> None:
    assert Invocation("i-1", details).verdict() is None


def test_a_script_that_was_killed_is_kept_apart_from_one_that_failed() -> None:
    killed = Invocation("i-1", "Failed", exit_code=137).verdict()
    assert killed == Verdict(Outcome.KILLED, "it was killed by SIGKILL (exit code 137)")
    assert outcome(Invocation("i-1", "Failed", exit_code=1)) is Outcome.FAILED
    assert outcome(Invocation("i-1", "Failed", exit_code=255)) is Outcome.FAILED


def test_a_cancellation_before_it_began_is_a_non_run_and_afterwards_a_kill() -> None:
    assert outcome(Invocation("i-1", "Cancelled", began=False)) is Outcome.DID_NOT_RUN
    assert outcome(Invocation("i-1", "Cancelled", began=True)) is Outcome.KILLED


def test_late_delivery_is_never_a_reason_to_try_again() -> None:
    verdict = Invocation("i-1", "DeliveryTimedOut").verdict()
    assert verdict is not None
    assert not verdict.outcome.may_be_repeated
    assert "may have run" in verdict.reason


def test_an_answer_of_either_operation_is_read() -> None:
    listed = {
        "InstanceId": "i-1",
        "Status": "Failed",
        "StatusDetails": "Failed",
        "CommandPlugins": [{"ResponseCode": 4, "ResponseStartDateTime": "2026-11-21"}],
    }
    got = {"InstanceId": "i-1", "StatusDetails": "Failed", "ResponseCode": 4, "ExecutionStartDateTime": "2026-11-21"}
    assert Invocation.of(listed) == Invocation.of(got) == Invocation("i-1", "Failed", 4, began=True)
    assert Invocation.of({"InstanceId": "i-1", "Status": "Pending", "ResponseCode": -1}).exit_code is None


def test_a_success_that_hides_instances_is_none() -> None:
    invocations = [Invocation("i-1", "Success", 0), *(Invocation(f"i-{n}", "Undeliverable") for n in range(2, 6))]
    verdict = judge(Expected(("i-1", "i-2", "i-3", "i-4", "i-5"), {}), invocations).of_the_run()
    assert verdict.outcome is Outcome.UNDELIVERED
    assert verdict.reason == (
        "of 5 instances 1 succeeded, 4 undelivered; i-2, i-3, i-4, i-5 undelivered: SSM could not deliver it: the instance "
        "does not exist or does not answer"
    )


def test_who_is_in_no_list_is_not_forgotten() -> None:
    expected = Expected(("i-1", "i-2", "i-3"), {"i-2": "it has not answered since 21:04"})
    waiting = judge(expected, [Invocation("i-1", "Success", 0)])
    assert waiting.running == ("i-3",)
    with pytest.raises(ValueError, match="1 instances have no verdict"):
        waiting.of_the_run()
    over = judge(expected, [Invocation("i-1", "Success", 0)], over="the command is over")
    assert [verdict.outcome for verdict in over.verdicts.values()] == [
        Outcome.SUCCEEDED,
        Outcome.UNREACHABLE,
        Outcome.DID_NOT_RUN,
    ]


def test_no_instance_at_all_is_a_run_that_did_not_happen() -> None:
    assert judge(Expected((), {}), []).of_the_run().outcome is Outcome.DID_NOT_RUN


def test_an_instance_that_nobody_expected_is_told() -> None:
    verdict = judge(
        Expected(("i-1",), {}), [Invocation("i-1", "Success", 0), Invocation("i-9", "Success", 0)]
    ).of_the_run()
    assert verdict.reason == "it succeeded on 1 instance; it also ran on i-9, where nobody expected it"


def test_what_never_ends_is_judged_by_what_is_known_of_it() -> None:
    invocations = [Invocation("i-1", "InProgress", began=True), Invocation("i-2", "Pending")]
    judged = judge(Expected(("i-1", "i-2"), {}), invocations, over="2 h have passed")
    assert {name: verdict.outcome for name, verdict in judged.verdicts.items()} == {
        "i-1": Outcome.TIMED_OUT,
        "i-2": Outcome.UNDELIVERED,
    }


def test_a_verdict_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="no reason"):
        Verdict(Outcome.FAILED, "  ")


DETAILS = st.sampled_from([*ENDED, *RUNNING])
INSTANCES = st.sampled_from([f"i-{n}" for n in range(8)])


@given(
    st.lists(st.builds(Invocation, INSTANCES, DETAILS, st.none() | st.integers(0, 255), st.booleans())),
    st.sets(INSTANCES),
    st.sets(INSTANCES),
)
def test_each_expected_instance_has_exactly_one_verdict_in_the_end(
    invocations: list[Invocation], expected: set[str], lost: set[str]
) -> None:
    those = Expected(tuple(sorted(expected)), dict.fromkeys(lost, "it does not answer"))
    early, late = judge(those, invocations), judge(those, invocations, over="time is up")
    assert sorted([*early.verdicts, *early.running]) == sorted(expected)
    assert sorted(late.verdicts) == sorted(expected)
    assert late.is_final
    run = late.of_the_run()
    succeeded = {each.instance for each in invocations if each.word == "success"}
    if run.outcome is Outcome.SUCCEEDED:
        assert expected
        assert expected <= succeeded
    if expected:
        assert run.outcome is gravest([verdict.outcome for verdict in late.verdicts.values()])


@given(st.lists(st.builds(Invocation, INSTANCES, DETAILS, st.none(), st.booleans())))
def test_a_verdict_once_given_stays_when_a_page_comes_again(invocations: list[Invocation]) -> None:
    those = Expected(tuple(f"i-{n}" for n in range(8)), {})
    once = judge(those, invocations)
    again = judge(those, [*invocations, *(Invocation(each.instance, "InProgress") for each in invocations)])
    assert again.verdicts == once.verdicts
