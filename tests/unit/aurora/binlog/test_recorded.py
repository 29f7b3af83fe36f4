"""Binlogs that real servers wrote (``recorded/*.sql`` says from what), read key by key."""

from collections.abc import Iterator

import pytest

from kuroshio.aurora.binlog import events, rows
from kuroshio.aurora.binlog.events import Event, Stream
from kuroshio.aurora.binlog.literals import literal
from kuroshio.aurora.binlog.tables import TableMap, table_map
from kuroshio.aurora.binlog.touched import Layout, Reader
from kuroshio.errors import BinlogUnreadable
from tests.fakes.binlog_files import packets

TYPES = ["mariadb-full", "mariadb-minimal", "mariadb-noblob", "mariadb-compressed", "mariadb-plain", "mariadb-metadata"]

# The places of the primary key, and for its columns whether they are unsigned or which characters they hold.
PRIMARY: dict[str, tuple[tuple[int, ...], tuple[object, ...]]] = {
    "texts": ((2, 0, 1), ("utf8mb4", True, "latin1")),
    "moments": (tuple(range(8)), (None,) * 8),
    "numbers": ((1, 2, 3, 4, 6, 7), (None, None, None, None, True, None)),
    "kinds": ((1, 2, 3, 4, 5, 6), (None, None, "utf8mb4", "utf8mb4", None, None)),
}
JAPANESE = "_utf8mb4 X'E697A5E69CACE8AA9E'"
EXPECTED = [
    f"write texts {JAPANESE} 18446744073709551615 _latin1 X'E9'",
    "write texts _utf8mb4 X'78' 0 _latin1 X''",
    "write texts _utf8mb4 X'615C62' 5 _latin1 X'6F2762'",
    (
        "write moments '2026-11-21 10:11:12.345' '-12:34:56.78' 2026 '2024-02-29' '2026-01-02 03:04:05.000006' "
        "'2026-11-21 00:00:01' '2026-01-02 03:04:05' '-00:00:01'"
    ),
    (
        "write moments '1000-01-01 00:00:00.000' '838:59:59.00' 1901 '9999-12-31' '1970-01-01 00:00:01.000000' "
        "'9999-12-31 23:59:59' '2038-01-19 03:14:07' '838:59:59'"
    ),
    (
        "write moments '9999-12-31 23:59:59.999' '-00:00:00.01' 2155 '0001-01-01' '2038-01-19 03:14:07.999999' "
        "'1000-01-01 00:00:00' '1970-01-01 00:00:01' '-838:59:59'"
    ),
    "write numbers 2730 -12345678901.00005 -5 -128 65535 0.500000000000000000000000000000",
    "write numbers 0 0.00001 8388607 127 0 -99999999999999999999999999999999999.000000000000000000000000000001",
    "write numbers 1 99999999999999.99999 -8388608 0 1 0.000000000000000000000000000000",
    f"write kinds 2 3 _utf8mb4 X'6162' _utf8mb4 X'{'E8AA9E' * 100}' X'6162000000' X'7A'",
    "write kinds 1 0 _utf8mb4 X'' _utf8mb4 X'' X'0000000000' X''",
    "write kinds 1 2 _utf8mb4 X'E697A5' _utf8mb4 X'77' X'3132333435' X'00'",
    (
        "update moments '2026-11-21 10:11:12.345' '-12:34:56.78' 2026 '2024-02-29' '2026-01-02 03:04:05.000006' "
        "'2026-11-21 00:00:01' '2026-01-02 03:04:05' '-00:00:01'"
    ),
    "update texts _utf8mb4 X'615C62' 5 _latin1 X'6F2762'",
    "update texts _utf8mb4 X'615C62' 7 _latin1 X'6F2762'",
    "delete texts _utf8mb4 X'78' 0 _latin1 X''",
]


def recorded(name: str) -> Iterator[Event]:
    return Stream(f"{name}.000001").events(packets(name))


def shown(event: Event, table: TableMap) -> Iterator[str]:
    places, hints = PRIMARY[table.name]
    for key in rows.keys(event.kind, event.body, table, places):
        parts = [
            literal(raw, table.widths[place], unsigned=hint is True, charset=hint if isinstance(hint, str) else None)
            for raw, place, hint in zip(key, places, hints, strict=True)
        ]
        yield " ".join([rows.verb(event.kind), table.name, *parts])


def keys_of(name: str) -> list[str]:
    tables: dict[int, TableMap] = {}
    found = []
    for event in recorded(name):
        if event.kind == events.TABLE_MAP:
            table = table_map(event.body)
            tables[table.number] = table
        elif event.kind in rows.ROW_KINDS:
            found += shown(event, tables[int.from_bytes(event.body[:6], "little")])
    return found


