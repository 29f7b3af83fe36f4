"""Binlogs that real servers wrote, kept beside the tests of ``aurora/binlog``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECORDED = Path(__file__).parents[1] / "unit" / "aurora" / "binlog" / "recorded"
_MAGIC = b"\xfebin"


def packets(name: str) -> Iterator[bytes]:
    """The events of a recorded file, as a dump would deliver them."""
    yield from cut((_RECORDED / f"{name}.binlog").read_bytes())


def cut(content: bytes) -> Iterator[bytes]:
    """The events of a binlog file."""
    assert content.startswith(_MAGIC)
    at = len(_MAGIC)
    while at < len(content):
        size = int.from_bytes(content[at + 9 : at + 13], "little")
        yield content[at : at + size]
        at += size
