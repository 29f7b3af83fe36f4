"""Making a stack what its template says, and back again if that fails."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lab.cloudformation.errors import Refused, ResourceFailed
from lab.cloudformation.model import Resource, Stack, now
from lab.cloudformation.planning import active_resources, needs_of, outputs_of, resolver_for
from lab.cloudformation.resources import handler_of
from lab.cloudformation.resources.base import Context, Made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.clients import Clients

log = logging.getLogger("lab.cloudformation")
_FAILURES = (ClientError, BotoCoreError, ResourceFailed, Refused, KeyError, TypeError, ValueError, AttributeError)
_SETTLED = ("template_body", "template", "parameters", "values", "tags", "capabilities", "role_arn")


class Deployment:
    """One creation, update or deletion of one stack. Works in the caller's thread."""

    def __init__(
        self, clients: Clients, stack: Stack, exports: Callable[[], Mapping[str, str]], fetch: Callable[[str, str], str]
    ) -> None:
        self._clients = clients
        self._stack = stack
        self._exports = exports
        self._fetch = fetch
        self._undo: list[Callable[[], None]] = []
        self._clean_up: list[Resource] = []

    def create(self, desired: Stack, *, roll_back: bool = True) -> None:
        """Create all resources; where one fails, delete what was made unless told to keep it for a look."""
        stack = self._stack
        self._settle(desired)
        stack.tell("CREATE_IN_PROGRESS", "User Initiated")
        reason = self._make(desired)
        if not reason:
            stack.tell("CREATE_COMPLETE")
            return
        if not roll_back:
            stack.tell("CREATE_FAILED", reason)
            return
        stack.tell("ROLLBACK_IN_PROGRESS", f"{reason} Rollback requested by user.")
        self._undo_all()
        stack.tell("ROLLBACK_COMPLETE")

    def update(self, desired: Stack) -> None:
        """Change what differs, delete what is no longer wanted; where a change fails, go back to what was."""
        stack = self._stack
        before = {name: getattr(stack, name) for name in _SETTLED}
        stack.tell("UPDATE_IN_PROGRESS", "User Initiated")
        reason = self._make(desired)
        if reason:
            stack.tell("UPDATE_ROLLBACK_IN_PROGRESS", reason)
            self._undo_all()
            for name, value in before.items():
                setattr(stack, name, value)
            stack.tell("UPDATE_ROLLBACK_COMPLETE")
        else:
            self._settle(desired)
            stack.tell("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            self._delete_unwanted(desired)
            stack.tell("UPDATE_COMPLETE")
        stack.updated = now()

    def delete(self, retained: frozenset[str] = frozenset()) -> None:
        """Delete all resources, each before what it needs. One that cannot be deleted leaves the stack in DELETE_FAILED."""
        stack = self._stack
        stack.tell("DELETE_IN_PROGRESS", "User Initiated")
        failed = [
            resource.logical_id
            for resource in self._last_first(stack.resources)
            if not self._remove(resource, keep=resource.logical_id in retained or resource.deletion_policy != "Delete")
        ]
        if failed:
            stack.tell("DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
            return
        stack.deleted = now()
        stack.tell("DELETE_COMPLETE")

    # Making ------------------------------------------------------------------------------------------------------------

    def _settle(self, desired: Stack) -> None:
        for name in _SETTLED:
            setattr(self._stack, name, getattr(desired, name))

    def _make(self, desired: Stack) -> str:
        """Bring every resource of the template about; the reason of the first failure, or ""."""
        stack, current = self._stack, ""
        resolver = resolver_for(stack, desired, self._exports(), planning=False, fetch=self._fetch)
        try:
            for name, resource in active_resources(desired, resolver).items():
                current = name
                self._bring_about(desired, name, resource, resolver.resolve(resource["Properties"]))
            current = ""
            stack.outputs = outputs_of(stack, desired, resolver)
        except _FAILURES as error:
            reason = _reason(error)
            if not isinstance(error, (ClientError, ResourceFailed, Refused)):
                log.exception("%s of %s failed", current or "the outputs", stack.name)
            if not current:
                return reason
            self._fail(desired, current, reason)
            return f"The following resource(s) failed: [{current}]. {reason}"
        return ""

    def _fail(self, desired: Stack, name: str, reason: str) -> None:
        existing = self._stack.resources.get(name)
        verb = "UPDATE_FAILED" if existing else "CREATE_FAILED"
        kind = desired.template["Resources"][name]["Type"]
        self._stack.tell_of(name, kind, existing.physical_id if existing else "", verb, reason)

    def _bring_about(self, desired: Stack, name: str, resource: Mapping[str, Any], properties: dict[str, Any]) -> None:
        existing = self._stack.resources.get(name)
        if existing is None:
            self._create(desired, name, resource, properties)
            return
        existing.deletion_policy = resource.get("DeletionPolicy", "Delete")
        if existing.kind == resource["Type"] and existing.properties == properties:
            return
        if existing.kind != resource["Type"] or handler_of(existing.kind).must_replace(existing.properties, properties):
            self._replace(desired, existing, resource, properties)
        else:
            self._change(existing, properties)

    def _create(self, desired: Stack, name: str, resource: Mapping[str, Any], properties: dict[str, Any]) -> None:
        stack, kind = self._stack, resource["Type"]
        stack.tell_of(name, kind, "", "CREATE_IN_PROGRESS")
        made = handler_of(kind).create(self._context(name), properties)
        stack.resources[name] = Resource(
            logical_id=name,
            kind=kind,
            physical_id=made.physical_id,
            properties=properties,
            attributes=made.attributes,
            deletion_policy=resource.get("DeletionPolicy", "Delete"),
            depends_on=tuple(sorted(needs_of(resource, desired.template["Resources"]))),
        )
        stack.tell_of(name, kind, made.physical_id, "CREATE_COMPLETE")
        # RetainExceptOnCreate: a resource that this very operation made goes with it.
        keep = resource.get("DeletionPolicy") == "Retain"
        self._undo.append(lambda: _ignore(self._remove(stack.resources[name], keep=keep)))

    def _replace(
        self, desired: Stack, existing: Resource, resource: Mapping[str, Any], properties: dict[str, Any]
    ) -> None:
        stack, name = self._stack, existing.logical_id
        reason = "Requested update requires the creation of a new physical resource; hence creating one."
        stack.tell_of(name, existing.kind, existing.physical_id, "UPDATE_IN_PROGRESS", reason)
        made = handler_of(resource["Type"]).create(self._context(name), properties)
        stack.resources[name] = Resource(
            logical_id=name,
            kind=resource["Type"],
            physical_id=made.physical_id,
            properties=properties,
            attributes=made.attributes,
            deletion_policy=resource.get("DeletionPolicy", "Delete"),
            depends_on=tuple(sorted(needs_of(resource, desired.template["Resources"]))),
        )
        stack.tell_of(name, resource["Type"], made.physical_id, "UPDATE_COMPLETE")
        if resource.get("UpdateReplacePolicy", "Delete") == "Delete":
            self._clean_up.append(existing)

        def back() -> None:
            new = stack.resources[name]
            self._remove(new, keep=False)
            stack.resources[name] = existing

        self._undo.append(back)

    def _change(self, existing: Resource, properties: dict[str, Any]) -> None:
        old, attributes = existing.properties, existing.attributes
        handler = handler_of(existing.kind)
        context = self._context(existing.logical_id)

        def change_back() -> None:
            handler.update(context, existing.physical_id, properties, old)
            existing.properties, existing.attributes = old, attributes
            self._tell_of(existing, "UPDATE_COMPLETE")

        self._tell_of(existing, "UPDATE_IN_PROGRESS")
        self._undo.append(change_back)  # before the change: one that fails half-way is taken back too
        made: Made = handler.update(context, existing.physical_id, old, properties)
        existing.physical_id, existing.attributes = made.physical_id, {**attributes, **made.attributes}
        existing.properties, existing.changed = properties, now()
        existing.status = "UPDATE_COMPLETE"
        self._tell_of(existing, "UPDATE_COMPLETE")

    # Undoing and deleting ----------------------------------------------------------------------------------------------

    def _undo_all(self) -> None:
        for step in reversed(self._undo):
            try:
                step()
            except _FAILURES:
                log.exception("a step of the rollback of %s failed", self._stack.name)
        self._undo.clear()

    def _delete_unwanted(self, desired: Stack) -> None:
        resolver = resolver_for(self._stack, desired, self._exports(), planning=True)
        wanted = active_resources(desired, resolver)
        unwanted = {name: one for name, one in self._stack.resources.items() if name not in wanted}
        for resource in self._last_first(unwanted):
            self._remove(resource, keep=resource.deletion_policy != "Delete")
        for resource in self._clean_up:
            self._remove(resource, keep=False, is_current=False)

    def _last_first(self, resources: Mapping[str, Resource]) -> list[Resource]:
        waiting, order = dict(resources), list[Resource]()
        while waiting:
            needed = {name for one in waiting.values() for name in one.depends_on}
            free = [name for name in waiting if name not in needed] or list(waiting)
            order += [waiting.pop(name) for name in free]
        return order

    def _remove(self, resource: Resource, *, keep: bool, is_current: bool = True) -> bool:
        """Delete a resource, or let go of it; whether that worked."""
        try:
            if not keep:
                self._tell_of(resource, "DELETE_IN_PROGRESS")
                context = self._context(resource.logical_id)
                handler_of(resource.kind).delete(context, resource.physical_id, resource.properties)
        except _FAILURES as error:
            resource.status = "DELETE_FAILED"
            self._tell_of(resource, "DELETE_FAILED", _reason(error))
            return False
        if is_current:
            self._stack.resources.pop(resource.logical_id, None)
        self._tell_of(resource, "DELETE_SKIPPED" if keep else "DELETE_COMPLETE")
        return True

    def _tell_of(self, resource: Resource, status: str, reason: str = "") -> None:
        self._stack.tell_of(resource.logical_id, resource.kind, resource.physical_id, status, reason)

    def _context(self, logical_id: str) -> Context:
        stack = self._stack
        return Context(
            clients=self._clients,
            region=stack.region,
            stack_name=stack.name,
            stack_id=stack.id,
            logical_id=logical_id,
            tags=tuple((tag["Key"], tag["Value"]) for tag in stack.tags),
        )


def _ignore(_value: object) -> None:
    return None


def _reason(error: BaseException) -> str:
    if isinstance(error, ClientError):
        said = error.response["Error"]
        return f'Resource handler returned message: "{said["Message"]}" (API: {error.operation_name}, {said["Code"]})'
    if isinstance(error, KeyError):
        return f"Properties validation failed: #: required key [{error.args[0]}] not found"
    return str(error)
