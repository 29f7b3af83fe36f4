"""The many forms in which one template can be written."""

from __future__ import annotations

import json
from typing import Any

import yaml

Document = dict[str, Any]


class _ShortForms(yaml.CSafeDumper):
    """YAML with CloudFormation's short forms."""


def _mapping(dumper: Any, value: Document) -> Any:
    if len(value) == 1:
        [(key, each)] = value.items()
        if key in ("Ref", "Fn::Sub") and isinstance(each, str):
            return dumper.represent_scalar("!" + key.removeprefix("Fn::"), each)
    return dumper.represent_mapping("tag:yaml.org,2002:map", value)


_ShortForms.add_representer(dict, _mapping)


def written(document: Document, style: int) -> bytes:
    """Write a document in one of the forms that mean the same."""
    if style == 1:
        return json.dumps(document, indent=2).encode()
    dumper = _ShortForms if style == 2 else yaml.CSafeDumper
    text = yaml.dump(document, Dumper=dumper, sort_keys=style == 3, default_flow_style=style == 4)
    return (f"# form {style}\n{text}").encode()
