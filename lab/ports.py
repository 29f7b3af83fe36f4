"""What the parts of the lab promise each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Credentials:
    """Temporary keys of one role. The lab's door knows the caller by its access key."""

    access_key_id: str
    secret_access_key: str
    session_token: str


@dataclass(frozen=True)
class FunctionVersion:
    """All that starting one execution environment needs: the configuration that the template gave the function.

    ``revision`` changes with every change of code or configuration, so that no stale environment is ever reused.
    """

    arn: str  # unqualified
    version: str  # "$LATEST" or a number
    revision: str
    image_uri: str
    role_arn: str
    memory_mb: int = 128
    timeout_s: int = 3
    environment: Mapping[str, str] = field(default_factory=dict)
    entry_point: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    working_directory: str = ""
    architecture: str = "x86_64"
    log_group: str = ""
    log_format: str = "Text"
    log_level: str = ""


@dataclass(frozen=True)
class InvocationResult:
    """``function_error`` is "Unhandled" where the payload is an error document, as in X-Amz-Function-Error."""

    payload: bytes
    function_error: str | None
    logs: tuple[str, ...]  # what the function wrote to stdout and stderr during this invocation, line by line


class FunctionRunner(Protocol):
    """Runs functions in execution environments, keeps them warm, and ends them."""

    def invoke(
        self,
        function: FunctionVersion,
        payload: bytes,
        *,
        credentials: Credentials,
        request_id: str,
        client_context: str | None = None,
    ) -> InvocationResult:
        """Run the function once and wait for its answer. A timeout or a dead process is a result, not an exception."""

    def forget(self, arn: str) -> None:
        """End every environment of the function: it was updated or deleted."""

    def close(self) -> None:
        """End every environment. Nothing stays running or mounted."""
