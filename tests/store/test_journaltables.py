"""The journal's schema: made once, kept, and asked by its indexes. What the statements do is in test_journal.py."""

import sqlite3
from collections.abc import Iterator

import pytest

from btimd.model.ports import Timer
from btimd.store import journaltables as tables
from btimd.store import outboxtables
from btimd.store.schema import SchemaError, migrate
from tests.store.examples import T0, event, incident, message, write

CLAIM = f"SELECT id FROM {outboxtables.HEADS} AND next_at <= 5 ORDER BY next_at, id LIMIT 5"  # noqa: S608  a constant
NEXT = f"SELECT min(next_at) FROM {outboxtables.HEADS}"  # noqa: S608  a constant


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    tables.prepare(connection)
    yield connection
    connection.close()


def test_preparing_twice_changes_nothing(connection: sqlite3.Connection) -> None:
    before = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    tables.prepare(connection)
    assert connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == before
    assert connection.execute("PRAGMA user_version").fetchone() == (len(tables._MIGRATIONS),)


def test_a_preparation_that_is_refused_leaves_the_file_as_it_was() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE accounts (id)")
    with pytest.raises(SchemaError, match="it is a database of something else"):
        tables.prepare(connection)
    assert not connection.in_transaction
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("accounts",)]
    connection.close()


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("SELECT body FROM incident WHERE is_open ORDER BY opened_at DESC, id DESC LIMIT 5", "incident_open"),
        ("SELECT body FROM incident ORDER BY opened_at DESC, id DESC LIMIT 5", "incident_newest"),
        ("SELECT min(due_at) FROM timer", "timer_due"),
        (CLAIM, "outbox_due"),
        (CLAIM, "outbox_line"),
        (NEXT, "outbox_due"),
        ("SELECT id FROM verdict ORDER BY at DESC, id DESC LIMIT 5", "verdict_newest"),
    ],
)
def test_what_is_asked_often_is_found_by_an_index(connection: sqlite3.Connection, statement: str, index: str) -> None:
    plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))
    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_long_backlog_is_claimed_head_by_head(connection: sqlite3.Connection) -> None:
    for number in range(200):
        messages = tuple(message(f"{number}.{seq}", incident_id=f"I{number}", seq=seq) for seq in range(1, 11))
        tables.write_incident(connection, write(incident(f"I{number}"), event(f"I{number}"), messages=messages))
    claimed = outboxtables.claim_messages(connection, T0, 1000, None)
    assert sorted(each.id for each in claimed) == sorted(f"{number}.1" for number in range(200))
    for each in claimed:
        outboxtables.message_delivered(connection, each.id, T0)
    assert sorted(each.id for each in outboxtables.claim_messages(connection, T0, 1000, None)) == sorted(
        f"{number}.2" for number in range(200)
    )


def test_a_journal_of_the_first_schema_keeps_its_timers_and_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with monkeypatch.context() as earlier:
        earlier.setattr(tables, "_MIGRATIONS", tables._MIGRATIONS[:1])
        migrate(connection, tables._APPLICATION_ID, tables._MIGRATIONS)
    connection.execute("INSERT INTO timer VALUES ('A', 'reopen', 5.0)")
    connection.execute("INSERT INTO command VALUES ('c1', 'A')")
    tables.prepare(connection)

    done = tables.find_command(connection, "c1")
    assert tables.timers_due(connection, 9.0, 9) == [Timer("A", "reopen", 5.0, generation=0)]
    assert done is not None
    assert (done.incident_id, done.seq) == ("A", 0)
    assert done.at > 1.7e9, "kept for seven days from the change on"
    assert tables.next_telling_at(connection) is None
