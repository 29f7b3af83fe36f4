"""What a request to AWS asks for: service, operation and parameters, read from its wire form by botocore's own models."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

import botocore.session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.model import OperationModel, ServiceModel

# Where the name in the credential scope is not botocore's name of the service.
_BY_SIGNING_NAME = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}


@dataclass(frozen=True)
class Call:
    """One request. ``service`` is botocore's name and ``operation`` the API's, such as ``s3`` and ``PutObject``.

    ``operation`` is empty where it could not be told. ``parameters`` are those at the top level, by the API's own names.
    """

    service: str
    operation: str
    region: str
    access_key: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HttpRequest:
    """The parts of a request that name its call; ``path`` still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def identify(request: HttpRequest) -> Call | None:
    """The call that ``request`` makes, or None if it is no AWS service's."""
    scope = _credential_scope(request)
    if scope is None:
        return None
    access_key, region, signing_name = scope
    service = _BY_SIGNING_NAME.get(signing_name, signing_name)
    operation, parameters = _operation(service, request)
    return Call(service, operation, region, access_key, parameters)


_AUTHORIZATION = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


_TAKES_A_ROLE = re.compile(rb"(?:^|&)Action=AssumeRoleWith(?:WebIdentity|SAML)(?:&|$)")


def _credential_scope(request: HttpRequest) -> tuple[str, str, str] | None:
    found = _AUTHORIZATION.search(request.headers.get("authorization", ""))
    if found:
        return found[1], found[2], found[3]
    presigned = dict(parse_qsl(request.query)).get("X-Amz-Credential", "").split("/")
    if len(presigned) == len(("key", "date", "region", "service", "aws4_request")):
        return presigned[0], presigned[2], presigned[3]
    # Who takes a role with a token has no keys yet: the only calls to AWS of ours that nobody signs.
    if _TAKES_A_ROLE.search(request.body):
        return "", "", "sts"
    return None


def _operation(service: str, request: HttpRequest) -> tuple[str, Mapping[str, Any]]:
    target = request.headers.get("x-amz-target", "")
    if target:
        return target.rsplit(".", 1)[-1], _json(request.body)
    rpc = re.fullmatch(r"/service/[^/]+/operation/(\w+)", request.path)
    if rpc:  # smithy-rpc-v2-cbor: the parameters stay unread
        return rpc[1], {}
    form = dict(parse_qsl(request.query, keep_blank_values=True))
    if "form" in request.headers.get("content-type", ""):
        form |= dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if "Action" in form:
        return form["Action"], form
    return _rest_operation(service, request)


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


# REST: the operation is the one whose method, path and fixed query all match, the most specific first ------------------


@dataclass(frozen=True)
class _Route:
    operation: str
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]
    required_query: frozenset[str]
    required_headers: frozenset[str]

    def matches(self, request: HttpRequest, query: Mapping[str, str]) -> bool:
        return (
            self.method == request.method
            and self.path.fullmatch(request.path) is not None
            and all(query.get(name) == value or (name in query and not value) for name, value in self.query.items())
            and self.required_query <= query.keys()
            and self.required_headers <= request.headers.keys()
        )


def _rest_operation(service: str, request: HttpRequest) -> tuple[str, Mapping[str, Any]]:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    routes = _routes(service)
    route = next((route for route in routes if route.matches(request, query)), None)
    if route is None:
        return "", {}
    found = route.path.fullmatch(request.path)
    in_path = {name: unquote(value or "") for name, value in (found.groupdict() if found else {}).items()}
    body = _json(request.body) if service != "s3" else {}
    return route.operation, {**body, **in_path}


@cache
def _routes(service: str) -> list[_Route]:
    model = _model(service)
    if model is None:
        return []
    routes = [_route(model.operation_model(name)) for name in model.operation_names]
    return sorted(routes, key=_specificity, reverse=True)


def _specificity(route: _Route) -> tuple[int, int, int, int]:
    return (len(route.query), len(route.required_query), len(route.required_headers), len(route.path.pattern))


@cache
def _model(service: str) -> ServiceModel | None:
    session = botocore.session.get_session()
    return session.get_service_model(service) if service in session.get_available_services() else None


def protocol_of(service: str) -> str:
    """The wire protocol in which botocore's clients speak to the service, such as ``json`` or ``rest-xml``."""
    model = _model(service)
    return str(model.resolved_protocol) if model else "json"


def _route(operation: OperationModel) -> _Route:
    path, _, query = operation.http["requestUri"].partition("?")
    shape = operation.input_shape
    members = shape.members if shape else {}
    required = set(shape.required_members) if shape else set()
    located = {
        name: (member.serialization.get("location"), member.serialization.get("name", name))
        for name, member in members.items()
    }
    fixed = dict(parse_qsl(query, keep_blank_values=True))
    fixed.pop("x-id", None)  # sent by some clients only
    return _Route(
        operation=operation.name,
        method=operation.http["method"],
        path=re.compile(_path_pattern(path, located)),
        query=fixed,
        required_query=frozenset(
            wire for name, (place, wire) in located.items() if place == "querystring" and name in required
        ),
        required_headers=frozenset(
            wire.lower() for name, (place, wire) in located.items() if place == "header" and name in required
        ),
    )


