"""Make the clone: its parameter group, the copy of the volume, its writer; and take all that away again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora import ownership, progress
from kuroshio.aurora import request as requests
from kuroshio.aurora.making import Making
from kuroshio.aurora.removing import Removing
from kuroshio.aurora.seeding import Seeding
from kuroshio.aurora.steps import dispatch
from kuroshio.aurora.upgrading import Upgrading
from kuroshio.errors import NotFound, RequestRefused, SeedRefused, ServiceUnavailable

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster, Parameter
    from kuroshio.aurora.making import World
    from kuroshio.aurora.request import ReplicateRequest

# Before the clone first starts: an event that exists on the source exists on its clone, enabled, and would write there;
# the clone's own binlog is what verification and a way back read. That nobody else writes is ``guarding``'s.
GUARDED = {"binlog_format": "ROW", "event_scheduler": "OFF"}


class CloneCluster:
    """The function ``clone_cluster``. Every step looks first and does what is left to do, so any may be repeated."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seeding, self._upgrading, self._removing = Seeding(world), Upgrading(world), Removing(world)

    def run(self, event: object) -> dict[str, Any]:
        """Do the step that the event names."""
        return dispatch(
            {
                "clone": self.clone,
                "instance": self.instance,
                "state": self.state,
                "seed": self._seeding.seed,
                "upgrade": self._upgrading.upgrade,
                "remove": self._removing.remove,
            },
            event,
        )

    def clone(self, event: dict[str, Any]) -> dict[str, Any]:
        """Ask for the clone. One that an earlier call or run made is taken over; one that is not ours is refused."""
        request, run = requests.parse(event["request"]), str(event.get("run", ""))
        found = self._mine(request)
        if found is not None:
            if found.status == "deleting":
                raise ServiceUnavailable(f"the earlier clone {found.name} is being removed still")
            return {"status": found.status}
        source = self._world.rds.cluster(request.source)
        if not source.members:
            raise RequestRefused(f"{source.name} has no instance: Aurora clones a cluster that has one")
        group = self._group(request, source, run)
        self._fence(request, source)
        self._world.changes.clone(
            Making(
                source=source.name,
                name=request.clone,
                group=group,
                subnet_group=request.options.subnet_group or source.subnet_group,
                security_groups=request.options.security_groups or source.security_groups,
                tags=ownership.clone_tags(request, run, source.tags),
            )
        )
        made = self._mine(request)
        self._world.note(request, f"the clone {request.clone} of {source.name} was asked for")
        return {"status": made.status if made is not None else "creating"}

    def _fence(self, request: ReplicateRequest, source: Cluster) -> None:
        """Keep how far the source is before it is copied: no true seed position lies before that."""
        with self._world.databases.source(request) as server:
            if not server.binlog().has_rows:
                raise SeedRefused(
                    f"{source.name} does not write rows to a binlog now, so a clone of it would begin nowhere: nothing was made"
                )
            position = server.position()
        kept = {"position": str(position), "source": source.resource, "at": self._world.now()}
        # Created only: that of a repeat may be later than the clone, whose request was taken though no answer came.
        self._world.ledger.create(request.clone, "fence", kept)

    def _group(self, request: ReplicateRequest, source: Cluster, run: str) -> str:
        """The clone's own parameter group, with the values of its source's or of the one that was asked for."""
        name, named = ownership.group_of_clone(request.clone), request.options.parameter_group or source.parameter_group
        base = self._world.rds.group(named)
        if base is None:
            raise NotFound(f"{self._world.rds.region} has no cluster parameter group {named}")
        copied = "" if base.is_default else base.name
        self._world.changes.create_group(name, base.family, ownership.tags(request, run), base=copied)
        made = self._world.rds.group(name)
        if made is None:
            raise ServiceUnavailable(f"the parameter group {name} was created and is not told of yet")
        ownership.claim("cluster parameter group", name, made.tags, request)
        before = {each.name: each for each in self._world.rds.parameters(name)}
        self._world.ledger.create(request.clone, "group", {"name": name, "as_source": _as_source(before)})
        filters = sorted(key for key, each in before.items() if _filters(key) and each.source == "user" and each.value)
        if filters:
            self._world.changes.reset_parameters(name, filters)
        refused = self._world.changes.set_parameters(name, GUARDED)
        if refused:
            raise RequestRefused(f"the family {base.family} of {name} does not know {', '.join(refused)}")
        return name

    def instance(self, event: dict[str, Any]) -> dict[str, Any]:
        """Ask for the clone's writer, once the cluster is available."""
        request, run = requests.parse(event["request"]), str(event.get("run", ""))
        clone, name = self._made(request), ownership.writer_of(request.clone)
        member = next((each for each in clone.members if each.name == name), None)
        if member is not None:
            return {"status": member.status}
        if not progress.judge(clone).is_ready:
            return {"status": clone.status}
        source = self._world.rds.cluster(request.source)
        if source.writer is None:
            raise RequestRefused(f"{source.name} has no writer, after which that of the clone would be made")
        # Before it is asked for: RDS sets InstanceCreateTime late, perhaps after the event that tells the position.
        kept = {"name": name, "resource": clone.resource, "at": self._world.now()}
        if not self._world.ledger.create(request.clone, "instance", kept) and not self._asked(request, clone):
            self._world.ledger.put(request.clone, "instance", kept)  # that was of an earlier clone of this name
        tags = ownership.clone_tags(request, run, source.writer.tags)
        wanted = request.options.instance_class or source.writer.instance_class
        self._world.changes.create_writer(clone.name, name, source.writer.name, wanted, tags)
        again = self._made(request)
        member = next((each for each in again.members if each.name == name), None)
        self._world.note(request, f"the instance {name} ({wanted}) was asked for")
        return {"status": member.status if member is not None else "creating"}

    def state(self, event: dict[str, Any]) -> dict[str, Any]:
        """How far RDS is with the clone, and with its writer from when that was asked for. Raises CloneFailed."""
        request = requests.parse(event["request"])
        clone = self._made(request)
        found = progress.judge(clone, ownership.writer_of(request.clone) if self._asked(request, clone) else "")
        return {"ready": found.is_ready, "status": found.status}

    # Common ------------------------------------------------------------------------------------------------------------

    def _asked(self, request: ReplicateRequest, clone: Cluster) -> bool:
        kept = self._world.ledger.read(request.clone, "instance")
        return kept is not None and kept["resource"] == clone.resource

    def _mine(self, request: ReplicateRequest) -> Cluster | None:
        try:
            found = self._world.rds.cluster(request.clone)
        except NotFound:
            return None
        ownership.claim("cluster", found.name, found.tags, request)
        return found

    def _made(self, request: ReplicateRequest) -> Cluster:
        found = self._mine(request)
        if found is None:
            raise NotFound(
                f"{self._world.rds.region} has no cluster {request.clone}: it was not made, or somebody removed it"
            )
        return found


def _as_source(parameters: dict[str, Parameter]) -> dict[str, str | None]:
    """What a clone that takes over must have again; None: the engine's own."""
    found = {name: parameters[name] for name in GUARDED if name in parameters}
    return {name: each.value if each.source == "user" else None for name, each in found.items()}


def _filters(name: str) -> bool:
    bare = name.replace("_", "-")
    return bare.startswith("replicate-") or bare in {"binlog-do-db", "binlog-ignore-db"}
