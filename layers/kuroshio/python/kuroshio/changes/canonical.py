"""One form for all ways to write the same definition: key order, YAML or JSON, short or long intrinsic functions."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any


def digest(value: Any) -> str:
    """Digest what ``value`` means: 24 hexadecimal digits, equal for equal meanings."""
    return sha256(text(value).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def text(value: Any) -> str:
    """Write ``value`` as JSON with sorted keys and without space."""
    return json.dumps(normalise(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def normalise(value: Any) -> Any:
    """Give intrinsic functions that may be written in two ways one form: ``Fn::GetAtt: a.b`` is ``[a, b]``."""
    if isinstance(value, dict):
        if len(value) == 1 and isinstance(value.get("Fn::GetAtt"), str):
            return {"Fn::GetAtt": value["Fn::GetAtt"].split(".", 1)}
        return {key: normalise(item) for key, item in value.items()}
    if isinstance(value, list):
        return [normalise(item) for item in value]
    return value


def is_intrinsic(value: Any) -> bool:
    """Whether CloudFormation computes ``value``: a mapping of one key that names a function."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    name = next(iter(value))
    return name in {"Ref", "Condition"} or name.startswith("Fn::")
