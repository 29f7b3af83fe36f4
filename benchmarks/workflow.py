"""``make bench-workflow``: the workflow detect_changes in the lab, warm, from bundle to plan, in its parts.

The repository is that of bench-detect: 100,000 files, 1,000 units, one file changes. Both stacks are deployed as a user
deploys them, and pull requests are planned one after the other. The parts are what the function itself tells the
operator in its log; the execution's times are Step Functions' own. The first request finds no container and no analyses;
of the others each figure is the best. Parts overlap: git lists the tree while it looks for the merge base and compares.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.detect import build
from benchmarks.report import BENCH, Row, write
from lab.clients import client
from lab.demo.stage import Stage
from lab.place import OPERATOR, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HOUSE = Path(__file__).parents[1]
RUNS = 8
WITHIN_S = 60
LOGS = "/aws/lambda/kuroshio-dev-detect-changes"
KUROSHIO = str(Path(sys.executable).with_name("kuroshio"))
# As the function names them, in the order of the work; the indented ones are parts of the one above.
PARTS = {
    "fetch": "get the bundle from S3",
    "unpack": "unpack it (git bundle unbundle)",
    "kept_analyses": "get the kept analyses from S3",
    "observe": "observe both commits",
    "merge_base": "  find commits and merge base",
    "list": "  list the head's tree",
    "diff": "  compare the two trees",
    "read_and_analyse": "  read and analyse what is not kept",
    "compare": "compare units, decide",
    "write": "write report and plan to S3",
    "keep_analyses": "keep new analyses in S3",
    "in_all": "the function in all",
    "execution": "the execution, from start to end",
}


@dataclass(frozen=True)
class Lab:
    """A lab that is up, with both stacks."""

    env: Mapping[str, str]

    def aws(self, service: str) -> Any:
        """A client that may do anything."""
        return client(service, self.env["AWS_ENDPOINT_URL"], REGION, OPERATOR)

    def plan(self, repository: Path, number: int) -> dict[str, float]:
        """Plan one pull request; milliseconds by part."""
        where = ("--repo", str(repository), "--repository", "bench/shop", "--pr", str(number))
        run(self.env, "plan", "request", *where, "--base", "many", "--head", "many-one", "--wait", "--json")
        return eventually(lambda: self._parts(number)) | {"execution": self._execution(number)}

    def _parts(self, number: int) -> dict[str, float] | None:
        found = self.aws("logs").filter_log_events(logGroupName=LOGS, filterPattern='"plan timed"')["events"]
        lines = [json.loads(event["message"]) for event in found if '"plan timed"' in event["message"]]
        return next((line["milliseconds"] for line in lines if f"/pr-{number}/" in line["plan"]), None)

    def _execution(self, number: int) -> float:
        machines = self.aws("stepfunctions")
        [machine] = [each for each in machines.list_state_machines()["stateMachines"] if "detect" in each["name"]]
        found = machines.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        [one] = [each for each in found if f"-{number}-" in each["name"]]
        return float((one["stopDate"] - one["startDate"]).total_seconds() * 1000)


def main() -> None:
    """Bring a lab up, measure, print the table, write ``build/bench/workflow.json``, and take the lab down."""
    os.environ["KUROSHIO_LAB"] = "bench"
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        build(repository)
        run({}, "lab", "up", "--port", "0")
        try:
            env = json.loads(run({}, "lab", "env", "--json"))
            deploy(env)
            lab = Lab(env)
            write("workflow", rows([lab.plan(repository, number) for number in range(101, 102 + RUNS)]))
        finally:
            run({}, "lab", "down")


def deploy(env: Mapping[str, str]) -> None:
    """Deploy both stacks and this commit's image, by the commands that a user types."""
    sam = (str(Path(sys.executable).with_name("sam")), "deploy", "--no-confirm-changeset", "--config-env")
    given = ("Environment=dev", "ImageUri=/kuroshio/dev/image", f"Architecture={env['KUROSHIO_ARCHITECTURE']}")
    stage = Stage(BENCH / "workflow.log")
    for name, *command in (
        ("Build the functions' image", KUROSHIO, "image", "build", "--allow-dirty"),
        ("Deploy the foundation", *sam, "foundation-dev"),
        ("Push the initial image", KUROSHIO, "image", "push", "--initial"),
        ("Deploy the application, on the initial image", *sam, "dev", "--parameter-overrides", *given),
        ("Push the image of this commit", KUROSHIO, "image", "push", "--allow-dirty"),
        ("Put it in force", KUROSHIO, "image", "deploy", "--allow-dirty"),
    ):
        stage.run(name, *command, env=env, cwd=HOUSE)


def rows(runs: list[dict[str, float]]) -> Iterator[Row]:
    """The parts of a warm run, and what the first one took."""
    first, *warm = runs
    for part, words in PARTS.items():
        if all(part in each for each in warm):
            yield Row(words, min(each[part] for each in warm), "ms")
    yield Row("  of it outside of the function", min(each["execution"] - each["in_all"] for each in warm), "ms")
    yield Row("the first function: nothing kept, a new container", first["in_all"], "ms")


def run(env: Mapping[str, str], *arguments: str) -> str:
    """Run the command line; its standard output."""
    command = [KUROSHIO, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **env}, cwd=HOUSE)
    return done.stdout


def eventually(ask: Callable[[], dict[str, float] | None]) -> dict[str, float]:
    """Ask until there is an answer: logs come a moment after the function's. Raises TimeoutError."""
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        if (answer := ask()) is not None:
            return answer
        time.sleep(0.1)
    raise TimeoutError(f"the function's log has no timed plan within {WITHIN_S} s")


if __name__ == "__main__":
    main()
