"""``make bench-runtime``: our runtime beside AWS's and beside the shell loop of the tutorials, in one interleaved run.

All runtimes are alive at once and take turns in random order; a block in which other processes used more than 6 % of a
CPU is thrown away. Overhead is what a runtime adds to a C program that echoes each event (the floor).
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks import cold, report
from benchmarks.calm import FOREIGN, Calm
from benchmarks.emulated import Emulated
from benchmarks.report import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOUSE = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "runtime_peers"
BUILD = HOUSE / "build" / "bench"
SYSTEM_PYTHON = "/usr/bin/python3"
TASK = BUILD / "task"

FLOOR, OURS, AWS, SH, BASH, CURL = "floor (C)", "ours, Python", "awslambdaric", "ours, sh", "ours, bash", "curl loop"
EVENT = b'{"key1":"value1","key2":"value2","key3":["value3",4,5.5,null,true]}'
WARM_BLOCKS, WARM_TURNS, CURL_TURNS = 40, 25, 5
COLD_BLOCKS = 25
PAYLOAD_BLOCKS = 8
MB = 1_000_000
# A busy machine may never be calm: after so many times the blocks wanted, what was calmest is taken, and it is said.
TRIES = 3

MOST_PYTHON_OVERHEAD = 0.4
MOST_SHELL_OVERHEAD = 0.15
MOST_COLD_START = 0.7


@dataclass(frozen=True)
class Variant:
    """A runtime and the handler that it is given."""

    name: str
    command: tuple[str, ...]
    turns: int = WARM_TURNS


Block = dict[str, list[float]]
"""Milliseconds by runtime, of one round over all of them."""

Memory = dict[str, tuple[float, float]]
"""RSS and PSS, MB, by runtime."""


def main() -> None:
    """Measure, print and write ``build/bench/runtime.json``; with the cold starts of a real function, if they are there."""
    report.write("runtime", [*rows(), *real_function()])


def real_function() -> list[Row]:
    """The cold starts of a real function in its image; a missed goal where they could not be had."""
    try:
        return cold.rows()
    except (RuntimeError, OSError) as error:
        say(f"no cold starts of a real function: {error}")
        return [Row("cold starts of a real function", None, "", "measured", met=False)]


def rows() -> list[Row]:
    """All figures of the runtimes, goals first."""
    variants = prepare()
    say(f"{len(variants)} runtimes: {', '.join(variant.name for variant in variants)}")
    warm, memory = measure_warm(variants)
    cold = collect("cold starts", COLD_BLOCKS, lambda: cold_block(variants))
    payloads = {size: measure_payload(variants, size) for size in (MB, 5 * MB)}
    return [*goals(warm, cold, memory, payloads), *details(warm, cold, memory, payloads)]


def prepare() -> list[Variant]:
    """Build what is measured, under ``build/bench``; the floor is left out where there is no C compiler."""
    TASK.mkdir(parents=True, exist_ok=True)
    for source in (*PEERS.glob("*.py"), *PEERS.glob("*.sh")):
        shutil.copy(source, TASK)
    opt = BUILD / "opt"
    shutil.rmtree(opt, ignore_errors=True)
    shutil.copytree(HOUSE / "layers" / "runtime", opt, ignore=shutil.ignore_patterns("__pycache__"))
    for folder in (TASK, opt):
        subprocess.run([SYSTEM_PYTHON, "-m", "compileall", "-q", folder], check=True)
    bootstrap, aws = str(opt / "bootstrap"), str(awslambdaric())
    variants = [
        Variant(OURS, (bootstrap, "echo.handle")),
        Variant(AWS, (aws, "-m", "awslambdaric", "echo.handle")),
        Variant(SH, (bootstrap, "echo_sh.handle")),
        Variant(BASH, (bootstrap, "echo_bash.handle")),
        Variant(CURL, (str(PEERS / "curl_bootstrap"), "echo_bash.handle"), CURL_TURNS),
    ]
    floor = compile_floor()
    return [*([Variant(FLOOR, (floor, "echo.handle"))] if floor else []), *variants]


def awslambdaric() -> Path:
    """The interpreter of a virtual environment with the locked awslambdaric, made from the system's Python."""
    home = BUILD / "awslambdaric"
    python = home / "bin" / "python"
    requirements = HOUSE / "requirements" / "tools" / "awslambdaric.txt"
    stamp = home / "requirements.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != requirements.read_text(encoding="utf-8"):
        say("installing awslambdaric for the comparison")
        subprocess.run([SYSTEM_PYTHON, "-m", "venv", "--clear", home], check=True)
        install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements)]
        subprocess.run([python, *install], check=True)
        shutil.copy(requirements, stamp)
    return python


