"""Templates are read as hostile data: right, or a clear error with its place, in bounded time."""

import json
import random
import string
import tracemalloc
from typing import Any

import hypothesis.strategies as st
import pytest
import yaml
from hypothesis import given, settings
from samtranslator.yaml_helper import yaml_parse

from kuroshio.changes.analysis import analyse
from kuroshio.changes.canonical import digest
from kuroshio.changes.document import MAX_BYTES, MAX_DEPTH, load
from kuroshio.errors import LimitExceeded, TemplateUnreadable

TEXT = st.text(alphabet=string.ascii_letters + " :#-!&*{}[]'\"%@\n日", max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=80, deadline=None)
@given(VALUES)
def test_yaml_and_json_of_a_value_are_that_value(value: Any) -> None:
    assert load(yaml.dump(value, Dumper=yaml.CSafeDumper, allow_unicode=True).encode()) == value
    if isinstance(value, dict):
        assert load(json.dumps(value).encode()) == value


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from("ABCDEF"), VALUES, min_size=2), st.randoms(use_true_random=False))
def test_order_comments_and_format_never_matter(resources: dict[str, Any], chance: random.Random) -> None:
    """The analysis of a template is the same however it is written."""
    function = {"Type": "AWS::Serverless::Function", "Properties": resources}
    template = {"Resources": {"F": function, "Q": {"Type": "AWS::SQS::Queue"}}}
    plain = analyse(yaml.dump(template, Dumper=yaml.CSafeDumper).encode())
    assert plain is not None
    rewritten = yaml.dump(
        _shuffled(template, chance), Dumper=yaml.CSafeDumper, sort_keys=False, default_flow_style=None, indent=4
    )
    assert analyse(f"# a comment\n{rewritten}\n# and another\n".encode()) == plain
    assert analyse(json.dumps(_shuffled(template, chance), indent=chance.choice([None, 1, "\t"])).encode()) == plain


def _shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, _shuffled(item, chance)) for key, item in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [_shuffled(item, chance) for item in value] if isinstance(value, list) else value


def test_short_tags_are_what_cloudformation_means_by_them() -> None:
    document = """
A: !Ref X
B: !GetAtt X.Y.Z
C: !Sub ["${a}", {a: !Ref B}]
D: !If [Cond, 1, !Ref AWS::NoValue]
E: !Condition Cond
F: !Select
  - 0
  - !GetAZs ""
G: !FindInMap [A, B, C]
"""
    assert load(document.encode()) == json.loads(json.dumps(yaml_parse(document)))


def test_long_and_short_forms_mean_the_same() -> None:
    short, long = load(b"A: !GetAtt X.Y"), load(b"A: {Fn::GetAtt: X.Y}")
    assert digest(short) == digest(long)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2010-09-09", "2010-09-09"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("0o7", "0o7"),
        ("yes", True),
        ("1_000", 1000),
        ("!!str 1", "1"),
        ("''", ""),
        ("~", None),
        (f"{'9' * 5000}", "9" * 5000),
        ("=", "="),
    ],
)
def test_scalars_are_what_yaml_1_1_says_less_dates(written: str, expected: object) -> None:
    assert load(f"a: {written}".encode()) == {"a": expected}


def test_keys_are_the_strings_that_were_written() -> None:
    assert load(b"{200: a, yes: b, 2010-09-09: c, 1.0: d, ~: e}") == {
        "200": "a", "yes": "b", "2010-09-09": "c", "1.0": "d", "~": "e",
    }  # fmt: skip


def test_anchors_and_merge_keys_are_expanded() -> None:
    document = b"""
base: &base {a: 1, b: 2}
own: {<<: *base, b: 3}
list: {<<: [{a: 0}, *base]}
name: &name key
use: {*name : 1, x: *name}
"""
    assert load(document) == {
        "base": {"a": 1, "b": 2},
        "own": {"a": 1, "b": 3},
        "list": {"a": 0, "b": 2},
        "name": "key",
        "use": {"key": 1, "x": "key"},
    }


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", 'line 3, column 1: the key "a" stands twice'),
        ("a: [1, 2\nb: 3", "line 2"),
        ("a: *nobody", "alias"),
        ("a: &a [*a]", "line 1, column 8"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document"),
        ("a: !!python/object/apply:os.system [id]", "line 1, column 4: the tag"),
        ("a: !!binary aGk=", "line 1, column 4: the tag"),
        ("? [a]\n: 1", "line 1, column 3: a key is"),
        ("a: {<<: 1}", "line 1, column 4: << merges"),
        ("\t- a", "line 1"),
        ('{"a": 1, "a": 2}', 'line 1, column 10: the key "a" stands twice'),
        ("{", "line"),
        ("a: \x01", "control characters"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(document: str, place: str) -> None:
    with pytest.raises(TemplateUnreadable) as refused:
        load(document.encode())
    assert place in str(refused.value)


def test_text_that_is_not_utf_8_is_unreadable() -> None:
    with pytest.raises(TemplateUnreadable):
        load(b"a: \xff\xfe\xfa")


BOMBS = {
    "billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True)),
    "mappings": "a: &a {x: 1, y: 2}\n"
    + "".join(
        f"{b}: &{b} {{x: *{a}, y: *{a}}}\n"
        for a, b in zip(string.ascii_lowercase, string.ascii_lowercase[1:], strict=False)
    ),
    "deep flow": "[" * 100_000,
    "deep block": "\n".join(" " * depth + "a:" for depth in range(MAX_DEPTH + 10)),
    "deep json": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "json just too deep": '{"a":' * 200 + "1" + "}" * 200,
    "deep by aliases": "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}]\n" for n in range(200)),
    "large": "a: " + "x" * MAX_BYTES,
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_in_little_memory(bomb: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises((LimitExceeded, TemplateUnreadable)):
            load(bomb.encode())
        assert tracemalloc.get_traced_memory()[1] < 100 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_bomb_in_a_template_is_a_doubt_about_it() -> None:
    analysis = analyse(f"Resources: {{A: {{Type: AWS::X}}}}\n{BOMBS['billion laughs']}".encode())
    assert analysis is not None
    assert [doubt.code for doubt in analysis.doubts] == ["template-too-large"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_value_or_a_named_error(content: bytes) -> None:
    try:
        digest(load(content))
        analyse(b"Resources: {A: {Type: AWS::X}}\n" + content)
    except (TemplateUnreadable, LimitExceeded):
        pass


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["Resources", "Globals", "Parameters", "Transform", "Fn::Transform"]), VALUES))
def test_a_template_of_any_shape_is_analysed_without_a_crash(template: dict[str, Any]) -> None:
    resource = {"Type": "AWS::Serverless::Function", "Properties": template}
    shapes = [template, {"Resources": {"F": resource, "G": template.get("Resources")}} | template]
    shapes.append(shapes[1] | {"Resources": {"F": resource | {"Metadata": template, "DependsOn": template}}})
    for shape in shapes:
        analyse(json.dumps(shape).encode() + b"\n# Type: AWS::")
        analyse(yaml.dump(shape, Dumper=yaml.CSafeDumper).encode() + b"\n# Type: AWS:: Resources:")
