"""Turns whatever went wrong into the error document that Lambda, and Step Functions after it, understand."""

import os
import traceback

from kuroshio_runtime import RuntimeFault, journal, wire
from kuroshio_runtime.api import RuntimeApi, invocation_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

OWN_CODE = os.path.dirname(__file__)
# Step Functions keeps 32 768 characters of a cause, and fails with another error over 256 KiB of state.
LONGEST_MESSAGE = 16_000
LONGEST_STACK = 100
LARGEST_XRAY_CAUSE = 32 * 1024  # bytes; Lambda takes up to 1 MiB of header, Go's default is less


class Failure:
    """An error as Lambda wants it: the document, the header's type and what X-Ray is told."""

    def __init__(self, document: "dict[str, Any]", header_type: str, frames: "list[traceback.FrameSummary]") -> None:
        self.document = document
        self.header_type = header_type
        self.frames = frames


def describe(error: BaseException, request_id: str = "") -> Failure:
    """The failure that an exception means; the error's type is the name of its class, so that it can be matched."""
    try:
        return described(error, request_id)
    except Exception as broken:  # noqa: BLE001 - source files and exceptions of the handler's may resist reading
        message = f"{message_of(error)} (its stack cannot be told: {type(broken).__name__})"
        name = type(error).__name__
        document = {"errorMessage": message, "errorType": name, "requestId": request_id, "stackTrace": []}
        return Failure(document, header_type(name), [])


def described(error: BaseException, request_id: str) -> Failure:
    """The failure with its stack, which takes reading the handler's source."""
    if isinstance(error, RuntimeFault):
        cause = error.__cause__
        frames = frames_of(cause.__traceback__) if cause and not isinstance(cause, SyntaxError) else []
        error_type, stack = error.error_type, error.trace or formatted(frames)
    else:
        frames = frames_of(error.__traceback__)
        error_type, stack = type(error).__name__, formatted(frames)
    document = {
        "errorMessage": message_of(error),
        "errorType": error_type,
        "requestId": request_id,
        "stackTrace": stack,
    }
    return Failure(document, header_type(error_type), frames)


def message_of(error: BaseException) -> str:
    """What the exception says; of an exception that cannot say it, its class; cut where it would not travel."""
    try:
        text = str(error)
    except BaseException as broken:  # noqa: BLE001 - an error in an error's __str__ must not hide both
        text = f"<str() of this {type(error).__name__} raised {type(broken).__name__}>"
    if isinstance(error, SystemExit):
        text = f"the handler called sys.exit({text})"
    if len(text) > LONGEST_MESSAGE:
        return f"{text[:LONGEST_MESSAGE]}... ({len(text) - LONGEST_MESSAGE} characters more)"
    return text


def frames_of(trace: "TracebackType | None") -> "list[traceback.FrameSummary]":
    """The frames of an exception without this runtime's own."""
    return [frame for frame in traceback.extract_tb(trace) if not is_own(frame.filename)]


def stack_of(frame: "FrameType | None") -> "list[str]":
    """Where a running thread stands, outermost call first, without this runtime's own frames."""
    return formatted([line for line in traceback.extract_stack(frame) if not is_own(line.filename)])


def is_own(filename: str) -> bool:
    """Whether a frame belongs to the runtime or to Python's import machinery."""
    return filename.startswith((OWN_CODE, "<frozen importlib")) or filename.endswith("/bootstrap")


def formatted(frames: "list[traceback.FrameSummary]") -> "list[str]":
    """Python's own lines; a deep recursion is folded, the innermost calls are kept."""
    return traceback.StackSummary.from_list(frames).format()[-LONGEST_STACK:]


def header_type(error_type: str) -> str:
    """``Category.Reason`` with letters only: Lambda throws away everything else."""
    category, dot, reason = error_type.partition(".")
    if not dot or category not in ("Runtime", "Function"):
        category, reason = "Function", category
    letters = "".join(character for character in reason if character.isascii() and character.isalpha())
    return f"{category}.{letters[:1].upper()}{letters[1:]}" if len(letters) > 1 else f"{category}.Unknown"


def xray_cause(failure: Failure) -> str:
    """The cause that X-Ray shows on the function's segment, as one header line; empty where it is too large."""
    document = {
        "working_directory": os.getcwd(),
        "exceptions": [
            {
                "message": failure.document["errorMessage"],
                "type": failure.document["errorType"],
                "stack": [
                    {"label": frame.name, "path": frame.filename, "line": frame.lineno} for frame in failure.frames
                ],
            }
        ],
        "paths": sorted({frame.filename for frame in failure.frames}),
    }
    text = ascii_json(document)
    return f"Lambda-Runtime-Function-XRay-Error-Cause: {text}\r\n" if len(text) < LARGEST_XRAY_CAUSE else ""


def ascii_json(document: "dict[str, Any]") -> str:
    """JSON that may stand in a header."""
    return wire._render_text(document, str, ascii_only=True)  # noqa: SLF001 - the same package


def report(api: RuntimeApi, path: str, failure: Failure, invocation_id: "str | None") -> None:
    """Log a failure and post it. A refusal is logged: Lambda has then already given its own answer. Raises ApiGone."""
    journal.failure(failure.document)
    headers = (
        "Content-Type: application/vnd.aws.lambda.error+json\r\n"
        f"Lambda-Runtime-Function-Error-Type: {failure.header_type}\r\n"
        + invocation_header(invocation_id)
        + xray_cause(failure)
    )
    received = api.post(path, wire.render(failure.document), headers)
    if received.status != 202:
        journal.refused(path.rpartition("/")[2], received)
