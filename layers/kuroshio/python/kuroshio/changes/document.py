"""Read the YAML or JSON of a template, as hostile data: bounded, nothing constructed but plain values.

One pass over libyaml's events, without recursion, so that neither depth nor aliases can exhaust the process. Short tags
become what CloudFormation means by them (``!GetAtt a.b`` is ``{"Fn::GetAtt": ["a", "b"]}``); dates stay strings; keys are
always the strings that were written.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from kuroshio.errors import LimitExceeded, TemplateUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

# CloudFormation takes templates of at most 1 MB; what SAM reads before packaging may be somewhat larger.
MAX_BYTES = 4 * 1024 * 1024
# Counted after expansion of aliases: a "billion laughs" of ten lines has 10^9 of them.
MAX_NODES = 1_000_000
MAX_DEPTH = 100

_LoaderBase: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_TEXT, _MERGE = f"{_STANDARD}str", f"{_STANDARD}merge"
_PLAIN = {"str", "timestamp", "value", "merge"}


class _Loader(_LoaderBase):  # type: ignore[misc]
    """libyaml's parser with PyYAML's rules for what an untagged scalar is, less dates: CloudFormation has none."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML declares it so
        first: [rule for rule in rules if rule[0] != f"{_STANDARD}timestamp"]
        for first, rules in _LoaderBase.yaml_implicit_resolvers.items()
    }


@dataclass
class _Node:
    """A value with its size and height, aliases expanded."""

    value: Any
    size: int = 1
    height: int = 1


@dataclass
class _Open:
    """A mapping or sequence whose end has not come yet."""

    tag: str | None
    anchor: str | None
    line: int
    is_mapping: bool
    node: _Node
    merges: list[Any] = field(default_factory=list)
    key: str | None = None
    merging: bool = False


def load(content: bytes, repeated: list[str] | None = None) -> Any:
    """Return the document as dicts, lists, strings, numbers, booleans and None.

    Of a key that stands twice in one mapping the last value counts, as for CloudFormation, and ``repeated`` gains a
    sentence; without such a list it is an error.

    Raises TemplateUnreadable with line and column when it is not one well-formed document without duplicate keys, and
    LimitExceeded when it is larger, deeper or more aliased than MAX_BYTES, MAX_DEPTH and MAX_NODES allow.
    """
    if len(content) > MAX_BYTES:
        raise LimitExceeded(f"it has {len(content):,} bytes; at most {MAX_BYTES:,} are read")
    if content.lstrip()[:1] == b"{":
        try:
            return _load_json(content)
        except ValueError:
            # A YAML flow mapping may begin with a brace as well, and YAML's error names the place.
            pass
    return _Builder(content, repeated).build()


def _load_json(content: bytes) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            raise ValueError("duplicate key")
        return mapping

    try:
        document = json.loads(content, object_pairs_hook=unique)
    except RecursionError:
        raise LimitExceeded(f"it is nested deeper than {MAX_DEPTH} levels") from None
    _check_depth(document)
    return document


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    raise LimitExceeded(f"it is nested deeper than {MAX_DEPTH} levels")


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


