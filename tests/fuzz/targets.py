"""Everything that reads what others wrote: each target takes any bytes, and ends with an answer or an error with a name.

Imported by the fuzzer's own environment too, so nothing here needs more than the package itself.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio import errors
from kuroshio.changes import analysis, dockerignore, request, settings
from kuroshio.changes.dockerfile import lines, stages
from kuroshio.changes.imports import jsonc, python_source, script_source
from kuroshio.changes.imports.analysis import Analysis
from kuroshio.changes.plan import Cause, Caveat, Change, Plan, Reason, UnitChange
from kuroshio.changes.rendering import document, markdown
from kuroshio.changes.unit import Kind, Packaging
from kuroshio.github import event, latest
from kuroshio.github.comment import Order
from kuroshio.mackerel import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ROOT = Path(__file__).parents[2]
DEEP = b"[" * 100_000, b'{"a":' * 50_000, b"- " * 20_000, b"(" * 20_000, b"{[" * 20_000
_NOW = 1_790_000_000.0


def template(content: bytes) -> None:
    found = analysis.analyse(content)
    assert found is None or found == analysis.analyse(content)


def dockerfile(content: bytes) -> None:
    with suppress(lines.NotUnderstood):
        list(lines.instructions(content))
    with suppress(lines.NotUnderstood):
        stages.read(content, None, {"PART": "a"})


def docker_ignore(content: bytes) -> None:
    with suppress(errors.LimitExceeded):
        rules = dockerignore.patterns(content)
        for path in ("a", "a/b.py", "a/b/c/d.txt", "node_modules/x/y", "\udcff/\n"):
            assert dockerignore.excludes(rules, path) in (True, False)


def kuroshio_yaml(content: bytes) -> None:
    with suppress(errors.SettingsInvalid):
        said = settings.parse(content)
        said.of("template.yaml#F"), said.wave("template.yaml#F"), said.ignores("a/b"), said.leaves_out("t.yaml")


def python(content: bytes) -> None:
    found = python_source.analyse(content)
    assert Analysis.from_json(found.to_json()) == found


def javascript(content: bytes) -> None:
    for dialect in ("js", "ts", "tsx"):
        found = script_source.analyse(content, dialect)
        assert Analysis.from_json(found.to_json()) == found


def tsconfig(content: bytes) -> None:
    jsonc.parse(content)


def plan(content: bytes) -> None:
    with suppress(errors.InvalidRequest):
        found = document.read(content)
        with suppress(TypeError, ValueError, AttributeError):  # what no plan of ours holds is not written either
            markdown.write(found)


def pointer(content: bytes) -> None:
    with suppress(errors.InvalidRequest):
        latest.read(content)


def detect_request(content: bytes) -> None:
    with suppress(ValueError, RecursionError):
        given = json.loads(content)
        with suppress(errors.InvalidRequest):
            request.parse(given)


def github_event(content: bytes) -> None:
    with suppress(ValueError, RecursionError):
        given = json.loads(content)
        for name in ("pull_request", "merge_group"):
            with suppress(errors.InvalidRequest):
                event.subject(name, given, 1)
        with suppress(errors.InvalidRequest):
            event.push(given)


def outbox_message(content: bytes) -> None:
    parcel = messages.unpacked(content.decode("utf-8", "replace"), _NOW)
    messages.in_messages(parcel)


def _files(*patterns: str) -> list[bytes]:
    return [path.read_bytes() for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.is_file()]


def _a_plan() -> list[bytes]:
    reason = Reason(Cause.CONTENT, "a.py", ("CodeUri",))
    unit = UnitChange("t.yaml#F", Kind.FUNCTION, Packaging.ZIP, Change.MODIFIED, (reason,))
    caveat = Caveat("loop", "t.yaml", "it runs", ("t.yaml#F",))
    made = Plan(
        "a" * 40,
        "b" * 40,
        "c" * 40,
        complete=False,
        units=(unit,),
        infrastructure=("x",),
        ignored=(),
        unclassified=(),
        warnings=(caveat,),
    )
    return [document.write(made).encode()]


def _a_message() -> list[bytes]:
    point = {"service": "s", "name": "a.b", "time": _NOW, "value": 1, "combine": "sum", "key": "k"}
    report = {"name": "n", "status": "OK", "message": "m", "occurred_at": _NOW, "notification_interval": 60}
    annotation = {"service": "s", "title": "t", "first": _NOW, "last": None, "description": "", "marker": "m"}
    found = {"schema": messages.SCHEMA, "points": [point], "reports": [report], "annotations": [annotation]}
    return [json.dumps(found).encode()]


def _a_pointer() -> list[bytes]:
    return [latest.Latest(Order("2026-01-01T00:00:00Z", 1), "a" * 40, "b" * 40, "plans/x.json", "plans/x.md").write()]


def _a_request() -> list[bytes]:
    return [json.dumps(request.request("octo/shop", 1, "a" * 40, "b" * 40).document()).encode()]


_SCRIPT = b"""import a, {type B} from "./b"; export * from './c'; const d = require(`./d`), e = await import('./e');
if (d) /re[/]x/.test(`${a}/`); const f = <T,>(x: T) => x; <div a={b}>'</div>;
"""
_CONFIG = b'{ // why\n "extends": "./base.json", "compilerOptions": { "paths": { "@/*": ["src/*"], }, /* */ "baseUrl": "." }, }'

# Each target, and what a fuzzer begins with.
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterable[bytes]]]] = {
    "template": (template, lambda: _files("template.yaml", "foundation.yaml", "tests/lab/stacks/*.yaml")),
    "dockerfile": (dockerfile, lambda: _files("functions/Dockerfile")),
    "docker_ignore": (docker_ignore, lambda: [b"*\n!src/**\n[a-z]?.py\n**/x*\n\\!y\n# z\n", *_files(".dockerignore")]),
    "kuroshio_yaml": (kuroshio_yaml, lambda: _files("kuroshio.yaml")),
    "python": (python, lambda: _files("layers/kuroshio/python/kuroshio/changes/[a-d]*.py")),
    "javascript": (javascript, lambda: [_SCRIPT, *_files("tests/lab/mackerel/*.js")]),
    "tsconfig": (tsconfig, lambda: [_CONFIG]),
    "plan": (plan, _a_plan),
    "pointer": (pointer, _a_pointer),
    "detect_request": (detect_request, _a_request),
    "github_event": (github_event, lambda: _files("tests/contract/github/events/*.json")),
    "outbox_message": (outbox_message, _a_message),
}

_OTHERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1e400,
    "",
    "x",
    "\udcff",
    [],
    {},
    [None],
    {"": {}},
    2**70,
    "0" * 40,
    ["x"],
    [[]],
)


def confused(content: bytes, choice: bytes) -> bytes:
    """Return a JSON document with some of its values exchanged for others: what a mutation of bytes hardly finds."""
    try:
        found = [json.loads(content)]
    except (ValueError, RecursionError):
        return content
    for at in range(0, len(choice) - 2, 3):
        node: Any = found
        for _ in range(1 + choice[at] % 6):
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            if not keys:
                break
            key = keys[choice[at + 1] % len(keys)]
            if not isinstance(node[key], (dict, list)) or choice[at] % 6 == 0:
                node[key] = copy.deepcopy(_OTHERS[choice[at + 2] % len(_OTHERS)])
                break
            node = node[key]
    return json.dumps(found[0]).encode()
