"""A wrapped command behaves as if nobody had wrapped it, and Mackerel hears how it ended."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from lab.mackerel import Clock, FakeMackerel, Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.library.conftest import Queue

KUROSHIO = [sys.executable, "-c", "from kuroshio.cli import main; main()"]
NOWHERE = "http://127.0.0.1:9/000000000000/outbox"  # the port that nobody listens on


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("MACKEREL_APIKEY", raising=False)
    return tmp_path / "kuroshio/spool"


def command(*words: str) -> list[str]:
    return [*KUROSHIO, "wrap", *words]


def wrapped(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*words), stdin=subprocess.DEVNULL, capture_output=True, check=False)


def said(queue: Queue) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """The figures and the check reports of the queue."""
    documents = [json.loads(body) for body in queue.bodies()]
    figures = {point["name"]: point["value"] for document in documents for point in document["points"]}
    return figures, [report for document in documents for report in document.get("reports", [])]


def test_output_passes_through_untouched_and_the_exit_code_is_the_command_s(queue: Queue) -> None:
    program = "printf '\\377\\000\\n'; printf 'oh\\n' >&2; exit 3"
    done = wrapped("--name", "job", "--", "sh", "-c", program)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"\xff\x00\n", b"oh\n")
    figures, [report] = said(queue)
    assert figures.keys() == {"cron.job.duration", "cron.job.succeeded"}
    assert figures["cron.job.succeeded"] == 0.0
    assert (report["name"], report["status"]) == ("job", "CRITICAL")
    assert report["message"].startswith("exit code 3 after ")
    assert report["message"].endswith("oh")


def test_success_is_told_too_and_its_output_only_where_it_is_asked_for(queue: Queue) -> None:
    assert wrapped("--name", "job", "--note", "see the runbook", "--", "echo", "hello").returncode == 0
    figures, [report] = said(queue)
    assert (figures["cron.job.succeeded"], report["status"]) == (1.0, "OK")
    assert "hello" not in report["message"]
    assert "see the runbook" in report["message"]
    wrapped("--name", "job", "--output", "always", "--", "echo", "hello")
    assert said(queue)[1][0]["message"].endswith("\nhello")
    wrapped("--name", "job", "--output", "never", "--warning", "--notification-interval", "30", "--", "cat", "/nowhere")
    [report] = said(queue)[1]
    assert (report["status"], report["notification_interval"]) == ("WARNING", 30)
    assert "nowhere" not in report["message"]
    assert wrapped("--name", "job", "--no-check", "--", "true").returncode == 0
    assert said(queue)[1] == []


def test_a_job_without_a_name_has_one_that_stays(queue: Queue) -> None:
    for argument in ("one", "one", "two"):
        wrapped("--", "echo", argument)
    names = [report["name"] for report in said(queue)[1]]
    assert len(names) == 3
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    ("words", "code", "how"),
    [
        (["sh", "-c", "kill -9 $$"], 137, "killed by SIGKILL"),
        (["sh", "-c", "kill -40 $$"], 168, "killed by signal 40"),
        (["/nowhere/at/all"], 127, "could not be started: No such file or directory"),
        (["/etc"], 126, "could not be started: Permission denied"),
    ],
)
def test_what_a_shell_would_say_of_an_end_is_said(queue: Queue, words: list[str], code: int, how: str) -> None:
    assert wrapped("--name", "job", "--", *words).returncode == code
    assert said(queue)[1][0]["message"].startswith(how)


def test_no_shell_reads_the_command(queue: Queue) -> None:
    assert wrapped("--name", "job", "--", "echo", "$HOME", "; exit 7", "--name").stdout == b"$HOME ; exit 7 --name\n"


def test_a_command_that_takes_too_long_is_ended_however_it_resists(queue: Queue) -> None:
    patient = "trap '' TERM; echo begun; while :; do sleep 0.05; done"
    done = wrapped("--name", "job", "--timeout", "0.5s", "--kill-after", "0.2", "--", "sh", "-c", patient)
    assert (done.returncode, done.stdout) == (124, b"begun\n")
    assert said(queue)[1][0]["message"].startswith("timed out after 0.5 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_reach_the_command(queue: Queue, number: signal.Signals) -> None:
    program = f"import signal, sys; signal.signal({int(number)}, lambda *_: sys.exit(42)); print('ready', flush=True); "
    program += "signal.pause()"
    running = subprocess.Popen(
        command("--name", "job", "--", sys.executable, "-c", program),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    with running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        running.send_signal(number)
        assert running.wait() == 42
    assert said(queue)[1][0]["message"].startswith("exit code 42")


def test_a_daemon_that_keeps_the_output_open_does_not_hold_the_job(queue: Queue) -> None:
    done = wrapped("--name", "job", "--", "sh", "-c", "sleep 600 & echo $!")
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.returncode == 0


def test_a_reader_that_goes_away_ends_the_command_as_without_us(queue: Queue) -> None:
    with subprocess.Popen(
        command("--name", "job", "--", "yes"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stdout.read(2) == b"y\n"
        running.stdout.close()
        assert running.wait() == 128 + signal.SIGPIPE


def test_of_much_output_the_head_and_the_tail_are_told_and_all_of_it_passes(queue: Queue) -> None:
    program = "print('FIRST'); [print('x' * 99) for _ in range(30_000)]; print('LAST'); raise SystemExit(1)"
    done = wrapped("--name", "job", "--", sys.executable, "-c", program)
    assert len(done.stdout) == 6 + 30_000 * 100 + 5
    message = said(queue)[1][0]["message"]
    assert "FIRST" in message
    assert message.endswith("LAST")
    assert len(message) <= 1023


def test_what_cannot_be_sent_waits_for_the_next_run(queue: Queue, spool: Path) -> None:
    away = wrapped("--name", "job", "--queue-url", queue.url + "-gone", "--", "false")
    assert away.returncode == 1
    assert b"not reported yet: NotFound" in away.stderr
    assert b"1 reports wait for the next run" in away.stderr
    assert [stat.S_IMODE(path.stat().st_mode) for path in (spool, *spool.glob("*.json"))] == [0o700, 0o600]
    here = wrapped("--name", "job", "--", "true")
    assert (here.returncode, here.stderr) == (0, b"")
    assert [report["status"] for report in said(queue)[1]] == ["CRITICAL", "OK"]
    assert list(spool.glob("*.json")) == []


def test_an_sqs_that_cannot_be_reached_costs_no_exit_code(
    queue: Queue, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:9")
    done = wrapped("--name", "job", "--queue-url", NOWHERE, "--", "sh", "-c", "exit 5")
    assert done.returncode == 5
    assert b"not reported yet: ServiceUnavailable" in done.stderr
    assert len(list(spool.glob("*.json"))) == 1


@pytest.mark.parametrize(
    ("without", "says"),
    [
        ("KUROSHIO_MACKEREL_SERVICE", b"which service?"),
        ("KUROSHIO_OUTBOX_QUEUE_URL", b"neither KUROSHIO_OUTBOX_QUEUE_URL nor MACKEREL_APIKEY is set"),
    ],
)
def test_a_command_runs_even_where_nothing_is_configured(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, without: str, says: bytes
) -> None:
    monkeypatch.delenv(without)
    done = wrapped("--name", "job", "--", "sh", "-c", "echo out; exit 4")
    assert (done.returncode, done.stdout) == (4, b"out\n")
    assert says in done.stderr


def test_a_spool_that_cannot_be_written_loses_only_what_cannot_be_sent_now(queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = wrapped("--name", "job", "--spool", str(tmp_path / "file/spool"), "--", "true")
    assert done.returncode == 0
    assert b"a report that cannot be sent now is lost" in done.stderr
    assert len(said(queue)[1]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--name", "a/b", "--", "true"],
        ["--timeout", "soon", "--", "true"],
        ["--name", "a"],
        ["--nmae", "a", "--", "true"],
    ],
)
def test_wrong_usage_is_told_before_anything_runs(words: list[str]) -> None:
    done = wrapped(*words)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"Usage: kuroshio wrap" in done.stderr


@pytest.fixture
def mackerel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("KUROSHIO_MACKEREL_SERVICE", "shop")
    monkeypatch.setenv("MACKEREL_APIKEY", "lab-key")
    with serve(FakeMackerel(Clock(time.time()))) as running:
        monkeypatch.setenv("KUROSHIO_MACKEREL_API_URL", running.origin)
        call(running, "/services", {"name": "shop"})
        yield running


def call(served: Served, path: str, body: Any) -> Any:
    from werkzeug.test import Client

    answer = Client(served.mackerel).post(f"/api/v0{path}", headers={"X-Api-Key": "lab-key"}, json=body)
    assert answer.status_code == 200
    return answer.get_json()


def test_a_machine_without_a_queue_reports_straight_to_mackerel(mackerel: Served) -> None:
    host = call(mackerel, "/hosts", {"name": "web1", "meta": {}})["id"]
    done = wrapped("--name", "job", "--host", host, "--", "sh", "-c", "echo broken; exit 3")
    assert (done.returncode, done.stderr) == (3, b"")
    [((reported, name, _), report)] = mackerel.mackerel.org.reports.items()
    assert (reported, name, report["status"]) == (host, "job", "CRITICAL")
    assert report["message"].endswith("broken")
    stored = {series.name: list(points.values()) for series, points in mackerel.mackerel.org.points.items()}
    assert stored["cron.job.succeeded"] == [0]


def test_without_a_host_metrics_alone_are_reported_and_a_wrong_key_waits(
    mackerel: Served, monkeypatch: pytest.MonkeyPatch, spool: Path
) -> None:
    done = wrapped("--name", "job", "--", "true")
    assert b"no check is reported" in done.stderr
    assert mackerel.mackerel.org.reports == {}
    assert {series.name for series in mackerel.mackerel.org.points} == {"cron.job.succeeded", "cron.job.duration"}
    monkeypatch.setenv("MACKEREL_APIKEY", "wrong")
    done = wrapped("--name", "job", "--", "true")
    assert b"not reported yet: AccessRefused: Mackerel answered to /services/shop/tsdb with 401" in done.stderr
    assert b"wrong" not in done.stderr
    assert len(list(spool.glob("*.json"))) == 1
