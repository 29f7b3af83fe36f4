"""What outlives a restart after a cut-over: the parameter groups of both clusters.

RDS's procedure that makes a server read-only, or writable, holds until the server restarts; then its parameter group speaks.
The clone's was made with ``read_only`` 1 and events off, so without this a restart of the new source would refuse all writes,
and one of the old source would take them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.adapters.clusters import RdsClusters

_ON = frozenset({"1", "ON"})


class SwitchGroups:
    """Changes only a group that no other cluster has; else it says what is left to be done."""

    def __init__(self, rds: RdsClusters) -> None:
        self._rds = rds

    def turn(self, old: str, new: str, *, events: bool) -> list[str]:
        """Let ``new`` take writes after a restart, and run events if ``events``; ``old`` neither. Returns what is left.

        Raises ServiceUnavailable.
        """
        wanted = {new: {"read_only": "0"}, old: {"read_only": "1"}}
        if events:
            wanted[new]["event_scheduler"], wanted[old]["event_scheduler"] = "ON", "OFF"
        return [said for cluster, values in wanted.items() if (said := self._set(cluster, values))]

    def _set(self, cluster: str, values: Mapping[str, str]) -> str:
        try:
            group = self._rds.cluster(cluster).parameter_group
            now = {each.name: str(each.value or "").upper() in _ON for each in self._rds.parameters(group)}
            change = {name: value for name, value in values.items() if now.get(name, False) != (value in _ON)}
            if not change:
                return ""
            others = [each for each in self._rds.groups_used_by(group) if each != cluster]
            told = ", ".join(f"{name} to {value}" for name, value in change.items())
            if group.startswith("default.") or others:
                why = f"is shared with {', '.join(others)}" if others else "is Amazon's own"
                return f"A restart of {cluster} would undo the switch there: its parameter group {group} {why}. Set {told}."
            self._modify(group, change)
        except PermanentError as error:
            return (
                f"A restart of {cluster} may undo the switch there: its parameter group could not be changed ({error})."
            )
        return ""

    def _modify(self, group: str, change: Mapping[str, str]) -> None:
        parameters = [
            {"ParameterName": name, "ParameterValue": value, "ApplyMethod": "immediate"}
            for name, value in change.items()
        ]
        with aws.translated(f"changing the parameter group {group}"):
            aws.client("rds").modify_db_cluster_parameter_group(
                DBClusterParameterGroupName=group, Parameters=parameters
            )
