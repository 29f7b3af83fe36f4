"""Let nobody but replication write on a clone before it takes over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora import ownership
from kuroshio.errors import CloneFailed

if TYPE_CHECKING:
    from kuroshio.aurora.making import World
    from kuroshio.aurora.request import ReplicateRequest


def close(world: World, request: ReplicateRequest) -> bool:
    """Hold the clone against what its group says, and refuse writes on it. False while RDS is not done with that.

    By the procedure, whose effect ends with a restart: a parameter would outlive the cut-over, and the next restart of what
    is then in production would refuse every write. Only versions without the procedure get the parameter.
    Raises CloneFailed where the clone is one that can have been written to, or cannot be verified.
    """
    with world.databases.clone(request) as server:
        guard = server.guard()
        lacking = [
            *(
                ["its event_scheduler is on: events of the source may have fired on it"]
                if guard.event_scheduler
                else []
            ),
            *([] if guard.log_bin else ["it writes no binlog of its own, by which others' writes would be found"]),
        ]
        if lacking:
            raise CloneFailed(
                f"{request.clone} started without the parameters of {ownership.group_of_clone(request.clone)}: "
                f"{'; '.join(lacking)}. Remove it and make it again"
            )
        if guard.read_only or server.refuse_writes():
            return True
    world.changes.set_parameters(world.rds.cluster(request.clone).parameter_group, {"read_only": "1"})
    return False
