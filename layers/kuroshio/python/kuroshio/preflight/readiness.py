"""From what an account holds to what is still missing in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Secret:
    """A secret that a person enters. Its value is never read, only whether there is one."""

    name: str
    is_entered: bool


@dataclass(frozen=True)
class Account:
    """What was seen. ``outputs`` is None without a foundation; ``image`` is None without the parameter."""

    id: str
    region: str
    outputs: Mapping[str, str] | None
    image: str | None
    image_exists: bool
    secrets: tuple[Secret, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. ``said`` tells what was found, or what is missing and what to do about it."""

    subject: str
    is_ready: bool
    said: str


def findings(seen: Account, environment: str, expected_account: str | None = None) -> list[Finding]:
    """Return every finding, ready or not: all that is missing is named at once."""
    return [
        _account(seen, expected_account),
        _foundation(seen, environment),
        _image(seen, environment),
        *_secrets(seen),
    ]


def _account(seen: Account, expected: str | None) -> Finding:
    if expected and expected != seen.id:
        return Finding("account", is_ready=False, said=f"these credentials are of {seen.id}, not of {expected}")
    return Finding("account", is_ready=True, said=f"{seen.id} in {seen.region}")


def _foundation(seen: Account, environment: str) -> Finding:
    if seen.outputs is None:
        how = f"sam deploy --config-env foundation-{environment}"
        return Finding("foundation", is_ready=False, said=f"there is no stack kuroshio-foundation-{environment}: {how}")
    return Finding("foundation", is_ready=True, said=f"kuroshio-foundation-{environment}")


def _image(seen: Account, environment: str) -> Finding:
    if seen.image is None:
        return Finding("image", is_ready=False, said="no parameter names an image: the foundation makes it")
    if not seen.image_exists:
        how = f"kuroshio image push --initial --env {environment}"
        return Finding("image", is_ready=False, said=f"{seen.image} is not in the repository: {how}")
    return Finding("image", is_ready=True, said=seen.image)


def _secrets(seen: Account) -> Iterator[Finding]:
    for secret in seen.secrets:
        how = f"aws secretsmanager put-secret-value --secret-id {secret.name} --secret-string file:///dev/stdin"
        said = "entered" if secret.is_entered else f"nobody has entered it yet: {how}"
        yield Finding(f"secret {secret.name}", is_ready=secret.is_entered, said=said)
