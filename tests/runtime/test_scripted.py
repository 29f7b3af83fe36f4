"""Against a Runtime API that misbehaves, with handlers that misbehave: each answer is well formed, each exit too."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.runtime.conftest import BOOTSTRAP, TERMINATED, Play, environment, free_ports, wait_until
from tests.runtime.scripted_api import (
    Answer,
    ScriptedApi,
    chunked_event,
    event,
    garbage,
    half,
    hang_up,
    http,
    raw_event,
    reset,
)

LARGEST = 6 * 1024 * 1024


def test_an_event_is_answered_and_the_next_one_asked_for(play: Play) -> None:
    outcome = play("good.echo", event({"a": [1, "é"]}, 1), event(None, 2))
    assert [(post.path, post.document) for post in outcome.posted("response")] == [
        ("/2018-06-01/runtime/invocation/request-1/response", {"a": [1, "é"]}),
        ("/2018-06-01/runtime/invocation/request-2/response", None),
    ]
    assert outcome.status == TERMINATED


def test_the_invocation_id_is_echoed_on_responses_and_errors(play: Play) -> None:
    for handler, word in (("good.echo", "response"), ("bad.raises", "error"), ("good.stream", "response")):
        (post,) = play(handler, event(1, Invocation_Id="once")).posted(word)
        assert post.headers["lambda-runtime-invocation-id"] == "once"


def test_the_trace_id_is_set_for_its_invocation_and_taken_away_after(play: Play) -> None:
    outcome = play("good.trace", event(1, Trace_Id="Root=1-5"), event(2))
    assert [post.document for post in outcome.posted("response")] == ["Root=1-5", None]


@pytest.mark.parametrize("size", [1, 3000, 500_000])
def test_chunked_events_are_put_together(play: Play, size: int) -> None:
    value = "é" * (10 if size == 1 else 1_000_000)
    assert play("good.echo", chunked_event(json.dumps(value).encode(), size)).response.document == value


def test_a_slow_server_is_waited_for(play: Play) -> None:
    assert play("good.echo", chunked_event(b'{"slow":true}', 3, pause=0.01)).response.document == {"slow": True}


def test_an_event_far_over_lambdas_limit_is_still_answered(play: Play) -> None:
    outcome = play("good.echo", raw_event(json.dumps("x" * 3 * LARGEST).encode()), event(2, 2))
    assert outcome.error["errorType"] == "Function.ResponseSizeTooLarge"
    assert outcome.response.document == 2


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1] 2", b'"\xff"', b"NaN", b"[" * 100_000, b"\xef\xbb\xbf1", b"1" * 5000], ids=repr
)
def test_an_event_that_is_not_json_is_an_unmarshal_error(play: Play, body: bytes) -> None:
    outcome = play("good.echo", raw_event(body), event("next", 2))
    assert outcome.error["errorType"] == "Runtime.UnmarshalError"
    assert outcome.response.document == "next"


@pytest.mark.parametrize("breaking", [hang_up, reset, garbage, half(event("lost"), 20), half(event("lost"), 190)])
def test_a_connection_that_breaks_while_waiting_is_opened_again(play: Play, breaking: Answer) -> None:
    assert play("good.echo", event(1), breaking, event(2, 2)).posted("response")[-1].document == 2


@pytest.mark.parametrize("breaking", [hang_up, reset, garbage])
def test_a_post_without_an_answer_is_repeated_once(play: Play, breaking: Answer) -> None:
    outcome = play("good.echo", event(1), event(2, 2), posts={"response": [breaking]})
    assert [post.document for post in outcome.posted("response")] == [1, 1, 2]


@pytest.mark.parametrize("word", ["response", "error"])
@pytest.mark.parametrize("status", [400, 403, 410, 413])
def test_a_refused_answer_is_logged_and_life_goes_on(play: Play, status: int, word: str) -> None:
    handler = {"response": "good.echo", "error": "bad.raises"}[word]
    outcome = play(handler, event(1), event(2, 2), posts={word: [http(status, b"too late")]})
    assert len(outcome.posted(word)) == len(outcome.posted("response") + outcome.posted("error")) == 2
    assert f"status {status}: too late" in outcome.log
    assert outcome.status == TERMINATED


@pytest.mark.parametrize("posts", [[http(500)], [hang_up, hang_up]], ids=["500", "no answer, twice"])
def test_an_api_that_fails_ends_the_process_with_a_word(play: Play, posts: list[Answer]) -> None:
    outcome = play("good.echo", event(1), event(2, 2), posts={"response": posts})
    assert outcome.status == 1
    assert "The Runtime API failed, this environment ends" in outcome.log
    assert len(outcome.posted("next")) == 1


@pytest.mark.parametrize("last", [http(403), http(500), http(200)], ids=["403", "500", "no request id"])
def test_a_next_that_cannot_be_served_ends_the_process(play: Play, last: Answer) -> None:
    assert play("good.echo", event(1), last).status == 1


def test_a_next_that_breaks_twice_ends_the_process(play: Play) -> None:
    assert play("good.echo", hang_up, hang_up).status == 1


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        ("bad.raises", "CloneNotReady", "the clone is still being made"),
        ("bad.exits", "SystemExit", "the handler called sys.exit(3)"),
        ("bad.base_exception", "NotAnError", "who would do that?"),
        ("bad.interrupts", "KeyboardInterrupt", ""),
        ("bad.unspeakable", "Unspeakable", "<str() of this Unspeakable raised RuntimeError>"),
        ("bad.recurses", "RecursionError", "maximum recursion depth exceeded"),
        ("bad.unserialisable", "Runtime.MarshalError", "$.items[1].when is a datetime"),
        ("bad.not_a_number", "Runtime.MarshalError", "$.share['of nothing'][0] is nan"),
        ("bad.bad_key", "Runtime.MarshalError", "$.a has the key (1, 2), a tuple"),
        ("bad.circular", "Runtime.MarshalError", "$[0] contains itself"),
        ("bad.large", "Function.ResponseSizeTooLarge", "7000002 bytes"),
        ("bad.stream_early_error", "CloneNotReady", "before the first byte"),
        ("bad.stream_number", "Runtime.MarshalError", "yields bytes or str, this one yielded a int"),
        ("shell.fails", "ExitStatus3", "shell.sh fails exited with status 3: the tunnel collapsed"),
        ("shell.returns", "ExitStatus4", "exited with status 4, and wrote nothing to standard error"),
        ("shell.kills_itself", "KilledBySignal9", "killed by signal 9"),
        ("shell.not_json", "Runtime.MarshalError", "it printed 'hello'"),
        ("shell.not_utf8", "Runtime.MarshalError", "must print one JSON value"),
        ("shell.too_large", "Function.ResponseSizeTooLarge", "maximum allowed payload size"),
        ("shell.endless", "Function.ResponseSizeTooLarge", "maximum allowed payload size"),
        ("shell.noisy", "ExitStatus1", "line 4999 of a very long story"),
        ("strict.stops", "ExitStatus1", "exited with status 1"),
    ],
)
def test_a_failing_handler_is_an_error_and_the_next_event_is_served(
    play: Play, handler: str, error_type: str, message: str
) -> None:
    outcome = play(handler, event(1), event(2, 2))
    first, second = outcome.posted("error")
    assert first.document["errorType"] == error_type
    assert message in first.document["errorMessage"]
    assert first.document["requestId"] == "request-1"
    assert second.path.endswith("request-2/error")
    assert outcome.status == TERMINATED


def test_an_error_carries_the_stack_of_the_handler_only_and_its_type_for_lambda_and_x_ray(play: Play) -> None:
    outcome = play("bad.raises", event(1))
    (post,) = outcome.posted("error")
    (frame,) = outcome.error["stackTrace"]
    assert 'bad.py", line' in frame
    assert post.headers["lambda-runtime-function-error-type"] == "Function.CloneNotReady"
    cause = json.loads(post.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["type"] == "CloneNotReady"
    assert cause["exceptions"][0]["stack"][0]["label"] == "raises"


def test_a_message_of_seven_megabytes_is_cut_to_what_travels(play: Play) -> None:
    message = play("bad.long_message", event(1)).error["errorMessage"]
    assert message.endswith("(6984000 characters more)")
    assert len(message) < 20_000


def test_os_exit_leaves_no_answer_behind(play: Play) -> None:
    outcome = play("bad.exits_at_once", event(1))
    assert (outcome.status, outcome.posted("response"), outcome.posted("error")) == (9, [], [])


def test_a_forked_child_does_not_answer_for_its_parent(play: Play) -> None:
    outcome = play("bad.forks", event(1), event(2, 2))
    assert [post.document for post in outcome.posted("response")] == [{"parent": True}] * 2


def test_garbage_on_stdout_and_a_closed_stdout_change_nothing(play: Play) -> None:
    outcome = play("bad.prints_garbage", event(1), event(2, 2))
    assert outcome.posted("response")[0].document == "fine"
    assert outcome.error["errorType"] == "ValueError"  # the second call writes to the closed file


def test_sigterm_ends_the_process_even_if_the_handler_swallows_it(play: Play) -> None:
    outcome = play("bad.swallows", event(1), event(2, 2))
    assert (outcome.response.document, outcome.status) == ("swallowed", TERMINATED)


def test_a_handler_near_its_deadline_is_found_in_the_log(play: Play) -> None:
    import time

    soon = str(int(time.time() * 1000) + 1500)
    outcome = play("bad.sleeps", event(3, Deadline_Ms=soon))
    assert "Runtime.DeadlineNear" in outcome.log
    assert "in sleeps" in outcome.log
    assert outcome.response.document == "awake"


def test_a_shell_handler_is_stopped_before_its_deadline_and_says_so(play: Play) -> None:
    import time

    soon = str(int(time.time() * 1000) + 1500)
    outcome = play("shell.sleeps", event(1, Deadline_Ms=soon), event(2, 2, Deadline_Ms=soon))
    assert [post.document["errorType"] for post in outcome.posted("error")] == ["Sandbox.Timedout"] * 2
    assert "still at it" in outcome.posted("error")[0].document["errorMessage"]


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("good.missing", "Runtime.HandlerNotFound"),
        ("bad.not_callable", "Runtime.HandlerNotFound"),
        ("shell.missing", "Runtime.HandlerNotFound"),
        ("nodot", "Runtime.MalformedHandlerName"),
        ("", "Runtime.MalformedHandlerName"),
        ("no_such_file.handle", "Runtime.ImportModuleError"),
        ("import_fails.handle", "Runtime.ImportModuleError"),
        ("import_exits.handle", "SystemExit"),
        ("import_raises.handle", "LookupError"),
    ],
)
def test_a_handler_that_cannot_be_had_is_an_init_error_and_exit_1(play: Play, handler: str, error_type: str) -> None:
    outcome = play(handler, event(1))
    assert outcome.error["errorType"] == error_type
    assert [request.path for request in outcome.requests] == ["/2018-06-01/runtime/init/error"]
    assert outcome.status == 1
    assert error_type in outcome.log


def test_a_syntax_error_is_named_with_its_line(play: Play, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def handle(event, context)\n    return 1\n")
    error = play("broken.handle", event(1), LAMBDA_TASK_ROOT=str(tmp_path)).error
    assert error["errorType"] == "Runtime.UserCodeSyntaxError"
    assert "Line 1" in error["stackTrace"][0]


def test_a_script_and_a_module_of_one_name_are_refused(play: Play, tmp_path: Path) -> None:
    for name in ("both.sh", "both.py"):
        (tmp_path / name).write_text("")
    error = play("both.handle", event(1), LAMBDA_TASK_ROOT=str(tmp_path)).error
    assert error["errorType"] == "Runtime.MalformedHandlerName"


def test_a_runtime_that_is_started_before_the_api_listens_waits_for_it() -> None:
    (port,) = free_ports(1)
    process = subprocess.Popen([BOOTSTRAP, "good.echo"], env=environment(f"127.0.0.1:{port}"))
    try:
        assert process.poll() is None
        with contextlib.closing(ScriptedApi([event(1)], port=port)) as api:
            wait_until(api.idle.is_set)
            assert api.posted("response")[0].document == 1
    finally:
        process.kill()
        process.wait()


def test_a_runtime_whose_api_never_listens_exits_with_a_word(play: Play) -> None:
    (port,) = free_ports(1)
    outcome = play("good.echo", AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{port}")
    assert outcome.status == 1
    assert "The Runtime API failed" in outcome.log


def test_an_init_error_that_cannot_be_reported_still_exits_1(play: Play) -> None:
    assert play("nodot", posts={"error": [hang_up, hang_up]}).status == 1


def test_a_process_without_a_runtime_api_says_what_is_missing(play: Play) -> None:
    outcome = play("good.echo", AWS_LAMBDA_RUNTIME_API="")
    assert outcome.status == 1
    assert "AWS_LAMBDA_RUNTIME_API must be host:port" in outcome.log


def test_nothing_is_imported_that_the_handler_did_not_ask_for(play: Play) -> None:
    loaded = set(play("good.modules", event(1)).response.document)
    # good.py itself imports decimal, and decimal numbers and re.
    unwanted = {"logging", "json", "traceback", "threading", "subprocess", "typing", "dataclasses", "http", "socket"}
    assert not loaded & unwanted
    assert {name for name in loaded if name.startswith("kuroshio_runtime.")} == {
        f"kuroshio_runtime.{name}"
        for name in ("api", "context", "invocation", "python_handler", "start", "watchdog", "wire")
    }


def test_the_handlers_folder_comes_first_on_the_path_and_is_the_working_directory(play: Play) -> None:
    answer = play("good.path", event(1)).response.document
    assert answer["path"][0] == answer["cwd"] == str(Path(__file__).parent / "task")
    assert "/usr/lib/python3/dist-packages" in answer["path"] or not Path("/usr/lib/python3/dist-packages").is_dir()


def test_decimals_are_numbers_bytes_are_themselves_and_lone_surrogates_escaped(play: Play) -> None:
    assert play("good.decimals", event(1)).response.body == b"[1.5,3]"
    assert play("good.raw", event(1)).response.body == b"\x00\x01"
    assert play("good.surrogate", event(1)).response.document == "\ud800 é"


def test_a_generator_streams(play: Play) -> None:
    response = play("good.stream", event(1)).response
    assert response.body == b"one two"
    assert response.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert not response.trailers


def test_a_generator_that_starts_with_a_mapping_sends_the_http_prelude(play: Play) -> None:
    response = play("good.stream_http", event(1)).response
    assert response.body == b'{"statusCode":200}' + bytes(8) + b"body"
    assert response.headers["content-type"] == "application/vnd.awslambda.http-integration-response"


def test_an_error_in_the_middle_of_a_stream_travels_as_a_trailer(play: Play) -> None:
    import base64

    outcome = play("bad.stream_late_error", event(1), event(2, 2))
    first, second = outcome.posted("response")
    assert first.body == second.body == b"half"
    assert first.trailers["lambda-runtime-function-error-type"] == "Function.CloneNotReady"
    document = json.loads(base64.b64decode(first.trailers["lambda-runtime-function-error-body"]))
    assert document["errorMessage"] == "in the middle"


def test_a_stream_that_breaks_is_ended_with_an_error_and_not_run_again(play: Play) -> None:
    outcome = play("good.stream", event(1), event(2, 2), posts={"response": [hang_up]})
    assert outcome.error["errorType"] == "Runtime.StreamBroken"
    assert len(outcome.posted("response")) == 2


def test_snapstart_waits_to_be_restored_before_the_first_event(play: Play) -> None:
    outcome = play("good.echo", event(1), AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert outcome.requests[0].path == "/2018-06-01/runtime/restore/next"
    assert outcome.response.document == 1


def test_a_failed_snapshot_is_an_init_error_and_exit_64(play: Play) -> None:
    outcome = play("good.echo", event(1), posts={"next": [http(403)]}, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert outcome.status == 64
    assert outcome.posted("error")[0].headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"


def test_logging_writes_lambdas_json_with_the_request_id(play: Play) -> None:
    log = play("logs.warns", event(1, Aws_Tenant_Id="blue"), AWS_LAMBDA_LOG_FORMAT="JSON").log
    first, second = (json.loads(line) for line in log.splitlines())
    assert first.pop("timestamp").endswith("Z")
    assert first == {
        "level": "WARNING",
        "message": "seen well",
        "logger": "ours",
        "requestId": "request-1",
        "tenantId": "blue",
        "table": "runs",
    }
    assert (second["errorType"], second["errorMessage"]) == ("KeyError", "'k'")
    assert second["stackTrace"]


def test_the_log_level_is_lambdas(play: Play) -> None:
    log = play("logs.warns", event(1), AWS_LAMBDA_LOG_FORMAT="JSON", AWS_LAMBDA_LOG_LEVEL="FATAL").log
    assert log == ""
    log = play("logs.warns", event(1), AWS_LAMBDA_LOG_LEVEL="TRACE").log
    assert "[INFO]\t" in log
    assert "\trequest-1\tnot seen" in log


def test_errors_are_one_line_of_the_log_in_either_format(play: Play) -> None:
    (line,) = play("bad.raises", event(1), AWS_LAMBDA_LOG_FORMAT="JSON").log.splitlines()
    assert json.loads(line)["errorType"] == "CloneNotReady"
    (line, *rest) = play("bad.raises", event(1)).log.split("\n")
    assert line.startswith("[ERROR] CloneNotReady: the clone is still being made\rTraceback")
    assert rest == [""]


def test_what_was_printed_is_out_before_the_answer(play: Play) -> None:
    assert play("logs.prints", event(1)).log == "out\n"


@pytest.mark.parametrize(
    ("handler", "answer"),
    [
        ("shell.silent", None),
        ("shell.ignores_stdin", "done"),
        ("shell.from_library", 1),
        ("shell.large", "x" * 5_000_000),
        ("shell.writes_to_dev_stdout", "by name"),
        ("shell.answers", {"id": "request-1", "cwd": str(Path(__file__).parent / "task")}),
    ],
)
def test_a_shell_handler_answers_with_what_it_prints(play: Play, handler: str, answer: object) -> None:
    assert play(handler, event({"big": "x" * 300_000})).response.document == answer


def test_a_shell_handler_reads_the_event_from_stdin(play: Play) -> None:
    value = {"text": "é\n'\"", "long": "x" * 5_000_000}
    assert play("shell.echo_event", event(value)).response.document == value


def test_a_shell_handler_leaks_no_variables_and_no_directory(play: Play) -> None:
    outcome = play("shell.leaks", event(1), event(2, 2))
    assert [post.document for post in outcome.posted("response")] == ["none", "none"]


@pytest.mark.parametrize("handler", ["shell.background", "shell.escapes"])
def test_nothing_that_a_shell_handler_started_outlives_the_invocation(play: Play, handler: str) -> None:
    process = play(handler, event(1), event(2, 2)).posted("response")[0].document
    assert is_gone(process)


def test_stderr_of_a_shell_handler_is_wrapped_in_a_json_log(play: Play) -> None:
    log = play("shell.logs_json", event(1), AWS_LAMBDA_LOG_FORMAT="JSON").log
    first, second = (json.loads(line) for line in log.splitlines())
    assert first == {"level": "INFO", "mine": 1}
    assert (second["message"], second["requestId"]) == ("plain", "request-1")


def test_managed_instances_are_told_that_invocations_are_served_one_at_a_time(play: Play) -> None:
    outcome = play("good.echo", event(1), AWS_LAMBDA_MAX_CONCURRENCY="8")
    assert "one invocation at a time" in outcome.log
    assert outcome.response.document == 1


def test_the_bootstrap_is_an_executable_that_needs_no_site_packages() -> None:
    bootstrap = Path(__file__).parents[2] / "layers/runtime/bootstrap"
    assert bootstrap.read_text().startswith("#!/usr/bin/python3 -IS\n")
    assert bootstrap.stat().st_mode & stat.S_IXUSR


def is_gone(process: int) -> bool:
    """Whether a process has ended; a zombie that nobody has waited for yet counts."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
