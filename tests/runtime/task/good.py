"""Handlers that behave."""

import os
import sys
from decimal import Decimal


def echo(event, context):
    return event


def trace(event, context):
    return os.environ.get("_X_AMZN_TRACE_ID")


def modules(event, context):
    return sorted(sys.modules)


def path(event, context):
    return {"path": sys.path, "cwd": os.getcwd()}


def decimals(event, context):
    return [Decimal("1.5"), Decimal(3)]


def surrogate(event, context):
    return "\ud800 é"


def raw(event, context):
    return b"\x00\x01"


def stream(event, context):
    yield "one "
    yield b"two"


def stream_http(event, context):
    yield {"statusCode": 200}
    yield "body"


def describe(event, context):
    client = context.client_context
    return {
        "attributes": {name: str(value) for name, value in vars(context).items() if not name.startswith("_")},
        "repr": repr(context),
        "left": context.get_remaining_time_in_millis(),
        "w3c": context.w3c(),
        "client": client and [client.custom, client.env, client.client and client.client.app_title],
        "identity": [context.identity.cognito_identity_id, context.identity.cognito_identity_pool_id],
    }


def collector(event, context):
    import gc

    return gc.get_threshold()[0]
