"""A database file is brought up to date step by step, and a stranger's is left alone."""

import sqlite3

import pytest

from btimd.store.schema import SchemaError, migrate

FIRST, SECOND = "CREATE TABLE a (id); CREATE TABLE b (id)", "ALTER TABLE a ADD COLUMN at REAL"


def columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(a)")]


def test_what_a_file_has_not_seen_is_run_once_in_order() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, 7, (FIRST,))
    before = columns(connection)
    for _ in range(2):
        migrate(connection, 7, (FIRST, SECOND))

    assert (before, columns(connection)) == (["id"], ["id", "at"])
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("PRAGMA application_id").fetchone() == (7,)
    connection.close()


def test_a_file_of_something_else_or_of_a_newer_btimd_is_refused() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, 7, (FIRST, SECOND))

    with pytest.raises(SchemaError, match="it is a database of something else; move it away"):
        migrate(connection, 8, (FIRST, SECOND))
    with pytest.raises(SchemaError, match="its schema is version 2, this btimd knows up to 1; install the newer btimd"):
        migrate(connection, 7, (FIRST,))
    connection.close()
