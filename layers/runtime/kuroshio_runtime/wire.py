"""JSON as Lambda speaks it, on the C accelerator of the standard library.

``import json`` pulls in ``re`` and ``enum``: 8 ms, as much as the interpreter's own start. The scanner and the encoder
that do the work are in ``_json``, a private module; ``tests/runtime/test_wire.py`` holds both against ``json`` itself,
and where an interpreter lacks it or changed it, ``json`` is used.
"""

import sys

from kuroshio_runtime import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# Garbage collection during large documents finds nothing and costs a fifth of the time.
LARGE = 64 * 1024
MOST_DIGITS = 15  # decimal digits that a JSON reader with IEEE doubles keeps


def parse(body: bytes) -> "Any":
    """The value of a JSON document. Raises RuntimeFault ``Runtime.UnmarshalError``."""
    try:
        text = body.decode().strip(" \t\n\r")
        if len(text) > LARGE:
            return _without_collector(_parse_text, text)
        return _parse_text(text)
    except (ValueError, RecursionError) as error:
        raise RuntimeFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from None


def render(value: "Any") -> bytes:
    """The JSON document of a value, in UTF-8. Raises RuntimeFault ``Runtime.MarshalError``, naming the place."""
    try:
        text = _render_text(value, _default, ascii_only=False)
    except Exception as error:  # noqa: BLE001 - a handler's own mapping or iterator may raise anything
        from kuroshio_runtime import explain

        raise RuntimeFault(
            "Runtime.MarshalError", f"Unable to marshal response: {explain.why_not_json(value, error)}"
        ) from None
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8, but JSON can escape it
        return _render_text(value, _default, ascii_only=True).encode()


def render_leniently(value: "Any") -> str:
    """JSON for a log line: what JSON cannot carry is written as its ``str()``."""
    try:
        return _render_text(value, str, ascii_only=False)
    except (TypeError, ValueError, RecursionError):
        return _render_text({str(key): str(field) for key, field in value.items()}, str, ascii_only=True)


def _default(value: "Any") -> "Any":
    """DynamoDB's Decimal, as AWS's own runtime has it, is a number, as long as no digit is lost."""
    decimal = sys.modules.get("decimal")
    if decimal and isinstance(value, decimal.Decimal) and value.is_finite():
        if value == value.to_integral_value() and value.adjusted() < MOST_DIGITS:
            return int(value)
        if decimal.Decimal(repr(float(value))) == value:
            return float(value)
    raise TypeError(type(value).__name__)


def _refuse_constant(name: str) -> "Any":
    raise ValueError(f"{name} is not JSON")


def _without_collector(function: "Callable[[str], Any]", text: str) -> "Any":
    import gc

    if not gc.isenabled():
        return function(text)
    gc.disable()
    try:
        return function(text)
    finally:
        gc.enable()


class _Reading:
    """What ``_json.make_scanner`` asks of its decoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = staticmethod(_refuse_constant)
    memo: "dict[str, str]" = {}  # noqa: RUF012 - the scanner clears it after each document


def _parse_accelerated(text: str) -> "Any":
    try:
        value, end = _scan(text, 0)
    except (StopIteration, SystemError):  # SystemError: it wants to raise json.decoder's error, which nobody loaded
        return _parse_plainly(text)
    return value if end == len(text) else _parse_plainly(text)  # which says what is wrong, in json's own words


def _render_accelerated(value: "Any", default: "Callable[[Any], Any]", *, ascii_only: bool) -> str:
    escape = _json.encode_basestring_ascii if ascii_only else _json.encode_basestring
    encode = _json.make_encoder({}, default, escape, None, ":", ",", False, False, False)
    return "".join(encode(value, 0))


def _parse_plainly(text: str) -> "Any":
    import json

    return json.loads(text, parse_constant=_refuse_constant)


def _render_plainly(value: "Any", default: "Callable[[Any], Any]", *, ascii_only: bool) -> str:
    import json

    return json.dumps(value, default=default, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))


_parse_text = _parse_plainly
_render_text = _render_plainly
try:
    import _json

    _scan = _json.make_scanner(_Reading())  # type: ignore[arg-type]
    if _parse_accelerated('{"a":[1]}') == {"a": [1]} and _render_accelerated([1], str, ascii_only=False) == "[1]":
        _parse_text = _parse_accelerated
        _render_text = _render_accelerated
except (ImportError, AttributeError, TypeError):  # an interpreter with another accelerator, or none
    pass
