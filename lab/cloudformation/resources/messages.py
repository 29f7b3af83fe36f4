"""SQS and SNS."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import Context, Handler, Made, Properties, gone_is_fine, names, pick, upper_tags

_QUEUE_ATTRIBUTES = (
    "ContentBasedDeduplication",
    "DelaySeconds",
    "FifoQueue",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "RedriveAllowPolicy",
    "RedrivePolicy",
    "SqsManagedSseEnabled",
    "VisibilityTimeout",
)


def _attributes(properties: Properties) -> dict[str, str]:
    return {name: _text(properties[name]) for name in _QUEUE_ATTRIBUTES if name in properties}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


class Queue(Handler):
    replaced_by = names("QueueName", "FifoQueue")

    def create(self, context: Context, properties: Properties) -> Made:
        fifo = _text(properties.get("FifoQueue", False)) == "true"
        name = properties.get("QueueName") or context.name(75) + (".fifo" if fifo else "")
        url = context.aws("sqs").create_queue(
            QueueName=name, Attributes=_attributes(properties), tags=context.tags_with(properties)
        )["QueueUrl"]
        return Made(url, {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": url})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        changeable = {name: value for name, value in _attributes(new).items() if name != "FifoQueue"}
        context.aws("sqs").set_queue_attributes(QueueUrl=physical_id, Attributes=changeable)
        name = physical_id.rsplit("/", 1)[1]
        return Made(physical_id, {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("sqs").delete_queue, QueueUrl=physical_id)


class QueuePolicy(Handler):
    replaced_by = names("Queues")

    def create(self, context: Context, properties: Properties) -> Made:
        policy = {"Policy": json.dumps(properties["PolicyDocument"])}
        for url in properties["Queues"]:
            context.aws("sqs").set_queue_attributes(QueueUrl=url, Attributes=policy)
        return Made(context.name())

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        self.create(context, new)
        return Made(physical_id)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        for url in properties["Queues"]:
            gone_is_fine(context.aws("sqs").set_queue_attributes, QueueUrl=url, Attributes={"Policy": ""})


class Topic(Handler):
    replaced_by = names("TopicName", "FifoTopic")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("TopicName") or context.name(200)
        sns = context.aws("sns")
        attributes = {
            key: _text(properties[key])
            for key in ("DisplayName", "KmsMasterKeyId", "FifoTopic", "SignatureVersion", "TracingConfig")
            if key in properties
        }
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=upper_tags(context.tags_with(properties)))[
            "TopicArn"
        ]
        for subscription in properties.get("Subscription", []):
            sns.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        sns = context.aws("sns")
        for key in ("DisplayName", "KmsMasterKeyId"):
            if old.get(key) != new.get(key):
                value = str(new.get(key, ""))
                sns.set_topic_attributes(TopicArn=physical_id, AttributeName=key, AttributeValue=value)
        return Made(physical_id, {"TopicArn": physical_id, "TopicName": physical_id.rsplit(":", 1)[1]})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("sns").delete_topic, TopicArn=physical_id)


class Subscription(Handler):
    replaced_by = names("Endpoint", "Protocol", "TopicArn")

    def create(self, context: Context, properties: Properties) -> Made:
        arn = context.aws("sns").subscribe(
            **pick(properties, "TopicArn", "Protocol", "Endpoint"),
            Attributes=self._attributes(properties),
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Made(arn, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        for name, value in self._attributes(new).items():
            context.aws("sns").set_subscription_attributes(
                SubscriptionArn=physical_id, AttributeName=name, AttributeValue=value
            )
        return Made(physical_id, {"Arn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("sns").unsubscribe, SubscriptionArn=physical_id)

    @staticmethod
    def _attributes(properties: Properties) -> dict[str, str]:
        wanted = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "DeliveryPolicy")
        return {name: _text(properties[name]) for name in wanted if name in properties}


class TopicPolicy(Handler):
    replaced_by = names("Topics")

    def create(self, context: Context, properties: Properties) -> Made:
        document = json.dumps(properties["PolicyDocument"])
        for arn in properties["Topics"]:
            context.aws("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=document)
        return Made(context.name())

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        self.create(context, new)
        return Made(physical_id)


HANDLERS: dict[str, Handler] = {
    "AWS::SQS::Queue": Queue(),
    "AWS::SQS::QueuePolicy": QueuePolicy(),
    "AWS::SNS::Topic": Topic(),
    "AWS::SNS::Subscription": Subscription(),
    "AWS::SNS::TopicPolicy": TopicPolicy(),
}
