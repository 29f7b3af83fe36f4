"""How fast import closures are found: analysis of files, and closures over analyses that were kept.

Python is measured on the standard library's own modules. For TypeScript there is no such corpus at hand everywhere, so
a repository of the usual shape is made: handlers, services and a library, of some 3 kB each.
"""

from __future__ import annotations

import sysconfig
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

from benchmarks import report
from kuroshio.changes.imports import python_source, script_source
from kuroshio.changes.imports.graph import Closures, CodeDirectory, Language, Start
from kuroshio.changes.ports import Blob
from kuroshio.changes.tree import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kuroshio.changes.imports.analysis import Analysis

_HANDLERS = 1000

_PYTHON = '''"""Handler {n}."""
import json
import os

import boto3

from lib import service{a}, service{b}
from lib.shared import log


def handler(event, context):
    """Take an order."""
    table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
    for record in event["Records"]:
        body = json.loads(record["body"])
        log.info("order %s", body["id"])
        table.put_item(Item={{"pk": f"order#{{body['id']}}", "state": service{a}.state(body), **service{b}.extra(body)}})
    return {{"statusCode": 200, "body": json.dumps({{"ok": True}})}}
'''
_TYPESCRIPT = """import {{ DynamoDBClient, PutItemCommand }} from "@aws-sdk/client-dynamodb";
import type {{ SQSEvent }} from "aws-lambda";
import {{ state }} from "./lib/service{a}";
import {{ extra }} from "./lib/service{b}.js";
import {{ log }} from "./lib/shared";

const client = new DynamoDBClient({{}});

/** Takes an order: handler {n}. It's idempotent. */
export const handler = async (event: SQSEvent): Promise<{{ ok: boolean }}> => {{
  for (const record of event.Records) {{
    const body = JSON.parse(record.body) as {{ id: string; total: number }};
    const key = `order#${{body.id.replace(/[^'"\\w]/g, "-")}}`;
    if (body.total / 100 > 1) log.info(`order ${{key}}`, {{ total: body.total / 100 }});
    await client.send(new PutItemCommand({{ TableName: process.env.TABLE!, Item: {{ pk: {{ S: key }}, ...extra(body), ...state(body) }} }}));
  }}
  return {{ ok: true }};
}};
"""


@dataclass
class _Repository:
    """A commit in memory."""

    files: Mapping[str, bytes]

    @property
    def entries(self) -> dict[str, Entry]:
        return {path: Entry("100644", path) for path in self.files}

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        return ((oid, Blob(self.files[oid][:max_bytes], len(self.files[oid]))) for oid in oids)


class _Kept:
    """Analyses by key."""

    def __init__(self) -> None:
        self.kept: dict[str, Analysis] = {}

    def get(self, keys: Iterable[str]) -> Mapping[str, Analysis]:
        return {key: self.kept[key] for key in keys if key in self.kept}

    def put(self, analyses: Mapping[str, Analysis]) -> None:
        self.kept.update(analyses)


def _repository(text: str, suffix: str) -> _Repository:
    numbers = [{"n": n, "a": n % 97, "b": n * 7 % 101} for n in range(_HANDLERS)]
    files = {f"src/handler{each['n']}{suffix}": (text.format(**each) * 3).encode() for each in numbers}
    files |= {f"src/lib/service{n}{suffix}": b"" for n in range(101)} | {f"src/lib/shared{suffix}": b""}
    return _Repository(files)


def _best(work: Callable[[], object], times: int = 3) -> float:
    """Seconds of processor time of the quickest of a few runs: nothing here waits, and others may use the machine."""
    found = []
    for _ in range(times):
        begun = process_time()
        work()
        found.append(process_time() - begun)
    return min(found)


def _analysis(name: str, contents: list[bytes], analyse: Callable[[bytes], Analysis]) -> Iterator[report.Row]:
    seconds = _best(lambda: [analyse(content) for content in contents])
    megabytes = sum(map(len, contents)) / 1e6
    yield report.Row(f"{name}: analysis", len(contents) / seconds, "files/s")
    yield report.Row(f"{name}: analysis", megabytes / seconds, "MB/s")


def _closures(
    name: str, repository: _Repository, directory: CodeDirectory, starts: list[Start]
) -> Iterator[report.Row]:
    kept = _Kept()
    cold = _best(lambda: Closures(repository.entries, repository).of(directory, starts))
    Closures(repository.entries, repository, kept).of(directory, starts)
    warm = _best(lambda: Closures(repository.entries, repository, kept).of(directory, starts))
    yield report.Row(f"{name}: {len(starts)} closures, nothing kept", 1000 * cold, "ms")
    yield report.Row(f"{name}: {len(starts)} closures, analyses kept", 1000 * warm, "ms")


def main() -> None:
    """Measure both languages."""
    library = [path.read_bytes() for path in sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))]
    python, script = _repository(_PYTHON, ".py"), _repository(_TYPESCRIPT, ".ts")
    scripts = [content for content in script.files.values() if content]
    rows = [
        *_analysis("Python, standard library", library, python_source.analyse),
        *_analysis("TypeScript", scripts, lambda content: script_source.analyse(content, "ts")),
        *_closures(
            "Python",
            python,
            CodeDirectory("src", Language.PYTHON),
            [Start(f"handler{n}.handler") for n in range(_HANDLERS)],
        ),
        *_closures(
            "TypeScript",
            script,
            CodeDirectory("src", Language.SCRIPT, bundled=True),
            [Start(entry_points=(f"handler{n}.ts",)) for n in range(_HANDLERS)],
        ),
    ]
    report.write("imports", rows)


if __name__ == "__main__":
    main()
