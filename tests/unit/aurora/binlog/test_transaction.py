"""One transaction of a recorded binlog, told to a person and kept for mysqlbinlog."""

import struct
import zlib
from collections.abc import Iterator

import pytest

from kuroshio.aurora.binlog import events, glance, transaction
from kuroshio.aurora.binlog.events import Event, Stream
from kuroshio.aurora.position import Position
from kuroshio.aurora.verification.tables import Column
from kuroshio.errors import BinlogUnreadable
from tests.fakes.binlog_files import cut, packets

NAME = "mariadb-statements"
FILE = f"{NAME}.000001"
KNOWN = (("shop", "orders"), ("shop", "parts"), ("shop", "others"))
COLUMNS = {("shop", "orders"): (Column("id", "int"), Column("note", "varchar", charset="utf8mb4"))}


def stream(name: str = NAME) -> Iterator[Event]:
    return Stream(f"{name}.000001").events(packets(name))


def groups(name: str = NAME) -> list[Position]:
    """Where the transactions begin."""
    found, end = [], 4
    for event in stream(name):
        if event.kind in events.GTID_KINDS:
            found.append(Position(event.file, end))
        end = event.end
    return found


def at(begin: Position, name: str = NAME) -> Iterator[Event]:
    """As a server sends it: the format first, then what comes from there on."""
    for event in stream(name):
        if event.kind == events.FORMAT_DESCRIPTION or event.end > begin.offset:
            yield event


def told(name: str = NAME) -> list[transaction.Transaction]:
    return [transaction.read(at(begin, name), begin, COLUMNS, KNOWN) for begin in groups(name)]


def test_each_transaction_reaches_to_the_next() -> None:
    found = told()
    assert [each.end for each in found[:-1]] == [each.begin for each in found[1:]]
    assert sum(each.events for each in found) == sum(1 for event in stream() if event.kind not in {4, 15, 161, 163})


def test_rows_are_told_with_the_names_of_their_columns() -> None:
    inserted = next(each for each in told() if any(line.startswith("INSERT shop.orders") for line in each.lines))
    assert [line for line in inserted.lines if line.startswith("INSERT")] == [
        "INSERT shop.orders id=1, note='a'",
        "INSERT shop.orders id=2, note='b'",
        "INSERT shop.orders id=3, note='c'",
    ]
    assert inserted.tables == {("shop", "orders")}


def test_rows_of_a_table_that_has_other_columns_now_are_told_by_number() -> None:
    found = [line for each in told() for line in each.lines if line.startswith("INSERT shop.others")]
    assert found == ["INSERT shop.others @1=1", "INSERT shop.others @1=2"]


def test_a_statement_is_told_whole_and_reaches_what_it_may() -> None:
    update = next(each for each in told() if any("UPDATE orders SET note" in line for line in each.lines))
    assert update.tables == set(KNOWN)


@pytest.mark.parametrize("name", ["mariadb-full", "mariadb-minimal", "mariadb-noblob", "mariadb-compressed"])
def test_rows_of_every_type_have_a_text(name: str) -> None:
    lines = [line for each in told(name) for line in each.lines]
    assert any(line.startswith("INSERT shop.texts @1=-1, @2=X'E9', @3='日本語', @4=") for line in lines)
    assert any("-12:34:56.78" in line and "2026-11-21 10:11:12.345" in line for line in lines)
    assert any("@3=-12345678901.00005, @4=-5, @5=-128, @6=1.5, @7=-1," in line for line in lines)
    assert not [line for line in lines if "do not fit" in line]


def test_what_is_kept_is_a_binlog_with_just_that_transaction() -> None:
    one = told()[4]
    assert one.file.startswith(transaction.MAGIC)
    again = list(Stream(FILE).events(cut(one.file)))
    assert [event.kind for event in again[1:]] == [
        event.kind for event in stream() if one.begin.offset < event.end <= one.end.offset
    ]


def test_no_transaction_begins_inside_another() -> None:
    inside = Position(FILE, next(event.end for event in stream() if event.kind in events.GTID_KINDS))
    with pytest.raises(BinlogUnreadable, match="no transaction begins"):
        transaction.read(at(inside), inside, COLUMNS, KNOWN)


def test_none_begins_at_the_end() -> None:
    end = max(event.end for event in stream())
    with pytest.raises(BinlogUnreadable, match="ends there"):
        transaction.read(at(Position(FILE, end)), Position(FILE, end), COLUMNS, KNOWN)


def test_one_that_is_cut_off_is_refused() -> None:
    begin = groups()[4]
    whole = list(at(begin))
    rows = next(place for place, event in enumerate(whole) if event.kind in {23, 30})
    with pytest.raises(BinlogUnreadable, match="cut off"):
        transaction.read(whole[: rows + 1], begin, COLUMNS, KNOWN)


def test_a_statement_is_no_whole_transaction_before_its_commit() -> None:
    begin = groups()[6]
    with pytest.raises(BinlogUnreadable, match="cut off"):
        transaction.read([event for event in at(begin) if event.end < groups()[7].offset], begin, COLUMNS, KNOWN)


def test_long_ones_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "_MOST_LINES", 2)
    monkeypatch.setattr(transaction, "_MOST_BYTES", 10)
    inserted = next(each for each in told() if ("shop", "orders") in each.tables and len(each.lines) == 2)
    assert inserted.is_cut
    assert inserted.file == b""
    assert inserted.events > 2


@pytest.mark.parametrize("checksum", [True, False])
def test_the_rotation_that_begins_a_dump_may_have_a_checksum_before_anybody_said_so(checksum: bool) -> None:
    name = b"mysql-bin-changelog.000007"
    length = 19 + 8 + len(name) + 4 * checksum
    packet = struct.pack("<IBIIIH", 0, events.ROTATE, 11, length, 0, 0x20) + struct.pack("<Q", 4) + name
    sent = packet + struct.pack("<I", zlib.crc32(packet)) * checksum
    cutter = Stream("mysql-bin-changelog.000001")
    list(cutter.events([sent]))
    assert cutter.file == name.decode()


def test_what_waits_is_counted_and_where_it_is_much_it_is_estimated() -> None:
    begin = groups()[0]
    size = max(event.end for event in stream()) - begin.offset
    counted = glance.waiting(at(begin), size, 10**9)
    assert (counted.transactions, counted.is_counted) == (len(groups()), True)
    assert counted.since
    estimated = glance.waiting(at(begin), size, size // 2)
    assert not estimated.is_counted
    assert len(groups()) / 2 <= estimated.transactions <= len(groups()) * 2


def test_nothing_waits_at_the_end() -> None:
    assert glance.waiting([], 0, 100) == glance.Waiting(0, None, is_counted=True)


def test_what_began_on_the_clone_itself_is_found_and_its_accounts_are_not() -> None:
    begin = groups()[0]
    writer = next(event.server for event in stream())
    found = glance.strange(at(begin), begin, frozenset({writer}), 10**9)
    statements = 3 + 1 + 1 + 1  # three tables made, one statement, an ALTER, a TRUNCATE
    rows = sum(1 for event in stream() if event.kind in {23, 24, 25, 30, 31, 32})
    assert found.changes == statements + rows
    assert found.first is not None
    assert found.upto.offset == max(event.end for event in stream())
    assert glance.strange(at(begin), begin, frozenset({writer + 1}), 10**9).changes == 0
