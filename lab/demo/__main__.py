"""usage: python -m lab.demo [CHAPTER]. Brings a lab up, plays the chapters, takes it down. KEEP=1 leaves it up."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lab.demo.changes import Chapter as Changes
from lab.demo.stage import Stage, StepFailed

CHECKOUT = Path(__file__).parents[2]
CHAPTERS = {"changes": Changes}


def main(arguments: list[str]) -> int:
    """Play the chapters that are asked for, or all. Returns the exit code."""
    chosen = arguments or list(CHAPTERS)
    if unknown := [name for name in chosen if name not in CHAPTERS]:
        sys.stderr.write(f"there is no chapter {', '.join(unknown)}; there are: {', '.join(CHAPTERS)}\n")
        return 2
    os.environ.setdefault("KUROSHIO_LAB", "demo")
    stage = Stage(CHECKOUT / "build/demo/demo.log")
    stage.log.unlink(missing_ok=True)
    kuroshio = str(Path(sys.executable).with_name("kuroshio"))
    stage.console.print(
        "Kuroshio on this machine: real commands, real images, no AWS account. All output is in the log:"
    )
    stage.console.print(str(stage.log), style="dim", highlight=False)
    try:
        stage.run("Lab up: AWS on this machine", kuroshio, "lab", "up", cwd=CHECKOUT)
        env = json.loads(stage.run("Where it is", kuroshio, "lab", "env", "--json", cwd=CHECKOUT))
        for name in chosen:
            stage.console.rule(f"chapter {name}")
            CHAPTERS[name](stage, env, CHECKOUT).run()
    except StepFailed as failure:
        stage.console.print(str(failure), style="red", highlight=False, markup=False)
        return 1
    finally:
        if not os.environ.get("KEEP"):
            stage.run("Lab down: nothing is left running", kuroshio, "lab", "down", cwd=CHECKOUT)
        stage.console.print(stage.table_of_timings())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
