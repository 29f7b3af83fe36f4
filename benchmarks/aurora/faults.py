"""What is wrong on a clone: a table for each, and the statement that plants it. Who finds which?"""

from __future__ import annotations

SCHEMA = "faults"
_TABLE = (
    "id INT PRIMARY KEY, i INT, z TEXT, c CHAR(10) CHARSET utf8mb4 COLLATE utf8mb4_general_ci, g DOUBLE, "
    "ts TIMESTAMP(3) NULL, j JSON, bi INT"
)
_FILL = """
SELECT seq, seq, REPEAT('z', seq MOD 7), CONCAT('c', seq), seq / 7, '2026-01-01' + INTERVAL seq SECOND, CONCAT('{"n": ', seq, '}'), seq
FROM seq_1_to_400"""

FAULTS = {
    "wrong_row": "UPDATE {t} SET i = i + 1 WHERE id = 7",
    "missing_row": "DELETE FROM {t} WHERE id = 7",
    "extra_row": "INSERT INTO {t} (id) VALUES (1000)",
    "swapped_pair": "UPDATE {t} SET bi = IF(id = 150, 152, 150) WHERE id IN (150, 152)",
    "empty_for_null": "UPDATE {t} SET z = NULL WHERE id = 7",
    "collation_equal": "UPDATE {t} SET c = 'ç7' WHERE id = 7",
    "float_last_bit": "UPDATE {t} SET g = g * 1.0000000000000003 WHERE id = 8",
    "time_zone": "UPDATE {t} SET ts = ts + INTERVAL 9 HOUR WHERE id = 7",
    "json": "UPDATE {t} SET j = '{{\"n\": 8}}' WHERE id = 7",
    "nothing": "",
}


def tables() -> list[str]:
    """The statements that make the schema with a table for each fault, all equal."""
    statements = [f"CREATE DATABASE {SCHEMA}"]
    for name in FAULTS:
        statements += [
            f"CREATE TABLE {SCHEMA}.{name} ({_TABLE})",
            f"USE {SCHEMA}; INSERT INTO {SCHEMA}.{name} {_FILL}",
        ]
    return statements


def planted() -> list[str]:
    """The statements that plant the faults."""
    return [statement.format(t=f"{SCHEMA}.{name}") for name, statement in FAULTS.items() if statement]
