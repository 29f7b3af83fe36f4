"""Lambda's Invoke: which version, as which role, in which environment, and where its logs and failures go."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from botocore.exceptions import ClientError

from lab.answers import Answer, error_answer
from lab.ports import Credentials, FunctionRunner, FunctionVersion, InvocationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lab.activity import Activity
    from lab.calls import Call, HttpRequest
    from lab.clients import Clients
    from lab.clock import Clock
    from lab.cloudwatch.figures import Figures

# Lambda's pauses before the two retries of an asynchronous invocation, in seconds:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_ASYNC_PAUSES_S = (60.0, 120.0)
_LOG_TAIL_BYTES = 4096


@dataclass(frozen=True)
class Target:
    """One version of a function, ready to run, and where its asynchronous failures go."""

    version: FunctionVersion
    name: str
    dead_letters: str = ""
    on_failure: str = ""
    on_success: str = ""
    retries: int = 2
    qualifier: str = ""  # the alias or version that was asked for


class Functions:
    """Runs functions by the configuration that Lambda's control plane holds at the time."""

    def __init__(  # noqa: PLR0917 - the parts of the lab that running a function concerns
        self,
        clients: Clients,
        runner: FunctionRunner,
        keys: Callable[[str], Credentials],
        clock: Clock,
        activity: Activity,
        figures: Figures,
    ) -> None:
        self._clients = clients
        self._runner = runner
        self._keys = keys
        self._clock = clock
        self._activity = activity
        self._figures = figures
        self._targets: dict[tuple[str, str], Target] = {}
        self._streams: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._later = ThreadPoolExecutor(max_workers=16, thread_name_prefix="async-invoke")

    def close(self) -> None:
        """End the environments; what was invoked asynchronously and waits is dropped."""
        self._closing.set()
        self._later.shutdown(wait=False, cancel_futures=True)
        self._runner.close()

    def forget(self) -> None:
        """Some function's configuration changed: ask the control plane again, and end the environments of what changed.

        Environments are keyed by revision, so an unchanged function stays warm.
        """
        with self._lock:
            self._targets.clear()

    def retire(self, name: str, region: str, account: str) -> None:
        """End the environments of a function that was updated or deleted."""
        self.forget()
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{region}:{account}:function:{name}"
        self._runner.forget(":".join(arn.split(":")[:7]))

    def answer(self, call: Call, request: HttpRequest) -> Answer:
        """Lambda's Invoke over HTTP."""
        name, qualifier = _name_and_qualifier(call, request)
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        try:
            target = self._target(name, qualifier)
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return error_answer(call, status, error.response["Error"]["Code"], error.response["Error"]["Message"])
        if kind == "DryRun":
            return Answer(204)
        if kind == "Event":
            self.invoke_later(name, request.body, qualifier)
            return Answer(202)
        result = self._run(target, request.body, request.headers.get("x-amz-client-context"))
        return _http_answer(result, target, wants_logs=request.headers.get("x-amz-log-type") == "Tail")

    def role_of(self, name: str) -> str:
        """The ARN of the function's execution role. Raises botocore's ClientError for a function that is not there."""
        return self._target(name, "").version.role_arn

    def invoke(self, name: str, payload: bytes, qualifier: str = "") -> InvocationResult:
        """Invoke and wait. Raises botocore's ClientError for a function that is not there."""
        return self._run(self._target(*split_name(name, qualifier)), payload)

    def invoke_later(self, name: str, payload: bytes, qualifier: str = "") -> None:
        """Invoke asynchronously: two retries with Lambda's pauses on the lab's clock, then the destinations.

        Raises botocore's ClientError for a function that is not there.
        """
        target = self._target(*split_name(name, qualifier))
        self._activity.submit(self._later, self._run_with_retries, target, payload)

    def _run_with_retries(self, target: Target, payload: bytes) -> None:
        for attempt in range(target.retries + 1):
            result = self._run(target, payload)
            if result.function_error is None:
                self._hand_over(target.on_success, self._document(target, payload, result, attempt + 1))
                return
            if attempt < target.retries:
                self._clock.pause(_ASYNC_PAUSES_S[min(attempt, 1)], self._closing.is_set, self._activity.rest())
            if self._closing.is_set():
                return
        self._hand_over(target.on_failure, self._document(target, payload, result, target.retries + 1))
        self._dead_letter(target, payload, result)

    def _document(self, target: Target, payload: bytes, result: InvocationResult, attempts: int) -> Mapping[str, Any]:
        return _destination_document(target, payload, result, attempts, self._clock.date())

    def _dead_letter(self, target: Target, payload: bytes, result: InvocationResult) -> None:
        arn, role = target.dead_letters, target.version.role_arn
        attributes = {
            "RequestID": str(uuid.uuid4()),
            "ErrorCode": "200",
            "ErrorMessage": json.loads(result.payload or b"{}").get("errorMessage", "")[:1024],
        }
        typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value}
        if ":sqs:" in arn:
            url = self._clients.internal("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            sqs = self._clients.for_role("sqs", arn.split(":")[3], role)
            sqs.send_message(QueueUrl=url, MessageBody=payload.decode(), MessageAttributes=typed)
        elif ":sns:" in arn:
            sns = self._clients.for_role("sns", arn.split(":")[3], role)
            sns.publish(TopicArn=arn, Message=payload.decode(), MessageAttributes=typed)

    def _hand_over(self, arn: str, document: Mapping[str, Any]) -> None:
        body = json.dumps(document)
        if ":sqs:" in arn:
            url = self._clients.internal("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            self._clients.internal("sqs").send_message(QueueUrl=url, MessageBody=body)
        elif ":sns:" in arn:
            self._clients.internal("sns").publish(TopicArn=arn, Message=body)
        elif ":lambda:" in arn:
            self.invoke_later(arn, body.encode())

    # Configuration -----------------------------------------------------------------------------------------------------

    def _target(self, name: str, qualifier: str) -> Target:
        version = self._version_behind(name, qualifier)
        with self._lock:
            known = self._targets.get((name, version))
        if known is None:
            known = self._read_target(name, version)
            with self._lock:
                self._targets[(name, version)] = known
        return replace(known, qualifier=qualifier)

    def _version_behind(self, name: str, qualifier: str) -> str:
        if not qualifier or qualifier == "$LATEST" or qualifier.isnumeric():
            return qualifier
        alias = self._clients.internal("lambda").get_alias(FunctionName=name, Name=qualifier)
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        rest = 1 - sum(weights.values())
        return str(random.choices([alias["FunctionVersion"], *weights], [rest, *weights.values()])[0])  # noqa: S311 - traffic

    def _read_target(self, name: str, qualifier: str) -> Target:
        client = self._clients.internal("lambda")
        function = client.get_function(FunctionName=name, **({"Qualifier": qualifier} if qualifier else {}))
        configuration = function["Configuration"]
        try:
            later = client.get_function_event_invoke_config(FunctionName=configuration["FunctionName"])
        except ClientError:
            later = {}
        destinations = later.get("DestinationConfig") or {}
        return Target(
            version=_version(configuration, function.get("Code") or {}),
            name=configuration["FunctionName"],
            dead_letters=(configuration.get("DeadLetterConfig") or {}).get("TargetArn", ""),
            on_failure=(destinations.get("OnFailure") or {}).get("Destination", ""),
            on_success=(destinations.get("OnSuccess") or {}).get("Destination", ""),
            retries=later.get("MaximumRetryAttempts", 2),
        )

    # Running -----------------------------------------------------------------------------------------------------------

    def _run(self, target: Target, payload: bytes, client_context: str | None = None) -> InvocationResult:
        request_id = str(uuid.uuid4())
        with self._activity.work():
            started = time.monotonic()
            result = self._runner.invoke(
                target.version,
                payload or b"{}",
                credentials=self._keys(target.version.role_arn),
                request_id=request_id,
                client_context=client_context,
            )
            seconds = time.monotonic() - started
            self._write_logs(target.version, request_id, result, seconds)
            self._measure(target, result, seconds)
        return result

    def _measure(self, target: Target, result: InvocationResult, seconds: float) -> None:
        region, failed = target.version.arn.split(":")[3], result.function_error is not None
        self._figures.invoked(target.name, target.qualifier, failed=failed, milliseconds=seconds * 1000, region=region)
        # Functions keep the machine's time: what they say was measured now is of the lab's now.
        self._figures.read_log(result.logs, self._clock.now() - time.time(), region)

    def _write_logs(self, version: FunctionVersion, request_id: str, result: InvocationResult, seconds: float) -> None:
        logs = self._clients.internal("logs")
        stream = f"{self._clock.date():%Y/%m/%d}/[{version.version}]{version.revision.replace('-', '')[:32]}"
        if (version.log_group, stream) not in self._streams:
            _create_if_absent(logs.create_log_group, logGroupName=version.log_group)
            _create_if_absent(logs.create_log_stream, logGroupName=version.log_group, logStreamName=stream)
            self._streams.add((version.log_group, stream))
        now = int(self._clock.now() * 1000)
        lines = _with_platform_lines(version, request_id, result, seconds, self._clock.date())
        logs.put_log_events(
            logGroupName=version.log_group,
            logStreamName=stream,
            logEvents=[{"timestamp": now, "message": line} for line in lines if line],
        )


def _create_if_absent(create: Callable[..., Any], **names: str) -> None:
    try:
        create(**names)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise


def _with_platform_lines(
    version: FunctionVersion, request_id: str, result: InvocationResult, seconds: float, now: datetime
) -> list[str]:
    """The lines that Lambda itself writes around a function's own, in its two log formats."""
    milliseconds = seconds * 1000
    if version.log_format == "JSON":
        status = "failure" if result.function_error else "success"
        at = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        start = {"requestId": request_id, "version": version.version}
        metrics = {"durationMs": round(milliseconds, 3), "memorySizeMB": version.memory_mb}
        report = {"requestId": request_id, "metrics": metrics, "status": status}
        return [
            json.dumps({"time": at, "type": "platform.start", "record": start}),
            *result.logs,
            json.dumps({"time": at, "type": "platform.report", "record": report}),
        ]
    return [
        f"START RequestId: {request_id} Version: {version.version}",
        *result.logs,
        f"END RequestId: {request_id}",
        "\t".join(
            [
                f"REPORT RequestId: {request_id}",
                f"Duration: {milliseconds:.2f} ms",
                f"Billed Duration: {milliseconds:.0f} ms",
                f"Memory Size: {version.memory_mb} MB",
            ]
        ),
    ]


def _version(configuration: Mapping[str, Any], code: Mapping[str, Any]) -> FunctionVersion:
    image = (configuration.get("ImageConfigResponse") or {}).get("ImageConfig") or {}
    logging = configuration.get("LoggingConfig") or {}
    arn = ":".join(configuration["FunctionArn"].split(":")[:7])
    image_uri = str(code.get("ResolvedImageUri") or code.get("ImageUri") or "")
    return FunctionVersion(
        arn=arn,
        version=configuration["Version"],
        revision=_revision(configuration, image_uri),
        image_uri=image_uri,
        role_arn=configuration["Role"],
        memory_mb=configuration.get("MemorySize", 128),
        timeout_s=configuration.get("Timeout", 3),
        environment=(configuration.get("Environment") or {}).get("Variables") or {},
        entry_point=tuple(image.get("EntryPoint") or ()),
        command=tuple(image.get("Command") or ()),
        working_directory=image.get("WorkingDirectory") or "",
        architecture=(configuration.get("Architectures") or ["x86_64"])[0],
        log_group=logging.get("LogGroup") or f"/aws/lambda/{configuration['FunctionName']}",
        log_format=logging.get("LogFormat") or "Text",
        log_level=logging.get("ApplicationLogLevel") or "",
    )


def _revision(configuration: Mapping[str, Any], image_uri: str) -> str:
    """Names this code and configuration: moto changes its RevisionId only for some updates."""
    volatile = {"ResponseMetadata", "RevisionId", "LastModified", "LastUpdateStatus", "State"}
    stable = {key: value for key, value in configuration.items() if key not in volatile}
    return str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([stable, image_uri], sort_keys=True, default=str)))


