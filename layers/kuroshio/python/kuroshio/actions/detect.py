"""Plan a pull request, or a merge queue's group, as a step of a job."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.actions import cancelling
from kuroshio.actions.job import Job
from kuroshio.changes.rendering import document, markdown
from kuroshio.errors import (
    AccessRefused,
    ConfigurationMissing,
    KuroshioError,
    RepositoryUnreadable,
    WorkflowFailed,
)
from kuroshio.github import comment, event, latest
from kuroshio.github.waves import waves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.adapters.executions import Executions
    from kuroshio.adapters.git import Git
    from kuroshio.changes.plan import Plan
    from kuroshio.changes.request import DetectRequest

_TIMEOUT_S = 900
_DEPENDABOT = "dependabot[bot]"


@dataclass(frozen=True)
class Forecast:
    """A plan, how it came about, and how many bytes travelled for it."""

    plan: Plan
    report: str
    is_published: bool
    bundle_bytes: int = 0


def main(environ: Mapping[str, str]) -> int:
    """Plan what the event asks about, say so, and return the step's exit code. Raises what the adapters raise."""
    job = Job.of(environ)
    asked = event.subject(job.event_name, job.event(), job.run)
    if isinstance(asked, event.Nothing):
        job.tell(f"nothing to plan: {asked.why}")
        job.answer(status="skipped", changed="false", complete="true", units="[]")
        return 0
    forecast = _forecast(job, asked)
    status = _publish(job, asked, forecast)
    _answer(job, asked, forecast, status)
    return _verdict(job, forecast.plan)


def _forecast(job: Job, asked: event.Subject) -> Forecast:
    from kuroshio.adapters.git_remote import Remote
    from kuroshio.changes.request import request

    wanted = request(asked.repository, asked.number, asked.base, asked.head)
    with Remote(job.url, job.input("token")).fetched(asked.base, asked.head) as repository:
        if _is_local(job, asked):
            return _planned_here(repository, asked)
        return _planned_in_aws(job, repository, wanted)


def _is_local(job: Job, asked: event.Subject) -> bool:
    """Whether the plan is made on the runner. Raises ConfigurationMissing where a token should be here and is not."""
    from kuroshio.adapters.web_identity import is_offered

    if not job.input("role"):
        job.tell("no role is given: the plan is made on the runner and kept nowhere")
        return True
    if is_offered(job.environ):
        return False
    if not asked.is_fork and job.environ.get("GITHUB_ACTOR") != _DEPENDABOT:
        raise ConfigurationMissing("GitHub offers this job no token; give the job `permissions: id-token: write`")
    whose = "a fork" if asked.is_fork else "Dependabot"
    job.note("notice", f"A pull request of {whose} gets no token: it was planned on the runner, and is in the summary")
    return True


def _planned_here(repository: Git, asked: event.Subject) -> Forecast:
    from kuroshio.changes.detection import detect

    plan = detect(repository, asked.base, asked.head)
    return Forecast(plan, markdown.write(plan), is_published=False)


def _planned_in_aws(job: Job, repository: Git, wanted: DetectRequest) -> Forecast:
    from kuroshio.actions import session
    from kuroshio.adapters.executions import Executions
    from kuroshio.adapters.plan_store import S3Plans

    session.begin(job, job.input("role"))
    executions = Executions(job.input("workflow-arn", needed=True))
    try:
        size = _carried_out(job, executions, repository, wanted)
    except WorkflowFailed as failure:
        if failure.error != RepositoryUnreadable.__name__:
            raise
        job.tell("the workflow reads more than this action foresaw: of another version? it gets all files")
        size = _carried_out(job, executions, repository, wanted, whole=True)
    plans = S3Plans(job.input("plan-bucket", needed=True))
    plan = document.read(plans.read(wanted.plan))
    return Forecast(plan, plans.read(wanted.report).decode(), is_published=True, bundle_bytes=size)


def _carried_out(
    job: Job, executions: Executions, repository: Git, wanted: DetectRequest, *, whole: bool = False
) -> int:
    """Wait for the execution that answers the request, the one there is or a new one; return what was handed in."""
    name, found = executions.find(wanted.execution)
    size = 0 if found else _hand_in(job, repository, wanted, whole=whole)
    arn = found.arn if found else executions.start(name, wanted.document())
    executions.wait(arn, _TIMEOUT_S, lambda execution, waited: job.tell(f"{execution.status}: {waited:.0f} s"))
    return size


