"""The account by which a clone reads its source's binlog: as little as that takes, and over TLS only."""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.aurora.dialect import Dialect

# MariaDB calls REPLICATION CLIENT so.
NEEDED = (frozenset({"REPLICATION SLAVE", "REPLICATION CLIENT"}), frozenset({"REPLICATION SLAVE", "BINLOG MONITOR"}))
_NOTHING = "USAGE"
# CHANGE MASTER takes 32 characters and cuts off the rest (MySQL 5.7 manual); the marks need no quoting anywhere.
_LENGTH, _MARKS = 32, "-_.~"
_KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, _MARKS)


@dataclass(frozen=True)
class Account:
    """As the server tells of it. ``needs_tls``: it is refused without."""

    user: str
    needs_tls: bool
    privileges: frozenset[str]

    @property
    def is_right(self) -> bool:
        """Whether it may do what it has to, only over TLS, and no more."""
        return self.needs_tls and self.privileges - {_NOTHING} in NEEDED

    def refuse_more(self) -> None:
        """Raise RequestRefused where it may do more than a clone needs: somebody granted that."""
        more = sorted(self.privileges - {_NOTHING} - frozenset().union(*NEEDED))
        if more:
            raise RequestRefused(
                f"the account {self.user} on the source may also {', '.join(more)}, which a clone does not need: "
                f"revoke it, or drop the account ('{self.user}'@'%'), which is then made again"
            )


def password(choose: Callable[[str], str] = secrets.choice) -> str:
    """A new one: 32 characters with some of each kind, which validate_password asks for."""
    while True:
        made = "".join(choose("".join(_KINDS)) for _ in range(_LENGTH))
        if all(any(letter in kind for letter in made) for kind in _KINDS):
            return made


def writing(dialect: Dialect, user: str, secret: str) -> list[tuple[str, tuple[str, ...]]]:
    """The statements that make the account, or bring one that is there in line. Each may be repeated.

    MySQL keeps the password out of its logs and its binlog by itself; MariaDB writes the statement as it came into the
    general log, so there it comes hashed. GRANT with a password is refused since MySQL 8.0: it is never used.
    """
    kind, given = ("VIA mysql_native_password USING", native_hash(secret)) if dialect.is_mariadb else ("BY", secret)
    return [
        (f"CREATE USER IF NOT EXISTS %s@'%%' IDENTIFIED {kind} %s REQUIRE SSL", (user, given)),
        (f"ALTER USER %s@'%%' IDENTIFIED {kind} %s REQUIRE SSL", (user, given)),
        ("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO %s@'%%'", (user,)),
    ]


def native_hash(secret: str) -> str:
    """A password as mysql_native_password keeps it."""
    once = hashlib.sha1(secret.encode(), usedforsecurity=False).digest()
    return "*" + hashlib.sha1(once, usedforsecurity=False).hexdigest().upper()
