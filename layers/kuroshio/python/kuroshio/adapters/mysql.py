"""Connections to MySQL: TLS that verifies, results that are read to their end, failures in our words."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kuroshio.errors import AccessRefused, NotFound, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

_CONNECT_S, _ANSWER_S = 10, 60
# MySQL's error numbers ("Server error message reference", "Client error message reference").
_TRANSIENT = frozenset({1040, 1053, 1105, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 2002, 2003, 2006, 2013, 2055})
_REFUSED = frozenset({1044, 1045, 1142, 1143, 1227, 1370, 1698, 2061})
_ABSENT = frozenset({1049, 1051, 1146})


@dataclass(frozen=True)
class Login:
    """Where a server is and who we are there. ``authority``: the certificates that its own must lead to."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    authority: Path


class Server:
    """One connection. Not for two threads at once."""

    def __init__(self, login: Login, *, session: Iterable[str] = (), answer_s: float = _ANSWER_S) -> None:
        """``session``: statements for each new connection. ``answer_s``: how long an answer may take."""
        self._login = login
        self._session = tuple(session)
        self._answer_s = answer_s
        self._connection: Connection[Cursor] | None = None

    def rows(self, statement: str, parameters: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
        """Execute one statement and return its last result.

        A CALL may answer with several results, and its error may come after the first: all are read.
        Raises ServiceUnavailable, AccessRefused, NotFound, or RequestRefused with MySQL's own number and words.
        """
        with self.translated(), self.connection().cursor() as cursor:
            cursor.execute(statement, parameters)
            found = list(cursor.fetchall())
            while cursor.nextset():
                found = list(cursor.fetchall()) or found
            return found

    def named(self, statement: str) -> list[dict[str, Any]]:
        """The same with the names of the columns, for SHOW."""
        with self.translated(), self.connection().cursor() as cursor:
            cursor.execute(statement)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def close(self) -> None:
        """End the connection; the next statement makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def connection(self) -> Connection[Cursor]:
        """The connection itself, made on first use, for what speaks the protocol below SQL."""
        import pymysql

        if self._connection is None:
            # PyMySQL without these would take TLS with any certificate, or none at all.
            context = ssl.create_default_context(cafile=str(self._login.authority))
            # Python 3.13 objects to the form of certificates too (a missing key identifier), which nobody promises of a
            # database's own. Signature, dates and name are verified as before.
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            self._connection = pymysql.connect(
                host=self._login.host,
                port=self._login.port,
                user=self._login.user,
                password=self._login.password,
                ssl=context,
                autocommit=True,
                charset="utf8mb4",
                connect_timeout=_CONNECT_S,
                read_timeout=self._answer_s,
                write_timeout=self._answer_s,
            )
            with self._connection.cursor() as cursor:
                for statement in self._session:
                    cursor.execute(statement)
        return self._connection

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn PyMySQL's errors into ours; after one of the network, the next statement connects again."""
        import pymysql

        try:
            yield
        except (pymysql.err.Error, OSError) as error:
            number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            message = f"{self._login.host}: MySQL {number}: {error.args[-1] if error.args else error}"
            if number in _TRANSIENT or isinstance(error, OSError) or not number:
                self.close()
                raise ServiceUnavailable(message) from error
            if number in _REFUSED:
                raise AccessRefused(message) from error
            raise (NotFound if number in _ABSENT else RequestRefused)(message) from error
