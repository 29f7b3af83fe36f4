"""From the request until the clone has caught up: the workflow beside the same steps done by hand that wait for nothing.

Both make a clone of one source, under the same writes, in one lab of containers: the functions run their real images, and
Step Functions its waits as they are. By hand everything is asked for at once and every answer looked for twenty times a
second. RDS takes minutes to make a cluster and an instance, which the lab does in seconds, so it is told to take
``PACE`` besides for both (docs/fine-print.md); the overhead in seconds is told, too, for who thinks of another pace.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.report import Row, at_most, write
from kuroshio.adapters import aws
from kuroshio.adapters.aurora_ledger import AuroraLedger
from kuroshio.adapters.mysql import Login, Server
from kuroshio.adapters.replication import Instance
from kuroshio.aurora import seed
from kuroshio.aurora.cluster import Event
from kuroshio.aurora.request import SCHEMA
from lab.clients import client
from lab.databases.writers import prepare, writers
from lab.place import ACCOUNT, OPERATOR, REGION, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOUSE = Path(__file__).parents[2]
PACE = os.environ.get("PACE", "clone=60,instance=120")
RUNS, CLIENTS, ROWS = int(os.environ.get("RUNS", "2")), 2, 20_000
SOURCE, USER, PASSWORD = "shop", "admin", "lab-master"
GOAL = 10.0
_LOOK_S = 0.05
_WITHIN_S = 1_800.0
FOUNDATION = "kuroshio-foundation-dev"


@dataclass
class House:
    """A lab with foundation and Aurora's stack, and a source."""

    env: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a command of ours as a person would."""
        found = [str(Path(sys.executable).with_name(command[0])), *command[1:]]
        done = subprocess.run(
            found, cwd=HOUSE, env={**os.environ, **self.env}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout

    def aws(self, service: str) -> Any:
        """A client that may do anything."""
        return client(service, self.env["AWS_ENDPOINT_URL"], REGION, OPERATOR)

    def output(self, key: str) -> str:
        """Of the foundation."""
        [found] = self.aws("cloudformation").describe_stacks(StackName=FOUNDATION)["Stacks"]
        return str(next(one["OutputValue"] for one in found["Outputs"] if one["OutputKey"] == key))

    def deploy(self) -> None:
        """As docs/deploy.md says."""
        self.run("kuroshio", "image", "build", "--allow-dirty")
        self.run("sam", "deploy", "--no-confirm-changeset", "--config-env", "foundation-dev")
        self.run("kuroshio", "image", "push", "--allow-dirty")
        self.run("kuroshio", "image", "deploy", "--allow-dirty")
        self.aws("s3").upload_file(str(self.authority), self.output("PlanBucketName"), "authorities/rds.pem")
        subnet, group = self.aws("ec2").describe_subnets(), self.aws("ec2").describe_security_groups()
        self.run(
            *("sam", "deploy", "--no-confirm-changeset", "--config-env", "aurora-dev", "--parameter-overrides"),
            *("Environment=dev", "ImageUri=/kuroshio/dev/image", f"Architecture={self.env['KUROSHIO_ARCHITECTURE']}"),
            f"SubnetIds={subnet['Subnets'][0]['SubnetId']}",
            f"SecurityGroupIds={group['SecurityGroups'][0]['GroupId']}",
        )

    @property
    def authority(self) -> Path:
        """What a client verifies the databases with."""
        self.aws("rds").describe_db_clusters()  # which makes it
        return place_of(self.env).root / "rds" / "authority" / "authority.pem"

    def make_source(self) -> str:
        """With rows; the ARN of the secret with its login."""
        rds = self.aws("rds")
        group = {"DBClusterParameterGroupName": SOURCE}
        rds.create_db_cluster_parameter_group(**group, DBParameterGroupFamily="aurora-mysql8.0", Description=SOURCE)
        on = {"ParameterName": "binlog_format", "ParameterValue": "ROW", "ApplyMethod": "pending-reboot"}
        rds.modify_db_cluster_parameter_group(**group, Parameters=[on])
        login = {"MasterUsername": USER, "MasterUserPassword": PASSWORD}
        rds.create_db_cluster(DBClusterIdentifier=SOURCE, Engine="aurora-mysql", **group, **login)
        make_instance(rds, SOURCE)
        self.wait(lambda: status(rds, SOURCE) == "available")
        server = Server(self.login(SOURCE))
        prepare(server)
        server.rows("CREATE DATABASE app")
        server.rows("CREATE TABLE app.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(80))")
        for _ in range(ROWS // 1_000):
            values = ", ".join(["(REPEAT('x', 80))"] * 1_000)
            server.rows(f"INSERT INTO app.orders (note) VALUES {values}")  # noqa: S608 - a constant
        server.close()
        kept = json.dumps({"username": USER, "password": PASSWORD})
        secret = self.aws("secretsmanager").create_secret(Name=f"kuroshio/dev/aurora/{SOURCE}", SecretString=kept)
        return str(secret["ARN"])

    def login(self, cluster: str) -> Login:
        """The master user's."""
        [found] = self.aws("rds").describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
        return Login(found["Endpoint"], found["Port"], USER, PASSWORD, self.authority)

    def wait(self, look: Callable[[], Any]) -> Any:
        """The first true thing that is seen."""
        until = time.monotonic() + _WITHIN_S
        while time.monotonic() < until:
            if found := look():
                return found
            time.sleep(_LOOK_S)
        sys.exit(f"{look} saw nothing in {_WITHIN_S} s")


