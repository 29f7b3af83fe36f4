"""CloudFormation's wire form: flat forms in, XML out (the ``query`` protocol)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from lab.answers import Answer
from lab.query import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


def read_form(form: Mapping[str, Any]) -> dict[str, Any]:
    """``A.member.1.B=x`` as ``{"A": [{"B": "x"}]}``."""
    tree: dict[str, Any] = {}
    for key, value in form.items():
        node, steps = tree, key.split(".")
        for step in steps[:-1]:
            node = node.setdefault(step, {})
        node[steps[-1]] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        members = node["member"]
        return [_lists(members[index]) for index in sorted(members, key=int)] if isinstance(members, dict) else []
    return {key: _lists(value) for key, value in node.items()}


def answer(operation: str, result: Mapping[str, Any] | None) -> Answer:
    """A successful response. Members that are None are left out."""
    inner = "" if result is None else f"<{operation}Result>{_xml(result)}</{operation}Result>"
    body = (
        f'<{operation}Response xmlns="{_NAMESPACE}">{inner}'
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, body.encode(), {"Content-Type": "text/xml"})


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in value.items() if item is not None)
    if isinstance(value, (list, tuple)):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return escape(iso(value) if isinstance(value, datetime) else str(value))
