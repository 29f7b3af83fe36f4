"""A template as CloudFormation reads it: parsed, its parameters filled in, SAM expanded."""

from __future__ import annotations

import copy
import json
import os
import re
from typing import TYPE_CHECKING, Any

from lab.cloudformation.errors import Refused
from lab.place import REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, Any]


def parse(body: str) -> dict[str, Any]:
    """The template's document. Raises Refused for text that is no template."""
    from samtranslator.yaml_helper import yaml_parse

    try:
        document = yaml_parse(body)
    except Exception as error:
        raise Refused(f"Template format error: {error}") from error
    if not isinstance(document, dict) or not isinstance(document.get("Resources"), dict):
        raise Refused("Template format error: At least one Resources member must be defined.")
    return json.loads(json.dumps(document, default=str))  # type: ignore[no-any-return]


def fill_parameters(
    document: Mapping[str, Any], given: Parameters, fetch_ssm: Callable[[str], str]
) -> tuple[dict[str, str], dict[str, Any]]:
    """The parameters as text (SSM ones by name), and the values that a Ref of them has.

    Raises Refused for a value that is missing, not declared, not allowed, or not to be found in Parameter Store.
    """
    declared: Mapping[str, Any] = document.get("Parameters") or {}
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    texts = {name: str(given.get(name, declaration.get("Default", ""))) for name, declaration in declared.items()}
    missing = [name for name, declaration in declared.items() if name not in given and "Default" not in declaration]
    if missing:
        raise Refused(f"Parameters: [{', '.join(missing)}] must have values")
    for name, declaration in declared.items():
        _check(name, texts[name], declaration)
    return texts, {name: _value(texts[name], declared[name]["Type"], fetch_ssm) for name in declared}


def _check(name: str, text: str, declaration: Mapping[str, Any]) -> None:
    allowed = declaration.get("AllowedValues")
    if allowed and text not in [str(value) for value in allowed]:
        raise Refused(f"Template error: Parameter '{name}' must be one of AllowedValues")
    pattern = declaration.get("AllowedPattern")
    items = [item.strip() for item in text.split(",")] if declaration["Type"] == "CommaDelimitedList" else [text]
    if pattern and not all(re.fullmatch(pattern, item) for item in items):
        reason = declaration.get("ConstraintDescription") or f"must match pattern {pattern}"
        raise Refused(f"Parameter '{name}' failed to satisfy constraint: {reason}")


_SSM_VALUE = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def _value(text: str, kind: str, fetch_ssm: Callable[[str], str]) -> Any:
    from_ssm = _SSM_VALUE.fullmatch(kind)
    if from_ssm:
        text, kind = fetch_ssm(text), from_ssm[1]
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        return [item.strip() for item in text.split(",")]
    return text


def uses_sam(document: Mapping[str, Any]) -> bool:
    transforms = document.get("Transform") or []
    return "AWS::Serverless-2016-10-31" in (transforms if isinstance(transforms, list) else [transforms])


def expand_sam(document: dict[str, Any], texts: Parameters) -> dict[str, Any]:
    """The template without SAM, as CloudFormation's transform leaves it. Raises Refused with SAM's own words."""
    if not uses_sam(document):
        return document
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.translator.transform import transform

    try:
        expanded: dict[str, Any] = transform(copy.deepcopy(document), dict(texts), _ManagedPolicies())
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise Refused(
            f"Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application: {causes}"
        ) from error
    return json.loads(json.dumps(expanded, default=str))  # type: ignore[no-any-return]


class _ManagedPolicies:
    """AWS's managed policies by name, which the transform asks IAM for. SAM looks them up with ``in`` and ``[]``."""

    def load(self) -> dict[str, str]:
        return _AnyPolicy()


class _AnyPolicy(dict[str, str]):
    _SERVICE_ROLE = re.compile(r"^(AWSLambda[A-Z]|AmazonAPIGateway)\w*Role$")

    def __missing__(self, name: str) -> str:
        path = "service-role/" if self._SERVICE_ROLE.match(name) else ""
        return f"arn:aws:iam::aws:policy/{path}{name}"

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and re.fullmatch(r"(AWS|Amazon|CloudWatch|AutoScaling)\w+", name) is not None

    def get(self, name: str, default: Any = None) -> Any:
        return self[name] if name in self else default  # noqa: SIM401 - this is get
