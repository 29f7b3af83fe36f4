"""What a stack has, what it should have, and so what changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.cloudformation.errors import Refused, ResourceFailed
from lab.cloudformation.intrinsics import Resolver, conditional_parts, references
from lab.cloudformation.model import Change, Stack
from lab.cloudformation.resources import handler_of, is_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FROM_TEMPLATE = ("Properties", "Type")


def active_resources(desired: Stack, resolver: Resolver) -> dict[str, dict[str, Any]]:
    """The resources whose condition holds, their Fn::Ifs decided, in an order in which each comes after what it needs.

    Raises Refused for a type that the lab does not know, for a dependency on what is not there, and for a circle.
    """
    active = {
        name: {**resource, "Properties": conditional_parts(resource.get("Properties") or {}, resolver)}
        for name, resource in desired.template["Resources"].items()
        if "Condition" not in resource or resolver.condition(resource["Condition"])
    }
    unknown = sorted({resource["Type"] for resource in active.values() if not is_known(resource["Type"])})
    if unknown:
        try:
            handler_of(unknown[0])
        except ResourceFailed as error:
            raise Refused(
                f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]. {error}"
            ) from error
    needs = {
        name: needs_of(resource, desired.template["Resources"]) & active.keys() for name, resource in active.items()
    }
    return {name: active[name] for name in _ordered(needs)}


def needs_of(resource: Mapping[str, Any], resources: Mapping[str, Any]) -> set[str]:
    """The logical ids that a resource's properties and DependsOn name."""
    depends = resource.get("DependsOn") or []
    declared = {depends} if isinstance(depends, str) else set(depends)
    missing = declared - set(resources)
    if missing:
        raise Refused(f"Template format error: Unresolved resource dependencies [{', '.join(sorted(missing))}]")
    return declared | set(references(resource.get("Properties") or {}, resources))


def _ordered(needs: Mapping[str, set[str]]) -> Iterable[str]:
    order: list[str] = []
    waiting = dict(needs)
    while waiting:
        ready = [name for name, wanted in waiting.items() if wanted <= set(order)]
        if not ready:
            raise Refused(f"Circular dependency between resources: [{', '.join(sorted(waiting))}]")
        order += ready
        for name in ready:
            del waiting[name]
    return order


def resolver_for(
    stack: Stack,
    desired: Stack,
    exports: Mapping[str, str],
    *,
    planning: bool,
    fetch: Any = lambda _service, name: name,
) -> Resolver:
    """A resolver of the desired template over the stack's resources.

    While planning, a resource that is not there yet stands for itself, so that what refers to it is seen to change.
    """

    def reference(name: str) -> Any:
        if name in stack.resources:
            return stack.resources[name].physical_id
        if planning and name in desired.template["Resources"]:
            return f"<{name}>"
        raise KeyError(name)

    def attribute(name: str, wanted: str) -> Any:
        if name in stack.resources:
            if planning and wanted not in stack.resources[name].attributes:
                return f"<{name}.{wanted}>"
            return stack.resources[name].attributes[wanted]
        if planning and name in desired.template["Resources"]:
            return f"<{name}.{wanted}>"
        raise KeyError(name)

    return Resolver(
        template=desired.template,
        parameters=desired.values,
        stack_name=stack.name,
        stack_id=stack.id,
        region=stack.region,
        reference=reference,
        attribute=attribute,
        exports=exports,
        fetch=fetch,
    )


def plan(stack: Stack, desired: Stack, exports: Mapping[str, str]) -> list[Change]:
    """The changes that would make the stack what is desired. Raises Refused for a template that cannot be."""
    resolver = resolver_for(stack, desired, exports, planning=True)
    active = active_resources(desired, resolver)
    changes = [change for name, resource in active.items() if (change := _change(stack, name, resource, resolver))]
    removed = [stack.resources[name] for name in stack.resources if name not in active]
    resolver.resolve(desired.template.get("Outputs") or {})
    return changes + [Change("Remove", one.logical_id, one.kind, one.physical_id) for one in removed]


def _change(stack: Stack, name: str, resource: Mapping[str, Any], resolver: Resolver) -> Change | None:
    properties = resolver.resolve(resource["Properties"])
    existing = stack.resources.get(name)
    if existing is None:
        return Change("Add", name, resource["Type"])
    if existing.kind != resource["Type"]:
        return Change("Modify", name, resource["Type"], existing.physical_id, "True", ("Type",))
    if properties == existing.properties:
        return None
    changed = tuple(
        sorted(
            key for key in {*properties, *existing.properties} if properties.get(key) != existing.properties.get(key)
        )
    )
    replace = handler_of(existing.kind).must_replace(existing.properties, properties)
    return Change("Modify", name, existing.kind, existing.physical_id, str(replace), changed)


def outputs_of(stack: Stack, desired: Stack, resolver: Resolver) -> list[dict[str, Any]]:
    """The outputs whose condition holds, as DescribeStacks lists them."""
    listed = []
    for key, output in (desired.template.get("Outputs") or {}).items():
        if "Condition" in output and not resolver.condition(output["Condition"]):
            continue
        one = {"OutputKey": key, "OutputValue": str(resolver.resolve(output["Value"]))}
        if output.get("Description"):
            one["Description"] = output["Description"]
        if output.get("Export"):
            one["ExportName"] = str(resolver.resolve(output["Export"]["Name"]))
        listed.append(one)
    del stack
    return listed
