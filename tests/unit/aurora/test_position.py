"""Positions in a binlog, and what servers call things."""

import pytest

from kuroshio.aurora.dialect import Dialect, normalised
from kuroshio.aurora.position import Position
from kuroshio.errors import InvalidRequest


def test_a_position_reads_as_it_is_written() -> None:
    assert str(Position.parse("mysql-bin-changelog.000007:4711")) == "mysql-bin-changelog.000007:4711"


def test_files_are_ordered_by_their_numbers_beyond_six_digits_too() -> None:
    assert Position("b.999999", 5000) < Position("b.1000000", 4)
    assert Position("b.000002", 4) < Position("b.000002", 154)


@pytest.mark.parametrize("text", ["", "x", "file:12", "b.000001", "b.000001:", "b.000001:-4", "b.12:4", "a b.000001:4"])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="binlog"):
        Position.parse(text)


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("5.7.12-log", ("SHOW MASTER STATUS", "SHOW SLAVE STATUS", "MASTER_POS_WAIT", "@master_binlog_checksum")),
        ("8.0.21", ("SHOW MASTER STATUS", "SHOW SLAVE STATUS", "MASTER_POS_WAIT", "@master_binlog_checksum")),
        ("8.0.22", ("SHOW MASTER STATUS", "SHOW REPLICA STATUS", "MASTER_POS_WAIT", "@master_binlog_checksum")),
        ("8.0.36", ("SHOW MASTER STATUS", "SHOW REPLICA STATUS", "SOURCE_POS_WAIT", "@master_binlog_checksum")),
        ("8.4.3", ("SHOW BINARY LOG STATUS", "SHOW REPLICA STATUS", "SOURCE_POS_WAIT", "@source_binlog_checksum")),
        ("9.7.4", ("SHOW BINARY LOG STATUS", "SHOW REPLICA STATUS", "SOURCE_POS_WAIT", "@source_binlog_checksum")),
        (
            "11.8.3-MariaDB-0+deb13u1",
            ("SHOW MASTER STATUS", "SHOW SLAVE STATUS", "MASTER_POS_WAIT", "@master_binlog_checksum"),
        ),
    ],
)
def test_a_server_is_asked_in_its_own_words(version: str, words: tuple[str, ...]) -> None:
    dialect = Dialect.of(version)
    assert (
        dialect.source_status,
        dialect.replica_status,
        dialect.wait_for_position,
        dialect.checksum_variable,
    ) == words


def test_old_names_of_columns_read_as_the_new_ones() -> None:
    old = {"Slave_IO_Running": "Yes", "Master_Log_File": "b.000001", "Seconds_Behind_Master": 0, "Last_Errno": 0}
    assert normalised(old) == {
        "Replica_IO_Running": "Yes",
        "Source_Log_File": "b.000001",
        "Seconds_Behind_Source": 0,
        "Last_Errno": 0,
    }
