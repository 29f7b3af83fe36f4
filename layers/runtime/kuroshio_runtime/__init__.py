"""A Lambda runtime that imports nothing which the handler did not ask for.

Loaded at every cold start: ``start``, ``api``, ``invocation`` and the kind of handler in use. Everything else
(``faults``, ``journal``, ``logs``, ``streaming``, ``snapstart``, ``explain``) is loaded when it is first needed.
No module here may import ``json``, ``logging``, ``typing``, ``dataclasses`` or ``re`` on the way to the first
invocation, nor ``__future__``: each costs more than the whole loop does.
"""


class RuntimeFault(Exception):  # noqa: N818 - a fault of the runtime's own finding, under AWS's names for them
    """Something that the runtime itself found wrong; ``error_type`` is what Step Functions can match."""

    def __init__(self, error_type: str, message: str, trace: "list[str] | None" = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.trace = trace or []
