"""What the journal keeps of deliveries, on the fake and on SQLite."""

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.delivery import ExternalReference, ExternalUpdate, OutboxLine, UpdateKind
from btimd.model.ports import Journal
from btimd.store import journaltables, outboxtables
from btimd.store.journal import SqliteJournal
from tests.fakes.journal import FakeJournal
from tests.store.examples import T0, event, incident, message, write


@pytest.fixture(params=["fake", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    if request.param == "fake":
        yield FakeJournal()
        return
    current = SqliteJournal(tmp_path / "journal.sqlite")
    current.open()
    yield current
    current.close()


async def add(journal: Journal, incident_id: str, *messages: object, version: int = 1) -> None:
    await journal.write_incident(
        write(incident(incident_id, version), event(incident_id, version), messages=tuple(messages))  # type: ignore[arg-type]  # messages
    )


async def bury(journal: Journal, message_id: str, now: float = T0) -> None:
    (claimed,) = await journal.claim_messages(now, 1)
    assert claimed.id == message_id
    await journal.message_dead(message_id, error="refused: HTTP 400", now=now)


async def test_one_targets_backlog_is_claimed_and_timed_apart_from_the_others(journal: Journal) -> None:
    await add(journal, "I1", message("a", target="rt"), message("b", target="mail", next_at=T0 + 5))
    assert await journal.next_message_at("mail") == T0 + 5
    assert await journal.next_message_at("none") is None
    assert [one.id for one in await journal.claim_messages(T0 + 9, 9, target="mail")] == ["b"]
    assert [one.id for one in await journal.claim_messages(T0 + 9, 9)] == ["a"]


async def test_a_state_that_was_never_sent_gives_way_to_the_next(journal: Journal) -> None:
    first, opened = replace(message("u1", seq=2), collapses=True), message("o", seq=1)
    await add(journal, "I1", opened, first)
    await add(journal, "I1", replace(message("u2", seq=3), collapses=True), version=2)
    await add(journal, "I2", replace(message("other", incident_id="I2"), collapses=True))
    claimed = await journal.claim_messages(T0, 9)
    assert sorted(one.id for one in claimed) == ["o", "other"]
    await journal.message_delivered("o", T0)
    assert [one.id for one in await journal.claim_messages(T0, 9)] == ["u2"]
    await journal.message_failed("u2", next_at=T0, error="down", uncertain=False)
    await add(journal, "I1", replace(message("u3", seq=4), collapses=True), version=3)
    assert [one.id for one in await journal.claim_messages(T0, 9)] == ["u2"], "one that was tried may have arrived"


async def test_a_refusal_is_remembered_from_its_first_time(journal: Journal) -> None:
    await add(journal, "I1", message("a"))
    await journal.claim_messages(T0, 1)
    await journal.message_failed("a", next_at=T0, error="no", uncertain=False, refused_since=T0 - 7)
    (again,) = await journal.claim_messages(T0, 1)
    assert again.refused_since == T0 - 7


async def test_what_may_have_arrived_settles_from_the_start_of_its_attempt(journal: Journal) -> None:
    await add(journal, "I1", message("a"), message("b", target="rt"))
    await journal.claim_messages(T0 + 10, 9)
    if isinstance(journal, FakeJournal):
        journal.reopen()
    elif isinstance(journal, SqliteJournal):
        journal.close()
        journal.open()
    for _ in range(2):
        await journal.settle_messages("mail", 30.0, T0 + 20)
    assert await journal.next_message_at("mail") == T0 + 40
    assert await journal.next_message_at("rt") == T0


async def test_lines_tell_what_waits_and_since_when(journal: Journal) -> None:
    await add(journal, "I1", message("a", next_at=T0 - 9), message("b", seq=2), message("c", target="rt"))
    await bury(journal, "a")
    await journal.claim_messages(T0, 1, target="rt")
    assert await journal.outbox_lines() == [OutboxLine("mail", 1, 0, 1, T0), OutboxLine("rt", 0, 1, 0, T0)]


async def test_what_is_owed_to_targets_that_are_gone_is_buried(journal: Journal) -> None:
    await add(journal, "I1", message("a"), message("c", target="rt"))
    assert await journal.bury_messages(["rt"], error="gone", now=T0) == ["a"]
    assert [(one.id, one.last_error) for one in await journal.dead_messages(9)] == [("a", "gone")]


async def test_a_dead_letter_can_be_edited_sent_again_and_dropped(journal: Journal) -> None:
    await add(journal, "I1", message("a"), message("b", seq=2))
    await bury(journal, "a")
    await bury(journal, "b", T0 + 1)
    assert [one.id for one in await journal.dead_messages(9)] == ["b", "a"]
    await journal.edit_dead("a", b"{}")
    await journal.resend_dead("a", T0 + 5)
    await journal.drop_dead("b", reason="not needed", now=T0 + 5)
    (again,) = await journal.claim_messages(T0 + 5, 9)
    assert (again.id, again.body, again.attempts) == ("a", b"{}", 2)
    assert await journal.dead_messages(9) == []
    for refused in (
        journal.edit_dead("b", b""),
        journal.resend_dead("b", T0),
        journal.drop_dead("b", reason="", now=T0),
    ):
        with pytest.raises(ValueError, match="message b is dropped, not dead; only dead letters can be"):
            await refused
    with pytest.raises(KeyError):
        await journal.edit_dead("z", b"")


async def test_references_are_kept_by_incident_and_found_by_their_own_name(journal: Journal) -> None:
    first = ExternalReference("rt", "I1", "77", 1)
    closed = ExternalReference("rt", "I2", "78", 4, is_open=False, note="n")
    for reference in (first, closed, replace(first, seq=2)):
        await journal.save_reference(reference)
    assert await journal.load_reference("rt", "I1") == replace(first, seq=2)
    assert await journal.load_reference("mail", "I1") is None
    assert await journal.find_reference("rt", "78") == closed
    assert await journal.find_reference("rt", "99") is None
    assert await journal.open_references("rt", 9) == [replace(first, seq=2)]


async def test_an_update_is_taken_once_and_waits_until_it_is_done(journal: Journal) -> None:
    update = ExternalUpdate("rt", "77", "t1", "I1", "ann", UpdateKind.STATUS, "resolved", T0, "resolve", "done")
    assert await journal.take_update(update, T0)
    assert not await journal.take_update(replace(update, value="other"), T0)
    assert await journal.take_update(replace(update, target="sn"), T0)
    assert await journal.waiting_updates(9) == [update, replace(update, target="sn")]
    await journal.update_done("rt", "t1", result="accepted", now=T0)
    assert await journal.waiting_updates(9) == [replace(update, target="sn")]
    with pytest.raises(KeyError):
        await journal.update_done("rt", "t9", result="", now=T0)


def test_a_journal_of_the_first_schema_keeps_its_messages() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in journaltables._MIGRATIONS[0].split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {journaltables._APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.execute(
        "INSERT INTO outbox (id, target, incident_id, seq, content_type, body, attempts, next_at, uncertain, last_error,"
        " state) VALUES ('a', 'rt', 'I1', 1, 'x', x'00', 2, 5.0, 0, 'e', 'inflight')"
    )
    journaltables.prepare(connection)
    (claimed,) = outboxtables.claim_messages(connection, 9.0, 9, None)
    assert (claimed.id, claimed.attempts, claimed.uncertain, claimed.collapses) == ("a", 3, True, False)
    connection.close()


def test_the_heads_of_one_target_are_found_by_its_index() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    journaltables.prepare(connection)
    statement = f"SELECT next_at FROM {outboxtables.HEADS_OF_TARGET} ORDER BY next_at LIMIT 1"  # noqa: S608  a constant
    plan = " | ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", ("rt",)))
    connection.close()
    assert "outbox_due_at" in plan
    assert "TEMP B-TREE" not in plan
