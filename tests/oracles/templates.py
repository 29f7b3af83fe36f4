"""What a template deploys, worked out from the whole of it. Nothing of the detector's is used here.

``Globals`` are merged by SAM's own code; parameters, mappings, conditions and loops are worked out to their values.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import Any

import yaml
from samtranslator.plugins.globals.globals import Globals

Document = dict[str, Any]

_LOOP = "Fn::ForEach::"


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short forms."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def load(content: bytes) -> Any:
    """Return the document; None where it is none."""
    try:
        return yaml.load(content, _Loader)  # noqa: S506 - a safe loader's child
    except (yaml.YAMLError, ValueError):
        return None


def template(content: bytes) -> Document | None:
    """Return the document of a template, its loops written out and its globals merged."""
    document = load(content)
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        return None
    return _with_globals(_written_out(document, _defaults(document), {}))


def _defaults(document: Document) -> dict[str, Any]:
    """Return what each parameter's value is when nobody gives one."""
    parameters = document.get("Parameters") or {}
    return {name: body.get("Default", f"<a {body.get('Type')}>") for name, body in parameters.items()}


def _written_out(value: Any, defaults: dict[str, Any], bound: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_written_out(each, defaults, bound) for each in value]
    if isinstance(value, str):
        return re.sub(r"\$\{(\w+)\}", lambda match: bound.get(match[1], match[0]), value)
    if not isinstance(value, dict):
        return value
    if value.keys() == {"Ref"} and value["Ref"] in bound:
        return bound[value["Ref"]]
    result: Document = {}
    for key, each in value.items():
        if not str(key).startswith(_LOOP):
            result[_written_out(key, defaults, bound)] = _written_out(each, defaults, bound)
            continue
        name, items, body = each
        if isinstance(items, dict):
            items = str(defaults[items["Ref"]]).split(",")
        for item in items:
            result |= _written_out(body, defaults, {**bound, name: str(item).strip()})
    return result


def _with_globals(document: Document) -> Document:
    if "Globals" not in document:
        return document
    document = copy.deepcopy(document)
    merger = Globals(document)
    for body in document["Resources"].values():
        if isinstance(body, dict) and str(body.get("Type")).startswith("AWS::Serverless::"):
            given = body.get("IgnoreGlobals")
            own = body.get("Properties") or {}
            body["Properties"] = merger.merge(body["Type"], own, body.get("LogicalId", ""), given)
    return document


@dataclass(frozen=True)
class Deployment:
    """One way in which a template is deployed: the values of its parameters."""

    document: Document
    given: tuple[tuple[str, str], ...] = ()

    def value(self, value: Any) -> Any:
        """Work a value out as far as the template decides it."""
        if isinstance(value, list):
            return [self.value(each) for each in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            worked_out = self._function(str(name), argument)
            if worked_out is not None:
                return worked_out[0]
        return {key: self.value(each) for key, each in value.items()}

    def _function(self, name: str, argument: Any) -> list[Any] | None:
        parameters = _defaults(self.document) | dict(self.given)
        if name == "Ref" and argument in parameters:
            return [parameters[argument]]
        if name == "Fn::Sub":
            text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self.value(argument[1]))
            known = parameters | {key: each for key, each in own.items() if isinstance(each, str)}
            worked_out = re.sub(r"\$\{(\w+)\}", lambda match: str(known.get(match[1], match[0])), text)
            return [{"Fn::Sub": [worked_out, {key: each for key, each in own.items() if not isinstance(each, str)}]}]
        if name == "Fn::FindInMap":
            found: Any = self.document.get("Mappings", {})
            for key in self.value(argument):
                found = found.get(key) if isinstance(found, dict) and isinstance(key, str) else None
            return None if found is None else [found]
        if name == "Fn::If":
            return [self.value(argument[1 if self.condition(argument[0]) else 2])]
        return None

    def condition(self, name: str) -> Any:
        """Work a condition out."""
        return self._holds((self.document.get("Conditions") or {}).get(name))

    def _holds(self, expression: Any) -> Any:
        if not isinstance(expression, dict) or len(expression) != 1:
            return expression
        [(name, argument)] = expression.items()
        if name == "Fn::Equals":
            one, other = (self.value(each) for each in argument)
            return one == other
        if name == "Condition":
            return self.condition(argument)
        holding = [self._holds(each) for each in argument]
        return {"Fn::And": all(holding), "Fn::Or": any(holding), "Fn::Not": not holding[0]}[name]
