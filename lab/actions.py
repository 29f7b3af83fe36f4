"""The IAM actions that an API call needs, where they are not simply ``service:Operation``.

From the Service Authorization Reference, https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

_PREFIXES = {"stepfunctions": "states", "cloudwatch": "cloudwatch", "ses": "ses"}
_ACTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("s3", "ListObjects"): ("s3:ListBucket",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "DeleteObjects"): ("s3:DeleteObject",),
    ("s3", "CopyObject"): ("s3:PutObject",),
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "UploadPartCopy"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    ("s3", "ListBuckets"): ("s3:ListAllMyBuckets",),
    ("s3", "ListMultipartUploads"): ("s3:ListBucketMultipartUploads",),
    ("s3", "ListParts"): ("s3:ListMultipartUploadParts",),
    ("lambda", "Invoke"): ("lambda:InvokeFunction",),
    ("lambda", "InvokeAsync"): ("lambda:InvokeFunction",),
    ("dynamodb", "TransactGetItems"): ("dynamodb:GetItem",),
    ("dynamodb", "ExecuteStatement"): ("dynamodb:PartiQLSelect",),
    ("sqs", "SendMessageBatch"): ("sqs:SendMessage",),
    ("sqs", "DeleteMessageBatch"): ("sqs:DeleteMessage",),
    ("sqs", "ChangeMessageVisibilityBatch"): ("sqs:ChangeMessageVisibility",),
    ("sns", "PublishBatch"): ("sns:Publish",),
    ("secretsmanager", "BatchGetSecretValue"): ("secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"),
}


def actions_of(service: str, operation: str, *, versioned: bool = False) -> tuple[str, ...]:
    """The IAM actions of a call; ``versioned`` where it names one version of an S3 object."""
    if service == "s3" and versioned and operation in {"GetObject", "HeadObject", "DeleteObject"}:
        return ("s3:DeleteObjectVersion",) if operation == "DeleteObject" else ("s3:GetObjectVersion",)
    return _ACTIONS.get((service, operation), (f"{_PREFIXES.get(service, service)}:{operation}",))
