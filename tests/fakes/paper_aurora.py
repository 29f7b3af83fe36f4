"""The lab's RDS with servers that exist on paper only: RDS's rules and answers are the lab's, time goes on when told to.

tests/lab/aurora holds the same steps against real servers; here each of their calls is interrupted in turn.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse

from kuroshio.adapters import aws
from kuroshio.aurora.account import Account
from kuroshio.aurora.making import Binlog, Guard
from kuroshio.aurora.position import Position
from kuroshio.errors import AccessRefused, NotFound, ServiceUnavailable
from lab.answers import Answer, error_answer
from lab.calls import HttpRequest, identify
from lab.rds.api import Api
from lab.rds.aurora import Aurora, Faults
from lab.rds.clusters import Account as RdsAccount

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.request import ReplicateRequest
    from lab.calls import Call
    from lab.rds import clusters

MASTER = "lab-master"


@dataclass
class PaperServer:
    """What a server would hold. ``forced``: the parameters that it was started with."""

    folder: Path
    container: str = ""
    forced: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, tuple[str, bool, set[str]]] = field(default_factory=dict)
    retention: int | None = None
    last: Position | None = None  # of its binlog
    readers: tuple[str, ...] = ()
    follows: tuple[bool, str] = (False, "")
    open_work: list[str] = field(default_factory=list)
    enhanced: bool = False
    has_procedure: bool = True

    def write(self, size: int = 100) -> None:
        if self.last is not None:
            self.last = Position(self.last.file, self.last.offset + size)

    @property
    def writes_binlog(self) -> bool:
        return self.forced.get("binlog_format", "OFF") != "OFF"


class PaperAurora(Aurora):
    """Everything but the servers is the lab's."""

    def __init__(self) -> None:
        self.account, self.faults = RdsAccount(), Faults()
        self.address = "127.0.0.1"
        self.pace = {}
        self.waiting: list[Callable[[], None]] = []
        self.papers: dict[str, PaperServer] = {}

    def rest(self) -> None:
        while self.waiting:
            self.waiting.pop(0)()

    def port(self, cluster: str) -> int:
        return 3306

    def instance_port(self, instance: str) -> int:
        return 3306

    def create(self, cluster: clusters.Cluster, password: str) -> None:
        self.papers[cluster.resource] = PaperServer(Path(cluster.name))
        cluster.status = "available"

    def clone(self, source: clusters.Cluster, cluster: clusters.Cluster) -> None:
        cluster.resource = f"resource-{len(self.papers)}"

        def copied() -> None:
            copy = deepcopy(self.papers[source.resource])
            copy.container, copy.forced = "", {}
            self.papers[cluster.resource] = copy
            cluster.status = "available"

        self._do(cluster, "creating", copied)

    def renamed(self, before: str, cluster: clusters.Cluster) -> None:
        """Nobody is connected."""

    def remove(self, cluster: clusters.Cluster) -> None:
        self._do(cluster, "deleting", lambda: self.account.remove_cluster(cluster))

    def apply(self, group: str, names: list[str]) -> None:
        values = self.account.group(group).effective()
        for cluster in self.account.clusters.values():
            if cluster.group == group and self._is_up(cluster):
                self.papers[cluster.resource].forced |= {name: values[name] for name in names}

    def paper(self, name: str) -> PaperServer:
        return self.papers[self.account.cluster(name).resource]

    def _is_up(self, cluster: clusters.Cluster) -> bool:
        return cluster.resource in self.papers and bool(self.papers[cluster.resource].container)

    def _start(self, cluster: clusters.Cluster, instance: clusters.Instance) -> None:
        paper = self.papers[cluster.resource]
        paper.container, paper.forced = "up", self.account.group(cluster.group).effective()
        before = paper.last
        if paper.writes_binlog:
            number = before.number + 1 if before else 1
            paper.last = Position(f"mysql-bin-changelog.{number:06d}", 157)
        if before is not None and (paper.writes_binlog or not instance.applied):
            self._tell_position(paper, instance, before.file, before.offset)  # type: ignore[arg-type]

    def _stop(self, cluster: clusters.Cluster, *, power_cut: bool = False) -> None:
        self.papers[cluster.resource].container = ""

    def _do(
        self,
        cluster: clusters.Cluster,
        meanwhile: str,
        errand: Callable[[], None],
        instance: clusters.Instance | None = None,
    ) -> None:
        cluster.status = meanwhile

        def done() -> None:
            errand()
            self._give_up(instance or cluster)

        self.waiting.append(done)