def compile_floor() -> str | None:
    """The floor's executable; None, with a word, without gcc."""
    if not shutil.which("gcc"):
        say("gcc is not installed: no floor, so overheads cannot be told; medians, cold starts and memory still are")
        return None
    target = str(BUILD / "floor")
    options = ["-O2", "-static", "-D_GNU_SOURCE", "-w"]
    subprocess.run(["gcc", *options, "-o", target, PEERS / "floor.c"], check=True)
    return target


def start(variant: Variant) -> Emulated:
    """The runtime of a variant under an emulator of its own."""
    environment = {"LAMBDA_TASK_ROOT": str(TASK), "AWS_LAMBDA_FUNCTION_NAME": "bench", "PYTHONPATH": str(TASK)}
    return Emulated(variant.command, environment)


def collect(what: str, wanted: int, measure: Callable[[], Block]) -> list[Block]:
    """`wanted` calm blocks; if there are not so many, the calmest of those that there were."""
    blocks: list[tuple[float, Block]] = []
    while sum(foreign <= FOREIGN for foreign, _ in blocks) < wanted and len(blocks) < wanted * TRIES:
        watch = Calm()
        figures = measure()
        blocks.append((watch.foreign(), figures))
    blocks.sort(key=lambda block: block[0])
    kept = blocks[:wanted]
    mean = sum(foreign for foreign, _ in kept) / len(kept)
    say(f"{what}: {len(kept)} of {len(blocks)} blocks kept, others used {mean:.1%} of a CPU meanwhile")
    if kept[-1][0] > FOREIGN:
        say(
            f"{what}: THE MACHINE WAS BUSY, others used up to {kept[-1][0]:.0%} of a CPU: trust ratios, not milliseconds"
        )
    return [figures for _, figures in kept]


def measure_warm(variants: list[Variant]) -> tuple[list[Block], Memory]:
    """Milliseconds per warm invocation, and RSS and PSS after them."""
    with ExitStack() as stack:
        alive = {variant: stack.enter_context(start(variant)) for variant in variants}
        for emulated in alive.values():
            for _ in range(CURL_TURNS):
                answered(emulated, EVENT)

        def block() -> Block:
            order = random.sample(list(alive), len(alive))
            return {each.name: [answered(alive[each], EVENT) for _ in range(each.turns)] for each in order}

        samples = collect("warm invocations", WARM_BLOCKS, block)
        return samples, {variant.name: emulated.memory() for variant, emulated in alive.items()}


def cold_block(variants: list[Variant]) -> Block:
    """Milliseconds from the start of the runtime, which the first event causes, to the first answer."""
    figures = {}
    for variant in random.sample(variants, len(variants)):
        figures[variant.name] = [cold_start(variant)]
    return figures


def cold_start(variant: Variant, tries: int = TRIES) -> float:
    """Milliseconds of one first invocation; tried again where another process took the port that was free."""
    with start(variant) as emulated:
        try:
            return answered(emulated, EVENT)
        except Unanswered as error:
            say(f"{variant.name}: {error}")
            if tries == 1:
                raise
    return cold_start(variant, tries - 1)


