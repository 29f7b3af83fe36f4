"""What a handler is to the loop. Only type checkers read this file."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from kuroshio_runtime.invocation import Invocation

Answer: TypeAlias = "tuple[bytes, str] | Generator[Any, None, None]"
"""A complete response with its content type, or a generator whose items are streamed."""

Handle: TypeAlias = Callable[[Invocation], Answer]
