"""One invocation, as Lambda handed it over."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kuroshio_runtime.api import Answer

PREFIX = "lambda-runtime-"


class Invocation:
    """The event's bytes and what came with them; what Lambda did not send is None."""

    __slots__ = ("body", "deadline_ms", "headers", "invocation_id", "request_id", "trace_id")

    def __init__(self, answer: "Answer") -> None:
        self.headers = headers = answer.headers
        self.body = answer.body
        self.request_id = headers["lambda-runtime-aws-request-id"]
        self.invocation_id = headers.get("lambda-runtime-invocation-id")
        self.trace_id = headers.get("lambda-runtime-trace-id")
        self.deadline_ms = int(headers.get("lambda-runtime-deadline-ms") or 0)

    def header(self, name: str) -> "str | None":
        """The value of ``Lambda-Runtime-<name>``; `name` in lower case."""
        return self.headers.get(PREFIX + name)


class Present:
    """What is being served now: logs and the watchdog read it."""

    invocation: "Invocation | None" = None
    stopping = False


present = Present()
