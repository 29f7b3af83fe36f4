"""What lies between a client and an endpoint: open, cut, silent or slow, for everybody or for one address."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

STATES = ("open", "cut", "silent", "slow")
_LOOK_S = 0.02


@dataclass(frozen=True)
class Link:
    """``cut``: connections end, and none is made. ``silent``: nothing arrives, nothing ends, and once it is open again
    all arrives, as when packets are lost. ``slow``: so many bytes a second, each way.
    """

    state: str = "open"
    bytes_per_s: float = 0.0

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"a link is {', '.join(STATES)}, not {self.state!r}")


class Links:
    """The links of one endpoint, by the client's address."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}
        self._lock = threading.Lock()

    def set(self, link: Link, client: str = "") -> None:
        """``client``: an address; empty for whoever has no link of its own."""
        with self._lock:
            self._links[client] = link

    def clear(self) -> None:
        """All are open."""
        with self._lock:
            self._links.clear()

    def of(self, client: str) -> Link:
        """What lies between now."""
        with self._lock:
            return self._links.get(client) or self._links.get("") or Link()

    def carry(self, client: str, size: int) -> bool:
        """Take as long as so many bytes take. False where the link is cut."""
        while (link := self.of(client)).state == "silent":
            time.sleep(_LOOK_S)
        if link.state == "slow":
            time.sleep(size / link.bytes_per_s)
        return link.state != "cut"
