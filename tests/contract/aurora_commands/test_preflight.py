"""`kuroshio aurora preflight` and the rehearsal of `replicate`, against Lambda's own form of an answer on a real socket."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

FINDINGS = [
    {"code": "binlog-off", "severity": "blocking", "message": "shop writes no binlog", "remedy": "Switch it on.", "about": []},
    {"code": "tables-without-key", "severity": "warning", "message": "12 tables", "remedy": "", "about": [f"shop.t{n}" for n in range(12)]},
    {"code": "engine", "severity": "fine", "message": "3.08.0", "remedy": "", "about": []},
]  # fmt: skip


@contextmanager
def function(answer: Any, *, failed: bool = False) -> Iterator[list[Any]]:
    """One that answers so; yields what it was asked."""
    asked: list[Any] = []

    class Invoke(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if failed:
                self.send_header("X-Amz-Function-Error", "Unhandled")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Invoke)
    Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
        aws.forget_clients()
        try:
            yield asked
        finally:
            server.shutdown()
            server.server_close()
            aws.forget_clients()


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    outputs = {"InspectClusterFunctionArn": {"Value": "arn:aws:lambda:ap-northeast-1:123456789012:function:inspect"}}
    template = {"Resources": {"Any": {"Type": "AWS::SQS::Queue"}}, "Outputs": outputs}
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        boto3.client("cloudformation").create_stack(StackName="kuroshio-aurora-dev", TemplateBody=json.dumps(template))
        yield


def run(*arguments: str) -> int:
    try:
        main(["aurora", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_all_findings_are_shown_with_what_to_do_and_what_stops_is_exit_code_3(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with function({"may_begin": False, "findings": FINDINGS}) as asked:
        assert run("preflight", "shop", "shop-next", "--override", "tables-without-key") == 3
    shown = capsys.readouterr().out
    assert "Switch it on." in shown
    assert "shop.t9" in shown
    assert "and 2 more (--json shows all)" in shown
    assert "3.08.0" not in shown
    assert "It would be refused: 1 stands in the way. 3 things were looked at, 1 is fine." in shown
    [event] = asked
    assert event["step"] == "look"
    assert event["request"]["overrides"] == ["tables-without-key"]
    assert event["by"].startswith("arn:aws:sts::123456789012:")


def test_where_nothing_stops_it_ends_with_0_and_as_json_has_everything(capsys: pytest.CaptureFixture[str]) -> None:
    with function({"may_begin": True, "findings": FINDINGS[1:]}):
        assert run("preflight", "shop", "shop-next", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"begins": True, "findings": FINDINGS[1:]}
    with function({"may_begin": True, "findings": FINDINGS[1:]}):
        assert run("preflight", "shop", "shop-next", "--all") == 0
    shown = capsys.readouterr().out
    assert "3.08.0" in shown
    assert "Nothing stands in the way." in shown


def test_a_rehearsal_shows_the_request_and_the_findings_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with function({"may_begin": False, "findings": FINDINGS}):
        assert run("replicate", "shop", "shop-next", "--dry-run", "--json") == 3
    shown = json.loads(capsys.readouterr().out)
    assert (shown["request"]["clone"], shown["begins"], shown["findings"]) == ("shop-next", False, FINDINGS)
    with function({"may_begin": True, "findings": []}):
        assert run("replicate", "shop", "shop-next", "--dry-run") == 0
    assert "nothing was started (--dry-run)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("InvalidRequest", 2, "kuroshio: InvalidRequest: no"),
        ("AccessRefused", 1, "kuroshio: AccessRefused: no"),
        ("Runtime.ExitError", 1, "kuroshio: WorkflowFailed: inspect: Runtime.ExitError: no"),
    ],
)
def test_an_error_of_the_function_is_told_as_what_it_is(
    error: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with function({"errorType": error, "errorMessage": "no"}, failed=True):
        assert run("preflight", "shop", "shop-next") == code
    assert said in capsys.readouterr().err
