"""What is ours: names and tags of all that is made for a clone. Nothing without these tags is ever changed or removed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kuroshio.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.request import ReplicateRequest

CLONE_OF, CLONE, RUN = "kuroshio:clone-of", "kuroshio:clone", "kuroshio:run"
_MOST_TAGS = 50  # of RDS, on each resource
_MOST_NAME = 63  # of a cluster or an instance


def tags(request: ReplicateRequest, run: str) -> dict[str, str]:
    """What is put on everything that is made for the clone."""
    return {CLONE_OF: request.source, CLONE: request.clone, RUN: run[:256]}


def clone_tags(request: ReplicateRequest, run: str, of_source: Mapping[str, str]) -> dict[str, str]:
    """Those of the clone itself: its source's, the request's, ours; later ones win.

    Where they are more than RDS takes, tags of the source are left out. Tags that begin with ``aws:`` are Amazon's own:
    a request that sets one is refused.
    """
    ours = {**dict(request.options.tags), **tags(request, run)}
    kept = [key for key in sorted(of_source) if not key.startswith(("aws:", "kuroshio:")) and key not in ours]
    return {key: of_source[key] for key in kept[: _MOST_TAGS - len(ours)]} | ours


def is_ours(found: Mapping[str, str], request: ReplicateRequest) -> bool:
    """Whether an earlier call, or an earlier run of the same request, made it.

    A copy of a clone may bear the clone's tags, but not under the clone's name.
    """
    return found.get(CLONE_OF) == request.source and found.get(CLONE) == request.clone


def claim(kind: str, name: str, found: Mapping[str, str], request: ReplicateRequest) -> None:
    """Raise RequestRefused where something of this name is not ours."""
    if is_ours(found, request):
        return
    whose = f"a clone of {found[CLONE_OF]} made for {found.get(CLONE, 'another')}" if CLONE_OF in found else "not ours"
    raise RequestRefused(
        f"there is a {kind} {name} already, and by its tags it is {whose}: nothing that exists is replaced. "
        "Take another name for the clone, or remove what has this one"
    )


def group_of_clone(clone: str, family: str = "") -> str:
    """The clone's cluster parameter group; ``family`` where an upgrade needs another one."""
    return f"kuroshio-{clone}" + (f"-{family.replace('.', '-')}" if family else "")


def group_of_source(source: str) -> str:
    """The cluster parameter group that a source gets whose own one cannot be changed."""
    return f"kuroshio-binlog-of-{source}"


def writer_of(clone: str) -> str:
    """The clone's first instance."""
    return clone[: _MOST_NAME - 2].rstrip("-") + "-1"


def secret_of(clone: str) -> str:
    """The secret with the login by which the clone follows, behind what the environment's secrets begin with."""
    return f"{clone}/replication"


def user_of(clone: str) -> str:
    """The account by which the clone follows. MySQL takes 32 characters, and a clone's name may have 63."""
    digest = hashlib.sha256(clone.encode()).hexdigest()[:8]
    return f"kuroshio_{clone[:12].replace('-', '_')}_{digest}"


def shelf_of(source: str) -> str:
    """Under which name the ledger keeps what was changed on a source: clones share it. No cluster has such a name."""
    return f"source/{source}"
