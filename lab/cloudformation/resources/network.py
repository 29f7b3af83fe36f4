"""VPC: what functions in private subnets need."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    names,
    pick,
    true_numbers,
    upper_tags,
)


def _tagged(kind: str, context: Context, properties: Properties) -> dict[str, Any]:
    tags = upper_tags(context.tags_with(properties))
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags}]} if tags else {}


class SecurityGroup(Handler):
    replaced_by = names("GroupName", "GroupDescription", "VpcId")

    def create(self, context: Context, properties: Properties) -> Made:
        ec2 = context.aws("ec2")
        identity = ec2.create_security_group(
            GroupName=properties.get("GroupName") or context.name(255),
            Description=properties["GroupDescription"],
            **pick(properties, "VpcId"),
            **_tagged("security-group", context, properties),
        )["GroupId"]
        self._open(context, identity, properties)
        return Made(identity, {"GroupId": identity, "VpcId": properties.get("VpcId", "")})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        ec2 = context.aws("ec2")
        inward, outward = _rules(old, "SecurityGroupIngress"), _rules(old, "SecurityGroupEgress")
        if inward:
            ec2.revoke_security_group_ingress(GroupId=physical_id, IpPermissions=inward)
        if outward:
            ec2.revoke_security_group_egress(GroupId=physical_id, IpPermissions=outward)
        self._open(context, physical_id, new)
        return Made(physical_id, {"GroupId": physical_id, "VpcId": new.get("VpcId", "")})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("ec2").delete_security_group, GroupId=physical_id)

    def _open(self, context: Context, identity: str, properties: Properties) -> None:
        ec2 = context.aws("ec2")
        inward, outward = _rules(properties, "SecurityGroupIngress"), _rules(properties, "SecurityGroupEgress")
        if inward:
            ec2.authorize_security_group_ingress(GroupId=identity, IpPermissions=inward)
        if outward:
            # Rules of one's own take the place of the one that lets everything out.
            everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            gone_is_fine(ec2.revoke_security_group_egress, GroupId=identity, IpPermissions=everything)
            ec2.authorize_security_group_egress(GroupId=identity, IpPermissions=outward)


def _rules(properties: Properties, name: str) -> list[dict[str, Any]]:
    return [_permission(true_numbers(rule)) for rule in properties.get(name, [])]


def _permission(rule: dict[str, Any]) -> dict[str, Any]:
    permission = pick(rule, "FromPort", "ToPort") | {"IpProtocol": str(rule["IpProtocol"])}
    described = pick(rule, "Description")
    if "CidrIp" in rule:
        permission["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if "CidrIpv6" in rule:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    for peer in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
        if peer in rule:
            permission["UserIdGroupPairs"] = [{"GroupId": rule[peer], **described}]
    for peer in ("SourcePrefixListId", "DestinationPrefixListId"):
        if peer in rule:
            permission["PrefixListIds"] = [{"PrefixListId": rule[peer], **described}]
    return permission


class GroupRule(Handler):
    """An ingress or egress rule that is a resource of its own; any change replaces it."""

    def __init__(self, direction: str) -> None:
        self._direction = direction

    def must_replace(self, old: Properties, new: Properties) -> bool:
        return old != new

    def create(self, context: Context, properties: Properties) -> Made:
        call = getattr(context.aws("ec2"), f"authorize_security_group_{self._direction}")
        call(GroupId=properties["GroupId"], IpPermissions=[_permission(true_numbers(properties))])
        return Made(context.name())

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        call = getattr(context.aws("ec2"), f"revoke_security_group_{self._direction}")
        gone_is_fine(call, GroupId=properties["GroupId"], IpPermissions=[_permission(true_numbers(properties))])


class Endpoint(Handler):
    replaced_by = names("ServiceName", "VpcId", "VpcEndpointType")

    def create(self, context: Context, properties: Properties) -> Made:
        wanted = pick(
            properties,
            "VpcId",
            "ServiceName",
            "VpcEndpointType",
            "SubnetIds",
            "SecurityGroupIds",
            "RouteTableIds",
        )
        wanted |= true_numbers(pick(properties, "PrivateDnsEnabled"))
        if "PolicyDocument" in properties:
            wanted["PolicyDocument"] = json.dumps(properties["PolicyDocument"])
        identity = context.aws("ec2").create_vpc_endpoint(**wanted, **_tagged("vpc-endpoint", context, properties))[
            "VpcEndpoint"
        ]["VpcEndpointId"]
        return Made(identity, {"Id": identity})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        document = {"PolicyDocument": json.dumps(new["PolicyDocument"])} if "PolicyDocument" in new else {}
        changes: dict[str, Any] = {}
        for name, add, remove in (
            ("SubnetIds", "AddSubnetIds", "RemoveSubnetIds"),
            ("SecurityGroupIds", "AddSecurityGroupIds", "RemoveSecurityGroupIds"),
            ("RouteTableIds", "AddRouteTableIds", "RemoveRouteTableIds"),
        ):
            before, after = set(old.get(name, [])), set(new.get(name, []))
            changes |= {add: sorted(after - before)} if after - before else {}
            changes |= {remove: sorted(before - after)} if before - after else {}
        context.aws("ec2").modify_vpc_endpoint(VpcEndpointId=physical_id, **document, **changes)
        return Made(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("ec2").delete_vpc_endpoints, VpcEndpointIds=[physical_id])


HANDLERS: dict[str, Handler] = {
    "AWS::EC2::SecurityGroup": SecurityGroup(),
    "AWS::EC2::SecurityGroupIngress": GroupRule("ingress"),
    "AWS::EC2::SecurityGroupEgress": GroupRule("egress"),
    "AWS::EC2::VPCEndpoint": Endpoint(),
}
