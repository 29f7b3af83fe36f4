"""The workflows of aurora.yaml on real servers, with functions that are the product's own code in this process.

A real engine executes the real definitions; RDS, ledger, secrets and buckets are the lab's. Each step of a function can be
hindered: killed before it did anything, or after it did everything and before its answer arrived.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import eventually, lab_in_process
from samtranslator.yaml_helper import yaml_parse

from kuroshio.adapters import aws
from kuroshio.adapters.approvals import approve
from kuroshio.adapters.aurora_ledger import AuroraLedger
from kuroshio.adapters.mysql import Login, Server
from kuroshio.aurora.request import SCHEMA
from kuroshio.errors import NotFound
from kuroshio.wiring import aurora as wiring
from lab.engine import find
from lab.moto_engine import forget_everything
from lab.place import ACCOUNT, OPERATOR, REGION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from harness import LabInProcess

ROOT = Path(__file__).parents[3]
USER, PASSWORD = "admin", "lab-master"
_ROLE = f"arn:aws:iam::{ACCOUNT}:role/aurora"
FUNCTIONS = sorted(
    path.parent.name
    for path in ROOT.glob("functions/*/handler.py")
    if "from kuroshio.wiring import aurora" in path.read_text()
)


class Killed(Exception):  # noqa: N818 - what happens to a function
    """As Lambda reports a function whose process was ended."""


@dataclass
class Stage:
    lab: LabInProcess
    hindrance: Callable[[str, str, Callable[[], Any]], Any] = lambda _function, _step, act: act()
    steps: list[tuple[str, str]] = field(default_factory=list)  # what was done, in order
    answered: list[str] = field(default_factory=list)  # tokens
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ledger(self) -> AuroraLedger:
        return AuroraLedger("ledger")

    def rds(self) -> Any:
        return self.lab.aws("rds")

    def behaviour(self, name: str) -> Callable[[Any], Any]:
        def behave(event: dict[str, Any]) -> Any:
            step = str(event.get("step"))
            with self.lock:
                self.steps.append((name, step))
            return self.hindrance(name, step, lambda: getattr(wiring, name)().run(event))

        return behave

    # Clusters ----------------------------------------------------------------------------------------------------------

    def make_source(self, name: str, *, binlog: bool = True, rows: int = 200) -> str:
        """A cluster with one instance, a table, and a secret with its login, whose ARN is returned."""
        rds = self.rds()
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=name, DBParameterGroupFamily="aurora-mysql8.0", Description=name
        )
        if binlog:
            change = {"ParameterName": "binlog_format", "ParameterValue": "ROW", "ApplyMethod": "pending-reboot"}
            rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name, Parameters=[change])
        rds.create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-mysql",
            DBClusterParameterGroupName=name,
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
        )
        rds.create_db_instance(
            DBInstanceIdentifier=f"{name}-1",
            DBClusterIdentifier=name,
            DBInstanceClass="db.r6g.large",
            Engine="aurora-mysql",
        )
        eventually(lambda: self._status(f"{name}-1") == "available", within_s=60)
        server = self.sql(name)
        server.rows("CREATE DATABASE app")
        server.rows(
            "CREATE TABLE app.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(50), amount DECIMAL(10,2))"
        )
        values = ", ".join(["(%s, %s)"] * rows)
        parameters = tuple(value for number in range(1, rows + 1) for value in (f"order {number}", number))
        server.rows(f"INSERT INTO app.orders (note, amount) VALUES {values}", parameters)  # noqa: S608 - placeholders
        server.close()
        login = json.dumps({"username": USER, "password": PASSWORD})
        secret = self.lab.aws("secretsmanager").create_secret(Name=f"kuroshio/dev/aurora/{name}", SecretString=login)
        return str(secret["ARN"])

    def _status(self, instance: str) -> str:
        [found] = self.rds().describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"]
        return str(found["DBInstanceStatus"])

    def sql(self, name: str) -> Server:
        [found] = self.rds().describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
        authority = self.lab.place.root / "rds" / "authority" / "authority.pem"
        return Server(Login(found["Endpoint"], found["Port"], USER, PASSWORD, authority))

    def clusters(self) -> list[str]:
        return [each["DBClusterIdentifier"] for each in self.rds().describe_db_clusters()["DBClusters"]]

    # Workflows ---------------------------------------------------------------------------------------------------------

    def request(self, source: str, clone: str, secret: str, **more: Any) -> dict[str, Any]:
        return {"schema": SCHEMA, "source": source, "clone": clone, "secrets": {"source": secret}, "by": "mika", **more}

    def start(self, machine: str, given: Any) -> str:
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{machine}"
        answer = self.lab.aws("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(given))
        return str(answer["executionArn"])

    def ended(self, execution: str, within_s: float = 120) -> dict[str, Any]:
        """Wait for its end, and agree to all that it asks."""

        def look() -> Any:
            self.agree()
            seen = self.lab.aws("stepfunctions").describe_execution(executionArn=execution)
            return seen if seen["status"] != "RUNNING" else None

        return dict(eventually(look, within_s=within_s))

    def run(self, machine: str, given: Any, within_s: float = 120) -> dict[str, Any]:
        return self.ended(self.start(machine, given), within_s)

    def agree(self) -> None:
        """Approve what is asked of a person and was not answered yet."""
        for clone in self.ledger.clones():
            for asked in self.ledger.all(clone["clone"], "approval#"):
                if asked["token"] not in self.answered:
                    self.answered.append(asked["token"])
                    with suppress(NotFound):
                        approve(asked["token"], {"approved": True, "by": "mika"})

    def state(self, clone: str) -> dict[str, Any]:
        return self.ledger.read(clone, "state") or {}


@contextmanager
def stage(root: Path, patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    name = f"stage-{secrets.token_hex(3)}"
    forget_everything()  # other modules have made tables and buckets of the same names
    with _network(name), lab_in_process(root, name) as lab:
        made = Stage(lab)
        environment = {
            "AWS_ENDPOINT_URL": lab.endpoint,
            "AWS_ACCESS_KEY_ID": OPERATOR.access_key_id,
            "AWS_SECRET_ACCESS_KEY": OPERATOR.secret_access_key,
            "AWS_DEFAULT_REGION": REGION,
            "LEDGER_TABLE": "ledger",
            "PLAN_BUCKET": "plans",
            "DATABASE_AUTHORITY": "s3://plans/authorities/rds.pem",
            "ENVIRONMENT": "dev",
            "SECRET_PREFIX": "kuroshio/dev/aurora/",
            "POWERTOOLS_SERVICE_NAME": "aurora",
            "POWERTOOLS_METRICS_NAMESPACE": "Kuroshio",
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        _forget()
        try:
            _furnish(made)
            yield made
        finally:
            _forget()


@contextmanager
def _network(name: str) -> Iterator[None]:
    try:
        yield
    finally:
        find().remove_network(f"kuroshio-{name}")


def _forget() -> None:
    aws.forget_clients()
    for name in FUNCTIONS:
        getattr(wiring, name).cache_clear()


def _furnish(stage: Stage) -> None:
    lab = stage.lab
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    kept = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    lab.aws("dynamodb").create_table(TableName="ledger", **kept)
    lab.aws("s3").create_bucket(Bucket="plans", CreateBucketConfiguration={"LocationConstraint": REGION})
    pem = lab.ask("GET", "authority")["pem"]
    lab.aws("s3").put_object(Bucket="plans", Key="authorities/rds.pem", Body=pem.encode())
    lab.aws("iam").create_role(RoleName="aurora", AssumeRolePolicyDocument="{}")
    for name in FUNCTIONS:
        lab.runner.behaviours[name] = stage.behaviour(name)
        lab.aws("lambda").create_function(
            FunctionName=name,
            Role=_ROLE,
            PackageType="Image",
            Code={"ImageUri": "none"},
            ImageConfig={"Command": [name]},
            Timeout=900,
        )
    for path in sorted((ROOT / "statemachines").glob("*.asl.yaml")):
        name = path.name.removesuffix(".asl.yaml")
        if name != "detect_changes":
            definition = json.dumps(yaml_parse(re.sub(r"\$\{(\w+)\}", _filled, path.read_text())))
            lab.aws("stepfunctions").create_state_machine(name=name, definition=definition, roleArn=_ROLE)


def _filled(found: re.Match[str]) -> str:
    name = found[1]
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", re.sub(r"(Function|Workflow)Arn$", "", name)).lower()
    if name.endswith("FunctionArn"):
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{words}"
    if name.endswith("WorkflowArn"):
        return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{words}"
    return {"LedgerTable": "ledger", "PlanBucket": "plans"}.get(name, "none")
