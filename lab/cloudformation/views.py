"""Stacks as CloudFormation's API shows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.cloudformation.template import uses_sam

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.cloudformation.model import Change, ChangeSet, Event, Resource, Stack


def stack(one: Stack) -> dict[str, Any]:
    return {
        "StackId": one.id,
        "StackName": one.name,
        "Description": one.template.get("Description"),
        "Parameters": _parameters(one),
        "CreationTime": one.created,
        "LastUpdatedTime": one.updated,
        "DeletionTime": one.deleted,
        "RollbackConfiguration": {},
        "StackStatus": one.status,
        "StackStatusReason": one.reason or None,
        "DisableRollback": False,
        "NotificationARNs": [],
        "Capabilities": one.capabilities,
        "Outputs": one.outputs,
        "RoleARN": one.role_arn or None,
        "Tags": one.tags,
        "EnableTerminationProtection": False,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def _parameters(one: Stack) -> list[dict[str, Any]]:
    declared = one.template.get("Parameters") or {}
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if str(declared.get(name, {}).get("NoEcho")).lower() == "true" else text,
            "ResolvedValue": str(one.values[name])
            if "SSM::Parameter::Value" in declared.get(name, {}).get("Type", "")
            else None,
        }
        for name, text in one.parameters.items()
    ]


def summary(one: Stack) -> dict[str, Any]:
    return {
        "StackId": one.id,
        "StackName": one.name,
        "TemplateDescription": one.template.get("Description"),
        "CreationTime": one.created,
        "LastUpdatedTime": one.updated,
        "DeletionTime": one.deleted,
        "StackStatus": one.status,
        "StackStatusReason": one.reason or None,
    }


def event(one: Event) -> dict[str, Any]:
    return {
        "StackId": one.stack_id,
        "EventId": one.id,
        "StackName": one.stack_name,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.kind,
        "Timestamp": one.at,
        "ResourceStatus": one.status,
        "ResourceStatusReason": one.reason or None,
    }


def resource_summary(one: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id,
        "ResourceType": one.kind,
        "LastUpdatedTimestamp": one.changed,
        "ResourceStatus": one.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def resource(owner: Stack, one: Resource) -> dict[str, Any]:
    named = {"StackName": owner.name, "StackId": owner.id, "Timestamp": one.changed}
    return {**named, **{key: value for key, value in resource_summary(one).items() if key != "LastUpdatedTimestamp"}}


def resource_detail(owner: Stack, one: Resource) -> dict[str, Any]:
    metadata = (owner.template.get("Resources") or {}).get(one.logical_id, {}).get("Metadata") or {}
    return {"StackName": owner.name, "StackId": owner.id, "Metadata": json.dumps(metadata), **resource_summary(one)}


def change_set_summary(one: ChangeSet) -> dict[str, Any]:
    return {
        "StackId": one.stack.id,
        "StackName": one.stack.name,
        "ChangeSetId": one.id,
        "ChangeSetName": one.name,
        "ExecutionStatus": one.execution,
        "Status": one.status,
        "StatusReason": one.reason or None,
        "CreationTime": one.created,
        "Description": one.description or None,
    }


def change_set(one: ChangeSet) -> dict[str, Any]:
    return {
        **change_set_summary(one),
        "Parameters": _parameters(one.desired),
        "Tags": one.desired.tags,
        "Capabilities": one.desired.capabilities,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Changes": [{"Type": "Resource", "ResourceChange": _change(change)} for change in one.changes],
        "IncludeNestedStacks": False,
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "Action": one.action,
        "LogicalResourceId": one.logical_id,
        "PhysicalResourceId": one.physical_id or None,
        "ResourceType": one.kind,
        "Replacement": one.replacement or None,
        "Scope": ["Properties"] if one.action == "Modify" else [],
        "Details": [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": name,
                    "RequiresRecreation": "Always" if one.replacement == "True" else "Never",
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name in one.properties
        ],
    }


def template_summary(document: Mapping[str, Any]) -> dict[str, Any]:
    kinds = sorted({one["Type"] for one in document["Resources"].values()})
    return {
        **validation(document),
        "ResourceTypes": kinds,
        "Version": document.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(document["Metadata"]) if "Metadata" in document else None,
    }


def validation(document: Mapping[str, Any]) -> dict[str, Any]:
    has_roles = any(
        one["Type"].startswith(("AWS::IAM::", "AWS::Serverless::")) for one in document["Resources"].values()
    )
    return {
        "Description": document.get("Description"),
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": None if "Default" not in one else str(one["Default"]),
                "ParameterType": one["Type"],
                "NoEcho": str(one.get("NoEcho", "")).lower() == "true",
                "Description": one.get("Description"),
            }
            for name, one in (document.get("Parameters") or {}).items()
        ],
        "Capabilities": ["CAPABILITY_IAM"] if has_roles else [],
        "DeclaredTransforms": ["AWS::Serverless-2016-10-31"] if uses_sam(document) else [],
    }
