"""The second gate as a deploy command passes it: what was built as it is deployed is not deployed again, and is not owed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.artifacts import identify
from kuroshio.changes.identity import File, of_definition, of_files, of_image, of_zip
from kuroshio.errors import InvalidRequest
from tests.contract.github.conftest import FILES, TEMPLATE
from tests.contract.github.test_after_merge_step import World, world

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["world"]  # a fixture

# A build that drops comments, the gate, and a deployment of what the gate left.
COMMAND = """
import json, os, pathlib, subprocess, sys
folder, git, *failing = sys.argv[1:]
sources = {"Cart": "cart", "Mail": "mail", "Common": "common"}
for name, source in sources.items():
    where = pathlib.Path(folder, "build", name)
    where.mkdir(parents=True, exist_ok=True)
    commit = os.environ["KUROSHIO_COMMIT"]
    text = subprocess.check_output(["git", "-C", git, "show", f"{commit}:{source}/a.txt"], text=True)
    (where / "a.txt").write_text(text.partition("#")[0])
subprocess.run([os.environ["KUROSHIO_GATE"], f"{folder}/build"], check=True, cwd="/")
units = json.load(open(os.environ["KUROSHIO_UNITS_FILE"]))
open(folder + "/seen.jsonl", "a").write(json.dumps({"names": [unit["logical_id"] for unit in units]}) + "\\n")
sys.exit(1 if set(failing) & {unit["logical_id"] for unit in units} else 0)
"""


@pytest.fixture
def gated(world: World) -> World:
    world.script.write_text(COMMAND)
    return world


def push(world: World, before: str, after: str, *failing: str) -> int:
    return world.push(before, after, str(world.repository.path), *failing)


def recorded(world: World) -> list[tuple[str, str, str]]:
    items: list[dict[str, Any]] = sorted(world.items(), key=lambda item: item["time"])
    return [(item["unit"], item["change"], item.get("digest", "")) for item in items]


def test_what_the_build_left_equal_is_not_deployed_and_not_owed(gated: World) -> None:
    first = gated.commit(gated.base, cart__a="2")
    assert push(gated, gated.base, first) == 0
    same = of_files({"a.txt": File(b"2")})
    assert (gated.names(), recorded(gated)) == (["Cart"], [("t.yaml#Cart", "modified", str(same))])

    second = gated.commit(first, cart__a="2# a comment", mail__a="2")
    assert push(gated, first, second) == 0
    assert gated.names() == ["Mail"]
    assert ("t.yaml#Cart", "equal", str(same)) in recorded(gated)
    assert (gated.ledger.standing().settled, gated.ledger.standing().debts) == (second, ())
    assert (gated.runner.outputs["status"], json.loads(gated.runner.outputs["owed"])) == ("deployed", [])


def test_a_changed_definition_is_deployed_though_the_build_is_equal(gated: World) -> None:
    first = gated.commit(gated.base, cart__a="2")
    push(gated, gated.base, first)
    template = TEMPLATE.replace("CodeUri: cart", "CodeUri: cart, Timeout: 9")
    second = gated.repository.make_commit(FILES | {"t.yaml": template, "cart/a.txt": "2"}, first)
    assert push(gated, first, second) == 0
    assert gated.names() == ["Cart"]


def test_a_unit_that_is_owed_is_deployed_though_it_was_deployed_so_before(gated: World) -> None:
    first = gated.commit(gated.base, cart__a="2")
    push(gated, gated.base, first)
    second = gated.commit(first, cart__a="3")
    assert push(gated, first, second, "Cart") == 1
    back = gated.commit(second, cart__a="2")
    assert push(gated, second, back) == 0
    assert gated.names() == ["Cart"]


def test_a_digest_in_the_commands_own_words_is_never_equal(world: World) -> None:
    first = world.commit(world.base, cart__a="2")
    assert world.push(world.base, first) == 0
    assert [digest for _, _, digest in recorded(world)] == ["sha256:Cart"]
    world.script.write_text(COMMAND)
    second = world.commit(first, cart__a="2# a comment")
    assert push(world, first, second) == 0
    assert world.names() == ["Cart"]


@pytest.mark.parametrize("arguments", [[], ["nowhere"], ["t.yaml#Cart=repository:latest"], ["=x"]])
def test_what_cannot_be_identified_fails_the_command_and_everything_stays_owed(
    world: World, arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    after = world.commit(world.base, cart__a="2")
    script = "import os, subprocess, sys; sys.exit(subprocess.call([os.environ['KUROSHIO_GATE'], *sys.argv[1:]]))"
    world.runner.give(KUROSHIO_DEPLOY=json.dumps([sys.executable, "-c", script, *arguments]))
    assert world.runner.run("after-merge", "push", world.base, after) == 2
    assert "gate: InvalidRequest: " in capfd.readouterr().err
    assert [debt.unit for debt in world.ledger.standing().debts] == ["t.yaml#Cart"]


def test_every_kind_of_artifact_is_identified(tmp_path: Path) -> None:
    folder = tmp_path / "built"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/run.sh").write_bytes(b"#!/bin/sh\n")
    (folder / "bin/run.sh").chmod(0o755)
    (folder / "link").symlink_to("bin/run.sh")
    (folder / "folder").symlink_to("bin")
    (tmp_path / "a.zip").write_bytes(b"zip")
    (tmp_path / "flow.asl.yaml").write_text("StartAt: A\n")
    expected = {"bin/run.sh": File(b"#!/bin/sh\n", "100755")}
    links = {"link": File(b"bin/run.sh", "120000"), "folder": File(b"bin", "120000")}
    assert identify(str(folder)) == of_files(expected | links)
    assert identify(str(tmp_path / "a.zip")) == of_zip(b"zip")
    assert identify(str(tmp_path / "flow.asl.yaml")) == of_definition(b'{"StartAt": "A"}')
    assert identify("registry/repository@sha256:" + "a" * 64) == of_image("sha256:" + "a" * 64)
    with pytest.raises(InvalidRequest):
        identify(str(folder / "bin/run.sh"))