@pytest.mark.parametrize("name", TYPES)
def test_every_type_that_a_key_may_have_is_found_again(name: str) -> None:
    # An update tells its key before and after it, mostly the same one. With MINIMAL the second image has only what
    # changed, which may be one part of a key.
    assert list(dict.fromkeys(keys_of(name))) == EXPECTED


SHOP = {
    ("shop", "orders"): Layout((0,), 2, cascades=((("shop", "parts"), "delete"),)),
    ("shop", "parts"): Layout((0,), 2),
    ("shop", "others"): Layout((), 2),
}


def read(name: str, *, until: bytes = b"", **options: object) -> Reader:
    reader = Reader(SHOP, **({"most_keys": lambda _: 1_000} | options))  # type: ignore[arg-type]
    stretch = []
    for event in recorded(name):
        if until and until in event.body:
            break
        # The creation of a table touches it as a whole, so what follows would show nothing.
        if b"CREATE TABLE" not in event.body:
            stretch.append(event)
    reader.read(stretch)
    return reader


def test_rows_are_told_by_key_until_a_statement_touches_their_table() -> None:
    touched = read("mariadb-statements", until=b"UPDATE orders").result()
    assert {name: sorted(key[0][0] for key in keys) for name, keys in touched.keys.items()} == {
        ("shop", "orders"): [1, 2, 3],
        ("shop", "parts"): [10, 11],
    }
    assert not touched.whole
    assert not touched.unknown


def test_a_statement_touches_every_table_that_a_trigger_or_a_key_could_carry_it_to() -> None:
    touched = read("mariadb-statements", until=b"DELETE FROM orders").result()
    assert set(touched.whole) == set(SHOP)
    assert touched.whole["shop", "orders"] == {"statement: UPDATE orders SET note = 'BEGIN' WHERE id = 3"}
    assert not touched.keys


def test_a_deleted_parent_touches_the_rows_that_its_foreign_keys_reach() -> None:
    reader = Reader(SHOP, most_keys=lambda _: 1_000)
    reader.read(e for e in recorded("mariadb-statements") if e.kind not in (events.QUERY, events.QUERY_COMPRESSED))
    touched = reader.result()
    assert "foreign keys" in next(iter(touched.whole["shop", "parts"]))
    assert ("shop", "orders") in touched.keys


def test_a_table_without_a_primary_key_is_told_whole() -> None:
    reader = Reader(SHOP, most_keys=lambda _: 1_000)
    reader.read(e for e in recorded("mariadb-statements") if e.kind not in (events.QUERY, events.QUERY_COMPRESSED))
    reasons = reader.result().whole["shop", "others"]
    assert any("no primary key" in reason for reason in reasons)


def test_a_table_whose_columns_changed_meanwhile_is_told_whole() -> None:
    reader = Reader(SHOP, most_keys=lambda _: 1_000)
    reader.read(e for e in recorded("mariadb-statements") if e.kind not in (events.QUERY, events.QUERY_COMPRESSED))
    reasons = reader.result().whole["shop", "others"]
    assert any("it had 1 columns" in reason for reason in reasons)


def test_beyond_the_keys_that_pay_a_table_is_told_whole() -> None:
    touched = read("mariadb-statements", until=b"UPDATE orders", most_keys=lambda _: 2).result()
    assert touched.whole["shop", "orders"] == {"more than 2 of its rows were touched"}
    assert ("shop", "orders") not in touched.keys


def test_on_a_clone_only_what_began_there_is_of_interest() -> None:
    touched = read("mariadb-statements", of_interest=lambda server: server != 11).result()
    assert not touched.keys
    assert not touched.whole
    assert touched.end > 0


def test_an_account_with_the_name_of_a_table_touches_nothing() -> None:
    before = set(read("mariadb-statements", until=b"CREATE USER").result().whole)
    after = set(read("mariadb-statements", until=b"ALTER TABLE").result().whole)
    assert before == after


def test_a_flipped_bit_is_noticed() -> None:
    damaged = [bytearray(packet) for packet in packets("mariadb-full")]
    damaged[5][30] ^= 1
    with pytest.raises(BinlogUnreadable, match="checksum"):
        list(Stream("x").events(map(bytes, damaged)))


def test_a_stream_that_is_cut_off_is_noticed() -> None:
    cut = [packet[:-1] for packet in packets("mariadb-plain")]
    with pytest.raises(BinlogUnreadable, match="came with"):
        list(Stream("x").events(cut))
