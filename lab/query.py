"""JSONata as Step Functions evaluates it."""

from __future__ import annotations

import hashlib
import json
import math
import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jsonata import Jsonata
from jsonata.utils import Utils

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class QueryFailed(Exception):  # noqa: N818 - States.QueryEvaluationError
    """A JSONata expression failed, or returned nothing."""


def evaluate(expression: str, bindings: Mapping[str, Any]) -> Any:
    """The value of a JSONata expression as Step Functions computes it; ``bindings`` are named without their ``$``.

    Raises QueryFailed where the service fails the state with States.QueryEvaluationError: for an error, for undefined, and
    for a result that JSON cannot carry. Step Functions adds functions to JSONata and takes ``$eval`` away:
    https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
    """
    try:
        query = Jsonata(expression)
        for name, function in _FUNCTIONS.items():
            query.register_lambda(name, function)
        query.output_convert_nulls = False
        result = query.evaluate(None, {name: _to_jsonata(value) for name, value in bindings.items()})
    except Exception as error:
        raise QueryFailed(f"The JSONata expression '{expression}' threw an error: {error}") from error
    if result is None:
        raise QueryFailed(f"The JSONata expression '{expression}' returned nothing (undefined).")
    return _from_jsonata(result, expression)


def _to_jsonata(value: Any) -> Any:
    """JSON's null is a value of its own in jsonata-python; Python's None means undefined there."""
    if isinstance(value, dict):
        return {key: _to_jsonata(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_to_jsonata(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return Utils.NULL_VALUE if value is None else value


def _from_jsonata(value: Any, expression: str) -> Any:
    if isinstance(value, dict):
        return {str(key): _from_jsonata(item, expression) for key, item in value.items()}
    if isinstance(value, (list, range)):
        return [_from_jsonata(item, expression) for item in value]
    if value is None or value is Utils.NULL_VALUE:
        return None
    if isinstance(value, (str, bool, int, float)):
        return value
    raise QueryFailed(f"The JSONata expression '{expression}' returned an unsupported result type.")


def _range(first: float, last: float, step: float) -> list[float]:
    count = math.floor((last - first) / step) + 1
    return [first + index * step for index in range(max(count, 0))]


def _partition(array: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(array[start : start + size]) for start in range(0, len(array), size)]


def _hash(data: str, algorithm: str) -> str:
    names = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
    return hashlib.new(names[algorithm], data.encode(), usedforsecurity=False).hexdigest()


def _random(seed: int | None = None) -> float:
    return (random if seed is None else random.Random(seed)).random()  # noqa: S311 - not for secrets, as on AWS


def _no_eval(*_arguments: Any) -> Any:
    raise ValueError("$eval is not available in Step Functions; use $parse to read JSON")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "partition": _partition,
    "range": _range,
    "hash": _hash,
    "random": _random,
    "uuid": lambda: str(uuid.uuid4()),
    "parse": lambda text: _to_jsonata(json.loads(text)),
    "eval": _no_eval,
}


def iso(moment: datetime) -> str:
    """A date as Step Functions writes it: UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
