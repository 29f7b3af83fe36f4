"""``kuroshio image``: build the functions' image, push it, and put it in force."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kuroshio.errors import DeploymentFailed, InvalidRequest, RepositoryUnreadable
from kuroshio.images.naming import INITIAL, tag_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.repository import EcrRepository
    from kuroshio.images.naming import PushedImage

_LOCAL = "kuroshio"
_RECIPE = "functions/Dockerfile"


@dataclass(frozen=True)
class _Source:
    """The checkout that an image is built from."""

    commit: str
    dirty: bool

    def tag(self, *, allow_dirty: bool) -> str:
        """A build of uncommitted work never takes the name of the commit, so it cannot be pushed by mistake."""
        return f"{tag_of(self.commit)}{'-dirty' if self.dirty and allow_dirty else ''}"


def _allow_dirty(command: Callable[..., None]) -> Callable[..., None]:
    told = "Take uncommitted work too, under a tag that says so: for trying, not for an account that others use."
    return click.option("--allow-dirty", is_flag=True, help=told)(command)


def _env(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--env", default="dev", show_default=True, help="The environment: stack kuroshio-ENV.")(command)


def _json(command: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(command)


@click.group()
def image() -> None:
    """The functions' image: build it, push it, put it in force.

    An image is tagged with the first 7 characters of its commit and deployed by its digest.
    """


@image.command()
@_allow_dirty
@click.option(
    "--architecture",
    type=click.Choice(["arm64", "x86_64"]),
    envvar="KUROSHIO_ARCHITECTURE",
    help="Of the functions; else the template's default.",
)
@_json
def build(*, allow_dirty: bool, architecture: str | None, as_json: bool) -> None:
    """Build the image of the checkout in this folder with `sam build`."""
    from kuroshio.adapters import sam
    from kuroshio.adapters.container_command import ContainerCommand

    source = _source()
    if source.dirty and not allow_dirty:
        raise InvalidRequest("there are uncommitted changes; commit them, or build with --allow-dirty")
    built = sam.build(Path("template.yaml"), {"Architecture": architecture} if architecture else {})
    engine = ContainerCommand.found()
    named = f"{_LOCAL}:{source.tag(allow_dirty=allow_dirty)}"
    engine.tag(built, named)
    _show({"image": named, "id": engine.image_id(named)}, as_json=as_json)


@image.command()
@_env
@click.option("--initial", is_flag=True, help="Build and push the tiny image of the very first deployment.")
@_allow_dirty
@click.option("--dry-run", is_flag=True, help="Say what would be pushed, and push nothing.")
@_json
def push(*, env: str, initial: bool, allow_dirty: bool, dry_run: bool, as_json: bool) -> None:
    """Push the image of this commit to the foundation's repository; one that is there already is left alone."""
    repository = _repository(env)
    tag = INITIAL if initial else _source().tag(allow_dirty=allow_dirty)
    found = repository.find(tag)
    if found or dry_run:
        told: dict[str, Any] = {"image": f"{repository.address}:{tag}", "pushed": False}
        _show({**told, "digest": found.digest if found else None, "would_push": not found}, as_json=as_json)
        return
    pushed = _pushed(repository, tag, initial=initial)
    _show({"image": f"{pushed.repository}:{pushed.tag}", "pushed": True, "digest": pushed.digest}, as_json=as_json)


@image.command()
@_env
@click.option("--tag", help="A pushed image's tag instead of this commit's: a way back.")
@_allow_dirty
@click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
@_json
def deploy(*, env: str, tag: str | None, allow_dirty: bool, dry_run: bool, as_json: bool) -> None:
    """Put a pushed image in force: the parameter, and every function of both stacks, without touching infrastructure."""
    from kuroshio.adapters.stacks import CloudFormationStack
    from kuroshio.images.rollout import roll_out

    wanted = _repository(env).get(tag or _source().tag(allow_dirty=allow_dirty)).pinned
    parameter = _parameter(env)
    if dry_run:
        now = parameter.read()
        _show({"image": wanted, "previous": now, "would_change": now != wanted}, as_json=as_json)
        return
    stacks = [CloudFormationStack(name, _say) for name in (f"kuroshio-{env}", f"kuroshio-aurora-{env}")]
    done = roll_out(wanted, parameter, stacks, _say)
    _show(asdict(done), as_json=as_json)


@image.command()
@_env
@_json
def status(*, env: str, as_json: bool) -> None:
    """Show the image in force, and whether it is the one of this commit."""
    source, now = _source(), _parameter(env).read()
    pushed = _repository(env).find(tag_of(source.commit))
    told = {
        "in_force": now,
        "commit": source.commit,
        "uncommitted_changes": source.dirty,
        "pushed": pushed.pinned if pushed else None,
        "is_this_commit": bool(pushed) and now == (pushed.pinned if pushed else ""),
    }
    _show(told, as_json=as_json)


def _pushed(repository: EcrRepository, tag: str, *, initial: bool) -> PushedImage:
    from kuroshio.adapters.container_command import ContainerCommand

    engine = ContainerCommand.found()
    local = f"{_LOCAL}:{tag}"
    if initial:
        _say(f"building {local}")
        engine.build(local, _RECIPE, target=INITIAL)
    elif not engine.has(local):
        raise DeploymentFailed(f"there is no local image {local}; build it first: kuroshio image build")
    _say(f"pushing {repository.address}:{tag}")
    engine.push(local, f"{repository.address}:{tag}", repository.login())
    return repository.get(tag)


def _repository(env: str) -> EcrRepository:
    from kuroshio.adapters.repository import EcrRepository
    from kuroshio.adapters.stack_outputs import outputs

    return EcrRepository(outputs(f"kuroshio-foundation-{env}")["RepositoryUri"])


def _parameter(env: str) -> Any:
    from kuroshio.adapters.parameters import SsmParameter

    return SsmParameter(f"/kuroshio/{env}/image")


def _source() -> _Source:
    return _Source(_git("rev-parse", "HEAD"), bool(_git("status", "--porcelain")))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RepositoryUnreadable(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def _show(result: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        click.echo(f"{name.replace('_', ' ')}: {'-' if value is None else value}")


def _say(message: str) -> None:
    click.echo(message, err=True)
