"""Names of a database that are not its own: a record of Route 53, the host in a secret, a parameter of SSM.

Each moves only from what it is known to lead to: who changed it meanwhile is not written over.
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.errors import NotFound, Outpaced, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

_IN_SYNC_WITHIN_S, _PAUSE_S = 180.0, 2.0
_LABEL = "kuroshio-cut-over"


@dataclass(frozen=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass
class DnsRecord:
    """A CNAME in Route 53. Implements ``cutover.Name``."""

    zone: str
    record: str
    source: Address
    target: Address
    pause: Callable[[float], None] = time.sleep
    _change: str = ""
    _seen: dict[str, Any] | None = None

    def prepare(self) -> None:
        """Look before the window. A look that has grown old changes nothing: see ``_lead``."""
        self._seen = self._set()

    def leads_to(self) -> str:
        """``source``, ``target``, or what else it leads to. Raises NotFound, and RequestRefused where it is no single CNAME."""
        value = _host(self._set()["ResourceRecords"][0]["Value"])
        return _side(value, _host(self.source.host), _host(self.target.host))

    def move(self, left: Callable[[], float]) -> None:  # noqa: ARG002 - one call
        """From the source to the target."""
        self._lead(self.source, self.target)

    def move_back(self) -> None:
        """From the target to the source, whatever was prepared."""
        self._seen = None
        self._lead(self.target, self.source)

    def settle(self) -> None:
        """Return when all of Route 53's servers answer so. What resolvers keep, they keep for the record's TTL."""
        if not self._change:
            self._change = self._send([{"Action": "UPSERT", "ResourceRecordSet": self._set()}])
        for _ in range(int(_IN_SYNC_WITHIN_S / _PAUSE_S)):
            with aws.translated(f"asking about the change of {self.record}"):
                if _route53().get_change(Id=self._change)["ChangeInfo"]["Status"] == "INSYNC":
                    return
            self.pause(_PAUSE_S)
        raise ServiceUnavailable(
            f"Route 53 did not bring {self.record} to all its servers within {_IN_SYNC_WITHIN_S:g} s"
        )

    def _lead(self, before: Address, after: Address) -> None:
        found, self._seen = self._seen or self._set(), None
        leads = _host(found["ResourceRecords"][0]["Value"])
        if leads == _host(after.host):
            return
        _known(self.record, leads, _host(before.host))
        changed = {**found, "ResourceRecords": [{"Value": after.host}]}
        # UPSERT would write over whatever is there. A DELETE must name what is there in all its parts, or the batch fails.
        self._change = self._send(
            [{"Action": "DELETE", "ResourceRecordSet": found}, {"Action": "CREATE", "ResourceRecordSet": changed}]
        )

    def _send(self, changes: list[dict[str, Any]]) -> str:
        with aws.translated(f"changing the record {self.record}"):
            answer = _route53().change_resource_record_sets(
                HostedZoneId=self.zone, ChangeBatch={"Changes": changes, "Comment": "Kuroshio's cut-over"}
            )
        return str(answer["ChangeInfo"]["Id"])

    def _set(self) -> dict[str, Any]:
        with aws.translated(f"reading the record {self.record}"):
            sets = _route53().list_resource_record_sets(
                HostedZoneId=self.zone, StartRecordName=self.record, StartRecordType="CNAME", MaxItems="2"
            )["ResourceRecordSets"]
        found = [each for each in sets if _host(each["Name"]) == _host(self.record) and each["Type"] == "CNAME"]
        if not found:
            raise NotFound(f"the zone {self.zone} has no CNAME {self.record}")
        if len(found) > 1 or len(found[0].get("ResourceRecords", [])) != 1:
            raise RequestRefused(f"{self.record} is not one CNAME with one value: it cannot be moved as a whole")
        return dict(found[0])


@dataclass
class SecretHost:
    """``host``, and ``port`` where it has one, in a secret that is JSON. Implements ``cutover.Name``."""

    secret: str
    source: Address
    target: Address
    _next: tuple[str, str] | None = None  # the version that was current, and the one that waits to be

    def prepare(self) -> None:
        """Write the version that will be current, under a label of its own, so that one call is left for the window."""
        self._next = self._write(self.source, self.target)

    def leads_to(self) -> str:
        """``source``, ``target``, or what else it leads to. Raises NotFound, and RequestRefused where it has no host."""
        held = self._current()[1]
        sides = {"source": self.source, "target": self.target}
        return next((side for side, address in sides.items() if _leads_to(held, address)), str(held["host"]))

    def move(self, left: Callable[[], float]) -> None:  # noqa: ARG002 - one call, or three
        """From the source to the target."""
        self._lead(self.source, self.target)

    def move_back(self) -> None:
        """From the target to the source, whatever was prepared."""
        self._next = None
        self._lead(self.target, self.source)

    def settle(self) -> None:
        """It is read as soon as it is asked for."""

    def _lead(self, before: Address, after: Address) -> None:
        following, self._next = self._next or self._write(before, after), None
        if following is None:
            return
        version, token = following
        with aws.translated(f"changing the host in the secret {self.secret}"):
            # It becomes current only if what was read still is: the label is taken from that very version.
            aws.client("secretsmanager").update_secret_version_stage(
                SecretId=self.secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=version
            )

    def _write(self, before: Address, after: Address) -> tuple[str, str] | None:
        """The current version, and one that leads to ``after``; None where the current one does."""
        version, held = self._current()
        if _leads_to(held, after):
            return None
        _known(self.secret, f"{held['host']}:{held.get('port', before.port)}", str(before))
        changed = {**held, "host": after.host}
        if "port" in held:
            changed["port"] = type(held["port"])(after.port)
        # The same change again is the same version: a token may be used twice for equal content only.
        token = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{version}/{after}"))
        with aws.translated(f"writing the next version of the secret {self.secret}"):
            aws.client("secretsmanager").put_secret_value(
                SecretId=self.secret,
                ClientRequestToken=token,
                SecretString=json.dumps(changed),
                VersionStages=[_LABEL],
            )
        return version, token

    def _current(self) -> tuple[str, dict[str, Any]]:
        with aws.translated(f"reading the secret {self.secret}"):
            answer = aws.client("secretsmanager").get_secret_value(SecretId=self.secret, VersionStage="AWSCURRENT")
        try:
            held = json.loads(answer["SecretString"])
        except (KeyError, ValueError):
            held = None  # the decoder's message would quote the secret
        if not isinstance(held, dict) or not isinstance(held.get("host"), str):
            raise RequestRefused(f"the secret {self.secret} is no JSON object with a host")
        return str(answer["VersionId"]), held


@dataclass
class NameParameter:
    """A parameter of SSM that holds ``host`` or ``host:port``. Implements ``cutover.Name``."""

    parameter: str
    source: Address
    target: Address
    _seen: tuple[int, str] | None = None

    def prepare(self) -> None:
        """Look before the window; who writes meanwhile is noticed by the number of our own version."""
        self._seen = self._read(self.parameter)

    def leads_to(self) -> str:
        """``source``, ``target``, or what else it leads to. Raises NotFound."""
        value = self._read(self.parameter)[1]
        return _side(value, _like(value, self.source), _like(value, self.target))

    def move(self, left: Callable[[], float]) -> None:  # noqa: ARG002 - two calls
        """From the source to the target."""
        self._lead(self.source, self.target)

    def move_back(self) -> None:
        """From the target to the source, whatever was prepared."""
        self._seen = None
        self._lead(self.target, self.source)

    def settle(self) -> None:
        """It is read as soon as it is asked for."""

    def _lead(self, before: Address, after: Address) -> None:
        (version, value), self._seen = self._seen or self._read(self.parameter), None
        wanted = _like(value, after)
        if value == wanted:
            return
        _known(self.parameter, value, _like(value, before))
        written = self._write(wanted)
        if written == version + 1:
            return
        # SSM writes over anything; but it numbers what is written. Somebody was between our reading and our writing.
        theirs = self._read(f"{self.parameter}:{written - 1}")[1]
        if theirs != value:
            self._write(theirs)
            raise Outpaced(
                f"somebody set the parameter {self.parameter} to {theirs} at the same moment; it is so again"
            )

    def _read(self, name: str) -> tuple[int, str]:
        with aws.translated(f"reading the parameter {name}"):
            found = aws.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
        return int(found["Version"]), str(found["Value"])

    def _write(self, value: str) -> int:
        with aws.translated(f"writing the parameter {self.parameter}"):
            return int(aws.client("ssm").put_parameter(Name=self.parameter, Value=value, Overwrite=True)["Version"])


def _route53() -> Any:
    return aws.client("route53")


def _known(name: str, leads: str, before: str) -> None:
    if leads != before:
        raise RequestRefused(f"{name} leads to {leads}, and not to {before}: somebody else moved it; it was left alone")


def _side(value: str, source: str, target: str) -> str:
    return {source: "source", target: "target"}.get(value, value)


def _like(value: str, address: Address) -> str:
    """In the form of the value that is there."""
    return str(address) if ":" in value else address.host


def _leads_to(held: dict[str, Any], address: Address) -> bool:
    return held["host"] == address.host and str(held.get("port", address.port)) == str(address.port)


def _host(name: str) -> str:
    return name.rstrip(".").lower()
