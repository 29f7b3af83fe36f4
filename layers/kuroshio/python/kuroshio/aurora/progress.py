"""How far RDS is with a cluster: on the way, there, or given up. Words of its statuses are in the Aurora user guide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.errors import CloneFailed

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster

READY = "available"
# None of them ends by itself. All others do, and one that nobody knows yet is taken to: a wait has its own end.
_GIVEN_UP = {
    "cloning-failed": "RDS could not copy the volume",
    "deleting": "somebody removes it",
    "failed": "RDS gave it up",
    "inaccessible-encryption-credentials": "its KMS key cannot be used",
    "inaccessible-encryption-credentials-recoverable": "its KMS key cannot be used; allow it again and start the cluster",
    "incompatible-create": "RDS cannot make it of these settings",
    "incompatible-network": "its network does not suit: look at the subnets, their free addresses and the security groups",
    "incompatible-option-group": "its option group does not suit",
    "incompatible-parameters": "it does not start with its parameters: look at its parameter groups",
    "incompatible-restore": "RDS cannot restore it so",
    "insufficient-capacity": "AWS has no such instance there now: take another class",
    "migration-failed": "a migration failed",
    "restore-error": "the restore failed",
    "stopped": "somebody stopped it: start it",
    "stopping": "somebody stops it",
    "storage-full": "its storage is full",
}


@dataclass(frozen=True)
class Progress:
    """``status`` in RDS's words, of what is waited for."""

    is_ready: bool
    status: str


def judge(cluster: Cluster, writer: str = "") -> Progress:
    """Of a cluster, and of its instance ``writer`` where it must have one already. Raises CloneFailed where waiting is vain."""
    _go_on("cluster", cluster.name, cluster.status)
    if cluster.status != READY or not writer:
        return Progress(cluster.status == READY, cluster.status)
    member = next((each for each in cluster.members if each.name == writer), None)
    if member is None:
        return Progress(is_ready=False, status="creating")  # asked for, and not listed yet
    _go_on("instance", member.name, member.status)
    is_up = member.status == READY and member.is_writer
    return Progress(is_up, member.status or "creating")


def _go_on(kind: str, name: str, status: str) -> None:
    if status in _GIVEN_UP:
        raise CloneFailed(
            f"the {kind} {name} is {status}: {_GIVEN_UP[status]}. Remove the clone and make it again, or mend it"
        )
