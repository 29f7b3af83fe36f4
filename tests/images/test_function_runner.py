"""Promises of ``lab.ports.FunctionRunner``, kept by containers; ``tests/lab`` leans on them with a fake."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from lab.engine import Engine
from lab.environment import Settings
from lab.ports import Credentials, FunctionVersion, InvocationResult
from lab.runner import ContainerRunner

ARN = "arn:aws:lambda:ap-northeast-1:123456789012:function:misbehave"
KEYS = Credentials("AKIDOFTHEROLE", "secret", "token")

Invoke = Callable[..., InvocationResult]


@pytest.fixture(scope="module")
def runner(engine: Engine, label: str) -> Iterator[ContainerRunner]:
    network = engine.network(label, label)
    settings = Settings(label, network.name, f"http://{network.host}:1", "ap-northeast-1", limits_cpu=False)

    def image_of(uri: str) -> str:
        if not engine.image_id(uri):
            raise LookupError(f"{uri} was never pushed")
        return uri

    runner = ContainerRunner(engine, settings, image_of)
    yield runner
    runner.close()
    assert engine.containers(label) == ()


@pytest.fixture
def function(misbehaving: str) -> FunctionVersion:
    return FunctionVersion(
        ARN,
        "$LATEST",
        "revision-1",
        misbehaving,
        "arn:aws:iam::123456789012:role/r",
        memory_mb=256,
        timeout_s=3,
        environment={"OWN": "a value, = and 'quotes'", "AWS_REGION": "overridden?"},
        command=("misbehave.handle",),
    )


def invoke(runner: ContainerRunner, function: FunctionVersion, event: Any) -> tuple[Any, str | None, tuple[str, ...]]:
    result = runner.invoke(function, json.dumps(event).encode(), credentials=KEYS, request_id=str(uuid.uuid4()))
    return json.loads(result.payload), result.function_error, result.logs


def test_a_function_is_started_as_lambda_starts_it(runner: ContainerRunner, function: FunctionVersion) -> None:
    request = str(uuid.uuid4())
    result = runner.invoke(function, b"{}", credentials=KEYS, request_id=request)
    answer = json.loads(result.payload)
    assert result.function_error is None
    assert (answer["request"], answer["uid"]) == (request, 993)
    assert answer["env"].items() >= {
        ("OWN", "a value, = and 'quotes'"),
        ("AWS_REGION", "ap-northeast-1"),
        ("AWS_ACCESS_KEY_ID", "AKIDOFTHEROLE"),
        ("AWS_LAMBDA_FUNCTION_NAME", "misbehave"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    }
    assert answer["env"]["AWS_ENDPOINT_URL"].startswith("http://")


def test_logs_are_those_of_the_invocation_without_the_emulator_s_own(
    runner: ContainerRunner, function: FunctionVersion
) -> None:
    for _ in range(2):
        assert invoke(runner, function, {})[2] == ("to stdout", "to stderr")


def test_an_environment_stays_warm_for_the_next_invocation(runner: ContainerRunner, function: FunctionVersion) -> None:
    first, second = (invoke(runner, function, {})[0] for _ in range(2))
    assert first["host"] == second["host"]


def test_each_concurrent_invocation_has_an_environment_of_its_own(
    runner: ContainerRunner, function: FunctionVersion
) -> None:
    with ThreadPoolExecutor(3) as threads:
        asleep = [threads.submit(invoke, runner, function, {"sleep": 1.5}) for _ in range(3)]
        assert len({future.result()[0]["host"] for future in asleep}) == 3


def test_an_exception_is_a_function_error_with_its_class_and_message(
    runner: ContainerRunner, function: FunctionVersion
) -> None:
    payload, error, logs = invoke(runner, function, {"raise": "no"})
    assert (error, payload["errorType"], payload["errorMessage"]) == ("Unhandled", "ValueError", "no")
    assert any("ValueError" in line for line in logs)


def test_a_result_that_looks_like_an_error_is_a_result(runner: ContainerRunner, function: FunctionVersion) -> None:
    lookalike = {"errorType": "of a bank", "errorMessage": "refused"}
    assert invoke(runner, function, {"return": lookalike})[:2] == (lookalike, None)


def test_a_timeout_is_a_function_error_and_the_next_invocation_works(
    runner: ContainerRunner, function: FunctionVersion
) -> None:
    payload, error, _ = invoke(runner, replace(function, timeout_s=1), {"sleep": 30})
    assert (error, payload["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert invoke(runner, replace(function, timeout_s=1), {})[1] is None


def test_a_dead_process_is_a_function_error_and_the_next_invocation_works(
    runner: ContainerRunner, function: FunctionVersion
) -> None:
    payload, error, _ = invoke(runner, function, {"exit": 3})
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert invoke(runner, function, {})[1] is None


def test_a_container_that_is_killed_is_a_function_error_and_is_replaced(
    engine: Engine, label: str, runner: ContainerRunner, function: FunctionVersion
) -> None:
    function = replace(function, arn=ARN + "-killed", timeout_s=30)
    invoke(runner, function, {})
    with ThreadPoolExecutor(1) as thread:
        asleep = thread.submit(invoke, runner, function, {"sleep": 20})
        time.sleep(0.5)
        engine.kill(*[name for name in engine.containers(label) if "misbehave-killed" in engine.do("ps", "--filter", f"id={name}", "--format", "{{.Names}}")])  # fmt: skip
        payload, error, _ = asleep.result()
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert invoke(runner, function, {})[1] is None


def test_the_file_system_is_read_only_but_tmp(runner: ContainerRunner, function: FunctionVersion) -> None:
    assert invoke(runner, function, {"write": "/var/task/x"})[0]["errorType"] == "OSError"
    assert invoke(runner, function, {"write": "/tmp/x"})[1] is None


@pytest.mark.parametrize("change", [{"command": ("nowhere.handle",)}, {"image_uri": "never/pushed:1"}])
def test_a_function_that_cannot_start_says_why(
    runner: ContainerRunner, function: FunctionVersion, change: dict[str, Any]
) -> None:
    payload, error, logs = invoke(runner, replace(function, arn=ARN + "-unstartable", **change), {})
    assert error == "Unhandled"
    assert payload["errorType"].startswith("Runtime.")
    assert any(word in " ".join(logs) for word in ("nowhere", "never pushed"))


def test_a_new_revision_never_meets_an_old_environment(runner: ContainerRunner, function: FunctionVersion) -> None:
    old = invoke(runner, function, {})[0]["host"]
    assert invoke(runner, replace(function, revision="revision-2"), {})[0]["host"] != old


def test_a_forgotten_function_leaves_no_container(
    engine: Engine, label: str, runner: ContainerRunner, function: FunctionVersion
) -> None:
    function = replace(function, arn=ARN + "-forgotten")
    before = len(engine.containers(label))
    invoke(runner, function, {})
    assert len(engine.containers(label)) == before + 1
    runner.forget(function.arn)
    assert len(engine.containers(label)) == before


def test_the_initial_image_refuses_every_event_by_name(
    runner: ContainerRunner, function: FunctionVersion, initial: str
) -> None:
    """The template gives it the command of a function that it does not have; either way it must fail by name."""
    started = replace(function, arn=ARN + "-initial", image_uri=initial, command=())
    payload, error, _ = invoke(runner, started, {})
    assert (error, payload["errorType"]) == ("Unhandled", "NotDeployed")


def test_our_functions_start_and_refuse_a_wrong_request_by_name(
    runner: ContainerRunner, function: FunctionVersion, image: str
) -> None:
    ours = replace(
        function,
        arn=ARN + "-ours",
        image_uri=image,
        command=("detect_changes.handler.handle",),
        environment={"INCOMING_BUCKET": "i", "PLAN_BUCKET": "p"},
    )
    payload, error, _ = invoke(runner, ours, {"schema": "unknown"})
    assert (error, payload["errorType"]) == ("Unhandled", "InvalidRequest")
