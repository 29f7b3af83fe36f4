"""The documents and the code say the same."""

import re
import shlex
from pathlib import Path

import click
import pytest

from kuroshio import errors
from kuroshio.cli import kuroshio_command

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[str]:
    """What a page tells its reader to type."""
    blocks = CONSOLE.findall(page.read_text())
    lines = [line[2:] for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.startswith("$ ")]
    return [line.split("  #")[0].strip() for line in lines]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z%-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {m for line in commands(page) for m in re.findall(r"^make ([a-z-]+)", line)}
    assert {t for t in named if t not in targets and not (t.startswith("bench-") and "bench-%" in targets)} == set()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=f"{page.stem}: {line[:60]}")
        for page in PAGES
        for line in commands(page)
        if line.split()[0].endswith("kuroshio")
    ],
)
def test_every_kuroshio_command_that_a_page_shows_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.split(" < ", maxsplit=1)[0])
    command: click.Command = kuroshio_command
    rest = words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest.pop(0))
        assert found is not None, line
        command = found
    rest = rest[: rest.index("--")] if "--" in rest else rest  # what follows is a command of the user's
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    known |= {"--help", "-h"}
    assert [word for word in rest if word.startswith("-") and word.split("=")[0] not in known] == []


def test_every_state_machine_has_a_page_of_its_own() -> None:
    machines = {path.name.removesuffix(".asl.yaml").replace("_", "-") for path in ROOT.glob("statemachines/*.asl.yaml")}
    assert machines - {path.stem for path in ROOT.glob("docs/workflows/*.md")} == set()


def test_every_function_has_an_event_to_try_it_with() -> None:
    functions = {path.parent.name for path in ROOT.glob("functions/*/handler.py")}
    assert functions - {path.parent.name for path in ROOT.glob("events/*/*.json")} == set()


def test_every_error_is_explained_in_the_fine_print() -> None:
    ours = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    explained = set(re.findall(r"`([A-Z][A-Za-z]+)`", (ROOT / "docs/fine-print.md").read_text()))
    assert ours - explained == set()
