"""AWS for this process only: what is taken here is seen by no other step of the job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kuroshio.adapters import aws, web_identity

if TYPE_CHECKING:
    from kuroshio.actions.job import Job


def begin(job: Job, role: str) -> None:
    """Take ``role`` with the job's token. Raises what ``web_identity.assume`` raises."""
    os.environ["AWS_REGION"] = os.environ["AWS_DEFAULT_REGION"] = job.input("aws-region", needed=True)
    aws.forget_clients()
    os.environ.update(keys(job, role))
    aws.forget_clients()


def keys(job: Job, role: str) -> dict[str, str]:
    """Return the keys of a role as environment variables; the job's log masks them."""
    taken = web_identity.assume(role, f"kuroshio-{job.run}", job.environ)
    return taken.environment()
