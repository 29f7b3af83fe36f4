"""usage: python -m lab.demo [CHAPTER]. Brings a lab up, plays the chapters, takes it down. KEEP=1 leaves it up."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.containers import network_name
from lab.demo.aurora import Chapter as Aurora
from lab.demo.changes import Chapter as Changes
from lab.demo.house import House
from lab.demo.mackerel import Chapter as Mackerel
from lab.demo.snapshot import take
from lab.demo.stage import Stage, StepFailed
from lab.engine import find
from lab.mackerel import FakeMackerel, serve
from lab.place import place_of

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[2]
SNAPSHOT = CHECKOUT / "build/demo/checkout"
CHAPTERS: dict[str, type[Changes | Aurora | Mackerel]] = {
    "changes": Changes,
    "aurora": Aurora,
    "mackerel": Mackerel,
}


def main(arguments: list[str]) -> int:
    """Play the chapters that are asked for, or all. Returns the exit code."""
    chosen = arguments or list(CHAPTERS)
    if unknown := [name for name in chosen if name not in CHAPTERS]:
        sys.stderr.write(f"there is no chapter {', '.join(unknown)}; there are: {', '.join(CHAPTERS)}\n")
        return 2
    os.environ.setdefault("KUROSHIO_LAB", "demo")
    stage = Stage(CHECKOUT / "build/demo/demo.log")
    stage.log.unlink(missing_ok=True)
    take(CHECKOUT, SNAPSHOT)
    kuroshio = str(Path(sys.executable).with_name("kuroshio"))
    stage.console.print(
        "Kuroshio on this machine: real commands, real images, no AWS account. All output is in the log:"
    )
    stage.console.print(str(stage.log), style="dim", highlight=False)
    try:
        stage.run("Lab up: AWS on this machine", kuroshio, "lab", "up", cwd=CHECKOUT)
        env = json.loads(stage.run("Where it is", kuroshio, "lab", "env", "--json", cwd=CHECKOUT))
        with _house(stage, env) as house:
            for name in chosen:
                stage.console.rule(f"chapter {name}")
                CHAPTERS[name](house).run()
    except StepFailed as failure:
        stage.console.print(str(failure), style="red", highlight=False, markup=False)
        return 1
    finally:
        if not os.environ.get("KEEP"):
            stage.run("Lab down: nothing is left running", kuroshio, "lab", "down", cwd=CHECKOUT)
        stage.console.print(stage.table_of_timings())
    return 0


@contextmanager
def _house(stage: Stage, env: dict[str, str]) -> Iterator[House]:
    """With a Mackerel for as long as the demo runs, where commands reach it, and the functions' containers."""
    place = place_of()
    network, mackerel = find().network(network_name(place), place.name), FakeMackerel()
    with ExitStack() as stack:
        served = stack.enter_context(serve(mackerel))
        inside = served
        if network.bind:  # it has its address only while a container is on it: no place for commands to look
            inside = stack.enter_context(serve(mackerel, host=network.bind))
        port = inside.origin.rpartition(":")[2]
        yield House(stage, env, SNAPSHOT, served, f"http://{network.host}:{port}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
