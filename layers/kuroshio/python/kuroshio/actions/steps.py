"""The steps of our actions by name."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from kuroshio.actions import cancelling, detect
from kuroshio.actions.job import Job
from kuroshio.errors import KuroshioError

if TYPE_CHECKING:
    from collections.abc import Mapping

_STEPS = {"detect": "kuroshio.actions.detect", "after-merge": "kuroshio.actions.merged"}


def run(step: str) -> int:
    """Run a step and return its exit code; an error of ours is shown on the run's page, never as a traceback.

    A step that was cancelled ends with 130 and says so; what it had written stays, whole.
    """
    environ = dict(os.environ)
    try:
        with cancelling.heeded():
            return _run(step, environ)
    except KeyboardInterrupt:
        code = detect.cancelled(Job(environ))
        cancelling.over()
        return code


def _run(step: str, environ: Mapping[str, str]) -> int:
    try:
        code: int = import_module(_STEPS[step]).main(environ)
    except KuroshioError as error:
        return detect.failed(Job(environ), error)
    return code
