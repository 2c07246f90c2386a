"""Tellings become notices in one transaction."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.ports import Telling, TellKind
from btimd.store.handover import NoticeTable
from btimd.store.journal import SqliteJournal
from tests.itsm.notify.examples import notice
from tests.store.examples import T0, incident, write


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "journal.sqlite")
    made.open()
    yield made
    made.close()


async def owed(journal: SqliteJournal) -> None:
    telling = Telling("A.1.1", "A", 1, TellKind.ORDER, "ann", "order", "A/1", T0, next_at=T0)
    await journal.write_incident(replace(write(incident("A")), tellings=(telling,)))


async def test_the_notices_are_there_and_the_telling_is_done_in_one_step(journal: SqliteJournal) -> None:
    await owed(journal)
    (telling,) = await journal.claim_tellings(T0, 9)
    table = NoticeTable(journal.run)
    made = notice(id="A.1.1-1", incident_id="A", telling_id="A.1.1")
    await table.hand_over(telling.id, (made,), now=T0)

    assert await table.of_telling("A", "A.1.1") == [made]
    assert await journal.next_telling_at() is None


async def test_a_telling_that_is_not_claimed_keeps_no_notices(journal: SqliteJournal) -> None:
    await owed(journal)
    table = NoticeTable(journal.run)
    with pytest.raises(ValueError, match="not claimed"):
        await table.hand_over("A.1.1", (notice(id="A.1.1-1", incident_id="A"),), now=T0)

    assert await table.find(incident_id="A") == []
    assert [one.id for one in await journal.claim_tellings(T0, 9)] == ["A.1.1"]


async def test_a_telling_may_stay_owed_while_some_of_it_is_told(journal: SqliteJournal) -> None:
    await owed(journal)
    await journal.claim_tellings(T0, 9)
    table = NoticeTable(journal.run)
    await table.hand_over("A.1.1", (notice(id="A.1.1-1"),), now=T0, again_at=T0 + 60, error="quiet hours")

    assert await journal.next_telling_at() == T0 + 60
    (again,) = await journal.claim_tellings(T0 + 60, 9)
    assert (again.attempts, again.last_error) == (2, "quiet hours")