def _path_pattern(path: str, located: Mapping[str, tuple[str | None, str]]) -> str:
    names = {wire: name for name, (place, wire) in located.items() if place == "uri"}

    def label(match: re.Match[str]) -> str:
        name = names.get(match[1], match[1])
        return f"(?P<{name}>.+)" if match[2] else f"(?P<{name}>[^/]+)"

    parts = re.split(r"(\{\w+\+?\})", path)
    pattern = "".join(
        re.sub(r"\{(\w+)(\+?)\}", label, part) if part.startswith("{") else re.escape(part) for part in parts
    )
    return pattern.rstrip("/") + "/?" if pattern != "/" else "/"


# Resources -------------------------------------------------------------------------------------------------------------


def resource_of(call: Call, account: str) -> str:
    """The ARN that the call is about, or ``*`` where it names none; what a policy's Resource element is held against."""
    maker = _RESOURCES.get(call.service)
    return maker(call, account) if maker else "*"


def _s3(call: Call, _account: str) -> str:
    bucket, key = call.parameters.get("Bucket"), call.parameters.get("Key")
    if not bucket:
        return "*"
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


def _arn(service: str, kind: str, *names: str) -> Any:
    def make(call: Call, account: str) -> str:
        value = next((str(call.parameters[name]) for name in names if call.parameters.get(name)), "")
        if value.startswith("arn:"):
            return value
        return f"arn:aws:{service}:{call.region}:{account}:{kind}{value}" if value else "*"

    return make


def _dynamodb(call: Call, account: str) -> str:
    tables = list(call.parameters.get("RequestItems") or {})  # of batches: ours name one table
    if len(tables) == 1:
        return f"arn:aws:dynamodb:{call.region}:{account}:table/{tables[0]}"
    return str(_arn("dynamodb", "table/", "TableName")(call, account))


def _sqs(call: Call, account: str) -> str:
    url = str(call.parameters.get("QueueUrl") or call.parameters.get("QueueName") or "")
    return f"arn:aws:sqs:{call.region}:{account}:{url.rsplit('/', 1)[-1]}" if url else "*"


def _lambda(call: Call, account: str) -> str:
    name = str(call.parameters.get("FunctionName") or "")
    if name.startswith("arn:"):
        return name
    return f"arn:aws:lambda:{call.region}:{account}:function:{name}" if name else "*"


def _ssm(call: Call, account: str) -> str:
    name = call.parameters.get("Name") or next(iter(call.parameters.get("Names") or []), "")
    return f"arn:aws:ssm:{call.region}:{account}:parameter/{str(name).lstrip('/')}" if name else "*"


def _logs(call: Call, account: str) -> str:
    group = call.parameters.get("logGroupName")
    stream = call.parameters.get("logStreamName")
    if not group:
        return "*"
    return f"arn:aws:logs:{call.region}:{account}:log-group:{group}" + (f":log-stream:{stream}" if stream else "")


def _events(call: Call, account: str) -> str:
    entries = call.parameters.get("Entries") or [{}]
    bus = str(call.parameters.get("EventBusName") or entries[0].get("EventBusName") or "default")
    if call.operation == "PutEvents":
        return bus if bus.startswith("arn:") else f"arn:aws:events:{call.region}:{account}:event-bus/{bus}"
    return str(_arn("events", "rule/", "Name", "Rule")(call, account))


def _rds(call: Call, account: str) -> str:
    given = call.parameters
    if str(given.get("ResourceName", "")).startswith("arn:"):
        return str(given["ResourceName"])
    kinds = {
        "DBInstanceIdentifier": "db",
        "DBClusterIdentifier": "cluster",
        "DBClusterParameterGroupName": "cluster-pg",
        "TargetDBClusterParameterGroupIdentifier": "cluster-pg",
        "DBSubnetGroupName": "subgrp",
    }
    every = {
        "DescribeDBClusters": "cluster",
        "DescribeDBClusterParameterGroups": "cluster-pg",
        "DescribeDBInstances": "db",
        "DescribeDBSubnetGroups": "subgrp",
    }
    found = next(((kind, given[name]) for name, kind in kinds.items() if given.get(name)), None)
    if found is None and call.operation in every:  # who asks for all asks of each
        found = every[call.operation], "*"
    return f"arn:aws:rds:{call.region}:{account}:{found[0]}:{found[1]}" if found else "*"


def _iam(call: Call, account: str) -> str:
    if call.service == "sts":
        return str(call.parameters.get("RoleArn") or "*")
    name = call.parameters.get("RoleName")
    return f"arn:aws:iam::{account}:role/{name}" if name else str(call.parameters.get("PolicyArn") or "*")


_RESOURCES: dict[str, Any] = {
    "s3": _s3,
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "sns": _arn("sns", "", "TopicArn", "TargetArn"),
    "lambda": _lambda,
    "stepfunctions": _arn("states", "stateMachine:", "executionArn", "stateMachineArn", "name"),
    "ssm": _ssm,
    "secretsmanager": _arn("secretsmanager", "secret:", "SecretId", "Name"),
    "kms": _arn("kms", "key/", "KeyId"),
    "ecr": _arn("ecr", "repository/", "repositoryName"),
    "logs": _logs,
    "events": _events,
    "scheduler": _arn("scheduler", "schedule/default/", "Name"),
    "rds": _rds,
    "iam": _iam,
    "sts": _iam,
}
