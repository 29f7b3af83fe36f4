"""RDS's part in moving the name of a cluster."""

from __future__ import annotations

from kuroshio.adapters import aws


class RdsNames:
    """Implements ``cluster_name.Clusters``."""

    def home(self, instance: str) -> tuple[str, str]:
        """Name and status of the cluster of an instance. Raises NotFound."""
        with aws.translated(f"asking for the cluster of {instance}"):
            rds = aws.client("rds")
            found = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
            name = str(found["DBClusterIdentifier"])
            return name, str(rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["Status"])

    def rename(self, cluster: str, name: str) -> tuple[str, str]:
        """Ask for another name, now and not in the maintenance window. Raises RequestRefused where it is taken."""
        with aws.translated(f"renaming the cluster {cluster} to {name}"):
            found = aws.client("rds").modify_db_cluster(
                DBClusterIdentifier=cluster, NewDBClusterIdentifier=name, ApplyImmediately=True
            )["DBCluster"]
        return str(found["DBClusterIdentifier"]), str(found["Status"])

    def endpoint(self, instance: str) -> tuple[str, int]:
        """Address and port of the instance itself, which no rename of its cluster changes."""
        with aws.translated(f"asking for the endpoint of {instance}"):
            found = aws.client("rds").describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
        return str(found["Endpoint"]["Address"]), int(found["Endpoint"]["Port"])
