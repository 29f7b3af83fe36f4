"""The Query protocol as RDS speaks it, by botocore's own model: forms become parameters, answers become XML."""

from __future__ import annotations

import uuid
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.session

from lab.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import ListShape, ServiceModel, Shape, StructureShape

NAMESPACE = "http://rds.amazonaws.com/doc/2014-10-31/"


@cache
def _model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("rds")


def operations() -> frozenset[str]:
    """Every operation of the API."""
    return frozenset(_model().operation_names)


def parameters(operation: str, body: bytes) -> dict[str, Any]:
    """What a form asks for, nested as botocore's clients nest it."""
    form = dict(parse_qsl(body.decode(), keep_blank_values=True))
    shape = _model().operation_model(operation).input_shape
    return _read(shape, form, "") if shape else {}


def _read(shape: Shape, form: Mapping[str, str], prefix: str) -> Any:
    if shape.type_name == "structure":
        return _read_structure(shape, form, prefix)  # type: ignore[arg-type]
    if shape.type_name == "list":
        return _read_list(shape, form, prefix)  # type: ignore[arg-type]
    text = form[prefix]
    if shape.type_name == "boolean":
        return text == "true"
    return int(text) if shape.type_name in {"integer", "long"} else text


def _read_structure(shape: StructureShape, form: Mapping[str, str], prefix: str) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        key = f"{prefix}.{name}" if prefix else name
        if any(sent == key or sent.startswith(f"{key}.") for sent in form):
            found[name] = _read(member, form, key)
    return found


def _read_list(shape: ListShape, form: Mapping[str, str], prefix: str) -> list[Any]:
    for element in (shape.member.serialization.get("name", "member"), "member"):
        numbers = {
            key[len(prefix) + len(element) + 2 :].partition(".")[0]
            for key in form
            if key.startswith(f"{prefix}.{element}.")
        }
        if numbers:
            return [_read(shape.member, form, f"{prefix}.{element}.{n}") for n in sorted(numbers, key=int)]
    return []


def answer(operation: str, result: Mapping[str, Any]) -> Answer:
    """The answer to an operation; ``result`` holds what botocore's clients are to return."""
    shape = _model().operation_model(operation).output_shape
    content = f"<{operation}Result>{_write(shape, result)}</{operation}Result>" if shape else ""
    identity = str(uuid.uuid4())
    body = (
        f'<{operation}Response xmlns="{NAMESPACE}">{content}'
        f"<ResponseMetadata><RequestId>{identity}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, body.encode(), {"Content-Type": "text/xml", "x-amzn-RequestId": identity})


def _write(shape: Shape, value: Any) -> str:
    if shape.type_name == "structure":
        members: Mapping[str, Shape] = shape.members  # type: ignore[attr-defined]
        unknown = set(value) - set(members)
        if unknown:
            raise KeyError(f"{shape.name} has no {', '.join(sorted(unknown))}")
        return "".join(
            f"<{name}>{_write(members[name], item)}</{name}>" for name, item in value.items() if item is not None
        )
    if shape.type_name == "list":
        member: Shape = shape.member  # type: ignore[attr-defined]
        element = member.serialization.get("name", "member")
        return "".join(f"<{element}>{_write(member, item)}</{element}>" for item in value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"  # type: ignore[no-any-return]
    return escape(str(value))
