"""Paths of a tree: relative to its root, with slashes, never leaving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# As many as Linux follows before it gives up with ELOOP.
_MAX_LINKS = 40


def parent(path: str) -> str:
    """Return the folder of ``path``; the root is ""."""
    return path.rpartition("/")[0]


def above(path: str) -> Iterator[str]:
    """Yield the folders that ``path`` lies in, the nearest first and the root last."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def join(folder: str, location: str) -> str | None:
    """Return the path that ``location`` means in ``folder``; None when it is absolute or leaves the tree."""
    if location.startswith(("/", "~")) or "\0" in location:
        return None
    parts = folder.split("/") if folder else []
    for part in location.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def resolve(path: str, links: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    """Follow the symbolic links on the way to ``path``: ``links`` maps each to its target.

    Returns where the path leads (None: out of the tree, or in a circle) and the links that were followed.
    """
    followed: list[str] = []
    at: str | None = path
    while at is not None and (link := _first_link(at, links)) is not None:
        followed.append(link)
        if len(followed) > _MAX_LINKS:
            return None, tuple(followed[:1])
        target = join(parent(link), links[link])
        at = None if target is None else join(target, at[len(link) :].lstrip("/"))
    return at, tuple(followed)


def _first_link(path: str, links: Mapping[str, str]) -> str | None:
    if not links:
        return None
    parts = path.split("/")
    prefixes = ("/".join(parts[: depth + 1]) for depth in range(len(parts)))
    return next((prefix for prefix in prefixes if prefix in links), None)
