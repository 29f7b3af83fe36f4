"""Both stacks in a lab of real containers, deployed by the commands that users type, with a Mackerel beside it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import eventually
from witness import witness

from lab.clients import client
from lab.containers import network_name
from lab.engine import find
from lab.lifecycle import ask, need
from lab.mackerel import FakeMackerel, Rules, Served, serve
from lab.place import OPERATOR, REGION, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMITS = ("HEAD~3", "HEAD")
FOUNDATION, APPLICATION = "kuroshio-foundation-dev", "kuroshio-dev"


@dataclass(frozen=True)
class Deployed:
    environment: Mapping[str, str]
    parameters: tuple[str, ...] = ()

    def aws(self, service: str) -> Any:
        return client(service, self.environment["AWS_ENDPOINT_URL"], REGION, OPERATOR)

    def run(self, *command: str, accept: tuple[int, ...] = (0,), given: str | None = None) -> str:
        """Run a command of ours as a person would; its standard output. Fails with the end of its messages."""
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=CHECKOUT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            input=given,
        )
        assert done.returncode in accept, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def is_at_rest(self) -> bool:
        """Whether the lab did all that was asked of it: events, asynchronous invocations, messages. Waits for it first."""
        running = need(place_of(self.environment))
        return not ask(running, "POST", "clock", {"advance": 0})["restless"]

    def deploy(self, environment: str, *parameters: str) -> str:
        overrides = ("--parameter-overrides", *parameters) if parameters else ()
        return self.run("sam", "deploy", "--no-confirm-changeset", "--config-env", environment, *overrides)

    def output(self, stack: str, key: str) -> str:
        [found] = self.aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(one["OutputValue"] for one in found["Outputs"] if one["OutputKey"] == key))

    def plan(self, number: int, *, accept: tuple[int, ...] = (0, 3)) -> str:
        where = ("--repo", ".", "--repository", "kuroshio/kuroshio", "--pr", str(number))
        commits = ("--base", COMMITS[0], "--head", COMMITS[1])
        return self.run("kuroshio", "plan", "request", *where, *commits, "--wait", "--json", accept=accept)

    def execute(self, request: dict[str, Any]) -> dict[str, Any]:
        """Run the workflow to its end, as DescribeExecution tells it."""
        machine, sfn = self.output(APPLICATION, "DetectChangesWorkflowArn"), self.aws("stepfunctions")
        arn = sfn.start_execution(stateMachineArn=machine, name=str(uuid.uuid4()), input=json.dumps(request))[
            "executionArn"
        ]

        def ended() -> Any:
            seen = sfn.describe_execution(executionArn=arn)
            return seen if seen["status"] != "RUNNING" else None

        return dict(eventually(ended, within_s=60))


@contextmanager
def lab_with_both_stacks() -> Iterator[tuple[Deployed, Served]]:
    name = f"test-{secrets.token_hex(3)}"
    shell = Deployed({"KUROSHIO_LAB": name})
    shell.run("kuroshio", "lab", "up", "--port", "0", "--speed", "60")
    try:
        environment = {"KUROSHIO_LAB": name, **json.loads(shell.run("kuroshio", "lab", "env", "--json"))}
        place = place_of(environment)
        network = find().network(network_name(place), name)
        mackerel = FakeMackerel(rules=Rules(requests_per_minute=1000))
        with serve(mackerel, host=network.bind or "127.0.0.1") as served, witness(place, need(place)):
            origin = f"http://{network.host}:{served.origin.rpartition(':')[2]}"
            yield deploy_as_a_user_would(environment, origin), served
    finally:
        shell.run("kuroshio", "lab", "down")


def deploy_as_a_user_would(environment: Mapping[str, str], mackerel: str) -> Deployed:
    shell = Deployed(environment)
    shell.run("kuroshio", "image", "build", "--allow-dirty")
    shell.deploy("foundation-dev")
    shell.run("kuroshio", "image", "push", "--initial")
    secret = shell.output(FOUNDATION, "MackerelKeyArn")
    shell.aws("secretsmanager").put_secret_value(SecretId=secret, SecretString="lab-key")
    parameters = (
        "Environment=dev",
        "ImageUri=/kuroshio/dev/image",
        f"Architecture={environment['KUROSHIO_ARCHITECTURE']}",
        f"MackerelApiKeySecretArn={secret}",
        f"MackerelApiUrl={mackerel}",
        "MackerelCheckHost=true",
    )
    shell.deploy("dev", *parameters)
    shell.run("kuroshio", "image", "push", "--allow-dirty")
    shell.run("kuroshio", "image", "deploy", "--allow-dirty")
    return Deployed(environment, parameters)