class PaperDatabase:
    """Implements ``making.Database``."""

    def __init__(self, paper: PaperServer) -> None:
        self.paper = paper

    def binlog(self) -> Binlog:
        return Binlog(self.paper.writes_binlog, self.paper.forced.get("binlog_format", "OFF"), self.paper.enhanced)

    def guard(self) -> Guard:
        forced = self.paper.forced
        return Guard(self.paper.writes_binlog, forced["event_scheduler"] == "ON", forced["read_only"] == "1")

    def refuse_writes(self) -> bool:
        if self.paper.has_procedure:
            self.paper.forced["read_only"] = "1"
        return self.paper.has_procedure

    def position(self) -> Position:
        if self.paper.last is None or not self.paper.writes_binlog:
            raise NotFound("the server writes no binlog")
        return self.paper.last

    def logs(self) -> dict[str, int]:
        last = self.paper.last
        if last is None:
            return {}
        return {f"mysql-bin-changelog.{number:06d}": 10_000 for number in range(1, last.number)} | {
            last.file: last.offset
        }

    def readers(self) -> tuple[str, ...]:
        return self.paper.readers

    def retention(self) -> int | None:
        return self.paper.retention

    def keep_binlogs(self, hours: int | None) -> None:
        self.paper.retention = hours

    def account(self, user: str) -> Account | None:
        found = self.paper.accounts.get(user)
        return None if found is None else Account(user, found[1], frozenset(found[2]))

    def write_account(self, user: str, password: str) -> None:
        held = self.paper.accounts.get(user, ("", True, set()))[2]
        self.paper.accounts[user] = (password, True, held | {"REPLICATION SLAVE", "REPLICATION CLIENT"})

    def drop_account(self, user: str) -> None:
        self.paper.accounts.pop(user, None)

    def follows(self) -> tuple[bool, str]:
        return self.paper.follows

    def open_work(self) -> list[str]:
        return list(self.paper.open_work)


class PaperDatabases:
    """Implements ``making.Databases``."""

    def __init__(self, aurora: PaperAurora, fate: Fate) -> None:
        self.aurora, self.fate = aurora, fate
        self.refusal: Exception | None = None

    @contextmanager
    def source(self, request: ReplicateRequest) -> Iterator[PaperDatabase]:
        yield self._open(request.source)

    @contextmanager
    def of(self, cluster: Cluster, request: ReplicateRequest) -> Iterator[PaperDatabase]:
        yield self._open(cluster.name)

    @contextmanager
    def clone(self, request: ReplicateRequest) -> Iterator[PaperDatabase]:
        yield self._open(request.clone)

    @contextmanager
    def as_account(self, request: ReplicateRequest, user: str, password: str) -> Iterator[PaperDatabase]:
        database = self._open(request.source)
        if self.aurora.paper(request.source).accounts.get(user, ("",))[0] != password:
            raise AccessRefused(f"MySQL 1045: Access denied for user '{user}'")
        yield database

    def _open(self, name: str) -> Any:
        if self.refusal is not None:
            raise self.refusal
        paper = self.aurora.paper(name)
        if not paper.container:
            raise ServiceUnavailable(f"{name}: MySQL 2003")
        return Mortal(PaperDatabase(paper), self.fate)


@dataclass
class Wire:
    """Answers botocore's client of RDS from the paper. ``faults``: what becomes of the next call of an operation."""

    aurora: PaperAurora
    faults: dict[str, list[str]] = field(default_factory=dict)  # operation -> "lost", "denied", "throttled" …
    calls: list[str] = field(default_factory=list)

    def attach(self) -> None:
        aws.client("rds").meta.events.register_first("before-send.rds", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        body = request.body if isinstance(request.body, bytes) else str(request.body or "").encode()
        headers = {name.lower(): _text(value) for name, value in request.headers.items()}
        asked = HttpRequest(request.method, "/", "", headers, body)
        call = identify(asked)
        assert call is not None
        self.calls.append(call.operation)
        answer = self._disturbed(call, asked)
        return AWSResponse(request.url, answer.status, answer.headers, _Raw(answer.body))

    def _disturbed(self, call: Call, asked: HttpRequest) -> Answer:
        waiting = self.faults.get(call.operation, [])
        fault = waiting.pop(0) if waiting else ""
        if fault == "denied":
            return error_answer(call, 403, "AccessDenied", "is not authorized")
        if fault == "throttled":
            return error_answer(call, 400, "Throttling", "Rate exceeded")
        answer = Api(self.aurora)(call, asked, "test")
        assert answer is not None
        return error_answer(call, 500, "InternalFailure", "lost") if fault == "lost" else answer


class _Raw(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Killed(BaseException):
    """The function was ended there."""


class Mortal:
    """Passes calls on to ``one``, and is killed before or after the one whose number is up."""

    def __init__(self, one: Any, fate: Fate) -> None:
        self._one, self._fate = one, fate

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._one, name)
        if not callable(found):
            return found

        def called(*given: Any, **named: Any) -> Any:
            self._fate.strike("before")
            answer = found(*given, **named)
            self._fate.strike("after")
            return answer

        return called


@dataclass
class Fate:
    """Kills at the ``at``-th call, ``when`` that is "before" or "after" it is done."""

    at: int
    when: str
    seen: int = 0

    def strike(self, when: str) -> None:
        self.seen += when == "before"
        if self.seen == self.at and when == self.when:
            self.at = 0
            raise Killed


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
