"""What the commands look up is what the stack says of itself."""

from __future__ import annotations

import re
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from kuroshio.cli.aurora_place import output_of

ROOT = Path(__file__).parents[3]
COMMANDS = "\n".join(path.read_text() for path in (ROOT / "layers/kuroshio/python/kuroshio/cli").glob("aurora*.py"))


def test_every_machine_and_function_that_a_command_speaks_to_is_an_output_of_the_stack() -> None:
    machines = set(re.findall(r'(?:machine\(|run\(place, |_switched\()"(\w+)"', COMMANDS))
    functions = set(re.findall(r'function\("(\w+)"\)', COMMANDS))
    outputs = yaml_parse((ROOT / "aurora.yaml").read_text())["Outputs"]
    wanted = {output_of(name, "Workflow") for name in machines} | {output_of(name, "Function") for name in functions}
    assert len(machines) >= 6
    assert wanted - set(outputs) == set()
    assert {path.name.removesuffix(".asl.yaml") for path in ROOT.glob("statemachines/*")} >= machines
