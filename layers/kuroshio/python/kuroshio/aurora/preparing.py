"""Make a source ready to be followed: its binlog on, an account to read it by, and binlogs that stay long enough.

What was there before is in the ledger before it is changed, on a shelf of the source: clones of one source share it, and
the last that needs a change undoes it (``restoring``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import account as accounts
from kuroshio.aurora import ownership
from kuroshio.aurora import request as requests
from kuroshio.aurora.restoring import Restoring
from kuroshio.aurora.steps import dispatch
from kuroshio.errors import AccessRefused, InvalidRequest, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.aurora.cluster import Cluster, Parameter
    from kuroshio.aurora.making import Secret, Secrets, World
    from kuroshio.aurora.request import ReplicateRequest

ENGINE = "aurora-mysql"
ROWS = {"binlog_format": "ROW"}
_RESTARTED_WITHIN = timedelta(minutes=15)


class PrepareSource:
    """The function ``prepare_source``. Every step looks first and does what is left to do, so any may be repeated."""

    def __init__(self, world: World, secrets: Secrets, password: Callable[[], str] = accounts.password) -> None:
        self._world, self._secrets, self._password = world, secrets, password
        self._restoring = Restoring(world, secrets)

    def run(self, event: object) -> dict[str, Any]:
        """Do the step that the event names."""
        return dispatch(
            {
                "binlog_on": self.binlog_on,
                "reboot": self.reboot,
                "binlog_state": self.binlog_state,
                "account": self.account,
                "retention": self.retention,
                "restore": self._restoring.restore,
            },
            event,
        )

    # The binlog --------------------------------------------------------------------------------------------------------

    def binlog_on(self, event: dict[str, Any]) -> dict[str, Any]:
        """Set ``binlog_format`` to ROW where it is not, in a group that no other cluster has; it waits for a reboot then.

        ``group``: where it was set; ``instances``: those that restart, the writer first.
        """
        request = requests.parse(event["request"])
        cluster = self._source(request)
        with self._world.databases.source(request) as server:
            binlog = server.binlog()
        before = self._parameter(cluster.parameter_group)
        if not (binlog.has_rows and before is not None and before.value == "ROW"):
            self._set_rows(request, cluster, before, str(event.get("run", "")))
        if binlog.has_rows:
            return {"state": "on"}
        members = sorted(cluster.members, key=lambda member: not member.is_writer)
        group = self._source(request).parameter_group
        return {"state": "reboot", "group": group, "instances": [member.name for member in members]}

    def _set_rows(self, request: ReplicateRequest, cluster: Cluster, before: Parameter | None, run: str) -> None:
        own, now = ownership.group_of_source(request.source), cluster.parameter_group
        sharing = [name for name in self._world.rds.groups_used_by(now) if name != cluster.name]
        is_changeable = now == own or not (now.startswith("default.") or sharing)
        target = now if is_changeable else own
        shelf = ownership.shelf_of(request.source)
        self._need(request, "binlog")
        kept = {
            "resource": cluster.resource,
            "group": now,
            "value": before.value if before is not None and before.source == "user" else None,
            "changed": target,
            "by": request.clone,
            "run": run,
            "at": self._world.now(),
        }
        self._world.ledger.create(shelf, "before#binlog", kept)
        if not is_changeable:
            self._make_group(request, cluster, own)
        self._world.changes.set_parameters(target, ROWS)
        if target != now:
            self._world.changes.use_group(cluster.name, target)
        self._world.note(request, f"binlog_format = ROW in the parameter group {target} of {cluster.name}")

    def _make_group(self, request: ReplicateRequest, cluster: Cluster, name: str) -> None:
        """Of the source alone: with the values of the group that it has, which is Amazon's own or other clusters' too."""
        base = self._world.rds.group(cluster.parameter_group)
        if base is None:
            raise RequestRefused(f"RDS does not tell the parameter group {cluster.parameter_group} of {cluster.name}")
        tags = {ownership.CLONE_OF: request.source, "kuroshio:for": "source"}
        copied = "" if base.is_default else base.name
        self._world.changes.create_group(name, base.family, tags, base=copied)
        made = self._world.rds.group(name)
        if made is None or made.tags.get(ownership.CLONE_OF) != request.source:
            raise RequestRefused(
                f"there is a parameter group {name} already, and by its tags it is not ours: it is not changed. "
                f"Remove it, or give {cluster.name} a group of its own with binlog_format = ROW"
            )

    def reboot(self, event: dict[str, Any]) -> dict[str, Any]:
        """Restart the writer, unless the binlog is on or the restart has begun."""
        request = requests.parse(event["request"])
        cluster = self._source(request)
        names = [member.name for member in cluster.members]
        if any(member.status == "rebooting" for member in cluster.members):
            return {"rebooting": names}
        with self._world.databases.source(request) as server:
            if server.binlog().has_rows:
                return {"rebooting": []}
        writer = cluster.writer
        if writer is None:
            raise RequestRefused(f"{cluster.name} has no writer instance")
        if cluster.status != "available" or writer.status != "available" or writer.applied == "applying":
            raise ServiceUnavailable(
                f"{cluster.name} is {cluster.status}, its writer {writer.name} {writer.status}, its parameters "
                f"{writer.applied}: it is restarted when all that is done"
            )
        self._world.ledger.create(request.clone, "reboot", {"instances": names, "at": self._world.now()})
        self._world.changes.reboot(writer.name)
        self._world.note(request, f"{writer.name} restarts, to switch the binlog of {cluster.name} on")
        return {"rebooting": names}

    def binlog_state(self, event: dict[str, Any]) -> dict[str, Any]:
        """Ask the writer itself; the API calls parameters in sync that are not in force."""
        request = requests.parse(event["request"])
        cluster = self._source(request)
        if any(member.status != "available" for member in cluster.members):
            return {"state": "applying"}
        try:
            with self._world.databases.source(request) as server:
                binlog = server.binlog()
        except ServiceUnavailable:  # it is just now down, or comes up
            return {"state": "applying"}
        restart = self._world.ledger.read(request.clone, "reboot")
        if binlog.has_rows:
            return {"state": "applying" if restart and self._restart_reader(request, cluster) else "on"}
        if restart and self._world.clock() - datetime.fromisoformat(restart["at"]) > _RESTARTED_WITHIN:
            raise RequestRefused(
                f"{cluster.name} was told to restart at {restart['at']} and is available, but its log_bin is "
                f"{'on' if binlog.is_on else 'off'} and its binlog_format {binlog.form}; the parameter group "
                f"{cluster.parameter_group} has not come into force. Look at the group, and restart the writer by hand"
            )
        return {"state": "applying"}

    def _restart_reader(self, request: ReplicateRequest, cluster: Cluster) -> bool:
        """Since Aurora 2.10 readers stay up when the writer restarts, and one that takes over must write the binlog too."""
        for member in cluster.members:
            waits = not member.is_writer and member.applied == "pending-reboot"
            if waits and self._world.ledger.create(request.clone, f"reboot#{member.name}", {"at": self._world.now()}):
                self._world.changes.reboot(member.name)
                self._world.note(request, f"{member.name}, a reader, restarts too")
                return True
        return False

    # The account -------------------------------------------------------------------------------------------------------

    def account(self, event: dict[str, Any]) -> dict[str, Any]:
        """Make the login by which the clone follows, and prove it: in Secrets Manager first, then on the source."""
        request = requests.parse(event["request"])
        cluster = self._source(request)
        self._need_too(request, "binlog")
        user, name = ownership.user_of(request.clone), ownership.secret_of(request.clone)
        kept = {"user": user, "source": request.source, "resource": cluster.resource, "at": self._world.now()}
        self._world.ledger.create(request.clone, "account", {**kept, "secret": ""})
        secret = self._secret(request, name, user, str(event.get("run", "")))
        self._world.ledger.put(request.clone, "account", {**kept, "secret": secret.arn})
        with self._world.databases.source(request) as server:
            found = server.account(user)
            if found is not None:
                found.refuse_more()
            if found is None or not found.is_right or not self._opens(request, secret):
                server.write_account(user, secret.password)
                found = server.account(user)
                self._world.note(request, f"the account {user} on {cluster.name}, for replication over TLS only")
        if found is None or not found.is_right or not self._opens(request, secret):
            raise RequestRefused(
                f"the account {user} was made on {cluster.name}, but it does not open its binlog over TLS"
            )
        return {"secret": secret.arn, "user": user}

    def _secret(self, request: ReplicateRequest, name: str, user: str, run: str) -> Secret:
        found = self._secrets.find(name)
        if found is None:
            self._secrets.create(name, user, self._password(), ownership.tags(request, run))
            found = self._secrets.find(name)  # not what was sent: another run may have been faster
        if found is None:
            raise ServiceUnavailable(f"the secret {name} was created and is not to be read yet")
        ownership.claim("secret", name, found.tags, request)
        if found.user != user:
            raise RequestRefused(f"the secret {name} has the user {found.user!r} and not {user}: remove it")
        return found

    def _opens(self, request: ReplicateRequest, secret: Secret) -> bool:
        try:
            with self._world.databases.as_account(request, secret.user, secret.password) as server:
                server.position()
        except AccessRefused:
            return False
        return True

    # Retention ---------------------------------------------------------------------------------------------------------

    def retention(self, event: dict[str, Any]) -> dict[str, Any]:
        """Keep binlogs for at least the hours of the request. ``before``: what was set before anybody changed it."""
        request = requests.parse(event["request"])
        cluster = self._source(request)
        shelf, wanted = ownership.shelf_of(request.source), request.retention_hours
        with self._world.databases.source(request) as server:
            now = server.retention()
            if now is None or now < wanted:
                self._need(request, "retention")
                kept = {
                    "resource": cluster.resource,
                    "hours": now,
                    "by": request.clone,
                    "at": self._world.now(),
                }
                self._world.ledger.create(shelf, "before#retention", kept)
                server.keep_binlogs(wanted)
                self._world.ledger.put(shelf, "set#retention", {"hours": wanted, "by": request.clone})
                self._world.note(
                    request, f"{cluster.name} keeps its binlogs for {wanted} hours; before: {now or 'no time set'}"
                )
                now = wanted
            else:
                self._need_too(request, "retention")
        before = self._world.ledger.read(shelf, "before#retention")
        return {"hours": now, "before": now if before is None else before["hours"]}

    # Common ------------------------------------------------------------------------------------------------------------

    def _source(self, request: ReplicateRequest) -> Cluster:
        cluster = self._world.rds.cluster(request.source)
        if cluster.engine != ENGINE:
            raise InvalidRequest(
                f"{cluster.name} is of the engine {cluster.engine}, which is not supported; {ENGINE} is. Nothing was changed"
            )
        return cluster

    def _parameter(self, group: str) -> Parameter | None:
        return next((each for each in self._world.rds.parameters(group) if each.name == "binlog_format"), None)

    def _need_too(self, request: ReplicateRequest, what: str) -> None:
        """The same, where another clone had it changed."""
        if self._world.ledger.read(ownership.shelf_of(request.source), f"before#{what}") is not None:
            self._need(request, what)

    def _need(self, request: ReplicateRequest, what: str) -> None:
        """Say that this clone needs the change as long as it lives, before anything is changed."""
        document = {"clone": request.clone, "hours": request.retention_hours, "at": self._world.now()}
        self._world.ledger.put(ownership.shelf_of(request.source), f"need#{what}#{request.clone}", document)
