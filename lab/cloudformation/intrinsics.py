"""Intrinsic functions, conditions and pseudo parameters."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.cloudformation.errors import Refused
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_NOTHING = object()
_SUB = re.compile(r"\$\{([^!{}][^{}]*)\}")


@dataclass
class Resolver:
    """Resolves a template's values.

    ``reference`` gives a resource's Ref and ``attribute`` its GetAtt; both raise KeyError for what is not (yet) there.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    stack_name: str
    stack_id: str
    region: str
    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    exports: Mapping[str, str] = field(default_factory=dict)
    fetch: Callable[[str, str], str] = lambda _service, name: name  # for {{resolve:…}}

    def resolve(self, value: Any) -> Any:
        """``value`` with every function in it computed. Raises Refused for one that cannot be."""
        result = self._resolve(value)
        return None if result is _NOTHING else result

    def condition(self, name: str) -> bool:
        conditions = self.template.get("Conditions") or {}
        if name not in conditions:
            raise Refused(f"Template format error: Unresolved condition dependency {name}")
        return bool(self._resolve(conditions[name]))

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in map(self._resolve, value) if item is not _NOTHING]
        if isinstance(value, str):
            return self._dynamic(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            function = getattr(self, "_" + name.replace("Fn::", "fn_").lower(), None) if _is_function(name) else None
            if function is not None:
                return function(argument)
            if name.startswith("Fn::"):
                raise Refused(
                    f"Template error: the lab does not know the function {name}; lab/cloudformation/intrinsics.py has them"
                )
        resolved = {key: self._resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not _NOTHING}

    def _dynamic(self, text: str) -> str:
        def fetch(match: re.Match[str]) -> str:
            service, _, name = match[1].partition(":")
            return self.fetch(service, name)

        return re.sub(r"\{\{resolve:([^}]+)\}\}", fetch, text)

    # Functions -----------------------------------------------------------------------------------------------------------

    def _ref(self, name: str) -> Any:
        pseudo = self._pseudo()
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._known(lambda: self.reference(name), name)

    def _known(self, look_up: Callable[[], Any], what: str) -> Any:
        try:
            return look_up()
        except KeyError as error:
            raise Refused(
                f"Template format error: Unresolved resource dependencies [{what}] in the template"
            ) from error

    def _pseudo(self) -> dict[str, Any]:
        return {
            "AWS::NoValue": _NOTHING,
            "AWS::AccountId": ACCOUNT,
            "AWS::Region": self.region,
            "AWS::Partition": "aws",
            "AWS::StackName": self.stack_name,
            "AWS::StackId": self.stack_id,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NotificationARNs": [],
        }

    def _fn_getatt(self, argument: Any) -> Any:
        name, attribute = (
            argument.split(".", 1) if isinstance(argument, str) else (argument[0], self._resolve(argument[1]))
        )
        return self._known(lambda: self.attribute(name, attribute), f"{name}.{attribute}")

    def _fn_sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self._resolve(argument[1]))

        def place(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name in own:
                return str(own[name])
            return str(self._fn_getatt(name) if "." in name else self._ref(name))

        return self._dynamic(_SUB.sub(place, text).replace("${!", "${"))

    def _fn_join(self, argument: Any) -> str:
        separator, items = argument
        return str(separator).join(str(item) for item in self._resolve(items))

    def _fn_split(self, argument: Any) -> list[str]:
        return str(self._resolve(argument[1])).split(argument[0])

    def _fn_select(self, argument: Any) -> Any:
        return self._resolve(argument[1])[int(self._resolve(argument[0]))]

    def _fn_if(self, argument: Any) -> Any:
        return self._resolve(argument[1] if self.condition(argument[0]) else argument[2])

    def _condition(self, name: Any) -> Any:
        # Also a key of policy statements: there it holds a mapping, and the statement has other keys beside it.
        return self.condition(name) if isinstance(name, str) else {"Condition": self._resolve(name)}

    def _fn_equals(self, argument: Any) -> bool:
        left, right = self._resolve(argument)
        return str(left) == str(right)

    def _fn_and(self, argument: Any) -> bool:
        return all(self._resolve(item) for item in argument)

    def _fn_or(self, argument: Any) -> bool:
        return any(self._resolve(item) for item in argument)

    def _fn_not(self, argument: Any) -> bool:
        return not self._resolve(argument[0])

    def _fn_findinmap(self, argument: Any) -> Any:
        names = [str(self._resolve(item)) for item in argument[:3]]
        node: Any = self.template.get("Mappings") or {}
        for name in names:
            if name not in node:
                raise Refused(f"Template error: Unable to get mapping for {'::'.join(names)}")
            node = node[name]
        return self._resolve(node)

    def _fn_importvalue(self, argument: Any) -> str:
        name = str(self._resolve(argument))
        if name not in self.exports:
            raise Refused(f"No export named {name} found. Rollback requested by user.")
        return self.exports[name]

    def _fn_base64(self, argument: Any) -> str:
        return base64.b64encode(str(self._resolve(argument)).encode()).decode()

    def _fn_getazs(self, argument: Any) -> list[str]:
        region = self._resolve(argument) or self.region
        return [region + letter for letter in "acd"]

    def _fn_tojsonstring(self, argument: Any) -> str:
        return json.dumps(self._resolve(argument), separators=(",", ":"))


def _is_function(name: str) -> bool:
    return name in {"Ref", "Condition"} or name.startswith("Fn::")


def references(value: Any, resources: Mapping[str, Any]) -> Iterator[str]:
    """The logical ids of the resources that ``value`` needs."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, resources)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _referred(key, item, resources)
            yield from references(item, resources)


def _referred(key: str, item: Any, resources: Mapping[str, Any]) -> Iterator[str]:
    names: list[str] = []
    if key == "Ref":
        names = [item]
    elif key == "Fn::GetAtt":
        names = [item.split(".")[0] if isinstance(item, str) else item[0]]
    elif key == "Fn::Sub":
        text = item if isinstance(item, str) else item[0]
        names = [match.strip().split(".")[0] for match in _SUB.findall(text)]
    yield from (name for name in names if isinstance(name, str) and name in resources)


def conditional_parts(value: Any, resolver: Resolver) -> Any:
    """``value`` with every Fn::If decided and nothing else computed: what a resource really depends on."""
    if isinstance(value, list):
        return [conditional_parts(item, resolver) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::If"}:
        name, then, otherwise = value["Fn::If"]
        return conditional_parts(then if resolver.condition(name) else otherwise, resolver)
    return {key: conditional_parts(item, resolver) for key, item in value.items()}
