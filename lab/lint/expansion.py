"""SAM templates as CloudFormation will see them, and the policies in them with plausible values filled in.

cfn-lint and `sam validate` no longer look at what SAM generates, so every judge of templates gets both forms.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TEMPLATES = ("foundation.yaml", "template.yaml", "aurora.yaml")
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": "ap-northeast-1",
    "AWS::AccountId": "111122223333",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "kuroshio-dev",
}
_SERVICES = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3::Bucket": "s3:::{name}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{name}",
}
Template = dict[str, Any]


class _NoManagedPolicies:
    """Ours are all written out."""

    def load(self) -> dict[str, str]:
        return {}


# Step Functions takes JSONata for these numbers of a Map, and cfn-lint's schema of states does not.
_COMPUTED_NUMBER = re.compile(r"^( +(?:MaxConcurrency|ToleratedFailurePercentage):) \"{%.*%}\"$", re.MULTILINE)


def expanded(root: Path, name: str, *, inlined: bool = False) -> Template:
    """Return the template ``name`` after the SAM transform.

    ``inlined``: definitions of state machines stand in it as ``Definition``, which lets cfn-lint judge the states and
    hides the substitutions from it; else as ``DefinitionString`` with the substitutions, the other way round.
    """
    template: Template = yaml_parse((root / name).read_text())
    if "Transform" not in template:
        return template
    definitions = dict(_definitions(root, template))
    for resource, text in definitions.items():
        properties = template["Resources"][resource]["Properties"]
        del properties["DefinitionUri"]
        properties["Definition"] = yaml.safe_load(text)
    defaults = {key: parameter.get("Default") for key, parameter in template.get("Parameters", {}).items()}
    result: Template = transform(template, defaults, _NoManagedPolicies())
    for resource in definitions if inlined else ():
        properties = result["Resources"][resource]["Properties"]
        filled = re.sub(r"\$\{(\w+)\}", r"\1", definitions[resource])
        properties["Definition"] = yaml.safe_load(_COMPUTED_NUMBER.sub(r"\1 1", filled))
        properties.pop("DefinitionString", None)
        properties.pop("DefinitionSubstitutions", None)
    return result


def _definitions(root: Path, template: Template) -> Iterator[tuple[str, str]]:
    for name, resource in template["Resources"].items():
        uri = resource.get("Properties", {}).get("DefinitionUri")
        if resource["Type"] == "AWS::Serverless::StateMachine" and isinstance(uri, str):
            yield name, (root / uri).read_text()


def policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every identity policy with the resource that has it; parliament knows no resource policies."""
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::ManagedPolicy":
            yield name, resolved(properties["PolicyDocument"], template)
        if resource["Type"] == "AWS::IAM::Role":
            for policy in properties.get("Policies", []):
                yield f"{name}/{policy['PolicyName']}", resolved(policy["PolicyDocument"], template)


def resolved(value: Any, template: Template) -> Any:
    """Return ``value`` with its intrinsic functions replaced by values of the right shape, not the real ones."""
    if isinstance(value, list):
        return [resolved(item, template) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Ref" or function.startswith("Fn::"):
            return _intrinsic(function, argument, template)
    return {key: resolved(item, template) for key, item in value.items()}


def _intrinsic(function: str, argument: Any, template: Template) -> Any:
    match function:
        case "Ref":
            return _named(argument, template)
        case "Fn::GetAtt":
            return _arn(argument[0] if isinstance(argument, list) else argument.split(".")[0], template)
        case "Fn::ImportValue":
            return _imported(resolved(argument, template))
        case "Fn::Sub":
            return _filled(argument, template)
        case "Fn::If":
            return resolved(argument[1], template)
    raise ValueError(f"{function} in a policy: teach lab/lint/expansion.py what it comes to")


def _named(name: str, template: Template) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    if name.endswith("SecretArn"):
        return (
            f"arn:aws:secretsmanager:{_PSEUDO['AWS::Region']}:{_PSEUDO['AWS::AccountId']}:secret:{name.lower()}-a1b2c3"
        )
    if name.endswith("QueueArn"):
        return f"arn:aws:sqs:{_PSEUDO['AWS::Region']}:{_PSEUDO['AWS::AccountId']}:{name.lower()}"
    return str(template.get("Parameters", {}).get(name, {}).get("Default") or name.lower())


def _arn(name: str, template: Template) -> str:
    shape = _SERVICES[template["Resources"][name]["Type"]]
    return "arn:aws:" + shape.format(
        region=_PSEUDO["AWS::Region"], account=_PSEUDO["AWS::AccountId"], name=name.lower()
    )


def _imported(export: str) -> str:
    name = export.rpartition("-")[2]
    kind = "AWS::DynamoDB::Table" if "Table" in name else "AWS::S3::Bucket"
    return _arn(name, {"Resources": {name: {"Type": kind}}}) if name.endswith("Arn") else name.lower()


def _filled(argument: Any, template: Template) -> str:
    text, given = (argument, {}) if isinstance(argument, str) else argument
    values: Mapping[str, Any] = {key: resolved(value, template) for key, value in given.items()}

    def value_of(found: re.Match[str]) -> str:
        name = found[1]
        if name in values:
            return str(values[name])
        return _arn(name.split(".")[0], template) if "." in name else _named(name, template)

    return re.sub(r"\$\{([\w:.]+)\}", value_of, text)
