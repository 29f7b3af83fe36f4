"""A group of commands that are imported only when they are used."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class Verbs(click.Group):
    """Commands by verb, as "module:command", in the order of ``--help``. Those whose module is not installed do not exist."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The verbs that there are."""
        return [verb for verb, target in self._verbs.items() if _is_installed(target.split(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, name = self._verbs[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
