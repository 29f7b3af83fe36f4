"""``make bench-aurora``, or ``python -m benchmarks.aurora PART …``: each part is a module here that has a ``main``."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def parts() -> list[str]:
    """Their names, in the order of the alphabet."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [
        path.stem for path in modules if path.stem != "__main__" and "\ndef main(" in path.read_text(encoding="utf-8")
    ]


def main() -> None:
    """Measure the parts that are named, or all."""
    known = parts()
    wanted = sys.argv[1:] or known
    if unknown := sorted(set(wanted) - set(known)):
        sys.exit(f"no part {', '.join(unknown)}: there are {', '.join(known)}")
    for part in wanted:
        print(f"\n== {part}", flush=True)
        importlib.import_module(f"benchmarks.aurora.{part}").main()


if __name__ == "__main__":
    main()
