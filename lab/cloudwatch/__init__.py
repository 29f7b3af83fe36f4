"""CloudWatch's figures and alarms, by the lab's clock."""
