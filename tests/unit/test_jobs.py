"""Reports of jobs leave once, in their order; what is too old or too much is counted."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.child import Excerpt
from kuroshio.adapters.direct_outbox import DirectOutbox
from kuroshio.adapters.spool import FileSpool
from kuroshio.errors import (
    AccessRefused,
    ConfigurationMissing,
    InvalidRequest,
    KuroshioError,
    NotFound,
    RequestRefused,
    ServiceUnavailable,
)
from kuroshio.jobs.ended import Ended, Job, Show, named, told
from kuroshio.jobs.reporting import Outcome, deliver
from kuroshio.mackerel.messages import Parcel, packed
from kuroshio.mackerel.points import annotation, point
from kuroshio.mackerel.ports import Answer

if TYPE_CHECKING:
    from pathlib import Path

JOB = Job("nightly", "shop", "web1")
HOUR = 3600


class Wire:
    """An outbox that refuses what it is told to."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.refusing: dict[str, KuroshioError] = {}

    def send(self, message: str) -> None:
        for text, error in self.refusing.items():
            if text in message:
                raise error
        self.sent.append(message)


class Api:
    """Mackerel, answering in one way."""

    def __init__(self, status: int) -> None:
        self.status = status

    def call(self, method: str, path: str, body: object = None) -> Answer:
        return Answer(self.status, {} if self.status == 200 else None, "because")


@pytest.fixture
def spool(tmp_path: Path) -> FileSpool:
    return FileSpool(tmp_path / "spool", most=5)


def ended(ago: float = 0, code: int = 0, output: str = "") -> Ended:
    now = time.time() - ago
    return Ended(code, f"exit code {code}", now - 2, now, output)


def keep(spool: FileSpool, ago: float = 0, code: int = 0) -> None:
    spool.keep(JOB.name, packed(told(JOB, ended(ago, code), given_up=0)))


def contents(wire: Wire) -> list[tuple[int, int]]:
    """How many points and reports each message has."""
    documents = [json.loads(message) for message in wire.sent]
    return [(len(each.get("points", [])), len(each.get("reports", []))) for each in documents]


def test_what_waits_leaves_in_its_order_and_what_is_too_old_is_counted(spool: FileSpool) -> None:
    for ago in (25 * HOUR, 7 * HOUR, 5 * HOUR, 0):
        keep(spool, ago)
    wire = Wire()
    assert deliver(spool, wire) == Outcome(sent=3, waiting=0, expired=4)
    assert contents(wire) == [(2, 0), (2, 1), (2, 1)]
    assert (spool.waiting(), spool.given_up("nightly")) == ([], 4)
    parcel = told(JOB, ended(), spool.given_up("nightly"))
    assert {each.name: each.value for each in parcel.points}["cron.nightly.given_up"] == 4.0


def test_an_outage_keeps_all_of_it_and_stops_asking(spool: FileSpool) -> None:
    for _ in range(3):
        keep(spool)
    wire = Wire()
    wire.refusing = {"": ServiceUnavailable("SQS is away")}
    outcome = deliver(spool, wire)
    assert (outcome.sent, outcome.waiting, str(outcome.wrong)) == (0, 3, "SQS is away")
    assert len(spool.waiting()) == 3


def test_one_that_is_refused_alone_blocks_no_other(spool: FileSpool) -> None:
    for code in (0, 7, 0):
        keep(spool, code=code)
    wire = Wire()
    wire.refusing = {"exit code 7": RequestRefused("no")}
    outcome = deliver(spool, wire)
    assert (outcome.sent, outcome.waiting, str(outcome.wrong)) == (2, 1, "no")
    assert len(spool.waiting()) == 1


def test_a_spool_has_a_bound_and_the_oldest_are_given_up(spool: FileSpool) -> None:
    for code in range(8):
        keep(spool, code=code)
    assert [json.loads(spool.read(name)[1])["reports"][0]["message"][:11] for name in spool.waiting()] == [
        f"exit code {code}" for code in range(3, 8)
    ]
    assert spool.given_up("nightly") == 3


def test_a_damaged_file_is_dropped_and_counted_and_blocks_nothing(spool: FileSpool, tmp_path: Path) -> None:
    (tmp_path / "spool/00000000000000000001-x.json").write_text("{")
    (tmp_path / "spool/00000000000000000002-x.json").write_text('{"job": "nightly", "message": "none of ours"}')
    keep(spool)
    wire = Wire()
    outcome = deliver(spool, wire)
    assert (outcome.sent, outcome.expired, spool.waiting()) == (1, 1, [])
    assert spool.given_up("nightly") == 1


def test_the_same_run_is_the_same_message_and_another_run_another() -> None:
    run = ended()
    assert told(JOB, run, 0) == told(JOB, run, 0)
    keys = {each.key for which in (run, ended(9)) for each in told(JOB, which, 0).points}
    assert len(keys) == 4


def test_a_report_says_how_it_ended_and_as_much_of_the_output_as_fits() -> None:
    job = Job("nightly", "shop", "web1", note="see the runbook", show=Show.ALWAYS)
    [report] = told(job, ended(code=1, output="HEAD" + "x" * 5000 + "TAIL"), 0).reports
    assert report.message.startswith("exit code 1 after 2.0 s on web1\nsee the runbook\nHEAD")
    assert report.message.endswith("TAIL")
    assert len(report.message) == 1023
    [short] = told(Job("nightly", "shop", "web1", note="n" * 2000), ended(code=1, output="lost"), 0).reports
    assert len(short.message) == 1023


def test_names_tell_machines_and_commands_apart() -> None:
    names = [
        named("web1.example", ["/usr/bin/backup", "--all"]),
        named("web2.example", ["/usr/bin/backup", "--all"]),
        named("web1.example", ["/usr/bin/backup"]),
        named("web1.example", ["バックアップ"]),
    ]
    assert names[0].startswith("web1-backup-")
    assert len(set(names)) == 4
    assert told(Job(names[3], "shop", "web1"), ended(), 0).reports


def test_an_excerpt_has_the_beginning_and_the_end() -> None:
    excerpt = Excerpt(most=4)
    for part in (b"ab", b"cde", b"f"):
        excerpt.add(part)
    assert excerpt.text() == "abcdef"
    excerpt.add(b"ghijkl")
    assert excerpt.text() == "abcd\n...\nijkl"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (0, ServiceUnavailable),
        (500, ServiceUnavailable),
        (429, ServiceUnavailable),
        (401, AccessRefused),
        (403, AccessRefused),
        (404, NotFound),
        (400, RequestRefused),
        (413, RequestRefused),
    ],
)
def test_what_mackerel_answers_becomes_an_error_of_ours(status: int, error: type[KuroshioError]) -> None:
    message = packed(told(JOB, ended(), 0))
    DirectOutbox(Api(200), "host1").send(message)
    with pytest.raises(error, match="because"):
        DirectOutbox(Api(status), "host1").send(message)


def test_straight_to_mackerel_goes_only_what_needs_no_adding_up() -> None:
    now = time.time()
    direct = DirectOutbox(Api(200), "")
    summed = point("shop", "orders", 1, at=now, now=now, combine="sum", key="k")
    marked = annotation("shop", "m", "release", first=now, last=None, now=now)
    for parcel in (Parcel(points=(summed,)), Parcel(annotations=(marked,))):
        with pytest.raises(InvalidRequest, match="only the queue can add up"):
            direct.send(packed(parcel))
    with pytest.raises(ConfigurationMissing, match="check reports need a host"):
        direct.send(packed(told(JOB, ended(), 0)))
