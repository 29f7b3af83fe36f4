"""How moto's names are replaced: loudly where one is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def replace(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"moto has no {owner.__name__}.{name} any more: lab/moto_engine must follow its version")
    setattr(owner, name, value)


def wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    replace(owner, name, wrapper(getattr(owner, name)))
