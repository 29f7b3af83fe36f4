"""``logging`` as Lambda's Python runtimes set it up. Imported by the hook that waits for ``import logging``.

Differs from awslambdaric in one thing: timestamps carry milliseconds.
"""

import logging
import os
import time

from kuroshio_runtime import journal, wire
from kuroshio_runtime.invocation import present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What every record has, and is therefore not an "extra" field of the caller's.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "aws_request_id",
    "tenant_id",
    "taskName",
}
# Lambda's names for levels that Python has not, or has under another name.
LEVELS = {"TRACE": "DEBUG", "WARN": "WARNING", "FATAL": "CRITICAL"}


def configure() -> None:
    """Give the root logger one handler that writes to Lambda's log, and the level that the function asks for."""
    logging.Formatter.converter = time.gmtime
    handler = JournalHandler()
    handler.setFormatter(JsonFormatter() if journal.is_json() else TextFormatter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = LEVELS.get(level, level)
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)


class JournalHandler(logging.Handler):
    """Writes records to Lambda's log, each with the request and the tenant that it belongs to."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; one that cannot be written is reported as ``logging`` reports such things."""
        try:
            invocation = present.invocation
            record.aws_request_id = invocation.request_id if invocation else ""
            record.tenant_id = invocation.header("aws-tenant-id") if invocation else None
            journal.write(self.format(record))
        except Exception:  # noqa: BLE001 - logging's own rule: a log line must never break the caller
            self.handleError(record)


class TextFormatter(logging.Formatter):
    """``[INFO]<tab>2026-11-21T04:05:06.789Z<tab>request id<tab>message``."""

    def __init__(self) -> None:
        super().__init__(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
        )


class JsonFormatter(logging.Formatter):
    """One JSON object per record, with the fields of AWS's own formatter and the caller's ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """A line of JSON; absent fields are left out."""
        fields = {**self._standard(record), **self._failure(record)}
        extra = {name: value for name, value in vars(record).items() if name not in STANDARD and name not in fields}
        line = {name: value for name, value in {**fields, **extra}.items() if value is not None}
        return wire.render_leniently(line) + "\n"

    @staticmethod
    def _standard(record: logging.LogRecord) -> "dict[str, Any]":
        whole = isinstance(record.msg, dict) and not record.args
        return {
            "timestamp": journal.timestamp(record.created),
            "level": record.levelname,
            "message": record.msg if whole else record.getMessage(),
            "logger": record.name,
            "requestId": vars(record).get("aws_request_id"),
            "tenantId": vars(record).get("tenant_id"),
        }

    @staticmethod
    def _failure(record: logging.LogRecord) -> "dict[str, Any]":
        if not record.exc_info or not record.exc_info[1]:
            return {}
        import traceback

        error = record.exc_info[1]
        return {
            "stackTrace": traceback.format_tb(error.__traceback__),
            "errorType": type(error).__name__,
            "errorMessage": str(error),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
        }
