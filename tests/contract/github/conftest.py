from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws

from kuroshio.actions import steps
from kuroshio.adapters import aws
from tests.fakes.git_repository import GitRepository
from tests.fakes.github_server import FakeGitHub, served

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

EVENTS = Path(__file__).parent / "events"
RUN = Path(__file__).parents[3] / ".github/actions/run.py"
TEMPLATE = """
Resources:
  Cart: {Type: AWS::Serverless::Function, Properties: {CodeUri: cart}}
  Mail: {Type: AWS::Serverless::Function, Properties: {CodeUri: mail}}
  Common: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: common}}
"""
FILES = {"t.yaml": TEMPLATE, "cart/a.txt": "1", "mail/a.txt": "1", "common/a.txt": "1"}
ROLE = "arn:aws:iam::123456789012:role/kuroshio-github"


@dataclass(frozen=True)
class Started:
    """A step that runs in a process of its own."""

    process: subprocess.Popen[bytes]
    environ: dict[str, str]

    def cancel(self, *signals: signal.Signals) -> None:
        for number in signals:
            self.process.send_signal(number)

    def ended(self) -> tuple[int, str, dict[str, str]]:
        """Wait; the exit code, what it printed, and its outputs."""
        said, _ = self.process.communicate(timeout=120)
        return self.process.returncode, said.decode(), outputs_of(Path(self.environ["GITHUB_OUTPUT"]).read_text())


@dataclass
class Runner:
    """A job on a runner: its environment, what it is asked, what it answers."""

    folder: Path
    github: FakeGitHub
    repository: GitRepository
    patch: pytest.MonkeyPatch
    environ: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def give(self, **variables: str) -> None:
        self.environ |= variables

    def run(self, step: str, event: str, base: str, head: str, *, run: int = 1, **pull: Any) -> int:
        """Run a step on a recorded event between two commits; ``pull`` replaces fields of its pull request."""
        environ = self.environment(event, base, head, run=run, **pull)
        with self.patch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            # What the step leaves in this process's environment is put back.
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
                patch.setenv(name, "testing")
            code = steps.run(step)
        self.outputs = outputs_of(Path(environ["GITHUB_OUTPUT"]).read_text())
        self.summary = Path(environ["GITHUB_STEP_SUMMARY"]).read_text()
        return code

    def begin(self, step: str, event: str, base: str, head: str, *, run: int = 1, **pull: Any) -> Started:
        """Start a step as the action does, in a process of its own with nothing of this one's environment."""
        environ = self.environment(event, base, head, run=run, **pull)
        kept = {name: os.environ[name] for name in ("PATH", "AWS_ENDPOINT_URL") if name in os.environ}
        command = [sys.executable, "-I", str(RUN), step]
        process = subprocess.Popen(command, env=kept | environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return Started(process, environ)

    def environment(self, event: str, base: str, head: str, *, run: int = 1, **pull: Any) -> dict[str, str]:
        """What GitHub gives to a job: variables, the event, and empty files for what it says."""
        text = (EVENTS / f"{event}.json").read_text().replace("$BASE", base).replace("$HEAD", head)
        document = json.loads(text)
        if pull:
            document["pull_request"] |= pull
        self.folder.joinpath(f"run-{run}").mkdir(exist_ok=True)
        files = {name: self.folder / f"run-{run}" / name for name in ("event", "output", "summary")}
        files["event"].write_text(json.dumps(document))
        files["output"].write_text("")
        files["summary"].write_text("")
        standard = {
            "GITHUB_EVENT_NAME": event.partition(".")[0],
            "GITHUB_EVENT_PATH": str(files["event"]),
            "GITHUB_OUTPUT": str(files["output"]),
            "GITHUB_STEP_SUMMARY": str(files["summary"]),
            "GITHUB_REPOSITORY": "octo/shop",
            "GITHUB_RUN_ID": str(run),
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": self.folder.as_uri(),
            "GITHUB_ACTOR": "ada",
            "KUROSHIO_TOKEN": "ghs_nothing",
        }
        return standard | self.environ

    def with_role(self) -> None:
        """What a job has that may take the role in AWS."""
        self.give(
            KUROSHIO_ROLE=ROLE,
            KUROSHIO_AWS_REGION="ap-northeast-1",
            KUROSHIO_INCOMING_BUCKET="incoming",
            KUROSHIO_PLAN_BUCKET="plans",
            ACTIONS_ID_TOKEN_REQUEST_URL=f"{self.github.url}/token?api=1",
            ACTIONS_ID_TOKEN_REQUEST_TOKEN="bearer",
        )


def outputs_of(text: str) -> dict[str, str]:
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        value = []
        while (each := next(lines)) != end:
            value.append(each)
        found[name] = "\n".join(value)
    return found


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """What the git server has of octo/shop."""
    path = tmp_path / "octo" / "shop"
    path.mkdir(parents=True)
    repository = GitRepository(path)
    # As GitHub: any commit can be fetched by its id.
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    return repository


@pytest.fixture
def runner(tmp_path: Path, repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    with served() as github:
        yield Runner(tmp_path, github, repository, monkeypatch)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """AWS in this process, with the buckets "incoming" and "plans"."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        aws.forget_clients()
        for bucket in ("incoming", "plans"):
            where = {"LocationConstraint": "ap-northeast-1"}
            aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration=where)  # type: ignore[arg-type]
        yield
    aws.forget_clients()
