"""``kuroshio mackerel send`` brings figures into the queue, or says what is wrong with which of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from kuroshio.cli import kuroshio_command
from kuroshio.errors import InvalidRequest, KuroshioError
from kuroshio.mackerel.thrown import from_lines, seconds

if TYPE_CHECKING:
    from tests.contract.library.conftest import Queue


def send(*words: str, lines: str = "") -> Result:
    return CliRunner().invoke(kuroshio_command, ["mackerel", "send", *words], input=lines)


def points(queue: Queue) -> list[dict[str, Any]]:
    return [point for body in queue.bodies() for point in json.loads(body)["points"]]


def test_words_become_points_in_one_message(queue: Queue) -> None:
    done = send("orders.shipped=3", "a=b=1.5", "--combine", "max", "--service", "till", "--json")
    told = json.loads(done.output)
    assert (done.exit_code, told["points"], told["messages"]) == (0, 2, 1)
    first, second = points(queue)
    assert (first["name"], first["value"], first["combine"], first["service"]) == ("orders.shipped", 3.0, "max", "till")
    assert second["name"].startswith("a_b-")
    assert first["floating"]


def test_lines_are_read_as_mkr_throw_reads_them(queue: Queue) -> None:
    at = int(time.time()) - 120
    done = send(lines=f"cpu.user\t12.5\t{at}\n\ncpu.system 3\n")
    assert done.output == "2 points are on their way, in 1 messages\n"
    user, system = points(queue)
    assert (user["name"], user["value"], user["time"], user["service"]) == ("cpu.user", 12.5, at, "shop")
    assert (system["value"], system["floating"]) == (3.0, True)


def test_the_same_origin_counts_once(queue: Queue) -> None:
    for _ in range(2):
        assert send("orders=3", "--origin", "batch/7").exit_code == 0
    assert send("orders=3").exit_code == 0
    records = queue.kept(time.time()).scan("mackerel#cells#shop", 10)
    assert sum(len(record.body["contributions"]) for record in records) == 2


def test_more_series_than_a_writer_holds_are_sent_all(queue: Queue) -> None:
    done = send(lines="".join(f"orders.{number} {number}\n" for number in range(2500)))
    assert done.exit_code == 0, done.output
    assert sorted(point["value"] for point in points(queue)) == [float(number) for number in range(2500)]


@pytest.mark.parametrize(
    ("words", "lines", "says"),
    [
        (["orders"], "", "'orders' is not NAME=VALUE"),
        (["=3"], "", "the name is empty"),
        (["orders=three"], "", "'three' is no number"),
        (["orders=1_0"], "", "'1_0' is no number"),
        (["orders=nan"], "", "the value is nan"),
        (["orders=-inf"], "", "the value is -inf"),
        (["orders=1", "--at", "1790000040000"], "", "looks like milliseconds"),
        (["orders=1", "--at", "4102444800"], "", "in the future"),
        (["orders=1", "--at", "0"], "", "Mackerel drops what is older than a day"),
        (["orders=1", "--at", "2026-11-21T09:00"], "", "is no time"),
        (["orders=1", "--service", "a/b"], "", "a service name has"),
        ([], "good 1\nbad x\nworse\n", "line 3 is not 'name value'"),
        ([], "good 1\nbad x\n", "line 2: 'x' is no number"),
        ([], "bad x\n" * 25, "and 15 more"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_sent(queue: Queue, words: list[str], lines: str, says: str) -> None:
    done = send(*words, lines=lines)
    assert isinstance(done.exception, InvalidRequest)
    assert done.exception.exit_code == 2
    assert says in str(done.exception)
    assert queue.bodies() == []


def test_nothing_on_standard_input_sends_nothing(queue: Queue) -> None:
    assert send().output == "0 points are on their way, in 0 messages\n"
    assert queue.bodies() == []


def test_a_queue_that_is_gone_is_an_error(queue: Queue) -> None:
    done = send("orders=1", "--queue-url", queue.url + "-gone")
    assert isinstance(done.exception, KuroshioError)
    assert "NonExistentQueue" in str(done.exception)


def test_times_are_read_in_two_ways() -> None:
    assert seconds("1790000040") == 1_790_000_040
    assert seconds("2026-11-21T09:00:00+09:00") == seconds("2026-11-21T00:00:00Z") == 1_795_219_200
    with pytest.raises(InvalidRequest, match="line 1 is not"):
        list(from_lines(["a b c d"], None))
