"""CloudFormation's query API over the lab's own small engine, because moto silently skips the types that it lacks."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from lab.answers import Answer, error_answer
from lab.cloudformation import views
from lab.cloudformation.deployment import Deployment
from lab.cloudformation.errors import Refused
from lab.cloudformation.model import Change, ChangeSet, Stack
from lab.cloudformation.planning import plan
from lab.cloudformation.template import expand_sam, fill_parameters, parse, uses_sam
from lab.cloudformation.wire import answer, read_form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.calls import Call, HttpRequest
    from lab.clients import Clients

_BUSY = "_IN_PROGRESS"
_PATIENCE_S = 3.0
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class CloudFormation:
    """The stacks of the lab. One operation per stack at a time, each in a thread of its own, as AWS works behind its API."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._stacks: list[Stack] = []
        self._change_sets: list[ChangeSet] = []
        self._lock = threading.RLock()
        self._begun: threading.Thread | None = None

    def __call__(self, call: Call, request: HttpRequest, caller: str) -> Answer:  # noqa: ARG002 - the door's protocol
        """Answer one request. The operation's name is the method's."""
        operation = getattr(self, _method(call.operation), None)
        if operation is None:
            message = f"the lab's CloudFormation has no {call.operation}: see docs/fine-print.md"
            return error_answer(call, 400, "InvalidAction", message)
        try:
            with self._lock:
                result = operation(read_form(call.parameters), call.region)
                begun, self._begun = self._begun, None
            if begun is not None:
                begun.start()
                begun.join(_PATIENCE_S)
            return answer(call.operation, result)
        except Refused as refused:
            return error_answer(call, 400, refused.code, str(refused))
        except ClientError as error:
            return error_answer(
                call, 400, "ValidationError", f"{error.operation_name}: {error.response['Error']['Message']}"
            )

    # Change sets -------------------------------------------------------------------------------------------------------

    def on_create_change_set(self, form: dict[str, Any], region: str) -> dict[str, Any]:
        name, kind = form["StackName"], form.get("ChangeSetType", "UPDATE")
        stack = self._find(name)
        if kind == "CREATE":
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise Refused(
                    f"Stack [{name}] already exists and cannot be created again with the changeSet [{form['ChangeSetName']}].",
                    "AlreadyExistsException",
                )
            if stack is None:
                stack = Stack(name, region)
                self._stacks.append(stack)
                stack.tell("REVIEW_IN_PROGRESS", "User Initiated")
        elif stack is None or stack.status == "REVIEW_IN_PROGRESS":
            raise Refused(f"Stack [{name}] does not exist")
        self._must_rest(stack)
        change_set = self._change_set(form, stack, kind)
        self._change_sets.append(change_set)
        return {"Id": change_set.id, "StackId": stack.id}

    def _change_set(self, form: dict[str, Any], stack: Stack, kind: str) -> ChangeSet:
        changes: list[Change] = []
        status, reason, desired = "CREATE_COMPLETE", "", stack
        try:
            desired = self._desired(form, stack)
            changes = plan(stack, desired, self._exports())
            if kind == "UPDATE" and not changes and not _differs_elsewhere(stack, desired):
                status, reason = "FAILED", _NO_CHANGES
        except Refused as refused:
            status, reason = "FAILED", str(refused)
        return ChangeSet(
            name=form["ChangeSetName"],
            stack=stack,
            kind=kind,
            desired=desired,
            changes=changes,
            status=status,
            reason=reason,
            execution="AVAILABLE" if status == "CREATE_COMPLETE" else "UNAVAILABLE",
            description=form.get("Description", ""),
        )

    def on_describe_change_set(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        return views.change_set(self._find_change_set(form))

    def on_list_change_sets(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"])
        return {"Summaries": [views.change_set_summary(one) for one in self._change_sets if one.stack is stack]}

    def on_delete_change_set(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        self._change_sets.remove(self._find_change_set(form))
        return {}

    def on_execute_change_set(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        change_set = self._find_change_set(form)
        if change_set.execution != "AVAILABLE":
            raise Refused(
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
                "InvalidChangeSetStatus",
            )
        change_set.execution = "EXECUTE_COMPLETE"
        self._change_sets = [one for one in self._change_sets if one.stack is not change_set.stack]
        roll_back = form.get("DisableRollback") != "true" and form.get("OnStackFailure") != "DO_NOTHING"
        self._begin(change_set.stack, change_set.desired, change_set.kind, roll_back=roll_back)
        return {}

    def _find_change_set(self, form: Mapping[str, Any]) -> ChangeSet:
        wanted, stack = form["ChangeSetName"], form.get("StackName", "")
        for one in reversed(self._change_sets):
            if wanted in {one.id, one.name} and stack in {"", one.stack.id, one.stack.name}:
                return one
        raise Refused(f"ChangeSet [{wanted}] does not exist", "ChangeSetNotFound")

    # Stacks ------------------------------------------------------------------------------------------------------------

    def on_create_stack(self, form: dict[str, Any], region: str) -> dict[str, Any]:
        if self._find(form["StackName"]) is not None:
            raise Refused(f"Stack [{form['StackName']}] already exists", "AlreadyExistsException")
        stack = Stack(form["StackName"], region)
        desired = self._desired(form, stack)
        plan(stack, desired, self._exports())
        self._stacks.append(stack)
        roll_back = form.get("DisableRollback") != "true" and form.get("OnFailure") != "DO_NOTHING"
        self._begin(stack, desired, "CREATE", roll_back=roll_back)
        return {"StackId": stack.id}

    def on_update_stack(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"])
        self._must_rest(stack)
        desired = self._desired(form, stack)
        if not plan(stack, desired, self._exports()) and not _differs_elsewhere(stack, desired):
            raise Refused("No updates are to be performed.")
        self._begin(stack, desired, "UPDATE")
        return {"StackId": stack.id}

    def on_delete_stack(self, form: dict[str, Any], _region: str) -> None:
        stack = self._find(form["StackName"])
        if stack is None:
            return
        importers = self._importers(stack)
        if importers:
            raise Refused(f"Export {importers[0][0]} cannot be deleted as it is in use by {importers[0][1]}")
        self._must_rest(stack)
        stack.status = "DELETE_IN_PROGRESS"
        retained = frozenset(form.get("RetainResources", []))
        self._in_background(lambda: self._deployment(stack).delete(retained))

    def _begin(self, stack: Stack, desired: Stack, kind: str, *, roll_back: bool = True) -> None:
        stack.status = f"{kind}{_BUSY}"
        deployment = self._deployment(stack)
        if kind == "CREATE":
            self._in_background(lambda: deployment.create(desired, roll_back=roll_back))
        else:
            self._in_background(lambda: deployment.update(desired))

    def _deployment(self, stack: Stack) -> Deployment:
        return Deployment(self._clients, stack, self._exports, self._fetch)

    def _in_background(self, work: Callable[[], None]) -> None:
        # Most work is done when the request is answered: what polls every few seconds, such as SAM, need not wait for its next look.
        self._begun = threading.Thread(target=work, name="cloudformation", daemon=True)

    def on_describe_stacks(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        if "StackName" not in form:
            return {"Stacks": [views.stack(one) for one in self._stacks if one.deleted is None]}
        return {"Stacks": [views.stack(self._need(form["StackName"], deleted_by_id=True))]}

    def on_list_stacks(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        wanted = form.get("StackStatusFilter")
        return {"StackSummaries": [views.summary(s) for s in self._stacks if not wanted or s.status in wanted]}

    def on_describe_stack_events(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"], deleted_by_id=True)
        return {"StackEvents": [views.event(one) for one in reversed(stack.events)]}

    def on_describe_stack_resources(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"], deleted_by_id=True)
        wanted = form.get("LogicalResourceId")
        resources = [one for one in stack.resources.values() if wanted in {None, one.logical_id}]
        return {"StackResources": [views.resource(stack, one) for one in resources]}

    def on_describe_stack_resource(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack, name = self._need(form["StackName"]), form["LogicalResourceId"]
        if name not in stack.resources:
            raise Refused(f"Resource {name} does not exist for stack {stack.name}")
        return {"StackResourceDetail": views.resource_detail(stack, stack.resources[name])}

    def on_list_stack_resources(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"], deleted_by_id=True)
        return {"StackResourceSummaries": [views.resource_summary(one) for one in stack.resources.values()]}

    def on_get_template(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        import json

        stack = self._need(form["StackName"], deleted_by_id=True)
        processed = form.get("TemplateStage") == "Processed"
        body = json.dumps(stack.template) if processed else stack.template_body
        return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}

    def on_get_template_summary(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        stack = self._need(form["StackName"]) if "StackName" in form else Stack("summary", "")
        return views.template_summary(parse(self._body(form, stack) or stack.template_body))

    def on_validate_template(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        return views.validation(parse(self._body(form, Stack("validation", ""))))

    def on_list_exports(self, _form: dict[str, Any], _region: str) -> dict[str, Any]:
        return {
            "Exports": [
                {"ExportingStackId": stack.id, "Name": output["ExportName"], "Value": output["OutputValue"]}
                for stack in self._stacks
                if stack.deleted is None
                for output in stack.outputs
                if "ExportName" in output
            ]
        }

    def on_list_imports(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        return {
            "Imports": [one.name for one in self._stacks if one.deleted is None and _imports(one, form["ExportName"])]
        }

    def on_set_stack_policy(self, _form: dict[str, Any], _region: str) -> None:
        """Kept by AWS; the lab has nobody to keep out."""

    def on_update_termination_protection(self, form: dict[str, Any], _region: str) -> dict[str, Any]:
        return {"StackId": self._need(form["StackName"]).id}

    # What a request asks for -------------------------------------------------------------------------------------------

    def _desired(self, form: dict[str, Any], stack: Stack) -> Stack:
        body = self._body(form, stack)
        document = parse(body)
        given = _given_parameters(form, stack, document)
        texts, values = fill_parameters(document, given, self._fetch_parameter)
        capabilities = form.get("Capabilities", [])
        if uses_sam(document) and "CAPABILITY_AUTO_EXPAND" not in capabilities and "ChangeSetName" not in form:
            raise Refused("Requires capabilities : [CAPABILITY_AUTO_EXPAND]", "InsufficientCapabilitiesException")
        expanded = expand_sam(document, texts)
        _check_capabilities(expanded, capabilities)
        return Stack(
            name=stack.name,
            region=stack.region,
            id=stack.id,
            template_body=body,
            template=expanded,
            parameters=texts,
            values=values,
            tags=form.get("Tags", stack.tags),
            capabilities=capabilities,
            role_arn=form.get("RoleARN", stack.role_arn),
        )

    def _body(self, form: Mapping[str, Any], stack: Stack) -> str:
        if form.get("UsePreviousTemplate") == "true":
            return stack.template_body
        if "TemplateURL" in form:
            path = unquote(urlparse(form["TemplateURL"]).path).lstrip("/")
            host = urlparse(form["TemplateURL"]).netloc
            bucket, key = (
                path.split("/", 1)
                if not host.endswith(".amazonaws.com") or host.startswith("s3")
                else (host.split(".")[0], path)
            )
            body: bytes = self._clients.internal("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
            return body.decode()
        return str(form.get("TemplateBody", ""))

    def _fetch_parameter(self, name: str) -> str:
        try:
            parameter = self._clients.internal("ssm").get_parameter(Name=name)["Parameter"]
        except ClientError as error:
            raise Refused(
                f"Unable to fetch parameters [{name}] from parameter store for this account. ({error.response['Error']['Code']})"
            ) from error
        return str(parameter["Value"])

    def _fetch(self, service: str, name: str) -> str:
        if service in {"ssm", "ssm-secure"}:
            return self._fetch_parameter(name.split(":", maxsplit=1)[0])
        identity, _, rest = name.partition(":SecretString:")
        import json

        text = self._clients.internal("secretsmanager").get_secret_value(SecretId=identity)["SecretString"]
        key = rest.split(":")[0]
        return str(json.loads(text)[key]) if key else str(text)

    # Looking up --------------------------------------------------------------------------------------------------------

    def _find(self, name: str) -> Stack | None:
        return next((s for s in reversed(self._stacks) if name in {s.name, s.id} and s.deleted is None), None)

    def _need(self, name: str, *, deleted_by_id: bool = False) -> Stack:
        stack = self._find(name)
        if stack is None and deleted_by_id:
            stack = next((one for one in self._stacks if one.id == name), None)
        if stack is None:
            raise Refused(f"Stack with id {name} does not exist")
        return stack

    def _must_rest(self, stack: Stack) -> None:
        if stack.status.endswith(_BUSY) and stack.status != "REVIEW_IN_PROGRESS":
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        if stack.status in {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}:
            raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")

    def _exports(self) -> dict[str, str]:
        return {
            output["ExportName"]: output["OutputValue"]
            for stack in self._stacks
            if stack.deleted is None
            for output in stack.outputs
            if "ExportName" in output
        }

    def _importers(self, stack: Stack) -> list[tuple[str, str]]:
        names = [output["ExportName"] for output in stack.outputs if "ExportName" in output]
        others = [one for one in self._stacks if one.deleted is None and one is not stack]
        return [(name, other.name) for name in names for other in others if _imports(other, name)]


def _method(operation: str) -> str:
    return "on" + "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation)


def _given_parameters(form: Mapping[str, Any], stack: Stack, document: Mapping[str, Any]) -> dict[str, str]:
    given = {}
    for one in form.get("Parameters", []):
        key = one["ParameterKey"]
        if one.get("UsePreviousValue") == "true":
            if key not in stack.parameters:
                raise Refused(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter key not in the previous template"
                )
            given[key] = stack.parameters[key]
        else:
            given[key] = one.get("ParameterValue", "")
    del document
    return given


_NAMED = {"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::User": "UserName"}


def _check_capabilities(template: Mapping[str, Any], capabilities: list[str]) -> None:
    iam = [one for one in template["Resources"].values() if str(one.get("Type", "")).startswith("AWS::IAM::")]
    named = any(_NAMED.get(one["Type"], "") in (one.get("Properties") or {}) for one in iam)
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if iam and not {needed, "CAPABILITY_NAMED_IAM"} & set(capabilities):
        raise Refused(f"Requires capabilities : [{needed}]", "InsufficientCapabilitiesException")


def _differs_elsewhere(stack: Stack, desired: Stack) -> bool:
    """Whether outputs or tags change though no resource does."""
    return stack.template.get("Outputs") != desired.template.get("Outputs") or stack.tags != desired.tags


def _imports(stack: Stack, name: str) -> bool:
    def search(value: Any) -> bool:
        if isinstance(value, dict):
            found = value.get("Fn::ImportValue")
            resolved = found.get("Fn::Sub", found) if isinstance(found, dict) else found
            if isinstance(resolved, str):
                for key, text in stack.values.items():
                    resolved = resolved.replace("${" + key + "}", str(text))
                if resolved == name:
                    return True
            return any(search(item) for item in value.values())
        return isinstance(value, list) and any(search(item) for item in value)

    return search(stack.template.get("Resources", {}))
