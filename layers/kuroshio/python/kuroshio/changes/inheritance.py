"""What a resource inherits from ``Globals``, merged as SAM merges it.

The rules are aws-sam-translator's (``plugins/globals/globals.py``), which the tests ask as the oracle: primitives and
intrinsic functions are replaced, mappings merged, lists appended with the global one first; where the two differ in kind
the resource's own value stands. ``IgnoreGlobals`` on the resource leaves out all ("*") or the properties named.
"""

from __future__ import annotations

from typing import Any

from kuroshio.changes.canonical import is_intrinsic

# Lists and mappings for which SAM does not follow its own rule, by Globals section and dotted path.
_REPLACED = frozenset({"Function.Architectures", "CapacityProvider.InstanceRequirements.Architectures"})
_PRUNED = frozenset({"CapacityProvider.ManagedResourceTags"})
_PREFIX = "AWS::Serverless::"


def effective_properties(template: dict[str, Any], resource: dict[str, Any]) -> dict[str, Any]:
    """Return the resource's properties with what ``Globals`` gives to its type; an empty mapping where it has none."""
    own = resource.get("Properties")
    own = own if isinstance(own, dict) else {}
    section = str(resource.get("Type", "")).removeprefix(_PREFIX)
    sections = template.get("Globals")
    inherited = sections.get(section) if isinstance(sections, dict) else None
    if not isinstance(inherited, dict) or not str(resource.get("Type", "")).startswith(_PREFIX):
        return own
    inherited = _less_ignored(inherited, resource.get("IgnoreGlobals"))
    merged: dict[str, Any] = _merge(inherited, own, section)
    return merged


def _less_ignored(inherited: dict[str, Any], ignored: Any) -> dict[str, Any]:
    if ignored == "*":
        return {}
    if not isinstance(ignored, list):
        return inherited
    return {key: value for key, value in inherited.items() if key not in ignored}


def _merge(inherited: Any, own: Any, path: str) -> Any:
    if path in _REPLACED:
        return own
    if isinstance(inherited, list) and isinstance(own, list):
        return inherited + own
    if not (_is_mapping(inherited) and _is_mapping(own)):
        return own
    kept = inherited
    if path in _PRUNED and own:
        kept = {key: value for key, value in inherited.items() if key in own}
    return {
        **kept,
        **{key: _merge(kept[key], value, f"{path}.{key}") if key in kept else value for key, value in own.items()},
    }


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and not is_intrinsic(value)
