"""``sam build`` and what it left: the local images of the template's functions."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.changes.document import load
from kuroshio.errors import ConfigurationMissing, DeploymentFailed, InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

BUILT = Path(".aws-sam/build/template.yaml")


def build(template: Path, parameters: Mapping[str, str]) -> str:
    """Build the image of the template's functions, progress on standard error, and return its local name.

    Functions with equal Metadata share one image. Raises DeploymentFailed where sam does, InvalidRequest where the
    template asks for other than one image.
    """
    command = [_program(), "build", "--template-file", str(template), "--cached", "--parallel"]
    if parameters:
        command += ["--parameter-overrides", *(f"{name}={value}" for name, value in parameters.items())]
    ended = subprocess.run(command, stdout=sys.stderr, check=False).returncode
    if ended:
        raise DeploymentFailed(f"`{' '.join(command)}` ended with {ended}; its messages are above")
    return _the_image(BUILT)


def _the_image(template: Path) -> str:
    """Functions with equal Metadata are built once, under the name of the first: the names differ, the image does not."""
    document = load(template.read_bytes())
    images = {
        resource["Properties"]["ImageUri"]
        for resource in document["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function" and "ImageUri" in resource["Properties"]
    }
    if len(images) != 1:
        raise InvalidRequest(f"{template} has {len(images)} images ({', '.join(sorted(images))}); one is expected")
    return str(images.pop())


def _program() -> str:
    """The sam of this Python's own environment before any other: its version is locked with the rest."""
    beside = Path(sys.executable).with_name("sam")
    found = str(beside) if beside.exists() else shutil.which("sam")
    if not found:
        raise ConfigurationMissing("sam is not installed; `make setup` installs it")
    return found
