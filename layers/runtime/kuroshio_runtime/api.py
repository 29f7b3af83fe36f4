"""The Lambda Runtime API over one kept-alive socket.

``http.client`` would cost 15 ms of every cold start and 0.3 ms of every invocation.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import _socket
import time

# Lambda's limit on a buffered response: 6 MiB and 100 bytes for the envelope.
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100
# Beyond this size, joining head and body to save a system call costs more than the call.
ONE_SEND = 64 * 1024
RECEIVE = 64 * 1024  # larger buffers would be mapped and unmapped at every call

# The first connection is tried for two seconds.
KNOCKS = 400
KNOCK_PAUSE = 0.005

BASE = "/2018-06-01/runtime"


class ApiGone(Exception):  # noqa: N818
    """The Runtime API gave no answer, twice, or one that leaves no choice but to exit."""


class BrokenAnswer(Exception):  # noqa: N818
    """The connection ended, or turned to nonsense, before an answer was complete."""


class Answer:
    """One HTTP response: ``headers`` by their names in lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: "dict[str, str]", body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class RuntimeApi:
    """One connection to the Runtime API, opened when first used and again whenever it breaks."""

    def __init__(self, address: str) -> None:
        """`address`: ``host:port``, as in AWS_LAMBDA_RUNTIME_API."""
        host, _, port = address.rpartition(":")
        self._family = _socket.AF_INET6 if host.startswith("[") else _socket.AF_INET
        self._peer = (host.strip("[]"), int(port))
        self._socket: _socket.socket | None = None
        self._unread = bytearray()
        self._knocks = KNOCKS
        self._tail = f" HTTP/1.1\r\nHost: {address}\r\nUser-Agent: kuroshio-runtime/1\r\n"
        self._next = f"GET {BASE}/invocation/next{self._tail}\r\n".encode()

    def next(self) -> Answer:
        """Wait, for ever if need be, for the next invocation. Raises ApiGone."""
        answer = self._call(self._next)
        if answer.status != 200:
            raise ApiGone(f"GET {BASE}/invocation/next answered {answer.status}: {answer.body[:200]!r}")
        return answer

    def respond(self, request_id: str, invocation_id: "str | None", body: bytes, content_type: str) -> Answer:
        """Hand in the response of an invocation; the caller judges the answer's status. Raises ApiGone."""
        return self.post(
            f"/invocation/{request_id}/response",
            body,
            f"Content-Type: {content_type}\r\n" + invocation_header(invocation_id),
        )

    def post(self, path: str, body: bytes, headers: str) -> Answer:
        """POST `body`; `headers` are complete lines. Raises ApiGone, also for a 500: "exit promptly", says AWS."""
        head = f"POST {BASE}{path}{self._tail}{headers}Content-Length: {len(body)}\r\n\r\n".encode()
        answer = self._call(head, body)
        if answer.status >= 500:
            raise ApiGone(f"POST {BASE}{path} answered {answer.status}: {answer.body[:200]!r}")
        return answer

    def get(self, path: str) -> Answer:
        """GET `path`. Raises ApiGone."""
        return self._call(f"GET {BASE}{path}{self._tail}\r\n".encode())

    def stream(self, path: str, headers: str, chunks: "Iterable[bytes]") -> Answer:
        """POST encoded `chunks` as they come, once: what was streamed cannot be repeated. Raises BrokenAnswer."""
        self.disconnect()  # a connection that went stale while the handler ran could not be told from a refusal
        try:
            self._send(f"POST {BASE}{path}{self._tail}{headers}\r\n".encode())
            for chunk in chunks:
                self._connection().sendall(chunk)
            return self._receive()
        except OSError as error:
            raise BrokenAnswer(str(error)) from error
        finally:
            self.disconnect()

    def disconnect(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._unread.clear()

    def _call(self, head: bytes, body: bytes = b"") -> Answer:
        """One exchange, and one more on a new connection if the first brought no answer.

        Repeating is harmless: Lambda hands out an unanswered invocation again, and refuses a second answer.
        """
        try:
            return self._exchange(head, body)
        except (OSError, BrokenAnswer):
            self.disconnect()
        try:
            return self._exchange(head, body)
        except (OSError, BrokenAnswer) as error:
            target = head.split(b" HTTP", 1)[0].decode()
            raise ApiGone(f"{target} got no answer, twice; the second time: {error or type(error).__name__}") from error

    def _exchange(self, head: bytes, body: bytes) -> Answer:
        sent = self._send(head, body)
        answer = self._receive()
        if not sent or answer.headers.get("connection", "").lower() == "close":
            self.disconnect()
        return answer

    def _send(self, head: bytes, body: bytes = b"") -> bool:
        """False if the peer stopped reading: it may have answered (413) before it closed."""
        connection = self._connection()
        try:
            if len(body) <= ONE_SEND:
                connection.sendall(head + body)
            else:
                connection.sendall(head)
                connection.sendall(body)
        except OSError:
            return False
        return True

    def _connection(self) -> "_socket.socket":
        if self._socket is None:
            self._socket = self._connect()
        return self._socket

    def _connect(self) -> "_socket.socket":
        """A new connection. The emulator starts us before it listens: until it first answered, a refusal is waited out."""
        while True:
            connection = _socket.socket(self._family, _socket.SOCK_STREAM)
            connection.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            try:
                connection.connect(self._peer)
            except ConnectionRefusedError:
                connection.close()
                if not self._knocks:
                    raise
                self._knocks -= 1
                time.sleep(KNOCK_PAUSE)
            else:
                self._knocks = 0
                return connection

    def _receive(self) -> Answer:
        data = self._unread
        while (end := data.find(b"\r\n\r\n")) < 0:
            self._more(data)
        lines = data[:end].decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        del data[: end + 4]
        try:
            status = int(lines[0].split(" ", 2)[1])
            return Answer(status, headers, self._body(headers, data))
        except (ValueError, IndexError) as error:
            raise BrokenAnswer(f"not an HTTP response: {lines[0][:100]!r} ({error})") from error

    def _body(self, headers: "dict[str, str]", data: bytearray) -> bytes:
        if "transfer-encoding" in headers:
            return self._chunked(data)
        length = int(headers.get("content-length", 0))
        while len(data) < length:
            self._more(data)
        body = bytes(data[:length])
        del data[:length]
        return body

    def _chunked(self, data: bytearray) -> bytes:
        """Go sends events above 2 kB in chunks, with or without trailers."""
        parts = []
        at = 0
        while True:
            at, size = self._chunk_size(data, at)
            if size == 0:
                break
            while len(data) < at + size + 2:
                self._more(data)
            parts.append(data[at : at + size])
            at += size + 2
            if at > RECEIVE:
                del data[:at]
                at = 0
        while (end := data.find(b"\r\n", at)) != at:  # trailers, up to the empty line
            if end < 0:
                self._more(data)
            else:
                at = end + 2
        del data[: at + 2]
        return b"".join(parts)

    def _chunk_size(self, data: bytearray, at: int) -> "tuple[int, int]":
        while (end := data.find(b"\r\n", at)) < 0:
            self._more(data)
        return end + 2, int(data[at:end].partition(b";")[0], 16)

    def _more(self, data: bytearray) -> None:
        received = self._connection().recv(RECEIVE)
        if not received:
            raise BrokenAnswer("the connection was closed")
        data += received


def invocation_header(invocation_id: "str | None") -> str:
    """Echoes what tells a late answer from the answer to a retry under the same request id (AWS, July 2026)."""
    return f"Lambda-Runtime-Invocation-Id: {invocation_id}\r\n" if invocation_id else ""


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
