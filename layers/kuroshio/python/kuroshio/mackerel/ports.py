"""What the outbox needs of the world: a ledger with conditional writes, Mackerel's API, and a queue to send to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Key(NamedTuple):
    """Where a record is kept: a partition, and a place in its order."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Record:
    """A JSON document under a key. ``version`` counts its writes; 0 is a record that is not there yet."""

    key: Key
    body: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    expires_at: int | None = None  # epoch seconds; it may be deleted any time after


class Ledger(Protocol):
    """Records with conditional writes. Reads see every write that was answered before them."""

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        """Those of the records that are there."""

    def write(self, record: Record) -> Record:
        """Store it if the stored version is still ``record.version``, and return it with its new version, one higher.

        Raises Outpaced otherwise. A write that failed in another way may have been done all the same.
        """

    def touch(self, key: Key, expires_at: int | None = None) -> None:
        """Count the record's version up, making it with an empty body if it is not there; None keeps its expiry.

        The version of one that was made again is none that it had before: who read it then must not remove it now.
        """

    def remove(self, record: Record) -> None:
        """Delete it if the stored version is still ``record.version``. Raises Outpaced otherwise."""

    def scan(self, pk: str, limit: int) -> list[Record]:
        """The first records of a partition, in the order of their ``sk``."""


@dataclass(frozen=True)
class Answer:
    """What a call to Mackerel came to. ``status`` 0: no answer, and nobody knows whether it was processed."""

    status: int
    document: Any = None
    message: str = ""
    retry_after: float | None = None  # seconds


class Api(Protocol):
    """Mackerel's API v0."""

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        """One request, tried once. Never raises for what the network or Mackerel does."""


class Outbox(Protocol):
    """Where writers leave their messages."""

    def send(self, message: str) -> None:
        """Return once the message is kept. Raises ServiceUnavailable, AccessRefused or NotFound."""