def make_instance(rds: Any, cluster: str) -> None:
    """Its writer."""
    rds.create_db_instance(
        DBInstanceIdentifier=f"{cluster}-1",
        DBClusterIdentifier=cluster,
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )


def status(rds: Any, cluster: str) -> str:
    """Of its writer."""
    [found] = rds.describe_db_instances(DBInstanceIdentifier=f"{cluster}-1")["DBInstances"]
    return str(found["DBInstanceStatus"])


def by_hand(house: House, clone: str) -> float:
    """Seconds from the first look until the clone has done all that the source had written."""
    rds, begin = house.aws("rds"), time.monotonic()
    source = Instance(house.login(SOURCE))
    password = secrets.token_hex(12)
    source.server.rows("CREATE USER 'by_hand'@'%%' IDENTIFIED BY %s REQUIRE SSL", (password,))
    source.server.rows("GRANT REPLICATION SLAVE ON *.* TO 'by_hand'@'%'")
    source.server.rows("CALL mysql.rds_set_configuration('binlog retention hours', 72)")
    rds.copy_db_cluster_parameter_group(
        SourceDBClusterParameterGroupIdentifier=SOURCE,
        TargetDBClusterParameterGroupIdentifier=clone,
        TargetDBClusterParameterGroupDescription=clone,
    )
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier=clone,
        SourceDBClusterIdentifier=SOURCE,
        RestoreType="copy-on-write",
        UseLatestRestorableTime=True,
        DBClusterParameterGroupName=clone,
    )
    house.wait(lambda: rds.describe_db_clusters(DBClusterIdentifier=clone)["DBClusters"][0]["Status"] == "available")
    make_instance(rds, clone)
    house.wait(lambda: status(rds, clone) == "available")
    made = rds.describe_db_instances(DBInstanceIdentifier=f"{clone}-1")["DBInstances"][0]["InstanceCreateTime"]
    found = house.wait(lambda: told(rds, f"{clone}-1", made))
    target = Instance(house.login(clone))
    host = house.login(SOURCE)
    position = found.position
    target.server.rows(
        "CALL mysql.rds_set_external_source(%s, %s, 'by_hand', %s, %s, %s, 1)",
        (host.host, host.port, password, position.file, position.offset),
    )
    target.server.rows("CALL mysql.rds_start_replication")
    target.wait(source.position(), 600.0)
    seconds = time.monotonic() - begin
    target.close()
    remove_by_hand(house, clone, source.server)
    source.close()
    return seconds


