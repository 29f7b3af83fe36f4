"""Bring the clone to another engine version, in place. It must not follow meanwhile: the workflow stops that first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import guarding, ownership, progress
from kuroshio.aurora import request as requests
from kuroshio.errors import CloneFailed, RequestRefused

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.making import World
    from kuroshio.aurora.request import ReplicateRequest

# From the request until RDS's status says "upgrading", or an event why it will not.
_BEGUN_WITHIN = timedelta(minutes=10)
_OWN = frozenset({"binlog_format", "event_scheduler"})


class Upgrading:
    """The step ``upgrade`` of ``clone_cluster``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def upgrade(self, event: dict[str, Any]) -> dict[str, Any]:
        """Ask for the version once, and tell how far it is: ``available`` when the clone has it.

        Raises RequestRefused where the clone is not ready for it, CloneFailed where RDS gave it up; the clone then has its
        old version, and may follow on.
        """
        request = requests.parse(event["request"])
        clone = self._world.rds.cluster(request.clone)
        ownership.claim("cluster", clone.name, clone.tags, request)
        wanted = request.upgrade_to or clone.version
        now = progress.judge(clone, ownership.writer_of(request.clone))
        asked = self._world.ledger.read(request.clone, "upgrade")
        is_asked = asked is not None and asked["resource"] == clone.resource and asked["to"] == wanted
        if not now.is_ready:
            return {"status": now.status, "version": clone.version}
        if clone.version == wanted:
            # The restart has opened it for writes again.
            is_closed = guarding.close(self._world, request)
            return {"status": now.status if is_closed else "closing", "version": clone.version}
        if asked is not None and is_asked and asked.get("sent"):
            self._look(request, clone, asked)
            return {"status": "upgrading", "version": clone.version}
        followed = self._check(request, clone, wanted)
        family, before = self._world.rds.family(clone.engine, wanted), self._world.rds.group(clone.parameter_group)
        is_major = before is None or before.family != family
        group = ownership.group_of_clone(request.clone, family) if is_major else clone.parameter_group
        document = {
            "resource": clone.resource,
            "from": clone.version,
            "to": wanted,
            "followed": followed,
            "group": group,
        }
        self._world.ledger.put(request.clone, "upgrade", document)
        left_out = self._fill(request, clone, group, family, str(event.get("run", ""))) if is_major else []
        instance_group = f"default.{family}" if is_major else ""
        self._world.changes.upgrade(clone.name, wanted, group, is_major=is_major, instance_group=instance_group)
        self._world.ledger.put(request.clone, "upgrade", {**document, "sent": self._world.now(), "left_out": left_out})
        self._world.note(request, f"{clone.name} goes from {clone.version} to {wanted}", left_out=left_out)
        return {"status": "upgrading", "version": clone.version}

    def _check(self, request: ReplicateRequest, clone: Cluster, wanted: str) -> str:
        """Return up to where the clone had followed. Raises RequestRefused with all that stands against it."""
        targets = self._world.rds.upgrade_targets(clone.engine, clone.version)
        with self._world.databases.clone(request) as server:
            is_following, done = server.follows()
            against = server.open_work()
        if wanted not in targets:
            against.append(
                f"{clone.version} cannot become {wanted} in one step; it can become {', '.join(targets) or 'nothing'}"
            )
        if is_following:
            against.append("it follows its source just now: stop that first, and let it go on afterwards")
        waiting = [member.name for member in clone.members if member.applied not in ("", "in-sync")]
        if waiting:
            against.append(f"changed parameters wait for a restart of {', '.join(waiting)}")
        if against:
            raise RequestRefused(f"{clone.name} is not upgraded: {'; '.join(against)}")
        return done

    def _fill(self, request: ReplicateRequest, clone: Cluster, name: str, family: str, run: str) -> list[str]:
        """A group of the new family with what the old one's has that somebody set. Return what has no place there."""
        self._world.changes.create_group(name, family, ownership.tags(request, run))
        made = self._world.rds.group(name)
        ownership.claim("cluster parameter group", name, made.tags if made is not None else {}, request)
        values = {
            each.name: each.value
            for each in self._world.rds.parameters(clone.parameter_group)
            if each.source == "user" and each.value is not None
        }
        known = {each.name for each in self._world.rds.parameters(name) if each.modifiable}
        left_out = sorted(set(values) - known)
        left_out += self._world.changes.set_parameters(name, {key: values[key] for key in sorted(set(values) & known)})
        lost = sorted(_OWN.intersection(left_out))
        if lost:
            raise RequestRefused(
                f"the family {family} does not take {', '.join(lost)}, without which the clone is not guarded"
            )
        return left_out

    def _look(self, request: ReplicateRequest, clone: Cluster, asked: dict[str, Any]) -> None:
        """Raise CloneFailed where RDS has given the upgrade up: it says so in an event, and the version is the old one."""
        since = datetime.fromisoformat(asked["sent"])
        told = [each.message for each in self._world.rds.cluster_events(clone.name, since)]
        against = [text for text in told if "cannot be upgraded" in text or "upgrade failed" in text.lower()]
        if against or self._world.clock() - since > _BEGUN_WITHIN:
            self._world.ledger.put(request.clone, "upgrade", {**asked, "sent": ""})  # whoever asks again may try again
            said = "; ".join(against or told) or "no event says why"
            raise CloneFailed(
                f"{clone.name} was to become {asked['to']} and is {clone.status} with {clone.version}: {said}. "
                "The file upgrade-prechecks.log among its writer's logs tells more"
            )
