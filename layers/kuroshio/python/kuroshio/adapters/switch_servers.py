"""The two clusters of a cut-over: where they are, who may log in, and what applications know them by."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.adapters.cluster_name import ClusterName, Holder
from kuroshio.adapters.cluster_renaming import RdsNames
from kuroshio.adapters.moved_names import Address, DnsRecord, NameParameter, SecretHost
from kuroshio.adapters.mysql import Login
from kuroshio.adapters.switch_facts import SwitchLook
from kuroshio.adapters.switch_groups import SwitchGroups
from kuroshio.adapters.switch_sides import SwitchedSource, SwitchedTarget
from kuroshio.aurora.records import STATE
from kuroshio.errors import NotFound, RequestRefused

if TYPE_CHECKING:
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.conditions import SwitchFacts
    from kuroshio.aurora.cutover import Name
    from kuroshio.aurora.cutover_request import CutOverRequest
    from kuroshio.aurora.records import Ledger

_SOURCE = "source"


class SwitchServers:
    """Implements ``switching.Servers``. A side keeps the name of an instance: its cluster may be renamed."""

    def __init__(self, rds: RdsClusters, logins: DatabaseLogins, ledger: Ledger) -> None:
        self._rds, self._logins, self._ledger = rds, logins, ledger
        self._names = RdsNames()

    def side(self, request: CutOverRequest, role: str) -> dict[str, Any]:
        """Of the ``source`` or the ``clone`` of the request. Raises NotFound."""
        cluster = self._rds.cluster(request.source if role == _SOURCE else request.clone)
        writer = _writer(cluster)
        found = {"role": role, "instance": writer, "cluster": cluster.name}
        return found | {"host": cluster.endpoint, "port": cluster.port, "version": cluster.version}

    def source(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedSource:
        """At the endpoint of its writer, which stays when the cluster is renamed."""
        return SwitchedSource(self._login(request, side), request.deadline_s)

    def target(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedTarget:
        """The same for who takes over."""
        return SwitchedTarget(self._login(request, side), request.deadline_s)

    def name(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> Name:
        """Of the kind that the request chooses."""
        kind, fields = request.name.kind, request.name.fields
        addresses = Address(source["host"], int(source["port"])), Address(target["host"], int(target["port"]))
        if kind == "record":
            return DnsRecord(fields["zone"], fields["record"], *addresses)
        if kind == "secret":
            return SecretHost(fields["secret"], *addresses)
        if kind == "parameter":
            return NameParameter(fields["parameter"], *addresses)
        otherwise = {_SOURCE: request.parked, "clone": request.clone}
        giver, taker = (Holder(side["instance"], otherwise[side["role"]]) for side in (source, target))
        return ClusterName(self._names, request.source, giver, taker)

    def keep(self, source: dict[str, Any], target: dict[str, Any], *, events: bool) -> list[str]:
        """Let what was switched outlive a restart. Returns what is left to be done by hand."""
        old, new = (self._names.home(side["instance"])[0] for side in (source, target))
        return SwitchGroups(self._rds).turn(old, new, events=events)

    def replication(self, request: CutOverRequest, side: dict[str, Any]) -> Login:
        """The account by which the clone followed: the clone was made with it. Raises NotFound where none is known."""
        secret = request.replication_secret or (self._ledger.read(request.clone, "account") or {}).get("secret", "")
        if not secret:
            raise NotFound(
                f"the ledger knows no account for replication of {request.clone}: name its secret in the request"
            )
        cluster = self._cluster(side)
        user, password = _account(secret)
        return Login(cluster.endpoint, cluster.port, user, password, self._logins.authority())

    def facts(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any], run: str) -> SwitchFacts:
        """All that ``check`` asks, as far as it can be known."""
        return SwitchLook(self, self._ledger).facts(request, source, target, run)

    def _login(self, request: CutOverRequest, side: dict[str, Any]) -> Login:
        cluster = self._cluster(side)
        host, port = self._names.endpoint(_writer(cluster))
        return self._logins.login(replace(cluster, endpoint=host, port=port), self._secret(request, side, cluster))

    def _cluster(self, side: dict[str, Any]) -> Cluster:
        return self._rds.cluster(self._names.home(side["instance"])[0])

    def _secret(self, request: CutOverRequest, side: dict[str, Any], cluster: Cluster) -> str:
        """The request's, RDS's own, or what the clone was asked for with; a clone has its source's password."""
        asked = (self._ledger.read(request.clone, STATE) or {}).get("request", {}).get("secrets", {})
        of_source = request.secrets.source or asked.get("source", "")
        if side["role"] == _SOURCE:
            return of_source
        return request.secrets.clone or asked.get("clone", "") or cluster.master_secret or of_source


def _writer(cluster: Cluster) -> str:
    if cluster.writer is None:
        raise NotFound(f"the cluster {cluster.name} has no instance that takes writes")
    return cluster.writer.name


def _account(secret: str) -> tuple[str, str]:
    with aws.translated(f"reading the replication account in the secret {secret}"):
        text = aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    try:
        found = json.loads(text)
        return str(found["username"]), str(found["password"])
    except (ValueError, KeyError, TypeError):
        raise RequestRefused(f"the secret {secret} holds no replication account") from None  # which would quote it
