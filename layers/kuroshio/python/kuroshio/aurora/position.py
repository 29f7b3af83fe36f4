"""Places in a binlog: a file with a number, and an offset in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering

from kuroshio.errors import InvalidRequest

_FILE = re.compile(r"(?P<stem>[\w.-]+)\.(?P<number>\d{6,10})")


@total_ordering
@dataclass(frozen=True)
class Position:
    """``mysql-bin-changelog.000007:4711``. Later ones of the same server are greater."""

    file: str
    offset: int

    @classmethod
    def parse(cls, text: str) -> Position:
        """Read what ``str`` wrote. Raises InvalidRequest."""
        file, _, offset = text.rpartition(":")
        if not _FILE.fullmatch(file) or not offset.isdecimal():
            raise InvalidRequest(f"{text!r} is no position in a binlog; one looks like mysql-bin-changelog.000007:4711")
        return cls(file, int(offset))

    def __post_init__(self) -> None:
        """Refuse a file that no server names so: everything about order rests on its number."""
        if not _FILE.fullmatch(self.file):
            raise InvalidRequest(f"{self.file!r} is no name of a binlog file")

    def __str__(self) -> str:
        return f"{self.file}:{self.offset}"

    def __lt__(self, other: Position) -> bool:
        """By the number of the file first. It grows beyond six digits, so names do not order themselves."""
        return (self.number, self.offset) < (other.number, other.offset)

    @property
    def number(self) -> int:
        """Of the file."""
        return int(self.file.rpartition(".")[2])