_COLONS_OF_QUALIFIED_ARN = 7


def split_name(name: str, qualifier: str = "") -> tuple[str, str]:
    """A function's name or ARN apart from the version or alias that either may end in."""
    if name.count(":") == _COLONS_OF_QUALIFIED_ARN or (not name.startswith("arn:") and ":" in name):
        name, _, qualifier = name.rpartition(":")
    return name, qualifier


def _name_and_qualifier(call: Call, request: HttpRequest) -> tuple[str, str]:
    query = dict(parse_qsl(request.query))
    return split_name(str(call.parameters["FunctionName"]), query.get("Qualifier", ""))


def _http_answer(result: InvocationResult, target: Target, *, wants_logs: bool) -> Answer:
    headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": target.version.version}
    if result.function_error:
        headers["X-Amz-Function-Error"] = result.function_error
    if wants_logs:
        tail = "\n".join(result.logs).encode()[-_LOG_TAIL_BYTES:]
        headers["X-Amz-Log-Result"] = base64.b64encode(tail).decode()
    return Answer(200, result.payload, headers)


def _destination_document(
    target: Target, payload: bytes, result: InvocationResult, attempts: int, now: datetime
) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"""
    failed = result.function_error is not None
    return {
        "version": "1.0",
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": f"{target.version.arn}:{target.version.version}",
            "condition": "RetriesExhausted" if failed else "Success",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(payload or b"{}"),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": target.version.version,
            **({"functionError": result.function_error} if failed else {}),
        },
        "responsePayload": json.loads(result.payload or b"null"),
    }
