"""Let a clone follow its source: configured once, started, looked after, and let go.

Every step may be repeated at any moment: it looks at the clone first. The ledger's record ``following`` says what was
asked for, before it is asked for: ``host`` and ``port`` of the source, ``from``: the seed position, and whether somebody
stopped or detached it on purpose. What a server says otherwise is never overruled, but refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora import lag, replica, trouble
from kuroshio.aurora import request as requests
from kuroshio.aurora.position import Position
from kuroshio.aurora.replica import RECORD
from kuroshio.aurora.seed import Seed
from kuroshio.aurora.skipping import Skipping
from kuroshio.aurora.steps import dispatch
from kuroshio.aurora.watching import Watching
from kuroshio.errors import FollowRefused, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.sides import Clone, Figures, Objects, Origin, Sides


class Following:
    """The function ``follow_source``."""

    def __init__(
        self, sides: Sides, ledger: Ledger, objects: Objects, figures: Figures, clock: Callable[[], datetime]
    ) -> None:
        self._sides, self._ledger, self._clock = sides, ledger, clock
        self._watching = Watching(sides, ledger, figures, clock)
        self._skipping = Skipping(sides, ledger, objects, clock)

    def run(self, event: object) -> dict[str, Any]:
        """Do the step that the event names. Raises FollowRefused where the clone follows something else than it should."""
        steps: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "configure": self.configure,
            "start": self.start,
            "watch": self._watching.watch,
            "skip": self._skipping.skip,
            "stop": self.stop,
            "detach": self.detach,
        }
        return dispatch(steps, event)

    def configure(self, event: dict[str, Any]) -> dict[str, Any]:
        """Name the source and the seed position to the clone. One that has them already is left as it is."""
        request = requests.parse(event.get("request"))
        origin, begin = self._sides.origin(request), self._seed(request)
        kept = self._ledger.read(request.clone, RECORD)
        with self._sides.clone(request) as clone:
            status = clone.status()
            if status is not None:
                self._refuse_another(request, origin, begin, status, kept)
                self._keep(request, origin, begin, clone)
                return {}
            place = self._place(request, origin, begin, kept)
            if kept is None:
                self._keep(request, origin, begin, clone)
            clone.configure(origin, place)
            self._keep(request, origin, begin, clone)  # that it was detached is forgotten only when it is so no more
        self._note(request, event, f"configured to follow {origin.host}:{origin.port} from {place}")
        return {}

    def start(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let it run. An error that stops it again is for ``watch`` to tell."""
        request = requests.parse(event.get("request"))
        kept = self._ledger.read(request.clone, RECORD)
        if kept is not None and kept.get("stopped"):
            self._ledger.put(request.clone, RECORD, {**kept, "stopped": None})
        with self._sides.clone(request) as clone:
            status = clone.status()
            if status is None:
                raise FollowRefused(f"{request.clone} follows nobody yet: configure it first")
            if replica.runs(status):
                return {}
            try:
                clone.start()
            except RequestRefused:
                status = clone.status()
                if status is None or not (replica.runs(status) or trouble.found(status)):
                    raise
        self._note(request, event, "started")
        return {}

    def stop(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let it neither fetch nor apply, until ``start``."""
        request = requests.parse(event.get("request"))
        kept = self._ledger.read(request.clone, RECORD)
        if kept is not None and not kept.get("stopped"):
            self._ledger.put(request.clone, RECORD, {**kept, "stopped": self._clock().isoformat()})
        with self._sides.clone(request) as clone:
            replica.halt(clone)
        self._note(request, event, "stopped")
        return {}

    def detach(self, event: dict[str, Any]) -> dict[str, Any]:
        """Let it follow nobody. How far it had come is kept: a later ``configure`` goes on from there."""
        request = requests.parse(event.get("request"))
        with self._sides.clone(request) as clone:
            if clone.status() is None:
                return {}
            replica.halt(clone)
            done = replica.done_of(clone.status() or {})
            kept = self._ledger.read(request.clone, RECORD)
            if kept is not None and done is not None:
                detached = {"at": self._clock().isoformat(), "done": str(done)}
                self._ledger.put(request.clone, RECORD, {**kept, "detached": detached})
            clone.reset()
        self._note(request, event, f"detached at {done}")
        return {}

    def _seed(self, request: ReplicateRequest) -> Position:
        found = self._ledger.read(request.clone, "seed")
        if found is None:
            raise FollowRefused(f"the ledger has no seed position of {request.clone}: it would follow from anywhere")
        return Seed.parse(found).position

    def _refuse_another(
        self,
        request: ReplicateRequest,
        origin: Origin,
        begin: Position,
        status: Mapping[str, Any],
        kept: Mapping[str, Any] | None,
    ) -> None:
        """Take the clone's configuration for ours only where nothing says otherwise."""
        host, port = str(status.get("Source_Host")), int(status.get("Source_Port") or 0)
        if (host, port) != (origin.host, origin.port):
            raise FollowRefused(
                f"{request.clone} follows {host}:{port} and not {origin.host}:{origin.port}, the endpoint of {request.source}. "
                "Look at who set that; rds_reset_external_source lets it follow nobody"
            )
        done = replica.done_of(status)
        if done is None:
            return  # configured, and never started: MariaDB tells no position then
        if done < begin or (kept is None and done != begin):
            raise FollowRefused(
                f"{request.clone} follows {request.source} from another position: it stands at {done}, and begins at {begin}. "
                "What lies between was lost or done twice; make the clone again"
            )
        if kept is not None and kept["from"] != str(begin):
            raise FollowRefused(
                f"{request.clone} was set to follow from {kept['from']}, and its seed is {begin}: make the clone again"
            )

    def _place(
        self, request: ReplicateRequest, origin: Origin, begin: Position, kept: Mapping[str, Any] | None
    ) -> Position:
        """Where a clone that follows nobody has to begin."""
        if kept is None:
            return begin
        if (kept["from"], kept["host"], kept["port"]) != (str(begin), origin.host, origin.port):
            raise FollowRefused(
                f"{request.clone} was set to follow {kept['host']}:{kept['port']} from {kept['from']} before, and not "
                f"{origin.host}:{origin.port} from {begin}: make the clone again"
            )
        if kept.get("detached"):
            return Position.parse(kept["detached"]["done"])
        seen = lag.last(self._ledger, request.clone, self._clock())
        if seen is not None and seen.done is not None and seen.done > begin:
            raise FollowRefused(
                f"{request.clone} had done all up to {seen.done} at least, and follows nobody now: somebody reset it. From "
                f"{begin} it would do that twice; make the clone again"
            )
        return begin

    def _keep(self, request: ReplicateRequest, origin: Origin, begin: Position, clone: Clone) -> None:
        """Write down what it is to follow, or that it is not detached any more."""
        kept = self._ledger.read(request.clone, RECORD)
        if kept is not None:
            if kept.get("detached"):
                self._ledger.put(request.clone, RECORD, {**kept, "stopped": None, "detached": None})
            return
        own = clone.position()
        wanted = {
            "host": origin.host,
            "port": origin.port,
            "from": str(begin),
            "own": str(own) if own else None,
            "at": self._clock().isoformat(),
            "stopped": None,
            "detached": None,
        }
        self._ledger.create(request.clone, RECORD, wanted)

    def _note(self, request: ReplicateRequest, event: Mapping[str, Any], words: str) -> None:
        replica.note(self._ledger, request.clone, event, words, self._clock())
