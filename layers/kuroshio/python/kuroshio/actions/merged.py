"""Deploy what a push to the release branch really changed, as a step of a job."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kuroshio.actions import diary, session
from kuroshio.actions.job import Job
from kuroshio.errors import AccessRefused, NotFound, Outpaced
from kuroshio.github import comment, event, latest
from kuroshio.github import merged as report
from kuroshio.github.waves import waves
from kuroshio.release import commands, history
from kuroshio.release.derivation import Release, Straight, derive
from kuroshio.release.merges import Difference, differences, merged
from kuroshio.release.standing import Deployed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.adapters.git import Git
    from kuroshio.adapters.github import GitHub
    from kuroshio.release.commands import Commands, Errand
    from kuroshio.release.history import History
    from kuroshio.release.standing import Deployments

_ATTEMPTS = 10
_MAX_COMMITS = 250
_MAX_COMMENTS = 20


@dataclass
class Run:
    """One push and what is at hand for it."""

    job: Job
    push: event.Push
    deployments: Deployments
    history: History
    github: GitHub
    deployed: dict[str, str] = field(default_factory=dict)


def main(environ: Mapping[str, str]) -> int:
    """Find out what must be deployed, have it deployed, and record it; return the step's exit code.

    What is owed is written before anything runs and struck off afterwards: a job that is cancelled at any moment leaves
    behind at most a unit that is deployed once more.
    """
    from kuroshio.adapters.deployment_history import DynamoHistory
    from kuroshio.adapters.deployments import DynamoDeployments
    from kuroshio.adapters.git_remote import Remote
    from kuroshio.adapters.github import GitHub

    job = Job.of(environ)
    pushed = event.push(job.event())
    if isinstance(pushed, event.Nothing):
        return _nothing(job, pushed.why)
    wanted = commands.parse(job.input("deploy", needed=True))
    session.begin(job, job.input("role", needed=True))
    table = job.input("ledger-table", needed=True)
    branch = job.input("target") or pushed.branch
    github = GitHub(job.api, pushed.repository, job.input("token", needed=True))
    deployments = DynamoDeployments(table, pushed.repository, branch)
    run = Run(job, pushed, deployments, DynamoHistory(table), github)
    standing = run.deployments.standing()
    known = {standing.settled, pushed.before, *(debt.since for debt in standing.debts)} - {None, pushed.after}
    first, *more = sorted(each for each in known if each) or [pushed.after]
    with Remote(job.url, job.input("token")).fetched(first, pushed.after, *more) as repository:
        release = _opened(run, repository, wanted)
        if release is None:
            return _nothing(job, f"{pushed.after} is older than what is deployed, or nothing is affected and owed")
        told = _differences(run, repository)
    return _carried_out(run, release, told, wanted)


def _opened(run: Run, repository: Git, wanted: Commands) -> Release | None:
    """Write down what is owed, and return it; None when there is nothing to do. Raises Outpaced."""
    after = run.push.after
    for _ in range(_ATTEMPTS):
        standing = run.deployments.standing()
        settled = standing.settled
        if settled and settled != after and after in repository.merge_bases(settled, after):
            return None
        release = derive(repository, standing, run.push.before, after)
        wanted.errands(waves(release.plan.units))  # refuses a kind without a command before anything is written
        units = [unit.id for unit in release.plan.units]
        if settled == after and not units:
            return None
        try:
            run.deployments.move(standing.owing(units, settled or run.push.before or after, after))
        except Outpaced:
            continue
        return release if units else None
    raise Outpaced(f"other runs moved the deployment's standing {_ATTEMPTS} times; run this again")


def _differences(run: Run, repository: Git) -> dict[int, Difference]:
    """Compare what this push really changed with the stored plans of the pull requests that it merged."""
    from kuroshio.changes.detection import detect

    before, after = run.push.before, run.push.after
    if before is None or before == after:
        return {}
    commits = repository.first_parents(before, after, _MAX_COMMITS)
    numbers = merged(run.github, commits, run.push.branch)
    really = frozenset(unit.id for unit in detect(Straight(repository), before, after).units)
    return differences({number: _stored(run, number) for number in numbers}, really)


def _stored(run: Run, number: int) -> frozenset[str] | None:
    from kuroshio.adapters.latest_store import S3Pointers
    from kuroshio.adapters.plan_store import S3Plans
    from kuroshio.changes.rendering import document

    bucket = run.job.input("plan-bucket", needed=True)
    try:
        pointer = S3Pointers(bucket).read(latest.key(run.push.repository, number))
        plan = document.read(S3Plans(bucket).read(pointer.plan))
    except (NotFound, AccessRefused) as error:  # without s3:ListBucket, S3 refuses to say that there is none
        run.job.tell(f"pull request {number} has no stored plan: {error}")
        return None
    return frozenset(unit.id for unit in plan.units)


def _carried_out(run: Run, release: Release, told: dict[int, Difference], wanted: Commands) -> int:
    _say(run, release, told, report.Outcome())
    code, target = 0, f"{run.push.repository}#{run.job.input('target') or run.push.branch}"
    units = tuple(unit.id for unit in release.plan.units)
    begun = history.begun(run.job.event(), target, units, datetime.now(UTC))
    try:
        with diary.kept(run.job, run.history, begun, run.deployed):
            for errand in wanted.errands(waves(release.plan.units)):
                code = _deploy(run, release, errand)
                if code != 0:
                    break
    finally:
        _say(run, release, told, report.Outcome(frozenset(run.deployed), is_over=True))
        _answer(run, release)
    return code


def _deploy(run: Run, release: Release, errand: Errand) -> int:
    """Run one command and record what it deployed, also when it failed half-way."""
    from kuroshio.adapters import deploy_command

    run.job.tell(f"running {errand.command[0]} for {len(errand.units)} units")
    # Of a unit that is owed since an earlier push nobody knows what is deployed.
    certain = [unit.id for unit in errand.units if unit.id not in release.carried]
    deployed = {unit: run.deployments.digest(unit) for unit in certain}
    carried = deploy_command.run(errand, release.plan, _environment(run.job), deployed)
    code, done = carried.code, carried.digests
    changes = {unit.id: "equal" if unit.id in carried.equal else unit.change.value for unit in errand.units}
    for unit, digest in done.items():
        run.deployments.record(Deployed(unit, run.push.after, digest, datetime.now(UTC), changes[unit]))
    _paid(run, set(done))
    run.deployed |= done
    if carried.equal:
        run.job.tell(f"{len(carried.equal)} units were built as they are deployed")
    left = sorted(changes.keys() - done.keys())
    if code != 0 or left:
        run.job.note(
            "error", f"{errand.command[0]} ended with {code}; {len(left)} units stay owed: the next push has them"
        )
    return code or int(bool(left))


def _paid(run: Run, units: set[str]) -> None:
    for _ in range(_ATTEMPTS):
        try:
            run.deployments.move(run.deployments.standing().paid(units, run.push.after))
        except Outpaced:
            continue
        return
    raise Outpaced("what was deployed could not be struck off; it will be deployed once more")


def _environment(job: Job) -> dict[str, str]:
    """Return the job's environment for the user's command: without our inputs, with the keys of its own role."""
    ours = {name: value for name, value in job.environ.items() if not name.startswith("KUROSHIO_")}
    role = job.input("deploy-role")
    region = job.input("aws-region")
    return ours | ({"AWS_REGION": region, "AWS_DEFAULT_REGION": region} | session.keys(job, role) if role else {})


def _say(run: Run, release: Release, told: dict[int, Difference], outcome: report.Outcome) -> None:
    author = run.job.input("comment-author") or comment.AUTHOR
    for number, difference in list(told.items())[:_MAX_COMMENTS]:
        text = report.body(release, difference, outcome)
        try:
            comment.say(run.github, number, text, marker=report.MARKER, author=author)
        except AccessRefused as error:
            run.job.note("warning", f"the comment was not written; give `permissions: pull-requests: write`: {error}")
            return
    if outcome.is_over:
        run.job.summarize(report.body(release, None, outcome))


def _answer(run: Run, release: Release) -> None:
    units = [{"id": unit.id, "kind": unit.kind, "change": unit.change.value} for unit in release.plan.units]
    owed = [unit["id"] for unit in units if unit["id"] not in run.deployed]
    run.job.answer(
        status="failed" if owed else "deployed",
        changed="true",
        units=json.dumps(units),
        deployed=json.dumps(sorted(run.deployed)),
        owed=json.dumps(owed),
    )


def _nothing(job: Job, why: str) -> int:
    job.tell(f"nothing is run: {why}")
    job.answer(status="nothing", changed="false", units="[]", deployed="[]", owed="[]")
    return 0
