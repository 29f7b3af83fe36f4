"""botocore with its data cut down sends the very same requests as botocore in full."""

import ast
import importlib
import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore import auth, xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.crt import auth as crt_auth
from botocore.loaders import Loader
from botocore.session import Session, get_session

from functions.build.leave_out import leave_out
from functions.build.prune_botocore import prune

ROOT = Path(__file__).parents[2]
OPERATIONS: dict[str, list[str]] = json.loads((ROOT / "functions/build/aws_operations.json").read_text())
REGIONS = ("ap-northeast-1", "us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1")
ARGUMENTS: dict[tuple[str, str], dict[str, Any]] = {
    ("dynamodb", "BatchGetItem"): {"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}], "ConsistentRead": True}}},
    ("dynamodb", "DeleteItem"): {"TableName": "t", "Key": {"pk": {"S": "a"}}, "ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
    ("dynamodb", "GetItem"): {"TableName": "t", "Key": {"pk": {"S": "a"}}},
    ("dynamodb", "PutItem"): {"TableName": "t", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"},
    ("dynamodb", "Query"): {"TableName": "t", "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}},
    ("dynamodb", "UpdateItem"): {"TableName": "t", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "SET a = :a"},
    ("ec2", "DescribeSubnets"): {"SubnetIds": ["subnet-1", "subnet-2"]},
    ("rds", "CopyDBClusterParameterGroup"): {"SourceDBClusterParameterGroupIdentifier": "a", "TargetDBClusterParameterGroupIdentifier": "b", "TargetDBClusterParameterGroupDescription": "as a", "Tags": [{"Key": "k", "Value": "v"}]},
    ("rds", "CreateDBClusterParameterGroup"): {"DBClusterParameterGroupName": "g", "DBParameterGroupFamily": "f", "Description": "d", "Tags": [{"Key": "k", "Value": "v"}]},
    ("rds", "CreateDBInstance"): {"DBInstanceIdentifier": "i", "DBClusterIdentifier": "c", "DBInstanceClass": "db.r6g.large", "Engine": "aurora-mysql"},
    ("rds", "DeleteDBCluster"): {"DBClusterIdentifier": "c", "SkipFinalSnapshot": True},
    ("rds", "DeleteDBClusterParameterGroup"): {"DBClusterParameterGroupName": "g"},
    ("rds", "DeleteDBInstance"): {"DBInstanceIdentifier": "i", "SkipFinalSnapshot": True},
    ("rds", "DescribeAccountAttributes"): {},
    ("rds", "DescribeDBClusterParameterGroups"): {"DBClusterParameterGroupName": "g"},
    ("rds", "DescribeDBClusterParameters"): {"DBClusterParameterGroupName": "g", "Marker": "m"},
    ("rds", "DescribeDBClusters"): {"DBClusterIdentifier": "c"},
    ("rds", "DescribeDBEngineVersions"): {"Engine": "aurora-mysql", "EngineVersion": "v", "IncludeAll": True},
    ("rds", "DescribeDBInstances"): {"Filters": [{"Name": "db-cluster-id", "Values": ["c"]}]},
    ("rds", "DescribeDBSubnetGroups"): {"DBSubnetGroupName": "g"},
    ("rds", "DescribeEvents"): {"SourceIdentifier": "i", "SourceType": "db-instance", "StartTime": "2026-11-21T03:47:00Z"},
    ("rds", "ListTagsForResource"): {"ResourceName": "arn:aws:rds:ap-northeast-1:111122223333:cluster-pg:g"},
    ("rds", "ModifyDBCluster"): {"DBClusterIdentifier": "c", "EngineVersion": "v", "ApplyImmediately": True},
    ("rds", "ModifyDBClusterParameterGroup"): {"DBClusterParameterGroupName": "g", "Parameters": [{"ParameterName": "p", "ParameterValue": "v", "ApplyMethod": "immediate"}]},
    ("rds", "RebootDBInstance"): {"DBInstanceIdentifier": "i"},
    ("rds", "ResetDBClusterParameterGroup"): {"DBClusterParameterGroupName": "g", "Parameters": [{"ParameterName": "p", "ApplyMethod": "immediate"}]},
    ("rds", "RestoreDBClusterToPointInTime"): {"DBClusterIdentifier": "b", "SourceDBClusterIdentifier": "a", "RestoreType": "copy-on-write", "UseLatestRestorableTime": True},
    ("stepfunctions", "DescribeExecution"): {"executionArn": "arn:aws:states:ap-northeast-1:111122223333:execution:m:e"},
    ("s3", "GetObject"): {"Bucket": "some-bucket", "Key": "a folder/鍵.json"},
    ("s3", "HeadObject"): {"Bucket": "some-bucket", "Key": "a folder/鍵.json"},
    ("s3", "PutObject"): {"Bucket": "some-bucket", "Key": "k", "Body": b"body", "IfNoneMatch": "*", "ContentType": "text/plain"},
    ("route53", "ChangeResourceRecordSets"): {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": [{"Action": "DELETE", "ResourceRecordSet": {"Name": "db.example.", "Type": "CNAME", "TTL": 5, "ResourceRecords": [{"Value": "c.example"}]}}]}},
    ("route53", "GetChange"): {"Id": "/change/C1"},
    ("route53", "ListResourceRecordSets"): {"HostedZoneId": "Z1", "StartRecordName": "db.example.", "StartRecordType": "CNAME", "MaxItems": "1"},
    ("secretsmanager", "CreateSecret"): {"Name": "n", "ClientRequestToken": "t" * 32, "SecretString": "鍵", "Tags": [{"Key": "k", "Value": "v"}]},
    ("secretsmanager", "DeleteSecret"): {"SecretId": "n", "ForceDeleteWithoutRecovery": True},
    ("secretsmanager", "DescribeSecret"): {"SecretId": "n"},
    ("secretsmanager", "GetSecretValue"): {"SecretId": "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:a-b"},
    ("secretsmanager", "PutSecretValue"): {"SecretId": "n", "ClientRequestToken": "t" * 32, "SecretString": "鍵", "VersionStages": ["s"]},
    ("secretsmanager", "UpdateSecretVersionStage"): {"SecretId": "n", "VersionStage": "AWSCURRENT", "MoveToVersionId": "t" * 32, "RemoveFromVersionId": "u" * 32},
    ("ssm", "GetParameter"): {"Name": "/db/host", "WithDecryption": True},
    ("ssm", "PutParameter"): {"Name": "/db/host", "Value": "鍵", "Type": "String", "Overwrite": True},
    ("sqs", "SendMessage"): {"QueueUrl": "https://sqs.ap-northeast-1.amazonaws.com/111122223333/q", "MessageBody": "鍵"},
}  # fmt: skip


@pytest.fixture(scope="session")
def pruned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("botocore") / "data"
    shutil.copytree(Path(botocore.__file__).parent / "data", data)
    prune(data, OPERATIONS)
    return data


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    # The lab's environment has the AWS CRT, which botocore then prefers for signing; the image has not.
    for map_of_signers in (auth, crt_auth):
        monkeypatch.setattr(
            map_of_signers, "get_current_datetime", lambda **_: datetime(2026, 11, 21, 3, 47, tzinfo=UTC)
        )
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=7))


def session(data: Path | None) -> Session:
    made = get_session()
    made.set_credentials("AKIDEXAMPLE", "secret", "token")
    if data:
        made.register_component(
            "data_loader", Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
        )
    return made


def nothing(service: str, operation: str) -> str:
    """An answer without anything in it, as the service's protocol has it."""
    return {"s3": "", "ec2": "<Answer/>", "route53": "<Answer/>", "rds": f"<Answer><{operation}Result/></Answer>"}.get(
        service, "{}"
    )


def sent(made: Session, service: str, operation: str, region: str) -> tuple[str, str, dict[str, str], bytes]:
    """What would go over the wire."""
    seen: list[AWSPreparedRequest] = []
    client = made.create_client(service, region_name=region)

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        seen.append(request)
        response = AWSResponse(request.url, 200, {}, None)
        response._content = nothing(service, operation).encode()
        return response

    client.meta.events.register("before-send", answer)
    getattr(client, xform_name(operation))(**ARGUMENTS[service, operation])
    request = seen[0]
    body = request.body if isinstance(request.body, bytes | str | None) else request.body.read()
    body = body.encode() if isinstance(body, str) else body
    headers = {k: v if isinstance(v, str) else v.decode() for k, v in request.headers.items() if k != "User-Agent"}
    return str(request.method), str(request.url), headers, body or b""


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize(("service", "operation"), [(s, o) for s, named in OPERATIONS.items() for o in named])
def test_every_operation_of_ours_is_sent_and_signed_as_by_botocore_in_full(
    pruned: Path, service: str, operation: str, region: str
) -> None:
    ours, theirs = (sent(session(data), service, operation, region) for data in (pruned, None))
    assert "Signature=" in ours[2]["Authorization"]
    assert ours == theirs


def test_errors_of_a_service_keep_their_classes(pruned: Path) -> None:
    ours, theirs = (session(data).create_client("dynamodb", region_name="us-east-1") for data in (pruned, None))
    assert (
        ours.exceptions.ConditionalCheckFailedException.__name__
        == theirs.exceptions.ConditionalCheckFailedException.__name__
    )


def test_every_operation_that_comes_in_pages_still_does(pruned: Path) -> None:
    for service, named in OPERATIONS.items():
        ours, theirs = (session(data).create_client(service, region_name="us-east-1") for data in (pruned, None))
        for operation in map(xform_name, named):
            assert ours.can_paginate(operation) == theirs.can_paginate(operation), operation


def test_the_data_becomes_a_small_part_of_what_it_was(pruned: Path) -> None:
    full = Path(botocore.__file__).parent / "data"
    size = {folder: sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) for folder in (pruned, full)}
    assert size[pruned] < size[full] / 20


@pytest.mark.parametrize("named", [{"nonesuch": ["Get"]}, {"s3": ["GetNothing"]}])
def test_a_name_that_botocore_does_not_know_stops_the_build(tmp_path: Path, named: dict[str, list[str]]) -> None:
    (tmp_path / "s3").mkdir()
    shutil.copytree(Path(botocore.__file__).parent / "data/s3", tmp_path / "s3", dirs_exist_ok=True)
    with pytest.raises(KeyError, match="botocore"):
        prune(tmp_path, named)


def test_every_operation_that_a_function_can_reach_is_in_the_list() -> None:
    wiring = [ast.parse(path.read_text()) for path in (ROOT / "layers/kuroshio/python/kuroshio/wiring").glob("*.py")]
    nodes = [node for tree in wiring for node in ast.walk(tree)]
    modules = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    paths = [ROOT / "layers/kuroshio/python" / f"{m.replace('.', '/')}.py" for m in modules if "adapters" in m]
    assert paths, "the functions use no adapter?"
    used = {call for path in paths for call in calls(path)}
    assert used - {(service, operation) for service, named in OPERATIONS.items() for operation in named} == set()


def calls(path: Path) -> Iterator[tuple[str, str]]:
    """The operations of `client("service")` anywhere in a module, told by the method names of that client."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    services = {
        node.args[0].value
        for node in nodes
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "client"
        and node.args
        if isinstance(node.args[0], ast.Constant)
    }
    methods = [n.func for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
    # Paginators and adapters' own helpers are told the name of the operation.
    named = {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str) and "_" in n.value}
    for service in services:
        others = [ast.dump(ast.Constant(other)) for other in services - {service}]
        called = {m.attr for m in methods if not any(other in ast.dump(m.value) for other in others)} | named
        model = get_session().get_service_model(str(service))
        yield from ((str(service), name) for name in model.operation_names if xform_name(name) in called)


LISTEN = """
import json, sys
from botocore.session import get_session
from botocore.awsrequest import AWSResponse

made = get_session()
made.set_credentials("AKIDEXAMPLE", "secret", "token")
seen = []
for service, operation, arguments, nothing in json.load(sys.stdin):
    client = made.create_client(service, region_name="ap-northeast-1")

    def answer(request, **_):
        body = request.body if isinstance(request.body, (bytes, str, type(None))) else request.body.read()
        body = body.encode() if isinstance(body, str) else body
        volatile = {"User-Agent", "X-Amz-Date", "Authorization", "amz-sdk-invocation-id"}
        headers = {k: v if isinstance(v, str) else v.decode() for k, v in request.headers.items() if k not in volatile}
        seen.append([request.method, request.url, headers, (body or b"").decode()])
        response = AWSResponse(request.url, 200, {}, None)
        response._content = nothing.encode()
        return response

    client.meta.events.register("before-send", answer)
    getattr(client, operation)(**arguments)
json.dump({"seen": seen, "modules": sorted(sys.modules)}, sys.stdout)
"""


def test_packages_without_what_is_left_out_send_the_same_and_import_less(tmp_path: Path) -> None:
    for name in ("botocore", "urllib3"):
        installed = Path(str(importlib.import_module(name).__file__)).parent
        shutil.copytree(installed, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    leave_out(tmp_path)

    ours, theirs = (listened({"PYTHONPATH": str(folder)} if folder else {}) for folder in (tmp_path, None))

    assert len(ours["seen"]) == len(ARGUMENTS)
    assert ours["seen"] == theirs["seen"]
    assert {"html.parser", "importlib.metadata"} - set(ours["modules"]) == {"html.parser", "importlib.metadata"}


def listened(env: dict[str, str]) -> Any:
    asked = [
        (s, xform_name(o), {k: v for k, v in a.items() if k != "Body"}, nothing(s, o))
        for (s, o), a in ARGUMENTS.items()
    ]
    command = [sys.executable, "-c", LISTEN]
    env = {**env, "BOTO_DISABLE_CRT": "true"}
    done = subprocess.run(command, input=json.dumps(asked), env=env, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_package_of_another_shape_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        leave_out(tmp_path)
