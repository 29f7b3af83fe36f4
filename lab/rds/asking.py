"""What all operations of the API have in common: tags, filters, times, pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any

Parameters = dict[str, Any]
_PAGE = 100


def tags(asked: Parameters) -> dict[str, str]:
    """Those that are given."""
    return {tag["Key"]: tag.get("Value", "") for tag in asked.get("Tags", [])}


def filter_of(asked: Parameters, name: str) -> str:
    """The first value of a filter, empty where it is not given."""
    return next((one["Values"][0] for one in asked.get("Filters", []) if one["Name"] == name), "")


def moment(text: str | None) -> datetime | None:
    """A time as clients send it."""
    return None if text is None else datetime.fromisoformat(text)


def page(name: str, found: list[dict[str, Any]], asked: Parameters) -> dict[str, Any]:
    """A page of what was found, and where the next begins."""
    begin = int(asked.get("Marker") or 0)
    most = int(asked.get("MaxRecords") or _PAGE)
    more = str(begin + most) if len(found) > begin + most else None
    return {name: found[begin : begin + most], "Marker": more}
