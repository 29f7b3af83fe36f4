"""Undo on a source what was changed there for a clone, and nothing else: the ledger says what that was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora import ownership
from kuroshio.aurora import request as requests
from kuroshio.aurora.records import STATE, TAKEN_OVER
from kuroshio.errors import PermanentError, RequestRefused

if TYPE_CHECKING:
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.making import Database, Secrets, World
    from kuroshio.aurora.request import ReplicateRequest


class Restoring:
    """The step ``restore`` of ``prepare_source``: the secret, the account, the retention, the binlog."""

    def __init__(self, world: World, secrets: Secrets) -> None:
        self._world, self._secrets = world, secrets

    def restore(self, event: dict[str, Any]) -> dict[str, Any]:
        """Undo all of it, each part whatever becomes of the others. ``left``: what could not be undone, and why.

        Raises ServiceUnavailable; a repeat goes on where it was.
        """
        request = requests.parse(event["request"])
        if self._is_followed(request):
            return {
                "left": [f"the source stays prepared: the clone {request.clone} is still there, and would lose its way"]
            }
        left: list[str] = []
        parts = (
            ("the secret", self._secret),
            ("the account", self._account),
            ("the retention of binlogs", self._retention),
            ("the binlog", self._binlog),
        )
        for what, undo in parts:
            try:
                left += undo(request)
            except PermanentError as error:
                left.append(f"{what}: {error}")
        for record in ("reboot", *(f"reboot#{name}" for name in self._restarted(request))):
            self._world.ledger.delete(request.clone, record)
        self._world.note(request, "the source was restored", left=left)
        return {"left": left}

    def _is_followed(self, request: ReplicateRequest) -> bool:
        """Whether our clone is there and has not taken over: one that did is called otherwise, or follows nobody."""
        phase = (self._world.ledger.read(request.clone, STATE) or {}).get("phase")
        clones = [each for each in self._world.rds.clusters() if each.name == request.clone]
        is_there = any(ownership.is_ours(each.tags, request) and each.status != "deleting" for each in clones)
        return is_there and phase not in TAKEN_OVER

    def _restarted(self, request: ReplicateRequest) -> list[str]:
        record = self._world.ledger.read(request.clone, "reboot")
        return [] if record is None else list(record["instances"])

    def _secret(self, request: ReplicateRequest) -> list[str]:
        name = ownership.secret_of(request.clone)
        found = self._secrets.find(name)
        if found is None:
            return []
        ownership.claim("secret", name, found.tags, request)
        self._secrets.delete(name)
        return []

    def _account(self, request: ReplicateRequest) -> list[str]:
        kept = self._world.ledger.read(request.clone, "account")
        if kept is None:
            return []
        cluster = self._now(kept["resource"])
        if cluster is not None:
            try:
                with self._world.databases.of(cluster, request) as server:
                    server.drop_account(kept["user"])
            except PermanentError as error:
                user = kept["user"]
                raise RequestRefused(f"{error}. By hand on {cluster.name}: DROP USER IF EXISTS '{user}'@'%'") from error
        self._world.ledger.delete(request.clone, "account")
        return []

    def _retention(self, request: ReplicateRequest) -> list[str]:
        shelf = ownership.shelf_of(request.source)
        before = self._released(request, "retention")
        if isinstance(before, list):
            return before
        cluster = self._now(before["resource"])
        changed = self._world.ledger.read(shelf, "set#retention")
        left = []
        if cluster is not None:
            with self._world.databases.of(cluster, request) as server:
                left = _retain(server, cluster, before["hours"], changed["hours"] if changed else None)
        self._world.ledger.delete(shelf, "set#retention")
        self._world.ledger.delete(shelf, "before#retention")
        return left

    def _binlog(self, request: ReplicateRequest) -> list[str]:
        before = self._released(request, "binlog")
        if isinstance(before, list):
            return before
        cluster = self._now(before["resource"])
        if cluster is not None:
            with self._world.databases.of(cluster, request) as server:
                # That of a clone that is gone stays listed until the source next writes to it.
                mine = f"{ownership.user_of(request.clone)} "
                readers = [each for each in server.readers() if not each.startswith(mine)]
            if readers:
                return [f"binlog_format of {cluster.name} stays ROW: {', '.join(readers)} reads the binlog"]
            if not self._undo_group(cluster, before):
                name = before["changed"]
                return [
                    f"the parameter group {name} of {cluster.name} was changed by somebody since: it stays as it is"
                ]
        left = self._remove_group(request, before)
        if not left:
            self._world.ledger.delete(ownership.shelf_of(request.source), "before#binlog")
            if cluster is not None and cluster.members:
                left = [f"{cluster.name} writes its binlog until it next restarts: nothing was restarted for that"]
        return left

    def _undo_group(self, cluster: Cluster, before: dict[str, Any]) -> bool:
        """Set the parameter back, or give the cluster back its group. False where neither is as we left it."""
        changed = before["changed"]
        if cluster.parameter_group == before["group"] != changed:
            return True  # done by an earlier call
        if cluster.parameter_group != changed:
            return False
        now = next((each for each in self._world.rds.parameters(changed) if each.name == "binlog_format"), None)
        is_back = now is not None and (now.value if now.source == "user" else None) == before["value"]
        if not is_back and (now is None or now.value != "ROW"):
            return False
        if changed != before["group"]:
            self._world.changes.use_group(cluster.name, before["group"])
        elif not is_back and before["value"] is None:
            self._world.changes.reset_parameters(changed, ["binlog_format"])
        elif not is_back:
            self._world.changes.set_parameters(changed, {"binlog_format": before["value"]})
        return True

    def _remove_group(self, request: ReplicateRequest, before: dict[str, Any]) -> list[str]:
        """The source's own group, where it was made by us and is needed no more."""
        name = before["changed"]
        found = self._world.rds.group(name) if name == ownership.group_of_source(request.source) else None
        if found is None or found.tags.get(ownership.CLONE_OF) != request.source:
            return []
        if self._world.changes.delete_group(name):
            return []
        return [f"the parameter group {name}: RDS still counts it as used; remove it, or ask for this again"]

    def _released(self, request: ReplicateRequest, what: str) -> dict[str, Any] | list[str]:
        """What was before, where no other clone needs the change; else why it stays."""
        shelf = ownership.shelf_of(request.source)
        self._world.ledger.delete(shelf, f"need#{what}#{request.clone}")
        before = self._world.ledger.read(shelf, f"before#{what}")
        if before is None:
            return []
        others = [record["clone"] for record in self._world.ledger.all(shelf, f"need#{what}#")]
        if others:
            return [f"the {what} of {request.source} stays as it is: {', '.join(others)} needs it"]
        return before

    def _now(self, resource: str) -> Cluster | None:
        """The cluster that was prepared, whatever it is called after a cut-over; None where it is no more."""
        return next((each for each in self._world.rds.clusters() if each.resource == resource), None)


def _retain(server: Database, cluster: Cluster, before: int | None, ours: int | None) -> list[str]:
    now = server.retention()
    if now == before:
        return []
    if ours is not None and now != ours:
        return [f"{cluster.name} keeps its binlogs for {now or 'no set'} hours, which somebody set since: it stays so"]
    server.keep_binlogs(before)
    return []
