"""Permissions are judged, because moto does not: recorded calls against the policies of the roles that made them."""

from lab.permissions.grants import Grant, unused_grants
from lab.permissions.judge import Need, Verdict, judge, needs_of
from lab.permissions.roles import Role, read_roles

__all__ = ["Grant", "Need", "Role", "Verdict", "judge", "needs_of", "read_roles", "unused_grants"]