def told(rds: Any, instance: str, made: datetime) -> seed.Seed | None:
    """The seed position, once its event is there."""
    events = rds.describe_events(SourceIdentifier=instance, SourceType="db-instance")["Events"]
    return seed.told(
        [Event(each["SourceIdentifier"], each["Date"], each["Message"]) for each in events], instance, made
    )


def remove_by_hand(house: House, clone: str, source: Server) -> None:
    """Not measured."""
    rds = house.aws("rds")
    rds.delete_db_instance(DBInstanceIdentifier=f"{clone}-1", SkipFinalSnapshot=True)
    rds.delete_db_cluster(DBClusterIdentifier=clone, SkipFinalSnapshot=True)
    house.wait(lambda: clone not in [one["DBClusterIdentifier"] for one in rds.describe_db_clusters()["DBClusters"]])
    rds.delete_db_cluster_parameter_group(DBClusterParameterGroupName=clone)
    source.rows("DROP USER 'by_hand'@'%'")


def by_workflow(house: House, clone: str, secret: str) -> float:
    """Seconds from the start of the execution until the ledger says that the clone has caught up."""
    machines, ledger = house.aws("stepfunctions"), AuroraLedger(house.output("LedgerTableName"))
    request = {"schema": SCHEMA, "source": SOURCE, "clone": clone, "secrets": {"source": secret}}
    begin = time.time()
    arn = start(machines, "replicate-cluster", request)

    def caught_up() -> str:
        described = machines.describe_execution(executionArn=arn)
        events = [each for each in ledger.all(clone, "event#") if each.get("phase") == "caught-up"]
        if not events and described["status"] not in ("RUNNING", "SUCCEEDED"):
            sys.exit(f"{clone}: {described.get('error')}: {described.get('cause')}")
        return str(events[0]["at"]) if events else ""

    at = house.wait(caught_up)
    house.wait(lambda: machines.describe_execution(executionArn=arn)["status"] != "RUNNING")
    removal = start(machines, "remove-clone", request)
    house.wait(lambda: machines.describe_execution(executionArn=removal)["status"] != "RUNNING")
    return datetime.fromisoformat(at).timestamp() - begin


def start(machines: Any, name: str, request: dict[str, Any]) -> str:
    """An execution of one of our workflows."""
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:kuroshio-dev-{name}"
    return str(machines.start_execution(stateMachineArn=arn, input=json.dumps(request))["executionArn"])


@contextmanager
def house() -> Iterator[House]:
    """Up for as long as it is measured."""
    name = f"bench-{secrets.token_hex(3)}"
    bare = House({"KUROSHIO_LAB": name, "KUROSHIO_LAB_RDS_PACE": PACE})
    bare.run("kuroshio", "lab", "up", "--port", "0")
    try:
        made = House({"KUROSHIO_LAB": name, **json.loads(bare.run("kuroshio", "lab", "env", "--json"))})
        os.environ.update(made.env)
        aws.forget_clients()
        made.deploy()
        yield made
    finally:
        bare.run("kuroshio", "lab", "down")


def main() -> None:
    """Measure both ways, one after the other, and report."""
    hand, workflow = [], []
    with house() as made:
        secret = made.make_source()
        with writers(made.login(SOURCE), clients=CLIENTS):
            for number in range(RUNS):
                workflow.append(by_workflow(made, f"workflow-{number}", secret))
                hand.append(by_hand(made, f"hand-{number}"))
                print(f"{number + 1}: by hand {hand[-1]:.1f} s, by the workflow {workflow[-1]:.1f} s", flush=True)
    floor, ours = min(hand), min(workflow)
    rows = [
        Row(f"by hand, without waiting (RDS takes {PACE} s besides)", floor, "s"),
        Row("by the workflow, from its start to caught up", ours, "s"),
        Row("overhead", ours - floor, "s"),
        at_most("overhead over the floor", 100 * (ours - floor) / floor, "%", GOAL),
        Row("the same of the worst run of the workflow", 100 * (max(workflow) - floor) / floor, "%"),
    ]
    write("aurora-start", rows)


if __name__ == "__main__":
    main()