def _hand_in(job: Job, repository: Git, wanted: DetectRequest, *, whole: bool) -> int:
    from kuroshio.adapters import bundling
    from kuroshio.adapters.bundles import S3Bundles

    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        bundle = Path(folder) / "bundle"
        parcel = bundling.write(repository, bundle, wanted.base, wanted.head, whole=whole)
        job.tell(f"handing in {parcel} as {wanted.bundle}")
        S3Bundles(job.input("incoming-bucket", needed=True)).put(wanted.bundle, bundle)
    return parcel.size


def _publish(job: Job, asked: event.Subject, forecast: Forecast) -> str:
    """Move the pointer and write the comment; return "planned", or "overtaken" when a newer event is in force."""
    if asked.order is None:
        return "planned"
    if not forecast.is_published:
        return _say(job, asked, comment.body(forecast.report, forecast.plan, asked.order))
    from kuroshio.adapters.latest_store import S3Pointers
    from kuroshio.changes.request import request

    wanted = request(asked.repository, asked.number, asked.base, asked.head)
    pointers, key = S3Pointers(job.input("plan-bucket")), latest.key(asked.repository, asked.number)
    pointer = latest.Latest(asked.order, asked.head, asked.base, wanted.plan, wanted.report)
    if (in_force := pointers.move(key, pointer)) != pointer:
        job.tell(f"overtaken: {in_force.plan} is in force")
        return "overtaken"
    return _say(job, asked, comment.body(forecast.report, forecast.plan, asked.order))


def _say(job: Job, asked: event.Subject, text: str) -> str:
    """Write the comment where the job may."""
    from kuroshio.adapters.github import GitHub

    # A fork's token may write nothing; the summary has the plan.
    if job.choice("comment", ("true", "false")) == "false" or (asked.is_fork and not _writes_for_forks(job)):
        return "planned"
    github = GitHub(job.api, asked.repository, job.input("token", needed=True))
    try:
        is_written = comment.say(github, asked.number, text, author=job.input("comment-author") or comment.AUTHOR)
    except AccessRefused as error:
        job.note("warning", f"the comment was not written; give the job `permissions: pull-requests: write`: {error}")
        return "planned"
    return "planned" if is_written else "overtaken"


def _writes_for_forks(job: Job) -> bool:
    return job.event_name == "pull_request_target"


def _answer(job: Job, asked: event.Subject, forecast: Forecast, status: str) -> None:
    plan = forecast.plan
    job.summarize(comment.body(forecast.report, plan, None))
    units = [{"id": unit.id, "kind": unit.kind, "change": unit.change.value} for unit in plan.units]
    for wave in waves(plan.units):
        job.tell(f"travels: {wave}")
    job.answer(
        status=status,
        changed=_flag(bool(plan.units)),
        complete=_flag(plan.complete),
        published=_flag(forecast.is_published),
        units=json.dumps(units),
        base=asked.base,
        head=asked.head,
        bundle_bytes=str(forecast.bundle_bytes),
    )


def _verdict(job: Job, plan: Plan) -> int:
    level = job.choice("on-incomplete", ("warn", "fail", "pass"))
    if plan.complete or level == "pass":
        return 0
    said = "The plan is incomplete: what cannot be known is planned as changed; the summary says what and why"
    job.note("error" if level == "fail" else "warning", said)
    return 3 if level == "fail" else 0


def _flag(value: bool) -> str:  # noqa: FBT001 - the value itself is what is written
    return "true" if value else "false"


def failed(job: Job, error: KuroshioError) -> int:
    """Show a failure of ours beside the run, in the summary and as the output ``status``."""
    job.note("error", f"{type(error).__name__}: {error}")
    job.summarize(f"### Kuroshio could not finish\n\n    {type(error).__name__}: {' '.join(str(error).split())}\n")
    job.answer(status="failed")
    return error.exit_code


def cancelled(job: Job) -> int:
    """Show that the job was cancelled: plan, pointer and comment are as they were, or as they were to be."""
    job.note("warning", "The job was cancelled; run it again, or let the next event")
    job.answer(status="cancelled")
    return cancelling.CODE
