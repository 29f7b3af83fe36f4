"""Take the clone away: its instances, the cluster, its parameter groups. Only what carries our tags for this very clone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora import ownership
from kuroshio.aurora import request as requests
from kuroshio.aurora.records import STATE, TAKEN_OVER
from kuroshio.errors import NotFound, PermanentError, RequestRefused

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.making import World
    from kuroshio.aurora.request import ReplicateRequest

# What the ledger keeps of one clone, and would be wrong of the next one of its name.
_RECORDS = ("seed", "told", "seed-awaited", "fence", "instance", "group", "upgrade", "following")


class Removing:
    """The step ``remove`` of ``clone_cluster``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def remove(self, event: dict[str, Any]) -> dict[str, Any]:
        """Go one step on. ``gone``: nothing is left to wait for; ``left`` then says what stays, and why.

        Raises RequestRefused for a clone that took over: it is the source now.
        """
        request = requests.parse(event["request"])
        phase = (self._world.ledger.read(request.clone, STATE) or {}).get("phase")
        if phase in TAKEN_OVER:
            raise RequestRefused(f"{request.clone} took over, or is about to (it is {phase}): it is not removed")
        clone = self._cluster(request)
        if clone is not None:
            left = self._refusal(clone, request)
            if left:
                return {"gone": True, "left": left}
            if clone.status != "deleting":
                self._delete(clone)
            return {"gone": False, "left": []}
        left, is_waiting = self._groups(request)
        if is_waiting:
            return {"gone": False, "left": []}
        for key in _RECORDS if not left else ():
            self._world.ledger.delete(request.clone, key)
        self._world.note(request, f"the clone {request.clone} is gone", left=left)
        return {"gone": True, "left": left}

    def _cluster(self, request: ReplicateRequest) -> Cluster | None:
        try:
            return self._world.rds.cluster(request.clone)
        except NotFound:
            return None

    def _refusal(self, clone: Cluster, request: ReplicateRequest) -> list[str]:
        if not ownership.is_ours(clone.tags, request):
            return [f"the cluster {clone.name} is not ours by its tags: nothing of it was touched"]
        if clone.protected:
            return [f"the cluster {clone.name} is protected from being deleted: switch that off and ask again"]
        strangers = [each.name for each in clone.members if not ownership.is_ours(each.tags, request)]
        if strangers:
            return [
                f"the cluster {clone.name} has {', '.join(strangers)}, not ours by the tags: remove it and ask again"
            ]
        return []

    def _delete(self, clone: Cluster) -> None:
        for member in sorted(clone.members, key=lambda each: each.is_writer):  # the writer last: no reader takes over
            if member.status != "deleting":
                self._world.changes.delete_instance(member.name)
        self._world.changes.delete_cluster(clone.name)

    def _groups(self, request: ReplicateRequest) -> tuple[list[str], bool]:
        """Remove the clone's parameter groups. Return what stays, and whether to ask again for one that is just let go."""
        left: list[str] = []
        is_waiting = False
        upgrade = self._world.ledger.read(request.clone, "upgrade") or {}
        for name in {ownership.group_of_clone(request.clone), upgrade.get("group", "")} - {""}:
            try:
                found = self._world.rds.group(name)
                if found is None:
                    continue
                if not ownership.is_ours(found.tags, request):
                    left.append(f"the parameter group {name} is not ours by its tags")
                elif not self._world.changes.delete_group(name):
                    users = self._world.rds.groups_used_by(name)
                    is_waiting |= not users
                    left += [f"the parameter group {name}: {', '.join(users)} has it"] if users else []
            except PermanentError as error:
                left.append(f"the parameter group {name}: {error}")
        return left, is_waiting
