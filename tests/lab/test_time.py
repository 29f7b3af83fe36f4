"""Schedules run in the lab when they are due on its clock, and the clock can be moved."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import LabInProcess

STACK = Path(__file__).parent / "stacks" / "time.yaml"
SUNDAY = "2026-03-01T00:00:30Z"


@pytest.fixture(scope="module")
def stack(lab: LabInProcess) -> Iterator[dict[str, str]]:
    lab.runner.behaviours["tick"] = lambda _: None
    lab.ask("POST", "clock", {"rate": 0, "set": SUNDAY})
    yield lab.deploy("time", STACK.read_text())
    lab.delete("time")
    lab.reset_clock()


@pytest.fixture(autouse=True)
def _a_sunday_in_march(lab: LabInProcess, stack: dict[str, str]) -> None:
    """Each test begins at the same date, with a clock that stands."""
    lab.ask("POST", "clock", {"rate": 0, "set": SUNDAY, "advance": 0})
    lab.runner.seen.clear()


def advance(lab: LabInProcess, span: str) -> dict[str, Any]:
    told: dict[str, Any] = lab.ask("POST", "clock", {"advance": span})
    return told


def bodies(lab: LabInProcess, url: str) -> list[Any]:
    found = []
    while messages := lab.aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
        for message in messages:
            lab.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            found.append(message)
    return found


def put_schedule(lab: LabInProcess, stack: dict[str, str], name: str, expression: str, **more: Any) -> None:
    target = {"Arn": stack["SentArn"], "RoleArn": stack["SchedulerRole"], "Input": "<aws.scheduler.scheduled-time>"}
    target |= more.pop("target", {})
    wanted = {"FlexibleTimeWindow": {"Mode": "OFF"}, "GroupName": "once", "ActionAfterCompletion": "DELETE"} | more
    lab.aws("scheduler").create_schedule(Name=name, ScheduleExpression=expression, Target=target, **wanted)


def test_a_schedule_of_each_minute_invokes_its_function_each_minute_with_the_time_at_which_it_was_due(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    switch(lab, "EachMinute", "ENABLED")
    told = advance(lab, "5m")
    switch(lab, "EachMinute", "DISABLED")

    times = [event["at"] for event in lab.runner.events_of("tick") if "at" in event]
    assert times == [f"2026-03-01T00:0{n}:30Z" for n in range(6)]
    assert {event["try"] for event in lab.runner.events_of("tick") if "at" in event} == {"1"}
    assert [one["scheduled"] for one in told["happened"] if "EachMinute" in one.get("schedule", "")][-5:] == times[1:]
    assert (told["now"], told["restless"]) == ("2026-03-01T00:05:30.000000Z", 0)


def test_a_rule_with_cron_sends_the_event_that_eventbridge_sends(lab: LabInProcess, stack: dict[str, str]) -> None:
    advance(lab, "3h")

    (event,) = [event for event in lab.runner.events_of("tick") if "source" in event]
    assert (event["source"], event["detail-type"], event["time"]) == (
        "aws.events",
        "Scheduled Event",
        "2026-03-01T03:00:00Z",
    )
    assert event["detail"] == {}
    assert ":rule/" in event["resources"][0]


def test_a_week_of_a_machine_that_waits_is_dated_by_the_lab_and_runs_on_tokyos_working_days(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    sfn = lab.aws("stepfunctions")
    before = {one["executionArn"] for one in sfn.list_executions(stateMachineArn=stack["Nightly"])["executions"]}
    advance(lab, "7d")

    found = sfn.list_executions(stateMachineArn=stack["Nightly"])["executions"]
    done = [one for one in found if one["executionArn"] not in before]
    assert {one["status"] for one in done} == {"SUCCEEDED"}
    inputs = sorted(
        json.loads(sfn.describe_execution(executionArn=one["executionArn"])["input"])["night"] for one in done
    )
    # 02:30 in Tokyo is 17:30 of the day before in UTC
    assert inputs == [f"2026-03-0{day}T17:30:00Z" for day in (1, 2, 3, 4, 5)]
    assert {round((one["stopDate"] - one["startDate"]).total_seconds()) for one in done} == {5400}


def switch(lab: LabInProcess, name: str, state: str) -> None:
    scheduler = lab.aws("scheduler")
    full = next(one["Name"] for one in scheduler.list_schedules()["Schedules"] if name in one["Name"])
    held = scheduler.get_schedule(Name=full)
    wanted = ("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "FlexibleTimeWindow", "Target")
    scheduler.update_schedule(**{key: held[key] for key in wanted if key in held} | {"State": state})


def test_at_runs_once_in_its_zone_and_is_deleted_afterwards(lab: LabInProcess, stack: dict[str, str]) -> None:
    put_schedule(lab, stack, "lunch", "at(2026-03-01T13:00:00)", ScheduleExpressionTimezone="Asia/Tokyo")

    advance(lab, "3h")
    assert bodies(lab, stack["Sent"]) == []
    advance(lab, "61m")

    assert [message["Body"] for message in bodies(lab, stack["Sent"])] == ["2026-03-01T04:00:00Z"]
    with pytest.raises(ClientError, match="ResourceNotFound"):
        lab.aws("scheduler").get_schedule(Name="lunch", GroupName="once")


def test_what_lies_in_the_past_never_runs_late_and_setting_the_clock_runs_nothing(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    put_schedule(lab, stack, "skipped", "at(2026-03-01T12:00:00)", ActionAfterCompletion="NONE")

    lab.ask("POST", "clock", {"set": "2026-03-02T00:00:00Z"})
    advance(lab, "1d")

    assert bodies(lab, stack["Sent"]) == []
    lab.aws("scheduler").delete_schedule(Name="skipped", GroupName="once")


def test_a_flexible_window_runs_within_it_and_tells_the_scheduled_time(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    window = {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 15}
    put_schedule(lab, stack, "some-time", "at(2026-03-01T01:00:00)", FlexibleTimeWindow=window)

    told = advance(lab, "2h")

    (one,) = [one for one in told["happened"] if one.get("schedule", "").endswith("/some-time")]
    assert "2026-03-01T01:00:00Z" <= one["at"] < "2026-03-01T01:15:00Z"
    assert [message["Body"] for message in bodies(lab, stack["Sent"])] == ["2026-03-01T01:00:00Z"]


def test_a_target_that_fails_for_a_while_is_tried_again_on_the_labs_clock(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    put_schedule(lab, stack, "flaky", "at(2026-03-01T00:10:00)")
    lab.ask("POST", "faults", {"kind": "error", "service": "sqs", "operation": "SendMessage", "times": 3})

    told = advance(lab, "1h")

    attempts = [(one["at"], one["attempt"]) for one in told["happened"] if one.get("schedule", "").endswith("/flaky")]
    seconds = ("00", "01", "03", "07")
    assert attempts == [(f"2026-03-01T00:10:{second}Z", n) for n, second in enumerate(seconds, start=1)]
    assert [message["Body"] for message in bodies(lab, stack["Sent"])] == ["2026-03-01T00:10:00Z"]


def test_retries_end_by_number_or_by_age_and_leave_what_was_asked_in_the_dead_letter_queue(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    letters = {"DeadLetterConfig": {"Arn": stack["DeadLettersArn"]}}
    few = {"RetryPolicy": {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600}}
    young = {"RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60}}
    put_schedule(lab, stack, "few", "at(2026-03-01T00:10:00)", target=letters | few)
    put_schedule(lab, stack, "young", "at(2026-03-01T00:20:00)", target=letters | young)
    lab.ask("POST", "faults", {"kind": "throttled", "service": "sqs", "operation": "SendMessage", "contains": "Sent"})

    advance(lab, "1h")
    lab.ask("DELETE", "faults")

    found = bodies(lab, stack["DeadLetters"])
    said = [{key: value["StringValue"] for key, value in message["MessageAttributes"].items()} for message in found]
    assert [(one["EXHAUSTED_RETRY_CONDITION"], one["RETRY_ATTEMPTS"]) for one in said] == [
        ("MaximumRetryAttempts", "2"),
        ("MaximumEventAgeInSeconds", "5"),
    ]
    assert [one["SCHEDULE_ARN"].rsplit("/", 1)[1] for one in said] == ["few", "young"]
    assert json.loads(found[0]["Body"])["MessageBody"] == "2026-03-01T00:10:00Z"
    assert bodies(lab, stack["Sent"]) == []


def test_a_target_that_is_not_there_is_not_tried_again(lab: LabInProcess, stack: dict[str, str]) -> None:
    gone = {"Arn": stack["SentArn"] + "-gone", "DeadLetterConfig": {"Arn": stack["DeadLettersArn"]}}
    put_schedule(lab, stack, "gone", "at(2026-03-01T00:10:00)", target=gone)

    advance(lab, "1h")

    (message,) = bodies(lab, stack["DeadLetters"])
    said = {key: value["StringValue"] for key, value in message["MessageAttributes"].items()}
    assert "EXHAUSTED_RETRY_CONDITION" not in said
    assert "NonExistentQueue" in said["ERROR_CODE"]


def test_a_universal_target_is_the_call_that_its_input_describes_made_by_the_schedules_role(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    asked = {"QueueUrl": stack["Sent"], "MessageBody": "said at <aws.scheduler.scheduled-time>"}
    target = {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMessage", "Input": json.dumps(asked)}
    put_schedule(lab, stack, "universal", "at(2026-03-01T00:10:00)", target=target)

    advance(lab, "1h")

    assert [message["Body"] for message in bodies(lab, stack["Sent"])] == ["said at 2026-03-01T00:10:00Z"]
    assert stack["SchedulerRole"] in {r.caller for r in lab.records() if r.operation == "SendMessage"}


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"ScheduleExpression": "cron(0 25 * * ? *)"}, "Invalid Schedule Expression cron"),
        ({"ScheduleExpression": "rate(1 second)"}, "Invalid Schedule Expression rate"),
        ({"ScheduleExpressionTimezone": "Asia/Tokio"}, "Timezone Asia/Tokio"),
        ({"StartDate": "2026-02-01T00:00:00Z"}, "earlier than 5 minutes ago"),
        ({"StartDate": "2026-04-02T00:00:00Z", "EndDate": "2026-04-01T00:00:00Z"}, "must be after the StartDate"),
        ({"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"FlexibleTimeWindow": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "MaximumWindowInMinutes"),
        ({"target": {"RetryPolicy": {"MaximumRetryAttempts": 186}}}, "MaximumRetryAttempts"),
        ({"target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:listQueues"}}, "only reads"),
        ({"target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqs:sendMassage"}}, "no action"),
        ({"target": {"Arn": "arn:aws:scheduler:::aws-sdk:sqx:sendMessage"}}, "no service"),
        ({"target": {"Arn": "arn:aws:lambda:ap-northeast-1:123456789012:function:f", "Input": "{"}}, "takes JSON"),
        ({"target": {"RoleArn": "arn:aws:iam::123456789012:role/nobody"}}, "must allow AWS EventBridge Scheduler"),
    ],
)
def test_scheduler_refuses_what_could_not_run(
    lab: LabInProcess, stack: dict[str, str], wanted: dict[str, Any], reason: str
) -> None:
    given = {"ScheduleExpression": "rate(1 hour)", "ActionAfterCompletion": "NONE"} | wanted
    with pytest.raises(ClientError, match=reason) as refused:
        put_schedule(lab, stack, "refused", given.pop("ScheduleExpression"), **given)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_schedule_needs_a_group_that_exists_and_a_rule_a_true_expression(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match="nowhere does not exist"):
        put_schedule(lab, stack, "refused", "rate(1 hour)", GroupName="nowhere")
    with pytest.raises(ClientError, match=r"Parameter ScheduleExpression is not valid\."):
        lab.aws("events").put_rule(Name="refused", ScheduleExpression="cron(0 3 * * * *)")


def test_the_lab_tells_what_is_planned(lab: LabInProcess, stack: dict[str, str]) -> None:
    planned = {one["arn"].rsplit("/", 1)[1]: one for one in lab.ask("GET", "schedules?runs=2")}

    (tokyo,) = [one for name, one in planned.items() if "InTokyo" in name]
    assert (tokyo["zone"], tokyo["next"]) == ("Asia/Tokyo", ["2026-03-01T17:30:00Z", "2026-03-02T17:30:00Z"])
    (rule,) = [one for one in planned.values() if ":rule/" in one["arn"]]
    assert rule["next"] == ["2026-03-01T03:00:00Z", "2026-03-02T03:00:00Z"]


# Alarms ----------------------------------------------------------------------------------------------------------------


def state(lab: LabInProcess, name: str) -> str:
    (alarm,) = lab.aws("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def changes(told: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(one["at"], one["after"]) for one in told["happened"] if one.get("alarm", "").endswith(name)]


def test_a_functions_error_raises_the_alarm_that_tells_its_topic_and_the_bus_and_clears_when_it_is_over(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    def fail(_event: Any) -> Any:
        raise ValueError("never")

    lab.runner.behaviours["fragile"] = fail
    advance(lab, "30m")
    lab.aws("lambda").invoke(FunctionName=stack["Fragile"], Payload=b"{}")

    told = advance(lab, "30m")

    # The minute that follows the error sees it; it is in the three periods that are looked at for fifteen minutes.
    assert changes(told, stack["FragileErrors"]) == [("2026-03-01T00:31:00Z", "ALARM"), ("2026-03-01T00:46:00Z", "OK")]
    messages = [json.loads(json.loads(one["Body"])["Message"]) for one in bodies(lab, stack["Told"])]
    ours = [one for one in messages if one["AlarmName"] == stack["FragileErrors"]]
    assert [(one["OldStateValue"], one["NewStateValue"]) for one in ours][-2:] == [("OK", "ALARM"), ("ALARM", "OK")]
    assert "1 datapoint [1.0]" in ours[-2]["NewStateReason"]
    events = [json.loads(one["Body"]) for one in bodies(lab, stack["AlarmsSeen"])]
    (event,) = [one for one in events if one["detail"]["alarmName"] == stack["FragileErrors"]]
    assert (event["detail-type"], event["time"]) == ("CloudWatch Alarm State Change", "2026-03-01T00:31:00Z")
    history = lab.aws("cloudwatch").describe_alarm_history(
        AlarmName=stack["FragileErrors"], HistoryItemType="StateUpdate"
    )
    assert history["AlarmHistoryItems"][0]["HistorySummary"] == "Alarm updated from ALARM to OK"


def test_embedded_metrics_of_a_log_are_measured_by_the_labs_calendar_and_judged_by_percentile(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    directive = {
        "Namespace": "Kuroshio",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "OutboxDepth", "Unit": "Count"}],
    }
    about = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    line = {"_aws": about, "service": "fragile", "OutboxDepth": [1] * 8 + [50] * 2}
    lab.runner.behaviours["fragile"] = lambda _event: None
    lab.runner.logs["fragile"] = (json.dumps(line),)

    assert state(lab, stack["DepthTooHigh"]) == "INSUFFICIENT_DATA"
    told = []
    for _ in range(2):
        lab.aws("lambda").invoke(FunctionName=stack["Fragile"], Payload=b"{}")
        told += changes(advance(lab, "1m"), stack["DepthTooHigh"])
    told += changes(advance(lab, "1h"), stack["DepthTooHigh"])

    assert [after for _, after in told] == ["ALARM", "INSUFFICIENT_DATA"]
    metric = {
        "Namespace": "Kuroshio",
        "MetricName": "OutboxDepth",
        "Dimensions": [{"Name": "service", "Value": "fragile"}],
    }
    period = {"StartTime": "2026-03-01T00:00:00Z", "EndTime": "2026-03-01T01:00:00Z", "Period": 3600}
    (found,) = lab.aws("cloudwatch").get_metric_statistics(**metric, **period, Statistics=["Sum", "SampleCount"])[
        "Datapoints"
    ]
    assert (found["Sum"], found["SampleCount"]) == (216, 20)


def test_a_message_that_nobody_takes_is_seen_by_its_age_on_the_labs_clock(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    lab.aws("sqs").send_message(QueueUrl=stack["DeadLetters"], MessageBody="left")

    told = advance(lab, "20m")
    ((raised, after),) = [one for one in changes(told, stack["MessagesWait"]) if one[1] == "ALARM"]
    assert ("2026-03-01T00:11:00Z", after) <= (raised, "ALARM") <= ("2026-03-01T00:12:00Z", after)

    bodies(lab, stack["DeadLetters"])
    assert changes(advance(lab, "5m"), stack["MessagesWait"])[-1][1] == "OK"


def test_a_nightly_run_that_did_not_happen_is_missed(lab: LabInProcess, stack: dict[str, str]) -> None:
    nights = changes(advance(lab, "3d"), stack["NightlyRuns"])
    assert nights[-1][1] == "OK"

    switch(lab, "InTokyo", "DISABLED")
    silence = changes(advance(lab, "4d"), stack["NightlyRuns"])
    switch(lab, "InTokyo", "ENABLED")

    assert [after for _, after in silence] == ["ALARM"]


def test_somebody_may_set_an_alarms_state_and_the_next_evaluation_sets_it_right(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    lab.aws("cloudwatch").set_alarm_state(AlarmName=stack["FragileErrors"], StateValue="ALARM", StateReason="a drill")

    assert state(lab, stack["FragileErrors"]) == "ALARM"
    advance(lab, "1m")
    assert state(lab, stack["FragileErrors"]) == "OK"
