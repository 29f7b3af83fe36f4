"""``kuroshio plan``: ask the deployed workflow what a pull request changes, and read the plans that it published."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.detect import INCOMPLETE, render
from kuroshio.errors import ConfigurationMissing

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.executions import Execution
    from kuroshio.changes.request import DetectRequest

_FORMATS = click.Choice(["table", "json", "markdown"])


@dataclass(frozen=True)
class _Place:
    """Where the workflow and its buckets are: given by name, or looked up in the stacks of an environment."""

    env: str
    given: dict[str, str]

    def __getitem__(self, output: str) -> str:
        stack = f"kuroshio-{self.env}" if output == "DetectChangesWorkflowArn" else f"kuroshio-foundation-{self.env}"
        found = self.given.get(output) or self._lookup(stack).get(output)
        if not found:
            raise ConfigurationMissing(f"the stack {stack} has no output {output}; deploy it, or name it by an option")
        return found

    @staticmethod
    def _lookup(stack: str) -> dict[str, str]:
        from kuroshio.adapters.stack_outputs import outputs

        return outputs(stack)


def _for_a_pull_request(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which pull request, and where Kuroshio is deployed."""
    for option in reversed(
        [
            click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="The repository at hand."),
            click.option("--repository", required=True, metavar="OWNER/NAME", help="Its name on GitHub."),
            click.option("--pr", type=int, required=True, metavar="N", help="The number of the pull request."),
            click.option("--base", required=True, metavar="REV", help="The branch to merge into."),
            click.option("--head", required=True, metavar="REV", help="What is to be merged."),
            click.option(
                "--env", default="dev", show_default=True, help="Looks names up in the stacks kuroshio-…-ENV."
            ),
            click.option("--plan-bucket", envvar="KUROSHIO_PLAN_BUCKET", help="Instead of looking it up."),
            click.option("--format", "form", type=_FORMATS, default="table", show_default=True),
            click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
        ]
    ):
        command = option(command)
    return command


@click.group()
def plan() -> None:
    """Plans that the deployed workflow makes and keeps."""


@plan.command()
@_for_a_pull_request
@click.option("--incoming-bucket", envvar="KUROSHIO_INCOMING_BUCKET", help="Instead of looking it up.")
@click.option("--workflow-arn", envvar="KUROSHIO_DETECT_WORKFLOW_ARN", help="Instead of looking it up.")
@click.option("--wait/--no-wait", default=False, help="Wait for the plan and show it.")
@click.option("--whole", is_flag=True, help="Hand in all files, for a workflow of another version that reads more.")
@click.option("--timeout", type=float, default=900, show_default=True, help="Seconds to wait at most.")
def request(  # noqa: PLR0917 - click passes all by keyword
    repo: Path,
    repository: str,
    pr: int,
    base: str,
    head: str,
    env: str,
    plan_bucket: str | None,
    form: str,
    as_json: bool,  # noqa: FBT001
    incoming_bucket: str | None,
    workflow_arn: str | None,
    wait: bool,  # noqa: FBT001
    whole: bool,  # noqa: FBT001
    timeout: float,
) -> None:
    """Hand a pull request to the workflow detect_changes.

    Asking again for the same commits gives the same execution and the same plan. Without --wait, prints where the plan
    will be. Exit codes with --wait: 0 the plan is complete, 3 it is incomplete, 1 failed.
    """
    from kuroshio.adapters.executions import Executions

    given = {
        "IncomingBucketName": incoming_bucket or "",
        "PlanBucketName": plan_bucket or "",
        "DetectChangesWorkflowArn": workflow_arn or "",
    }
    place = _Place(env, given)
    asked = _request(repo, repository, pr, base, head)
    executions = Executions(place["DetectChangesWorkflowArn"])
    arn = _started(executions, asked, repo, place, whole=whole)
    if wait:
        executions.wait(arn, timeout, _progress)
        _show(place["PlanBucketName"], asked, "json" if as_json else form)
    started = {"execution": arn, "plan": asked.plan, "report": asked.report}
    click.echo(json.dumps(started, indent=2) if as_json else "\n".join(f"{k}: {v}" for k, v in started.items()))


@plan.command()
@_for_a_pull_request
def show(  # noqa: PLR0917 - click passes all by keyword
    repo: Path,
    repository: str,
    pr: int,
    base: str,
    head: str,
    env: str,
    plan_bucket: str | None,
    form: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show a plan that was published. Exit codes: 0 it is complete, 3 it is incomplete, 1 there is none."""
    place = _Place(env, {"PlanBucketName": plan_bucket or ""})
    asked = _request(repo, repository, pr, base, head)
    _show(place["PlanBucketName"], asked, "json" if as_json else form)


def _request(repo: Path, repository: str, pr: int, base: str, head: str) -> DetectRequest:
    from kuroshio.adapters.git import Git
    from kuroshio.changes.request import request as detect_request

    git = Git(repo)
    return detect_request(repository, pr, git.commit(base), git.commit(head))


def _started(executions: Any, asked: DetectRequest, repo: Path, place: _Place, *, whole: bool) -> str:
    """Return the execution that answers the request: the one there is, or a new one with its bundle handed in."""
    from kuroshio.adapters import bundling
    from kuroshio.adapters.bundles import S3Bundles
    from kuroshio.adapters.git import Git

    name, found = executions.find(asked.execution)
    if found:
        _say(f"this was asked before: {name} ({found.status})")
        arn: str = found.arn
        return arn
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        bundle = Path(folder) / "bundle"
        parcel = bundling.write(Git(repo), bundle, asked.base, asked.head, whole=whole)
        _say(f"handing in {parcel} as {asked.bundle}")
        S3Bundles(place["IncomingBucketName"]).put(asked.bundle, bundle)
    arn = executions.start(name, asked.document())
    _say(f"started {name}")
    return arn


def _show(bucket: str, asked: DetectRequest, form: str) -> None:
    from kuroshio.adapters.plan_store import S3Plans
    from kuroshio.changes.rendering import document

    found = document.read(S3Plans(bucket).read(asked.plan))
    render(found, form)
    sys.exit(0 if found.complete else INCOMPLETE)


def _progress(execution: Execution, waited: float) -> None:
    _say(f"{execution.status.lower()} for {waited:.0f} s")


def _say(message: str) -> None:
    click.echo(message, err=True)
