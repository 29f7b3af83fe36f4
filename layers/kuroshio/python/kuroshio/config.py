"""The configuration of a function: one frozen dataclass, read once from the environment, failing by name."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, TypeVar

from kuroshio.errors import ConfigurationMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


def from_env(kind: type[T], env: Mapping[str, str]) -> T:
    """Build the dataclass ``kind`` from environment variables named like its fields, in upper case.

    All fields are strings. Secrets are never among them: only their names or ARNs are.

    Raises ConfigurationMissing with the names of all variables that are absent or empty and have no default.
    """
    values: dict[str, Any] = {}
    missing = []
    for field in fields(kind):  # type: ignore[arg-type]
        name = field.name.upper()
        if env.get(name):
            values[field.name] = env[name]
        elif field.default is MISSING:
            missing.append(name)
    if missing:
        raise ConfigurationMissing(f"{kind.__name__} needs the environment variable(s) {', '.join(missing)}")
    return kind(**values)
