"""The accelerated JSON says what ``json`` says."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kuroshio_runtime import RuntimeFault, explain, wire

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@given(DOCUMENTS)
def test_what_is_rendered_reads_the_same_in_json_and_here(value: Any) -> None:
    rendered = wire.render(value)
    assert json.loads(rendered) == wire.parse(rendered) == value


@given(DOCUMENTS, st.sampled_from([None, 2]), st.booleans())
def test_any_formatting_of_a_document_is_parsed(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    try:
        body = f" \r\n\t{text} ".encode()
    except UnicodeEncodeError:  # a lone surrogate cannot travel unescaped
        return
    assert wire.parse(body) == value


@given(st.binary(max_size=12))
def test_whatever_json_refuses_is_refused(body: bytes) -> None:
    try:
        expected = json.loads(body.decode(), parse_constant=_not_json)
    except ValueError:
        with pytest.raises(RuntimeFault) as caught:
            wire.parse(body)
        assert caught.value.error_type == "Runtime.UnmarshalError"
    else:
        assert wire.parse(body) == expected


def test_large_documents_leave_the_collector_as_it_was() -> None:
    import gc

    document = json.dumps(["x" * wire.LARGE]).encode()
    assert gc.isenabled()
    wire.parse(document)
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, {"b": {1}}]}, "$.a[1].b is a set"),
        ([math.inf], "$[0] is inf"),
        ({"no identifier": object()}, "$['no identifier'] is a object"),
        (Decimal("0.1234567890123456789"), "$ is a Decimal, more digits than a JSON number keeps"),
        ({b"k": 1}, "$ has the key b'k', a bytes"),
    ],
)
def test_the_place_of_what_json_cannot_carry_is_named(value: Any, place: str) -> None:
    with pytest.raises(RuntimeFault, match="Unable to marshal response") as caught:
        wire.render(value)
    assert place in str(caught.value)


def test_a_document_that_is_too_deep_is_refused_and_not_a_crash() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(RuntimeFault, match="nested deeper"):
        wire.render(value)


def test_without_the_accelerator_json_itself_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_parse_text", wire._parse_plainly)
    monkeypatch.setattr(wire, "_render_text", wire._render_plainly)
    assert wire.parse(b'{"a": [1.5]}') == {"a": [1.5]}
    assert wire.render({"a": "é"}) == '{"a":"é"}'.encode()
    with pytest.raises(RuntimeFault, match=r"\$\[0\] is nan"):
        wire.render([math.nan])


def test_a_value_that_raises_while_it_is_walked_keeps_the_encoders_message() -> None:
    class Hostile(dict[str, int]):
        def items(self) -> Any:
            raise OSError("no")

    assert explain.why_not_json(Hostile(a=1), TypeError("t")) == "TypeError: t"


def _not_json(name: str) -> Any:
    raise ValueError(name)
