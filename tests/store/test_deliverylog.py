"""The log of what people did to delivery stands or falls with what they did."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from btimd.model.delivery import DeliveryAction, DeliveryActionKind, ExternalReference
from btimd.model.ports import OutboxMessage
from btimd.store import journaltables, outboxtables
from btimd.store.deliverylog import DeliveryTable

PAUSE = DeliveryAction(5.0, "mona", DeliveryActionKind.PAUSE, "desk", "", "", "new release", "c1")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "journal", isolation_level=None)
    journaltables.prepare(made)
    yield made
    made.close()


@pytest.fixture
def table(connection: sqlite3.Connection) -> DeliveryTable:
    async def run(work: Callable[[sqlite3.Connection], Any], /) -> Any:
        connection.execute("BEGIN")
        try:
            found = work(connection)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return found

    return DeliveryTable(run)


def add(connection: sqlite3.Connection, seq: int, target: str = "desk") -> str:
    message = OutboxMessage(f"I.{seq}@{target}", target, "I", seq, "text/plain", b"body", 0, 1.0, uncertain=False)
    outboxtables.add_message(connection, message)
    return message.id


async def test_holds_are_those_that_were_not_undone(table: DeliveryTable) -> None:
    await table.act(PAUSE)
    assert await table.act(PAUSE) == PAUSE
    assert await table.holds() == {"desk": PAUSE}
    await table.act(DeliveryAction(6.0, "otto", DeliveryActionKind.RESUME, "desk", "", "", "done", "c2"))
    assert await table.holds() == {}
    await table.act(PAUSE)  # a repeat of an old command does nothing
    assert await table.holds() == {}
    assert [one.command_id for one in await table.log("desk", None, 9)] == ["c2", "c1"]
    assert await table.log("other", None, 9) == await table.log(None, "I", 9) == []


async def test_a_change_that_is_not_allowed_is_not_logged(table: DeliveryTable, connection: sqlite3.Connection) -> None:
    message_id = add(connection, 1)
    drop = DeliveryAction(5.0, "mona", DeliveryActionKind.DROP, "desk", message_id, "I", "old", "c1")
    with pytest.raises(ValueError, match="only dead letters can be dropped"):
        await table.act(drop)
    assert await table.log(None, None, 9) == []
    connection.execute("UPDATE outbox SET state = 'dead', ended_at = 2")
    await table.act(drop)
    with pytest.raises(ValueError, match=r"command c1 was drop of I\.1@desk"):
        await table.act(PAUSE)


async def test_letters_the_outbox_of_an_incident_and_references_are_listed(
    table: DeliveryTable, connection: sqlite3.Connection
) -> None:
    for seq, target in ((1, "desk"), (2, "desk"), (1, "other")):
        add(connection, seq, target)
    connection.execute("UPDATE outbox SET state = 'dead', ended_at = seq WHERE target = 'desk'")
    connection.execute("UPDATE outbox SET state = 'done', ended_at = 9 WHERE target = 'other'")
    outboxtables.save_reference(connection, ExternalReference("desk", "I", "77", 1))
    assert [one.id for one in await table.dead_letters(None, 9)] == ["I.2@desk", "I.1@desk"]
    assert await table.dead_letters("other", 9) == []
    assert [one.id for one in await table.of_incident("I", 2)] == ["I.1@other", "I.2@desk"]
    assert [one.external_id for one in await table.references("I")] == ["77"]
    assert await table.last_successes() == {"other": 9.0}
    letter = await table.letter("I.1@desk")
    assert (letter.body, letter.created_at, letter.is_uncertain) == ("body", 1.0, False)
    with pytest.raises(KeyError):
        await table.letter("x")
