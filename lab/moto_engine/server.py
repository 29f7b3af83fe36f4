"""moto's server, and what it does not do by itself: AWS's own events and policies, and where rules send."""

from __future__ import annotations

import copy
import json
import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from moto.core.config import default_user_config
from moto.events.models import Rule as EventsRule
from moto.events.models import events_backends
from moto.iam.access_control import PermissionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.moto_api._internal import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket

from lab.moto_engine.hooks import Rule, hooks
from lab.moto_engine.patching import replace

if TYPE_CHECKING:
    from collections.abc import Mapping


def patch() -> None:
    replace(EventsRule, "send_to_targets", _send_to_targets)
    # moto denies by bucket policies without reading their conditions; lab/bucketpolicy.py reads them.
    replace(FakeBucket, "get_permission", lambda _self, _action, _resource: PermissionResult.NEUTRAL)


def moto_server(port: int) -> Any:
    """Moto's WSGI application, with executable state machines and no containers of moto's own."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["lambda"]["use_docker"] = False
    os.environ["MOTO_PORT"] = str(port)
    return DomainDispatcherApplication(create_backend_app)


def put_event(region: str, account: str, event: Mapping[str, Any]) -> None:
    """Let AWS itself send an event, which PutEvents refuses to others (sources that begin with ``aws.``)."""
    events_backends[account][region].put_events([dict(event)])


@cache
def _aws_policies() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def know_aws_policy(arn: str, account: str) -> None:
    """Let IAM know one of AWS's own managed policies. All 1,400 of them would cost each start more than two seconds."""
    backend, name = iam_backends[account]["aws"], arn.rsplit("/", 1)[-1]
    if arn not in backend.managed_policies and name in _aws_policies():
        policy = AWSManagedPolicy.from_data(name, account, "aws", _aws_policies()[name])
        backend.managed_policies[policy.arn] = policy


def _send_to_targets(self: Any, original_event: dict[str, Any], transform_input: bool = True) -> None:  # noqa: ARG001, FBT001, FBT002
    deliver = hooks().deliver
    if deliver is None or self.state != "ENABLED" or not self.event_pattern.get_pattern():
        return
    event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
    event["time"] = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if self.event_pattern.matches_event(event):
        deliver(Rule(self.arn, self.role_arn or "", copy.deepcopy(self.targets)), copy.deepcopy(event))


def forget_everything() -> None:
    """Empty all accounts. Every moto server of a process serves the same ones, so one lab meets what another left there."""
    moto_api_backend.reset()
