"""Errors of replication: which pass by themselves, which are mended here, and what a person does about the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.request import ErrorPolicy

# The source cannot be reached, or went away: the replica connects again by itself. After SOURCE_RETRY_COUNT attempts,
# 10 by default since MySQL 8.4, it gives up for good, and only its IO thread's "No" tells.
_UNREACHED = frozenset({2002, 2003, 2005, 2006, 2013, 1158, 1159, 1160, 1161})
_REFUSED_LOGIN = frozenset({1044, 1045, 2026, 2061})
_LOST_LOG = frozenset({1236, 13114})
# Locks that somebody held for too long: the same change may be applied on the next attempt, and nothing is lost.
_PASSING = frozenset({1205, 1213, 1614})
# What was fetched cannot be read any more, as after a disk failed; it can be fetched again. 1593 is any fatal error.
_DAMAGED_RELAY_LOG = frozenset({1593, 1594, 13121, 13122})
_REMEDIES = {
    1062: "The clone has a row that the source only now writes: somebody wrote on the clone, an event fired there, or the "
    "position is too early. Verify the table, and repair it or skip the transaction",
    1032: "The clone lacks a row that the source changes: somebody deleted it there. Verify the table, and repair it or skip "
    "the transaction",
    1146: "The clone lacks the table. Was it dropped there?",
    1021: "The disk of the clone is full. Give it room and start again",
    1114: "The clone has no room for the table. Give it room and start again",
    1030: "The clone's storage refuses. Look at the instance, and start again",
    1290: "The clone is read only for replication too. Look at its parameters, and start again",
}


@dataclass(frozen=True)
class Trouble:
    """An error of replication: its number, and MySQL's words. ``of_apply``: of the SQL thread, not of the connection."""

    number: int
    message: str
    of_apply: bool

    @property
    def is_unreached(self) -> bool:
        """Whether the source was not reached, which the replica tries again by itself for a while."""
        return not self.of_apply and self.number in _UNREACHED

    @property
    def is_refused_login(self) -> bool:
        """Whether the source refuses the account: its password may have been changed."""
        return not self.of_apply and self.number in _REFUSED_LOGIN

    @property
    def is_damaged_relay_log(self) -> bool:
        """Whether only the copy of the source's binlog is damaged."""
        return self.of_apply and self.number in _DAMAGED_RELAY_LOG and "relay log" in self.message.lower()

    @property
    def may_pass(self) -> bool:
        """Whether the same may succeed when it is simply started again."""
        return self.is_unreached or (self.of_apply and self.number in _PASSING)

    @property
    def words(self) -> str:
        """What happened, and what to do."""
        told = f"({self.number}): {self.message}"
        if self.of_apply:
            return f"a change cannot be applied {told.rstrip('.')}. {_REMEDIES.get(self.number, '')}".rstrip()
        if self.number in _LOST_LOG:
            return (
                f"the source does not have the binlog that comes next {told}. It was purged, or the source failed over; what "
                "is missing cannot be had from it. Raise the binlog retention and make the clone again"
            )
        if self.is_refused_login:
            return f"the source refuses the replication account {told}. Was its secret changed?"
        return f"it does not reach its source any more and has given up {told}"


def found(status: Mapping[str, Any]) -> Trouble | None:
    """The trouble that a replica's status (``dialect.normalised``) tells of, that of applying before that of fetching."""
    for number, text, of_apply in (
        ("Last_SQL_Errno", "Last_SQL_Error", True),
        ("Last_IO_Errno", "Last_IO_Error", False),
    ):
        if int(status.get(number) or 0):
            return Trouble(int(status[number]), str(status.get(text) or ""), of_apply)
    return None


def may_skip(trouble: Trouble, policy: ErrorPolicy, skipped: int) -> bool:
    """Whether the policy lets this error pass. Each skip loses a whole transaction, so it is counted and verified."""
    return policy.policy == "skip" and trouble.of_apply and trouble.number in policy.numbers and skipped < policy.most
