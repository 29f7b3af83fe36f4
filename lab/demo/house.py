"""Both stacks as a user deploys them, with a Mackerel beside them; every deployment is kept as the action keeps it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.adapters.deployment_history import DynamoHistory
from kuroshio.release.history import begun
from lab.clients import client
from lab.demo.stage import StepFailed
from lab.place import OPERATOR, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.release.history import Deployment
    from lab.demo.stage import Stage
    from lab.mackerel import Served

FOUNDATION, APPLICATION = "kuroshio-foundation-dev", "kuroshio-dev"
REPOSITORY = "kuroshio/kuroshio"
SERVICE = "kuroshio-dev"
KEY = "lab-key"


@dataclass
class House:
    """Runs on a lab that is up; ``env`` is what `kuroshio lab env` prints, ``mackerel`` what functions reach it under."""

    stage: Stage
    env: Mapping[str, str]
    checkout: Path
    served: Served
    mackerel: str
    is_deployed: bool = False

    def ensure(self) -> None:
        """Deploy both stacks, once, and make in Mackerel what it shall have."""
        if self.is_deployed:
            return
        sam = str(Path(sys.executable).with_name("sam"))
        deploy = (sam, "deploy", "--no-confirm-changeset", "--config-env")
        self.run("Build the functions' image", *kuroshio(), "image", "build", "--allow-dirty")
        self.run("Deploy the foundation", *deploy, "foundation-dev")
        self.run("Push the initial image", *kuroshio(), "image", "push", "--initial")
        secret = self.output(FOUNDATION, "MackerelKeyArn")
        self.aws("secretsmanager").put_secret_value(SecretId=secret, SecretString=KEY)
        parameters = (
            "Environment=dev",
            "ImageUri=/kuroshio/dev/image",
            f"Architecture={self.env['KUROSHIO_ARCHITECTURE']}",
            f"MackerelApiKeySecretArn={secret}",
            f"MackerelApiUrl={self.mackerel}",
        )
        self.apply()
        title = "Deploy the application, on the initial image"
        self.run(title, *deploy, "dev", "--parameter-overrides", *parameters)
        self.run("Push the image of this commit", *kuroshio(), "image", "push", "--allow-dirty")
        self.put_in_force("Put it in force")
        self.is_deployed = True

    def apply(self) -> None:
        """Make service, dashboard and monitors, with the key of the secret."""
        command = (*kuroshio(), "mackerel", "apply", "--yes", "--api-url", self.served.origin)
        self.run("Make service, dashboard and monitors in Mackerel", *command)

    def put_in_force(self, name: str, *options: str, accept: tuple[int, ...] = (0,)) -> None:
        """Deploy an image, and keep in the ledger what came of it: that is what spans and DORA figures are made of."""
        with self._kept() as deployed:
            command = (*kuroshio(), "image", "deploy", "--allow-dirty", *options)
            self.run(name, *command, accept=accept)
            if accept == (0,):
                deployed.update(dict.fromkeys(self._units(), ""))

    @contextlib.contextmanager
    def _kept(self) -> Iterator[dict[str, str]]:
        history = self._history()
        sha, time, message = self._git("log", "-1", "--format=%H%n%cI%n%s").splitlines()
        head = {"id": sha, "timestamp": time, "message": message}
        event = {"after": sha, "commits": [head], "head_commit": head}
        deployment, deployed = begun(event, f"{REPOSITORY}#demo", self._units(), datetime.now(UTC)), dict[str, str]()
        history.keep(deployment)
        try:
            yield deployed
        finally:
            history.keep(replace(deployment, ended=datetime.now(UTC), deployed=deployed))

    def deployments(self) -> list[Deployment]:
        """Those that were kept, as the ledger has them."""
        return self._history().since(datetime.now(UTC) - timedelta(days=1))

    def _history(self) -> DynamoHistory:
        os.environ.update(self.env)
        aws.forget_clients()
        return DynamoHistory(self.output(FOUNDATION, "LedgerTableName"))

    def _units(self) -> tuple[str, ...]:
        """The functions that an image puts in force."""
        functions = self.aws("lambda").list_functions()["Functions"]
        return tuple(sorted(each["FunctionName"].removeprefix(f"{APPLICATION}-") for each in functions))

    def invoke(self, function: str) -> dict[str, Any]:
        """Do at once what a schedule does later. Raises StepFailed where the function fails."""
        answer = self.aws("lambda").invoke(FunctionName=f"{APPLICATION}-{function}", Payload=b"{}")
        document = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise StepFailed(f"{function}: {document}")
        return dict(document)

    def run(
        self, name: str, *command: str, accept: tuple[int, ...] = (0,), env: Mapping[str, str] | None = None
    ) -> str:
        """Run a command as a step, in the lab's environment and what else ``env`` names."""
        return self.stage.run(name, *command, env={**self.env, **(env or {})}, cwd=self.checkout, accept=accept)

    def deploy(self, name: str, environment: str, *parameters: str) -> None:
        """Deploy a further stack, on the image that is in force; ``environment`` is one of samconfig.toml."""
        sam = str(Path(sys.executable).with_name("sam"))
        common = (
            "Environment=dev",
            "ImageUri=/kuroshio/dev/image",
            f"Architecture={self.env['KUROSHIO_ARCHITECTURE']}",
        )
        overrides = ("--parameter-overrides", *common, *parameters)
        self.run(name, sam, "deploy", "--no-confirm-changeset", "--config-env", environment, *overrides)

    def quietly(self, *command: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run a command that is no step of its own, and return what it printed. Raises StepFailed where it fails."""
        done = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, **self.env}, cwd=self.checkout, check=False
        )
        if done.returncode not in accept:
            raise StepFailed(f"{' '.join(command[1:])} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def aws(self, service: str) -> Any:
        """A client of the operator."""
        return client(service, self.env["AWS_ENDPOINT_URL"], REGION, OPERATOR)

    def output(self, stack: str, key: str) -> str:
        """An output of a stack."""
        [found] = self.aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(one["OutputValue"] for one in found["Outputs"] if one["OutputKey"] == key))

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(self.checkout), *arguments], check=True, capture_output=True, text=True)
        return done.stdout


def kuroshio() -> tuple[str, ...]:
    """The command, as it is installed beside this Python."""
    beside = Path(sys.executable).with_name("kuroshio")
    return (str(beside) if beside.exists() else str(shutil.which("kuroshio")),)