def measure_payload(variants: list[Variant], size: int) -> list[Block]:
    """Milliseconds to echo an event of `size` bytes, many small records; a runtime that cannot is left out."""
    record = {"id": 123456, "name": "kuroshio", "tags": ["a", "b"], "ratio": 0.5}
    length = len(json.dumps(record, separators=(",", ":"))) + 1
    event = json.dumps([record] * (size // length), separators=(",", ":")).encode()
    with ExitStack() as stack:
        alive = {variant: stack.enter_context(start(variant)) for variant in variants}
        able = [variant for variant, emulated in alive.items() if echoes(emulated, event)]

        def block() -> Block:
            return {each.name: [answered(alive[each], event)] for each in random.sample(able, len(able))}

        return collect(f"{size // MB} MB payloads", PAYLOAD_BLOCKS, block)


class Unanswered(RuntimeError):  # noqa: N818 - what happened to the event
    """A runtime of the benchmark did not give the event back, so that there is nothing to measure."""


def answered(emulated: Emulated, event: bytes) -> float:
    """Milliseconds of one invocation. Raises Unanswered where the answer is not the event."""
    milliseconds, answer = emulated.invoke(event)
    if len(answer) < len(event) * 0.9 or not answer.startswith(event[:6]):
        raise Unanswered(f"answered {answer[:200]!r} to {event[:60]!r}")
    return milliseconds


def echoes(emulated: Emulated, event: bytes) -> bool:
    """Whether the runtime can carry this event at all, twice: some survive once."""
    try:
        return all(json.loads(emulated.invoke(event)[1]) == json.loads(event) for _ in range(2))
    except ValueError:
        return False


def over(blocks: list[Block], name: str) -> float | None:
    """Median milliseconds above the floor, compared within each block, so that a noisy minute hits both alike."""
    if FLOOR not in blocks[0]:
        return None
    return median(median(block[name]) - median(block[FLOOR]) for block in blocks)


def together(blocks: list[Block], name: str) -> list[float]:
    """All figures of a runtime; none where it could not do it."""
    return [value for block in blocks for value in block.get(name, [])]


def ratio(one: float | None, other: float | None) -> float | None:
    """`one` as a multiple of `other`; None where either is missing."""
    return one / other if one is not None and other else None


def goals(warm: list[Block], cold: list[Block], memory: Memory, payloads: dict[int, list[Block]]) -> Iterable[Row]:
    """What the issue asks for."""
    yield report.at_most(
        "Python: warm overhead / awslambdaric's", ratio(over(warm, OURS), over(warm, AWS)), "x", MOST_PYTHON_OVERHEAD
    )
    for name in (SH, BASH):
        yield report.at_most(
            f"{name}: warm overhead / curl loop's", ratio(over(warm, name), over(warm, CURL)), "x", MOST_SHELL_OVERHEAD
        )
    start_ratio = ratio(median(together(cold, OURS)), median(together(cold, AWS)))
    yield report.at_most("Python: start to first response / awslambdaric's", start_ratio, "x", MOST_COLD_START)
    for kind, index in (("RSS", 0), ("PSS", 1)):
        yield report.below(f"Python: {kind} (goal: awslambdaric's)", memory[OURS][index], "MB", memory[AWS][index])
    for size, blocks in payloads.items():
        for name in (OURS, SH):
            works = float(name in blocks[0])
            yield Row(f"{name}: {size // MB} MB payload works", works, "", "== 1", bool(works))


def details(warm: list[Block], cold: list[Block], memory: Memory, payloads: dict[int, list[Block]]) -> Iterable[Row]:
    """Medians and 95th percentiles of everything."""
    names = list(memory)
    for name in names:
        yield Row(f"warm, p50: {name}", median(together(warm, name)), "ms")
        yield Row(f"warm, p95: {name}", p95(together(warm, name)), "ms")
        if name != FLOOR:
            yield Row(f"warm, p50 over the floor: {name}", over(warm, name), "ms")
    for name in names:
        yield Row(f"start to first response, p50: {name}", median(together(cold, name)), "ms")
        yield Row(f"start to first response, p95: {name}", p95(together(cold, name)), "ms")
    for name, (rss, pss) in memory.items():
        yield Row(f"RSS: {name}", rss, "MB")
        yield Row(f"PSS: {name}", pss, "MB")
    for size, blocks in payloads.items():
        for name in names:
            figures = together(blocks, name)
            yield Row(f"{size // MB} MB both ways, p50: {name}", median(figures) if figures else None, "ms")


def p95(values: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(values, n=20)[-1]


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
