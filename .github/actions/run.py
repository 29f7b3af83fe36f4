"""Start a step of Kuroshio's actions.

Called with ``python -I``: the working directory holds the pull request's files, and Python must import none of them.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "layers" / "kuroshio" / "python"))

from kuroshio.actions.steps import run

sys.exit(run(sys.argv[1]))
