"""The shop of the chapter "aurora": a live cluster with a million orders, and clients that never stop writing."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.mysql import Login, Server
from lab.demo.house import APPLICATION, FOUNDATION
from lab.demo.stage import StepFailed
from lab.place import place_of
from lab.rds.testing import PASSWORD, USER

if TYPE_CHECKING:
    from pathlib import Path

    from lab.demo.house import House

SOURCE, CLONE = "shop", "shop-next"
_CLASS = "db.r6g.large"
_PATIENCE_S = 180.0
_BATCH = 250_000
_TABLES = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.customers (id INT PRIMARY KEY, name VARCHAR(60) NOT NULL, born DATE, KEY (name)) ENGINE=InnoDB",
    (
        "CREATE TABLE shop.orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, customer INT NOT NULL, amount DECIMAL(12,2) NOT NULL, "
        "note VARCHAR(80), placed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, KEY (customer)) ENGINE=InnoDB"
    ),
)
# MariaDB makes rows out of a table's name; MOD, because a client takes "%" for a placeholder.
_CUSTOMERS = (
    "INSERT INTO shop.customers SELECT seq, CONCAT('customer ', seq), DATE_ADD('1950-01-01', INTERVAL MOD(seq, 20000) DAY) "
    "FROM shop.seq_1_to_100000000 WHERE seq <= %s"
)
_ORDERS = (
    "INSERT INTO shop.orders (customer, amount, note) SELECT 1 + MOD(seq, %s), MOD(seq, 100000) / 100, CONCAT('order ', seq) "
    "FROM shop.seq_1_to_100000000 WHERE seq BETWEEN %s AND %s"
)


@dataclass(frozen=True)
class Shop:
    """On a lab that is up, whose foundation and application are deployed."""

    house: House

    @property
    def authority(self) -> Path:
        """The certificates that those of the lab's databases lead to."""
        return place_of().root / "rds" / "authority" / "authority.pem"

    def create(self) -> str:
        """Make the cluster, with a binlog and one writer. Returns the ARN of the secret with its login."""
        rds = self.house.aws("rds")
        rds.create_db_cluster_parameter_group(
            DBClusterParameterGroupName=SOURCE, DBParameterGroupFamily="aurora-mysql8.0", Description="of the demo"
        )
        on = {"ParameterName": "binlog_format", "ParameterValue": "ROW", "ApplyMethod": "pending-reboot"}
        rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=SOURCE, Parameters=[on])
        rds.create_db_cluster(
            DBClusterIdentifier=SOURCE,
            Engine="aurora-mysql",
            DBClusterParameterGroupName=SOURCE,
            MasterUsername=USER,
            MasterUserPassword=PASSWORD,
        )
        rds.create_db_instance(
            DBInstanceIdentifier=f"{SOURCE}-1",
            DBClusterIdentifier=SOURCE,
            DBInstanceClass=_CLASS,
            Engine="aurora-mysql",
        )
        self._await(rds)
        secret = self.house.aws("secretsmanager").create_secret(
            Name="kuroshio/dev/aurora/shop", SecretString=json.dumps({"username": USER, "password": PASSWORD})
        )
        return str(secret["ARN"])

    def fill(self, rows: int) -> int:
        """Put that many orders and their customers into it. Returns how many rows it has."""
        server = self.server(SOURCE)
        for statement in _TABLES:
            server.rows(statement)
        customers = max(rows // 20, 1)
        server.rows(_CUSTOMERS, (customers,))
        for first in range(1, rows + 1, _BATCH):
            server.rows(_ORDERS, (customers, first, min(first + _BATCH - 1, rows)))
        counted = server.rows("SELECT (SELECT COUNT(*) FROM shop.orders) + (SELECT COUNT(*) FROM shop.customers)")[0][0]
        server.close()
        return int(counted)

    def deploy(self) -> None:
        """The third stack, in the network of the lab's databases."""
        bucket = self.house.output(FOUNDATION, "PlanBucketName")
        s3, ec2 = self.house.aws("s3"), self.house.aws("ec2")
        s3.put_object(Bucket=bucket, Key="authorities/rds.pem", Body=self.authority.read_bytes())
        subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
        group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        self.house.deploy(
            "Deploy the stack for Aurora, beside the databases",
            "aurora-dev",
            f"SubnetIds={','.join(subnets)}",
            f"SecurityGroupIds={group}",
            *(f"{name}={self.house.output(APPLICATION, name)}" for name in ("OutboxQueueUrl", "OutboxQueueArn")),
        )

    def login(self, cluster: str) -> Login:
        """The admin's, at the endpoint of that name: whoever bears it."""
        found = self._cluster(cluster)
        return Login(found["Endpoint"], int(found["Port"]), USER, PASSWORD, self.authority)

    def server(self, cluster: str) -> Server:
        """A connection as admin."""
        return Server(self.login(cluster), answer_s=_PATIENCE_S)

    def _cluster(self, name: str) -> dict[str, Any]:
        return dict(self.house.aws("rds").describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0])

    def _await(self, rds: Any) -> None:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            [instance] = rds.describe_db_instances(DBInstanceIdentifier=f"{SOURCE}-1")["DBInstances"]
            if instance["DBInstanceStatus"] == "available":
                return
            if time.monotonic() > deadline:
                raise StepFailed(f"{SOURCE} is not available after {_PATIENCE_S:.0f} s: {instance['DBInstanceStatus']}")
            time.sleep(0.5)
