"""Keep a record of what a deployment came to, whatever it comes to; a diary that cannot be written stops no deployment."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kuroshio.errors import KuroshioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.actions.job import Job
    from kuroshio.release.history import Deployment, History


@contextmanager
def kept(job: Job, history: History, deployment: Deployment, deployed: Mapping[str, str]) -> Iterator[None]:
    """Write that it began, and at the end what of it was ``deployed`` by then.

    A job that is killed in between leaves a record without an end, which counts as a failure.
    """
    _keep(job, history, deployment)
    try:
        yield
    finally:
        _keep(job, history, replace(deployment, ended=datetime.now(UTC), deployed=dict(deployed)))


def _keep(job: Job, history: History, deployment: Deployment) -> None:
    try:
        history.keep(deployment)
    except KuroshioError as error:
        job.note("warning", f"the figures of this deployment will be wrong: {error}")