class _Builder:
    """Builds the one document from libyaml's events."""

    def __init__(self, content: bytes, repeated: list[str] | None) -> None:
        self._content = content
        self._repeated = repeated
        self._open: list[_Open] = []
        self._anchors: dict[str, _Node] = {}
        self._root: _Node | None = None

    def build(self) -> Any:
        try:
            self._loader = _Loader(self._content)
            for event in self._events():
                self._take(event)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise TemplateUnreadable(f"{_where(mark)}{error.problem or error.context or error}") from None
        except yaml.YAMLError as error:  # the reader's: not text at all
            raise TemplateUnreadable(str(error).splitlines()[0]) from None
        return self._root.value if self._root else None

    def _events(self) -> Iterator[Any]:
        try:
            while self._loader.check_event():
                yield self._loader.get_event()
        finally:
            self._loader.dispose()

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self._root:
            raise TemplateUnreadable(f"{_where(event.start_mark)}a second document begins; a template is one document")

    def _scalar(self, event: Any) -> None:
        top = self._open[-1] if self._open else None
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if top and top.is_mapping and top.key is None and not top.merging:
            self._key(top, event, tag)
            return
        value = self._tagged(tag, event.value) if tag.startswith("!") else self._plain(tag, event)
        self._place(_Node(value), event.anchor, event.start_mark)

    def _key(self, top: _Open, event: Any, tag: str) -> None:
        if tag == _MERGE:
            top.merging = True
            return
        if event.value in top.node.value:
            message = f'{_where(event.start_mark)}the key "{event.value}" stands twice in one mapping; keep one of them'
            if self._repeated is None:
                raise TemplateUnreadable(message)
            self._repeated.append(message)
        if event.anchor:
            self._anchors[event.anchor] = _Node(event.value)
        top.key = event.value

    def _plain(self, tag: str, event: Any) -> Any:
        kind = tag.removeprefix(_STANDARD)
        if kind in _PLAIN:
            return event.value
        construct = {
            "int": self._loader.construct_yaml_int,
            "float": self._loader.construct_yaml_float,
            "bool": self._loader.construct_yaml_bool,
            "null": self._loader.construct_yaml_null,
        }.get(kind)
        if construct is None:
            raise TemplateUnreadable(f"{_where(event.start_mark)}the tag {tag} is not known to CloudFormation")
        try:
            return construct(yaml.ScalarNode(tag, event.value))
        except (ValueError, KeyError, IndexError):  # more digits than Python converts, or an explicit tag that lies
            return event.value

    @staticmethod
    def _tagged(tag: str, value: Any) -> Any:
        name = tag[1:]
        if name == "GetAtt" and isinstance(value, str):
            value = value.split(".", 1)
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}

    def _begin(self, event: Any) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise LimitExceeded(f"{_where(event.start_mark)}it is nested deeper than {MAX_DEPTH} levels")
        tag = event.tag if event.tag and event.tag != "!" else None
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if tag and not tag.startswith("!") and tag not in (f"{_STANDARD}map", f"{_STANDARD}seq"):
            raise TemplateUnreadable(f"{_where(event.start_mark)}the tag {tag} is not known to CloudFormation")
        top = self._open[-1] if self._open else None
        if top and top.is_mapping and top.key is None and not top.merging:
            raise TemplateUnreadable(f"{_where(event.start_mark)}a key is a list or mapping; keys are strings")
        node = _Node({} if is_mapping else [])
        self._open.append(_Open(tag, event.anchor, event.start_mark, is_mapping, node))

    def _end(self) -> None:
        done = self._open.pop()
        for merged in done.merges:
            for source in merged if isinstance(merged, list) else [merged]:
                if not isinstance(source, dict):
                    raise TemplateUnreadable(f"{_where(done.line)}<< merges something that is not a mapping")
                done.node.value.update({k: v for k, v in source.items() if k not in done.node.value})
        node = done.node
        if done.tag and done.tag.startswith("!"):
            node = _Node(self._tagged(done.tag, node.value), node.size + 1, node.height + 1)
        self._place(node, done.anchor, done.line)

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            where = _where(event.start_mark)
            raise TemplateUnreadable(f"{where}the alias *{event.anchor} names no finished anchor")
        top = self._open[-1] if self._open else None
        if top and top.is_mapping and top.key is None and not top.merging:
            if not isinstance(node.value, str):
                raise TemplateUnreadable(f"{_where(event.start_mark)}a key is a list or mapping; keys are strings")
            top.key = node.value
            return
        self._place(node, None, event.start_mark)

    def _place(self, node: _Node, anchor: str | None, mark: Any) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self._root = node
            return
        top = self._open[-1]
        top.node.size += node.size
        top.node.height = max(top.node.height, node.height + 1)
        if top.node.size > MAX_NODES or len(self._open) + node.height > MAX_DEPTH + 1:
            raise LimitExceeded(
                f"{_where(mark)}aliases expand it to more than {MAX_NODES:,} values or {MAX_DEPTH} levels"
            )
        if top.merging:
            top.merges.append(node.value)
            top.merging = False
        elif top.is_mapping and top.key is not None:
            top.node.value[top.key] = node.value
            top.key = None
        else:
            top.node.value.append(node.value)


def _where(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
