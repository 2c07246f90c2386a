"""The book of notices: in memory for the tests of the notifier, and in the journal's file."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.incident import Priority
from btimd.model.notification import Means, Notice, NoticeBook, NoticeKind, NoticeState
from btimd.store.journal import SqliteJournal
from btimd.store.notifications import NotificationTable
from tests.itsm.notify.books import Book

FIRST = Notice(
    id="n1", incident_id="I1", dispatch_id="I1/1", number="1", priority=Priority.P2, person="ann",
    kind=NoticeKind.ORDER, means=Means.SMS, channel="sms", address="+861", language="zh", round=0, subject="",
    text="支付", due_at=10.0, expires_at=99.0, at=10.0, cost=0.5,
)  # fmt: skip
URGENT = replace(FIRST, id="n2", priority=Priority.P1, address="+862", due_at=12.0)
LATER = replace(FIRST, id="n3", dispatch_id="I2/1", due_at=50.0)


class Held:
    """A book with a way to add and to look."""

    def __init__(self, book: NoticeBook, journal: SqliteJournal | None) -> None:
        self.book = book
        self.journal = journal

    async def add(self, *notices: Notice) -> None:
        if isinstance(self.book, Book):
            self.book.add(*notices)
        else:
            assert isinstance(self.book, NotificationTable)
            await self.book.add_notices(notices)


@pytest.fixture(params=["memory", "journal"])
async def held(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Held]:
    if request.param == "memory":
        yield Held(Book(), None)
        return
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    yield Held(NotificationTable(journal.run), journal)
    journal.close()


async def test_the_most_urgent_that_is_due_is_claimed_first_and_counts_its_attempt(held: Held) -> None:
    await held.add(FIRST, URGENT, LATER)
    claimed = await held.book.claim_notices(20.0, 9)

    assert claimed == [replace(one, state=NoticeState.SENDING, attempts=1, at=20.0) for one in (URGENT, FIRST)]
    assert await held.book.claim_notices(20.0, 9) == []
    assert await held.book.next_notice_at() == 50.0


async def test_what_failed_is_due_again_and_what_is_given_up_is_not(held: Held) -> None:
    await held.add(FIRST, URGENT)
    await held.book.claim_notices(20.0, 9)
    await held.book.notice_again("n1", next_at=30.0, error="busy", uncertain=True)
    await held.book.notice_failed("n2", error="no such number", now=21.0, uncertain=False)

    (again,) = await held.book.claim_notices(30.0, 9)
    assert (again.id, again.attempts, again.error, again.uncertain) == ("n1", 2, "busy", True)
    assert dict(await held.book.notice_depth()) == {"sending": 1, "failed": 1}


async def test_a_later_word_of_the_gateway_never_takes_a_state_back(held: Held) -> None:
    await held.add(FIRST)
    await held.book.claim_notices(20.0, 9)
    await held.book.notice_told("n1", NoticeState.ACCEPTED_BY_GATEWAY, provider_id="g7", now=21.0)
    known = [
        await held.book.notice_receipt("sms", name, state, 22.0)
        for name, state in (
            ("g7", NoticeState.READ), ("g7", NoticeState.DELIVERED), ("g7", NoticeState.FAILED), ("g8", NoticeState.READ),
        )
    ]  # fmt: skip

    assert known == [True, True, True, False]
    assert dict(await held.book.notice_depth()) == {"read": 1}


async def test_one_that_is_not_there_is_an_error(held: Held) -> None:
    with pytest.raises(KeyError):
        await held.book.notice_failed("n9", error="", now=1.0, uncertain=False)


async def test_what_was_being_sent_when_it_died_comes_back_uncertain(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "journal.sqlite")
    first.open()
    await NotificationTable(first.run).add_notices([FIRST, FIRST])
    await NotificationTable(first.run).claim_notices(20.0, 9)
    first.close()
    second = SqliteJournal(tmp_path / "journal.sqlite")
    second.open()
    (back,) = await NotificationTable(second.run).claim_notices(20.0, 9)
    second.close()

    assert (back.id, back.attempts, back.uncertain) == ("n1", 2, True)


async def test_what_an_order_and_an_address_had_lately_is_known_and_old_ones_go(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    table = NotificationTable(journal.run)
    other = replace(LATER, id="n4", address="+869", at=10.0)
    await table.add_notices([FIRST, URGENT, LATER, other])
    await table.claim_notices(20.0, 9)
    lately = [one.id for one in await table.told_lately("I1/1", ["+861"], 5.0)]
    none = [one.id for one in await table.told_lately("", [], 5.0)]
    await table.notice_failed("n1", error="x", now=21.0, uncertain=False)
    spent, gone = await table.spent_since(0.0), await table.forget(60.0)
    journal.close()

    assert (lately, none, spent, gone) == (["n1", "n2", "n3"], [], 1.0, 1)


async def test_what_nobody_needs_any_more_is_withdrawn_for_good(held: Held) -> None:
    await held.add(FIRST)
    await held.book.claim_notices(10.0, 9)
    await held.book.notice_withdrawn("n1", 11.0)

    assert await held.book.next_notice_at() is None
    assert await held.book.notice_depth() == {"withdrawn": 1}


async def test_notices_are_found_by_incident_person_telling_and_what_a_gateway_calls_them(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite")
    journal.open()
    table = NotificationTable(journal.run)
    screen = replace(FIRST, id="n4", incident_id="I2", person="bob", channel="screen", telling_id="I2.1.1",
                     state=NoticeState.ACCEPTED_BY_GATEWAY)  # fmt: skip
    await table.add_notices([FIRST, replace(LATER, provider_id="p1"), screen])
    await table.notice_failed("n1", error="no", now=20.0, uncertain=False)
    found = [
        await table.find(incident_id="I1"), await table.find(person="bob"), await table.find(limit=1),
        await table.of_telling("I2", "I2.1.1"), await table.of_receipt("sms", "p1"), await table.failed_since(15.0),
        await table.failed_since(25.0), await table.on_screens(0.0, 9),
    ]  # fmt: skip
    shown = [await table.shown_to("bob", 30.0) for _ in range(2)]
    journal.close()

    assert [[one.id for one in each] for each in found] == [
        ["n3", "n1"], ["n4"], ["n4"], ["n4"], ["n3"], ["n1"], [], ["n4"],
    ]  # fmt: skip
    assert shown == [1, 0]
