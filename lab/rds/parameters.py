"""Cluster parameter groups: which parameters there are, which take effect at once, and which may be changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.rds.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MOST_PER_CALL = 20
FAMILIES = {"5.7": "aurora-mysql5.7", "8.0": "aurora-mysql8.0", "8.4": "aurora-mysql8.4"}


@dataclass(frozen=True)
class Known:
    """A parameter as RDS describes it; ``value`` is the engine's default where RDS tells one."""

    value: str | None
    apply_type: str = "dynamic"
    modifiable: bool = True
    kind: str = "string"
    allowed: str = ""


# From Aurora's list of parameters (user guide, "Aurora MySQL configuration parameters"): those that replication looks at.
KNOWN: dict[str, Known] = {
    "aurora_binlog_replication_max_yield_seconds": Known("0", kind="integer", allowed="0-36000"),
    "aurora_enable_repl_bin_log_filtering": Known("1", kind="boolean", allowed="0,1"),
    "aurora_enhanced_binlog": Known("0", "static", kind="boolean", allowed="0,1"),
    "binlog-do-db": Known(None, "static"),
    "binlog-ignore-db": Known(None, "static"),
    "binlog_checksum": Known("CRC32", allowed="NONE,CRC32"),
    "binlog_format": Known("OFF", "static", allowed="ROW,STATEMENT,MIXED,OFF"),
    "binlog_row_image": Known("FULL", modifiable=False),
    "enforce_gtid_consistency": Known("OFF", "static", allowed="OFF,WARN,ON"),
    "event_scheduler": Known("OFF", allowed="ON,OFF"),
    "gtid-mode": Known("OFF_PERMISSIVE", "static", allowed="OFF,OFF_PERMISSIVE,ON,ON_PERMISSIVE"),
    "log_bin_trust_function_creators": Known(None, kind="boolean", allowed="0,1"),
    "max_connections": Known(None, kind="integer", allowed="1-16000"),
    "read_only": Known("0", allowed="0,1,{TrueIfReplica}"),
    "replica_parallel_type": Known("LOGICAL_CLOCK", allowed="DATABASE,LOGICAL_CLOCK"),
    "replica_parallel_workers": Known("4", kind="integer", allowed="0-1024"),
    "replica_preserve_commit_order": Known("1", kind="boolean", allowed="0,1"),
    "replicate-do-db": Known(None),
    "replicate-do-table": Known(None),
    "replicate-ignore-db": Known(None),
    "replicate-ignore-table": Known(None),
    "replicate-wild-do-table": Known(None),
    "replicate-wild-ignore-table": Known(None),
    "require_secure_transport": Known("OFF", allowed="ON,OFF"),
    "server_id": Known(None, "static", modifiable=False, kind="integer"),
    "sync_binlog": Known("1", modifiable=False, kind="integer"),
    "time_zone": Known("UTC"),
}


@dataclass
class Group:
    """A cluster parameter group. What ``values`` does not hold is at the engine's default."""

    name: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def is_default(self) -> bool:
        """Whether it is Amazon's own, which nobody changes."""
        return self.name.startswith("default.")

    def value(self, name: str) -> str | None:
        """What a cluster with this group is told."""
        return self.values.get(name, KNOWN[name].value)

    def effective(self) -> dict[str, str]:
        """All values that are set, by default or by somebody."""
        return {name: value for name in KNOWN if (value := self.value(name)) is not None}

    def modify(self, changes: Iterable[Mapping[str, str]]) -> list[str]:
        """Set what is asked for, all or nothing, and tell which take effect at once. Raises Refused as the API does."""
        asked = list(changes)
        if self.is_default:
            raise Refused(
                "InvalidParameterValue", f"The parameter group {self.name} is a default one and cannot be modified."
            )
        if len(asked) > _MOST_PER_CALL:
            raise Refused(
                "InvalidParameterValue", f"At most {_MOST_PER_CALL} parameters can be modified in a single request."
            )
        for one in asked:
            _judge(one)
        self.values |= {one["ParameterName"]: one["ParameterValue"] for one in asked}
        return [one["ParameterName"] for one in asked if one["ApplyMethod"] == "immediate"]

    def reset(self, names: Iterable[str] | None) -> None:
        """Return parameters to the engine's defaults, all of them where none is named."""
        if self.is_default:
            raise Refused(
                "InvalidParameterValue", f"The parameter group {self.name} is a default one and cannot be modified."
            )
        for name in list(self.values) if names is None else names:
            self.values.pop(name, None)

    def documents(self, source: str | None) -> list[dict[str, Any]]:
        """As DescribeDBClusterParameters tells them; ``source``: ``user``, ``system`` or ``engine-default``, None for all."""
        found = [self._document(name, known) for name, known in sorted(KNOWN.items())]
        return [one for one in found if source in {None, one["Source"]}]

    def _document(self, name: str, known: Known) -> dict[str, Any]:
        origin = "user" if name in self.values else "system" if not known.modifiable else "engine-default"
        return {
            "ParameterName": name,
            "ParameterValue": self.value(name),
            "Source": origin,
            "ApplyType": known.apply_type,
            "DataType": known.kind,
            "AllowedValues": known.allowed or None,
            "IsModifiable": known.modifiable,
            "ApplyMethod": "pending-reboot",
            "SupportedEngineModes": ["provisioned"],
        }


def _judge(asked: Mapping[str, str]) -> None:
    name, value, method = (asked.get(key, "") for key in ("ParameterName", "ParameterValue", "ApplyMethod"))
    known = KNOWN.get(name)
    if known is None:
        raise Refused("InvalidParameterValue", f"Could not find parameter with name: {name}")
    if not known.modifiable:
        raise Refused("InvalidParameterValue", f"The parameter {name} cannot be modified.")
    if method not in {"immediate", "pending-reboot"}:
        raise Refused("InvalidParameterValue", "ApplyMethod must be one of: immediate, pending-reboot")
    if method == "immediate" and known.apply_type == "static":
        raise Refused("InvalidParameterCombination", "cannot use immediate apply method for static parameter")
    options = known.allowed.split(",")
    if known.allowed and "-" not in known.allowed and value not in options:
        raise Refused(
            "InvalidParameterValue", f"Invalid parameter value: {value} for: {name} allowed values are: {known.allowed}"
        )


def default_groups() -> dict[str, Group]:
    """Amazon's own, one per family."""
    return {
        f"default.{family}": Group(f"default.{family}", family, f"Default cluster parameter group for {family}")
        for family in FAMILIES.values()
    }


def family_of(version: str) -> str:
    """The family of an engine version such as ``8.0.mysql_aurora.3.08.0``. Raises Refused for one that the lab does not know."""
    family = FAMILIES.get(".".join(version.split(".")[:2]))
    if family is None:
        raise Refused("InvalidParameterCombination", f"Cannot find version {version} for aurora-mysql")
    return family
