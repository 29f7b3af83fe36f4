"""Commands are found by their verb, and imported only then."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from kuroshio.cli import kuroshio_command
from kuroshio.cli.verbs import Verbs

VERBS = {"here": "kuroshio.cli.completion:completion", "gone": "kuroshio.nowhere:gone", "far": "nowhere.at.all:far"}


def test_a_verb_whose_module_is_not_installed_does_not_exist() -> None:
    group = Verbs("some", verbs=VERBS)
    assert group.list_commands(click.Context(group)) == ["here"]
    assert group.get_command(click.Context(group), "gone") is None


def every_command(group: click.Group, before: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for verb in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), verb)
        assert command is not None
        found.append((*before, verb))
        if isinstance(command, click.Group):
            found += every_command(command, (*before, verb))
    return found


@pytest.mark.parametrize("words", every_command(kuroshio_command), ids=" ".join)
def test_every_command_helps(words: tuple[str, ...]) -> None:
    done = CliRunner().invoke(kuroshio_command, [*words, "--help"])
    assert done.exit_code == 0
    assert "Usage:" in done.output
