"""Files of a pull request are hostile: whatever they hold, an analysis ends soon and says what it does not know."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuroshio.changes.imports import jsonc, python_source, script_source
from kuroshio.changes.imports.analysis import Analysis
from tests.fakes.imports import bundle, python

FRAGMENTS = [
    *"'\"`/(){}[]<>=+-*!?.,:;\\#@$&|~^%0aé\0\n\r\t ",
    "\u2028", "${", "/*", "*/", "//", "</", "/>", "=>", "++", "...", "?.", "<!--", "<a>", "</a>", "<a b={", "<T>(", "<T,>",
    "import ", "export ", "require", "import(", "require(", "from ", "type ", "as ", "import.meta", "'./x'", "`./${", "{type a, ",
    "if (", "for await (", "return ", "typeof ", "case ", "class A ", "function ", "eval", "createRequire(", "__dirname", "a.b", "1.",
    "\\u0061", "/[/]/g", "import {a, ", "export {", "export * ", "import a, ", "/'/", "a ? ", "<a<", "require.resolve(",
]  # fmt: skip


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=40), st.sampled_from(["js", "ts", "tsx"]))
def test_any_text_of_javascript_has_an_analysis(fragments: list[str], dialect: str) -> None:
    found = script_source.analyse("".join(fragments).encode(), dialect)
    assert Analysis.from_json(found.to_json()) == found
    assert all(1 <= each.line <= 1 + "".join(fragments).count("\n") for each in (*found.imports, *found.doubts))


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["js", "ts", "tsx"]))
def test_any_bytes_have_an_analysis(content: bytes, dialect: str) -> None:
    script_source.analyse(content, dialect)
    python_source.analyse(content)
    jsonc.parse(content)


@pytest.mark.soak
@pytest.mark.timeout(60)
@pytest.mark.parametrize("dialect", ["js", "ts", "tsx"])
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_one_thing_over_and_over_ends_soon(fragment: str, dialect: str) -> None:
    """What is quadratic takes hours on as much as this."""
    script_source.analyse((fragment.encode() * script_source.MAX_BYTES)[: script_source.MAX_BYTES], dialect)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "seed",
    [
        "=/[",
        "}/[",
        "<a>(",
        "a<b<",
        "import{a,",
        "import/**/",
        "export{a}",
        "<T{n}>(",
        "`${`",
        "{import(`./${",
        "a!/",
        "a++/",
        "/*",
        "\n/*\n*/",
    ],
)
def test_what_makes_a_careless_scanner_quadratic_ends_soon(seed: str) -> None:
    for dialect in ("js", "ts", "tsx"):
        text = "".join(seed.replace("{n}", str(n)) for n in range(20_000))
        script_source.analyse(text.encode(), dialect)


@pytest.mark.parametrize("code", [b"x" * 50_000_000, b"\0" * 1000, b"\xff" * 1000, b"[" * 100_000])
def test_files_that_are_no_code_widen_instead_of_failing(code: bytes) -> None:
    assert python({"src/app.py": code, "src/b.py": ""}, "app.handler").through("src/b.py") is not None
    closure = bundle({"src/app.ts": "import './big'", "src/big.js": code, "src/b.ts": ""}, "app.ts")
    assert closure.through("src/b.ts") is not None or b"\0" in code or b"\xff" in code


@pytest.mark.parametrize(
    "content",
    ["[" * 100_000, '{"a":' * 100_000, "", "null", "{", '{"name": 1, "exports": {"a": []}}', '{"imports": []}'],
)
def test_configuration_that_cannot_be_read_is_as_good_as_none(content: str) -> None:
    files = {"src/app.ts": "import './lib'; import 'x'; import '#y'", "src/lib.ts": "", "src/package.json": content}
    closure = bundle({**files, "tsconfig.json": content, "package.json": content}, "app.ts")
    assert "src/lib.ts" in closure.files


def test_deep_maps_of_exports_end() -> None:
    deep = '{"name": "x", "exports": ' + '{"a": ' * 500 + '"./a.ts"' + "}" * 500 + "}"
    files = {"src/app.ts": "import 'x'", "lib/package.json": deep, "lib/a.ts": ""}
    assert bundle(files, "app.ts").through("lib/a.ts") is not None
