# ruff: noqa: ANN001, ANN201, ARG001 - as tutorials write it
"""The same work as our record_run, written the way that tutorials write functions: all imported and made at the top."""

import json
import os

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit

logger = Logger(service="record_run")
metrics = Metrics(namespace="Kuroshio", service="record_run")
tracer = Tracer(service="record_run")
dynamodb = boto3.client("dynamodb")


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@metrics.log_metrics
def handle(event, context):
    """Put one item that tells of the execution."""
    run = event["detail"]
    dynamodb.put_item(
        TableName=os.environ["LEDGER_TABLE"],
        Item={"pk": {"S": run["stateMachineArn"]}, "sk": {"S": run["name"]}, "run": {"S": json.dumps(run)}},
        ConditionExpression="attribute_not_exists(pk)",
    )
    metrics.add_dimension(name="status", value=run["status"])
    metrics.add_metric(name="Runs", unit=MetricUnit.Count, value=1)
    logger.info("run recorded", extra={"run": run["name"]})
    return {"status": run["status"]}
