"""Who is calling: every access key that the lab hands out stands for one role."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING

from lab.place import OPERATOR
from lab.ports import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable

#: The lab's own machinery: deliveries of events, the CloudFormation engine. Not judged, as no policy of ours governs AWS.
INTERNAL = Credentials("KUROSHIOLABINTERNAL0", "lab", "")
_RENEW_AFTER_S = 30 * 60


class Keys:
    """Access keys and the roles that they were given to, learnt from the answers of ``sts``."""

    def __init__(self, assume: Callable[[str], Credentials]) -> None:
        """``assume`` calls sts AssumeRole through the door."""
        self._assume = assume
        self._roles: dict[str, str] = {}
        self._current: dict[str, tuple[float, Credentials]] = {}
        self._lock = threading.Lock()

    def caller(self, access_key: str) -> str:
        """The ARN of the role that the key was handed to, ``operator``, ``lab``, or ``unknown``."""
        if access_key == INTERNAL.access_key_id:
            return "lab"
        if access_key == OPERATOR.access_key_id:
            return "operator"
        return self._roles.get(access_key, "unknown")

    def for_role(self, role_arn: str) -> Credentials:
        """Temporary keys of the role, the same for half an hour, so that a warm environment keeps its keys."""
        with self._lock:
            issued, credentials = self._current.get(role_arn, (0.0, INTERNAL))
            if credentials is INTERNAL or time.monotonic() - issued > _RENEW_AFTER_S:
                credentials = self._assume(role_arn)
                self._current[role_arn] = (time.monotonic(), credentials)
            return credentials

    def learn(self, role_arn: str, answer: bytes) -> None:
        """Remember whose key an answer of AssumeRole, AssumeRoleWithWebIdentity or AssumeRoleWithSAML carries."""
        found = re.search(rb"<AccessKeyId>([^<]+)</AccessKeyId>", answer)
        if found:
            self._roles[found[1].decode()] = role_arn
