"""The function verify_clone on real servers: what each proof covers, what it finds, what is repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.verified_pair import CLONE, World
from tests.lab.aurora.test_fingerprint import FAULTS, FILL, SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Pair

TABLES = (
    "CREATE TABLE live.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(50), amount DECIMAL(10,2), KEY (note))",
    "CREATE TABLE live.parts (shop INT, line VARCHAR(20), v INT, PRIMARY KEY (shop, line))",
    "CREATE TABLE live.kinds (e ENUM('a','b','c') PRIMARY KEY, v INT)",
    "CREATE TABLE live.notes (text VARCHAR(50))",
    "CREATE TABLE live.empty (id INT PRIMARY KEY)",
    "INSERT INTO live.orders (note, amount) SELECT CONCAT('n', seq), seq / 3 FROM live.seq_1_to_3000",
    "INSERT INTO live.parts SELECT seq DIV 100, CONCAT('l', seq), seq FROM live.seq_1_to_1000",
    "INSERT INTO live.kinds VALUES ('a', 1), ('b', 2)",
    "INSERT INTO live.notes VALUES ('x'), ('x'), ('y')",
)


@pytest.fixture
def world(following: Pair) -> Iterator[World]:
    world = World(following, *TABLES)
    yield world
    world.close()


def by_table(record: dict[str, list[dict[str, object]]], what: str) -> dict[str, object]:
    return {str(table["table"]): table[what] for table in record["tables"]}


@pytest.mark.parametrize("proof", ["full", "delta"])
def test_what_is_equal_is_proven_and_said_up_to_where(world: World, proof: str) -> None:
    world.source.rows("UPDATE live.orders SET amount = 0 WHERE id = 5")
    record = world.verify(proof)
    assert (record["equal"], record["differences"], record["proof"]) == (True, 0, proof)
    expected = "delta" if proof == "delta" else "full"
    assert by_table(record, "proof")["live.orders"] == expected
    assert by_table(record, "proof")["live.notes"] == ("untouched" if proof == "delta" else "full")
    assert str(record["upto"]).startswith("mysql-bin-changelog.")
    assert world.told.values[CLONE]["verified_differences"] == 0
    assert record["rows"] == (1 if proof == "delta" else 3000 + 1000 + 2 + 3)


def test_every_kind_of_table_shows_exactly_its_rows_that_differ(world: World) -> None:
    world.behind_its_back(
        "UPDATE live.orders SET amount = amount + 1 WHERE id = 1500",
        "DELETE FROM live.orders WHERE id = 3000",
        "INSERT INTO live.orders (id, note) VALUES (-7, 'below'), (9000, 'beyond')",
        "UPDATE live.parts SET v = 0 WHERE shop = 3 AND line = 'l333'",
        "UPDATE live.kinds SET v = 9 WHERE e = 'b'",
        "DELETE FROM live.notes WHERE text = 'x' LIMIT 1",
        "INSERT INTO live.empty VALUES (4)",
    )
    assert world.found("full") == {
        "orders": {
            (("1500",), "different"),
            (("3000",), "missing"),
            (("-7",), "extra"),
            (("9000",), "extra"),
        },
        "parts": {(("3", "_utf8mb4 X'6C333333'"), "different")},
        "kinds": {(("2",), "different")},
        "notes": {((), "different")},
        "empty": {(("4",), "extra")},
    }
    # ... and a delta proof is told by nobody of writes that no binlog shows.
    assert world.found("delta") == {}


def test_a_proof_goes_on_where_the_last_one_ended(world: World) -> None:
    world.source.rows("UPDATE live.orders SET amount = 0 WHERE id = 5")
    first = world.verify("delta")
    world.source.rows("UPDATE live.orders SET amount = 0 WHERE id = 6")
    second = world.verify("delta")
    assert (second["since"], second["clone_since"]) == (first["upto"], first["clone_upto"])
    assert second["rows"] == 1


def test_after_differences_a_proof_begins_again_where_all_was_equal(world: World) -> None:
    world.clone.rows("UPDATE live.orders SET amount = 0 WHERE id = 6")
    first = world.verify("delta")
    second = world.verify("delta")
    assert (first["differences"], second["differences"]) == (1, 1)
    assert second["since"] == first["since"]


def test_without_a_beginning_in_both_binlogs_every_row_is_looked_at(world: World) -> None:
    world.ledger.put(CLONE, "verification#2000", {"equal": False})
    world.ledger.put(CLONE, "seed", {"position": "mysql-bin-changelog.009999:4"})
    record = world.verify("delta")
    assert (record["proof"], record["equal"]) == ("full", True)
    assert record["reason"] == "the source's binlog no longer has mysql-bin-changelog.009999, where the clone began"


def test_definitions_that_differ_are_findings_and_no_rows_are_guessed_at(world: World) -> None:
    world.behind_its_back(
        "ALTER TABLE live.orders MODIFY note VARCHAR(60)",
        "ALTER TABLE live.parts ADD KEY (v)",
        "DROP TABLE live.empty",
        "CREATE TABLE live.more (id INT PRIMARY KEY)",
    )
    record = world.verify("full")
    assert {(finding["code"], finding["severity"], *finding["about"]) for finding in record["schema_findings"]} == {
        ("schema-type", "blocking", "live.orders"),
        ("schema-index", "warning", "live.parts"),
        ("table-missing", "blocking", "live.empty"),
        ("table-missing", "blocking", "live.more"),
    }
    unknown = {table for table, why in by_table(record, "unknown").items() if why}
    assert unknown == {"live.orders", "live.empty", "live.more"}
    assert (record["equal"], by_table(record, "differences")["live.orders"]) == (False, None)


def test_tables_of_skipped_transactions_are_looked_at_whole_and_no_longer_suspected_then(world: World) -> None:
    suspicion = {"schema": "live", "table": "orders", "since": "mysql-bin-changelog.000001:4", "why": "skipped"}
    world.ledger.put(CLONE, "suspect#live.orders", suspicion)
    world.behind_its_back("UPDATE live.orders SET amount = 0 WHERE id = 6")
    assert world.found("delta") == {"orders": {(("6",), "different")}}
    assert world.ledger.read(CLONE, "suspect#live.orders")
    world.behind_its_back("UPDATE live.orders SET amount = 2 WHERE id = 6")
    assert world.verify("delta")["equal"]
    assert world.ledger.read(CLONE, "suspect#live.orders") is None


def test_a_result_that_is_missing_is_not_known_and_never_fine(world: World) -> None:
    plan = world.verifying.run(world.event(step="plan", proof="full"))
    assert plan["items"] == 1
    record = world.verifying.run(world.event(step="conclude"))
    assert (record["equal"], record["unknown"], record["differences"]) == (False, 5, 0)


def test_steps_that_are_repeated_answer_as_they_did(world: World) -> None:
    world.clone.rows("UPDATE live.orders SET amount = 0 WHERE id = 6")
    plan = world.verifying.run(world.event(step="plan", proof="full"))
    (item,) = world.work.read(plan["key"])
    compared = world.verifying.run(world.event(step="compare", item=item, turn=0))
    concluded = world.verifying.run(world.event(step="conclude"))
    world.clone.rows("UPDATE live.orders SET amount = 2 WHERE id = 6")
    world.verifying = world.function()
    assert world.verifying.run(world.event(step="plan", proof="full")) == plan
    assert world.verifying.run(world.event(step="compare", item=item, turn=0)) == compared
    assert world.verifying.run(world.event(step="conclude")) == concluded
    assert concluded["differences"] == 1


def test_differing_rows_are_repaired_after_they_were_shown(world: World) -> None:
    world.behind_its_back(
        "UPDATE live.orders SET amount = amount + 1, note = 'o''b' WHERE id BETWEEN 1 AND 120",
        "DELETE FROM live.orders WHERE id = 3000",
        "INSERT INTO live.orders (id, note) VALUES (9000, 'beyond')",
        "UPDATE live.notes SET text = 'z' LIMIT 1",
    )
    record = world.verify("full")
    task = world.event(verification=record["began"])
    asked = world.verifying.run(task | {"step": "ask"})
    assert asked["sentences"] == [
        "122 rows of live.orders are written from the source onto the clone",
    ]
    assert asked["statements"][0].startswith("DELETE FROM `live`.`orders` WHERE `id` IN (")
    assert world.found("full")["orders"]  # nothing was done by asking
    assert world.verifying.run(task | {"step": "repair"}) == {"repaired": 122, "refused": [], "done": True}
    assert world.found("full") == {"notes": {((), "different")}}


def test_rows_with_triggers_on_the_clone_are_not_written(world: World) -> None:
    world.behind_its_back(
        "CREATE TRIGGER live.t BEFORE INSERT ON live.orders FOR EACH ROW SET NEW.note = 'changed'",
        "DELETE FROM live.orders WHERE id = 3000",
    )
    record = world.verify("full")
    task = world.event(verification=record["began"])
    repaired = world.verifying.run(task | {"step": "repair"})
    assert "live.orders has triggers on the clone (t), which would fire" in repaired["refused"][0]
    assert world.found("full") == {"orders": {(("3000",), "missing")}}


EVERYTHING = SCHEMA.replace("fp.", "live."), FILL.replace("fp.", "live.")


def test_every_fault_of_every_type_is_repaired_to_the_bit(following: Pair) -> None:
    world = World(following, *EVERYTHING)
    for statement, _ in FAULTS.values():
        world.behind_its_back(statement.replace("fp.", "live."))
    record = world.verify("full")
    assert record["differences"] >= 5
    world.verifying.run(world.event(step="repair", verification=record["began"]))
    assert world.found("full") == {}
    world.close()
