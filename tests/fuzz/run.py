"""The fuzzer's own program: ``python -m tests.fuzz.run TARGET [libFuzzer's options]``, in the environment of atheris."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["kuroshio"]):
    from tests.fuzz import targets


def main() -> None:
    name, *options = sys.argv[1:]
    target, seeds = targets.TARGETS[name]
    samples = list(seeds())

    def one(content: bytes) -> None:
        target(content)
        if content[:1] in (b"{", b"["):
            target(targets.confused(content, content[-30:]))

    for sample in (*samples, *targets.DEEP, b"", *(sample[: len(sample) // 2] for sample in samples)):
        one(sample)
        confusions = (
            targets.confused(sample, bytes(step * by % 251 for by in range(1, 10))) for step in range(0, 240, 7)
        )
        for confusion in set(confusions) - {sample}:
            one(confusion)
    with tempfile.TemporaryDirectory() as corpus:
        for number, sample in enumerate(samples):
            Path(corpus, str(number)).write_bytes(sample)
        atheris.Setup([sys.argv[0], *options, corpus], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
