"""pt-table-checksum, of Debian's percona-toolkit, as a person would use it between the two servers."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.aurora.pair import Pair

# Bits of its exit status ("EXIT STATUS" of its manual): 16 differences were found, 8 and 64 tables or chunks were skipped.
_DIFFS, _FAILED = 16, 1 | 2 | 4 | 8 | 64


def install() -> None:
    """Get it by its name where it is missing, and read its version."""
    if shutil.which("pt-table-checksum") is None:
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", "percona-toolkit"], check=True)


def version() -> str:
    """As it tells it."""
    return subprocess.run(["pt-table-checksum", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def checksum(pair: Pair, schema: str) -> tuple[float, set[str]]:
    """Seconds, and the tables in which it found differences. Raises RuntimeError with its words where it did not finish."""
    with pair.connected() as (source, _):
        source.rows("CREATE DATABASE IF NOT EXISTS percona")
        source.rows("CREATE TABLE IF NOT EXISTS percona.dsns (id INT PRIMARY KEY, parent_id INT, dsn VARCHAR(255))")
        source.rows("REPLACE INTO percona.dsns VALUES (1, 0, %s)", (f"h=127.0.0.1,P={pair.clone.port},u=root",))
    pair.catch_up()
    where = f"h=127.0.0.1,P={pair.source.port},u=root"
    command = [
        "pt-table-checksum",
        where,
        f"--databases={schema}",
        f"--recursion-method=dsn={where},D=percona,t=dsns",
        "--no-check-binlog-format",  # ROW: it switches its own session to STATEMENT
        "--no-check-replication-filters",
        "--no-version-check",
        "--quiet",
    ]
    began = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    took = time.perf_counter() - began
    if done.returncode & _FAILED:
        raise RuntimeError(f"pt-table-checksum ended with {done.returncode}: {done.stdout}{done.stderr}")
    lines = [line.split() for line in done.stdout.splitlines()]
    # With --quiet: a head, and a line for each table with differences; the table's name is last.
    return took, {words[-1] for words in lines if words and words[-1] != "TABLE"}
