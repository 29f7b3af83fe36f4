"""Python handlers: ``module.function``, called with the event and AWS's context object."""

import sys
import time

from kuroshio_runtime import RuntimeFault, wire
from kuroshio_runtime.api import RESPONSE_LIMIT
from kuroshio_runtime.context import LambdaContext, function_attributes
from kuroshio_runtime.watchdog import Watchdog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from kuroshio_runtime.handler import Answer, Handle
    from kuroshio_runtime.invocation import Invocation

GENERATOR = type(_ for _ in ())


def load(module_name: str, function_name: str) -> "Handle":
    """The function, ready to be called. Raises RuntimeFault with AWS's names, or what the module raises."""
    module = import_module(module_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise RuntimeFault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return PythonHandler(function)


def import_module(name: str) -> "Any":
    """The handler's module. Raises RuntimeFault where it cannot be imported or is not Python."""
    try:
        __import__(name)
        return sys.modules[name]
    except ImportError as error:
        raise RuntimeFault("Runtime.ImportModuleError", f"Unable to import module '{name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise RuntimeFault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{name}': {error}", trace) from error


class PythonHandler:
    """Calls one function per invocation and turns what it returns into an answer."""

    def __init__(self, function: "Callable[[Any, LambdaContext], Any]") -> None:
        self._function = function
        self._watchdog = Watchdog()
        self._attributes = function_attributes()

    def __call__(self, invocation: "Invocation") -> "Answer":
        """The JSON of what the function returns; bytes as they are; a generator to be streamed.

        Raises what the function raises, and RuntimeFault where the event or the answer is not fit to travel.
        """
        event = wire.parse(invocation.body)
        self._watchdog.guard(invocation, time.time())
        value = self._function(event, LambdaContext(invocation, self._attributes))
        if isinstance(value, GENERATOR):
            return value
        if isinstance(value, bytes):
            return within_limit(value), "application/octet-stream"
        return within_limit(wire.render(value)), "application/json"


def within_limit(body: bytes) -> bytes:
    """`body` itself. Raises RuntimeFault where Lambda would refuse it: a refused answer cannot be mended."""
    if len(body) > RESPONSE_LIMIT:
        raise RuntimeFault(
            "Function.ResponseSizeTooLarge",
            f"Response payload size ({len(body)} bytes) exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes).",
        )
    return body
