"""Learn where the clone begins in its source's binlog: from the event, held against both servers, kept once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import guarding, ownership
from kuroshio.aurora import request as requests
from kuroshio.aurora import seed as seeds
from kuroshio.aurora.position import Position
from kuroshio.errors import CloneFailed, NotFound, RequestRefused

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.making import World
    from kuroshio.aurora.request import ReplicateRequest

# RDS tells events within a minute or two of what they are about; nobody promises it.
PATIENCE = timedelta(minutes=15)
_KEPT = timedelta(days=14)  # by RDS
EARLY, ENHANCED = "early-seed", "enhanced-binlog"  # what a request may take upon itself


class Seeding:
    """The step ``seed`` of ``clone_cluster``."""

    def __init__(self, world: World) -> None:
        self._world = world

    def seed(self, event: dict[str, Any]) -> dict[str, Any]:
        """Where the clone begins; ``told`` is False while its event has not come.

        Raises SeedRefused where the position is missing, stale, ambiguous, early or none of the source's, CloneFailed where
        the clone did not come up guarded.
        """
        request = requests.parse(event["request"])
        clone = self._world.rds.cluster(request.clone)
        ownership.claim("cluster", clone.name, clone.tags, request)
        kept = self._kept(request, clone, "seed")
        if kept is None:
            found = self._told(request, clone)
            if found is None:
                return {"told": False, "position": ""}
            if not guarding.close(self._world, request):
                self._wait(request, clone, f"{clone.name} was told by its parameter group to be read-only, and is not")
                return {"told": False, "position": ""}
            at = self._check_source(request, found)
            kept = {**found.document(), "resource": clone.resource, "source_at": at, "checked_at": self._world.now()}
            kept = self._keep(request, clone, "seed", kept)
        return {"told": True, "position": kept["position"]}

    def _told(self, request: ReplicateRequest, clone: Cluster) -> seeds.Seed | None:
        """What the event tells, kept at once: a later event of the same text may be about the clone's own binlog."""
        kept = self._kept(request, clone, "told")
        if kept is not None:
            return seeds.Seed.parse(kept)
        asked = self._kept(request, clone, "instance")
        writer = next((each for each in clone.members if asked and each.name == asked["name"]), None)
        if writer is None or asked is None:
            raise RequestRefused(f"{clone.name} has no instance yet that could tell where it begins")
        since = datetime.fromisoformat(asked["at"])
        found = seeds.told(self._world.rds.events(writer.name, since), writer.name, since)
        if found is not None:
            return seeds.Seed.parse(
                self._keep(request, clone, "told", {**found.document(), "resource": clone.resource})
            )
        waited = self._waited(request, clone)
        if waited > PATIENCE:
            self._give_up(writer.name, since, waited)
        return None

    def _waited(self, request: ReplicateRequest, clone: Cluster) -> timedelta:
        first = {"resource": clone.resource, "at": self._world.now()}
        kept = self._keep(request, clone, "seed-awaited", first)
        return self._world.clock() - datetime.fromisoformat(kept["at"])

    def _wait(self, request: ReplicateRequest, clone: Cluster, why: str) -> None:
        if self._waited(request, clone) > PATIENCE:
            raise CloneFailed(f"{why} after {PATIENCE}")

    def _give_up(self, writer: str, since: datetime, waited: timedelta) -> None:
        everything = self._world.rds.events(writer, since - _KEPT)
        seeds.told(everything, writer, since)  # refuses a stale one by its own words
        raise seeds.never_told(
            writer, waited.total_seconds(), [each.message for each in everything if each.at >= since]
        )

    def _check_source(self, request: ReplicateRequest, found: seeds.Seed) -> str:
        with self._world.databases.source(request) as server:
            binlog, logs = server.binlog(), server.logs()
            try:
                at = str(server.position())
            except NotFound:
                at = ""
        enhanced = binlog.is_enhanced and ENHANCED not in request.overrides
        seeds.check(found, logs, log_bin=binlog.is_on, enhanced=enhanced)
        fence = self._world.ledger.read(request.clone, "fence")
        source = self._world.rds.cluster(request.source)
        if fence is not None and fence["source"] == source.resource and EARLY not in request.overrides:
            seeds.check_fence(found, Position.parse(fence["position"]))
        return at

    def _kept(self, request: ReplicateRequest, clone: Cluster, key: str) -> dict[str, Any] | None:
        """A record about this very clone; one about an earlier clone of its name is none."""
        found = self._world.ledger.read(request.clone, key)
        return found if found is not None and found.get("resource") == clone.resource else None

    def _keep(self, request: ReplicateRequest, clone: Cluster, key: str, document: dict[str, Any]) -> dict[str, Any]:
        """Create the record, and return what is kept now: what another call kept first stays."""
        if self._world.ledger.create(request.clone, key, document):
            return document
        found = self._kept(request, clone, key)
        if found is None:
            self._world.ledger.put(request.clone, key, document)
        return found or document
