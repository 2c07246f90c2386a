import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from btimd.itsm.notify.answers import SendResult
from btimd.itsm.notify.ladder import Health
from btimd.itsm.notify.notifier import Notifier
from btimd.itsm.notify.screen import Screen
from btimd.itsm.outbox import DeliveryRules, Outcome, OutcomeKind
from btimd.model.incident import Priority
from btimd.model.notification import Means, Notice, NoticeState
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.itsm.notify.books import Book
from tests.itsm.notify.examples import NOW, notice
from tests.patience import PATIENCE_SECONDS

OK = SendResult(Outcome(OutcomeKind.DELIVERED, "ok"), "sid-1")


class Way:
    """A channel that answers by script. now: while it sends, time may pass."""

    def __init__(
        self, name: str = "gw", means: Means = Means.SMS, per_minute: int = 60, max_in_flight: int = 2
    ) -> None:
        self.name, self.means, self.per_minute, self.max_in_flight = name, means, per_minute, max_in_flight
        self.script: list[SendResult | Exception] = []
        self.sent: list[Notice] = []
        self.stopped = False
        self.hold: asyncio.Event | None = None
        self.most = self.running = 0

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        self.stopped = True

    async def send(self, given: Notice) -> SendResult:
        self.sent.append(given)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.running -= 1
        answer = self.script.pop(0) if self.script else OK
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk:
    def __init__(self, clock: ManualClock, way: Way, *notices: Notice) -> None:
        self.clock, self.way = clock, way
        self.book, self.metrics, self.screen = Book(*notices), Metrics(), Screen(clock)
        self.failed: list[Notice] = []
        self.notifier = Notifier(
            book=self.book, senders=[way], screen=self.screen, rules=DeliveryRules(pause_seconds=300.0), sms_parts=2,
            metrics=self.metrics, clock=clock, log=Log("itsm"), chance=random.Random(7), on_failed=self.failed.append,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Desk"]:
        await self.notifier.start()
        task = asyncio.create_task(self.notifier.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.notifier.stop()

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not done():
                self.notifier.wake()
                await asyncio.sleep(0)

    def settled(self) -> bool:
        return not {"pending", "sending"} & set(self.book.states().values())

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.value(f"btimd_itsm_notify_{name}", labels)


def outcome(kind: OutcomeKind, wait: float | None = None) -> SendResult:
    return SendResult(Outcome(kind, "because", wait))


async def test_a_notice_is_handed_over_and_named(clock: ManualClock) -> None:
    desk = Desk(clock, Way(), notice(due_at=NOW - 3))
    async with desk.running():
        await desk.until(desk.settled)

    row = desk.book.rows["n-1"]
    assert (row.state, row.provider_id, row.attempts, row.error) == (NoticeState.ACCEPTED_BY_GATEWAY, "sid-1", 1, "")
    assert desk.value("attempts_total", channel="gw", outcome="delivered") == 1
    assert desk.value("handed_over_seconds_sum") == 3.0
    assert desk.value("notices", state="sending") == 1
    assert desk.way.stopped
    assert desk.notifier.trouble() == ""


async def test_the_screen_is_a_channel_by_itself(clock: ManualClock) -> None:
    desk = Desk(clock, Way(), notice(means=Means.SCREEN, channel="screen", address=""))
    watching = desk.screen.watch("zhang")
    async with desk.running():
        await desk.until(desk.settled)

    assert desk.book.states() == {"n-1": "delivered"}
    watching.close()


async def test_what_certainly_did_not_arrive_is_tried_again_while_it_is_of_use(clock: ManualClock) -> None:
    way = Way()
    way.script = [outcome(OutcomeKind.NOT_SENT), outcome(OutcomeKind.NOT_SENT), OK]
    desk = Desk(clock, way, notice())
    async with desk.running():
        for count in (1, 2, 3):
            await desk.until(lambda count=count: len(way.sent) == count and not way.running)  # type: ignore[misc]
            clock.advance(10)
        await desk.until(desk.settled)

    assert desk.book.states() == {"n-1": "accepted_by_gateway"}
    assert desk.failed == []


async def test_after_three_tries_another_means_is_asked_for(clock: ManualClock) -> None:
    way = Way(means=Means.EMAIL)
    way.script = [outcome(OutcomeKind.UNCERTAIN), OK, outcome(OutcomeKind.UNCERTAIN), outcome(OutcomeKind.UNCERTAIN)]
    desk = Desk(clock, way, notice(means=Means.EMAIL))
    async with desk.running():
        await desk.until(lambda: len(way.sent) == 1 and not way.running)
        desk.book.add(notice(id="n-2", means=Means.EMAIL))  # closes the breaker's count
        await desk.until(lambda: desk.book.states().get("n-2") == "accepted_by_gateway")
        for count in (3, 4):
            clock.advance(20)
            await desk.until(lambda count=count: len(way.sent) == count and not way.running)  # type: ignore[misc]
        await desk.until(desk.settled)

    assert [(row.id, row.state, row.error, row.uncertain) for row in desk.failed] == [
        ("n-1", NoticeState.FAILED, "uncertain: because", True)
    ]
    assert desk.book.rows["n-1"].attempts == 3
    assert desk.value("failures_total", means="email", reason="uncertain") == 1


@pytest.mark.parametrize("kind", [OutcomeKind.UNCERTAIN, OutcomeKind.SERVER_ERROR, OutcomeKind.REFUSED])
async def test_what_may_have_arrived_is_no_second_message(clock: ManualClock, kind: OutcomeKind) -> None:
    way = Way()
    way.script = [outcome(kind)]
    desk = Desk(clock, way, notice())
    async with desk.running():
        await desk.until(desk.settled)

    assert len(way.sent) == 1
    assert [row.error for row in desk.failed] == [f"{kind.value}: because"]
    assert desk.failed[0].uncertain is (kind is not OutcomeKind.REFUSED)


async def test_a_channel_that_asks_for_rest_fails_the_others_at_once_and_says_so(clock: ManualClock) -> None:
    way = Way(max_in_flight=1)
    way.script = [outcome(OutcomeKind.RETRY_AFTER, 60.0)]
    desk = Desk(clock, way, notice(), notice(id="n-2"))
    async with desk.running():
        await desk.until(desk.settled)
        assert desk.notifier.health(NOW, 1.5) == Health({"gw": "because"}, frozenset(), 1.5)
        assert desk.notifier.trouble() == "gw unreachable: because"
        assert desk.value("held_back", channel="gw") == 1
        clock.advance(61)
        assert desk.notifier.health(clock.wall()).closed == {}
        desk.book.add(notice(id="n-3", due_at=clock.wall()))
        await desk.until(desk.settled)

    assert [(row.id, row.error) for row in desk.failed] == [
        ("n-1", "retry-after: because"),
        ("n-2", "gw is held back: because"),
    ]
    assert desk.book.states()["n-3"] == "accepted_by_gateway"
    assert desk.value("held_back", channel="gw") == 0
    assert len(way.sent) == 2


async def test_the_pace_of_a_channel_is_kept_and_what_waits_too_long_fails(clock: ManualClock) -> None:
    way = Way(per_minute=1)
    desk = Desk(clock, way, notice(), notice(id="n-2", address="2"), notice(id="n-3", address="3", expires_at=NOW + 30))
    async with desk.running():
        await desk.until(lambda: desk.book.states()["n-1"] == "accepted_by_gateway")
        clock.advance(40)
        await desk.until(lambda: len(desk.failed) == 1)
        assert len(way.sent) == 1
        clock.advance(20)
        await desk.until(desk.settled)

    assert [(row.id, row.error) for row in desk.failed] == [("n-3", "expired before it could be sent")]
    assert desk.book.states() == {"n-1": "accepted_by_gateway", "n-2": "accepted_by_gateway", "n-3": "failed"}


async def test_the_most_urgent_goes_first_through_a_narrow_channel(clock: ManualClock) -> None:
    way = Way(per_minute=1)
    desk = Desk(clock, way, *(notice(id=f"n-{n}", address=str(n), priority=Priority.P4) for n in range(3)))
    async with desk.running():
        await desk.until(lambda: len(way.sent) == 1)
        desk.book.add(notice(id="p1", priority=Priority.P1))
        await desk.until(lambda: desk.book.states()["p1"] == "sending")
        for count in (2, 3, 4):
            clock.advance(60)
            await desk.until(lambda count=count: len(way.sent) == count)  # type: ignore[misc]
        await desk.until(desk.settled)

    assert [row.id for row in way.sent] == ["n-0", "p1", "n-1", "n-2"]


async def test_a_channel_is_given_no_more_than_it_takes_at_a_time(clock: ManualClock) -> None:
    way = Way(max_in_flight=2)
    way.hold = asyncio.Event()
    desk = Desk(clock, way, *(notice(id=f"n-{n}", address=str(n)) for n in range(6)))
    async with desk.running():
        await desk.until(lambda: way.running == 2)
        way.hold.set()
        await desk.until(desk.settled)

    assert (way.most, len(way.sent)) == (2, 6)


async def test_a_storm_is_one_message(clock: ManualClock) -> None:
    way = Way()
    desk = Desk(
        clock, way, *(notice(id=f"n-{n}", number=str(n)) for n in range(20)), notice(id="p1", priority=Priority.P1)
    )
    async with desk.running():
        await desk.until(desk.settled)

    assert sorted(row.id for row in way.sent) == ["n-0", "p1"]
    assert [row.folded_into for row in desk.book.rows.values()] == ["", *["n-0"] * 19, ""]
    assert {row.provider_id for row in desk.book.rows.values()} == {"sid-1"}
    assert desk.value("folded_total") == 19


@pytest.mark.parametrize(("means", "sent"), [(Means.SMS, 0), (Means.EMAIL, 1)])
async def test_after_a_crash_only_what_knows_ids_is_sent_again(clock: ManualClock, means: Means, sent: int) -> None:
    way = Way()
    desk = Desk(clock, way, notice(means=means, uncertain=True))
    async with desk.running():
        await desk.until(desk.settled)

    assert len(way.sent) == sent
    assert [row.error for row in desk.failed] == ["btimd stopped while it was sent; it may have arrived"][: 1 - sent]


async def test_a_notice_for_a_channel_that_is_gone_fails(clock: ManualClock) -> None:
    desk = Desk(clock, Way(), notice(channel="old"))
    async with desk.running():
        await desk.until(desk.settled)

    assert [row.error for row in desk.failed] == ["channel old is no longer configured"]


async def test_a_bug_in_a_channel_costs_one_notice_and_shows_no_secret(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way()
    way.script = [KeyError("https://h/?key=hunter2")]
    desk = Desk(clock, way, notice(), notice(id="n-2", address="2"))
    async with desk.running():
        await desk.until(desk.settled)

    assert [row.error for row in desk.failed] == ["uncertain: internal error KeyError"]
    assert "hunter2" not in caplog.text + repr(desk.failed)
    assert desk.book.states()["n-2"] == "accepted_by_gateway"


async def test_stopping_lets_arrive_what_is_on_its_way_and_gives_back_the_rest(clock: ManualClock) -> None:
    way = Way(max_in_flight=1)
    way.hold = asyncio.Event()
    desk = Desk(clock, way, notice(id="a", address="1"), notice(id="b", address="2"))
    async with desk.running():
        await desk.until(lambda: way.running == 1)
        way.hold.set()

    assert desk.book.states() == {"a": "accepted_by_gateway", "b": "pending"}


async def test_a_failure_of_the_book_ends_it(clock: ManualClock) -> None:
    desk = Desk(clock, Way(), notice())

    async def broken(*_: Any, **__: Any) -> None:
        raise OSError("disk full")

    desk.book.notice_told = broken  # type: ignore[method-assign]
    await desk.notifier.start()
    with pytest.raises(OSError, match="disk full"):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await desk.notifier.run()
    await desk.notifier.stop()


async def test_what_nobody_needs_any_more_is_withdrawn_before_it_is_sent(clock: ManualClock) -> None:
    way, book = Way(), Book(notice(id="n-1"), notice(id="n-2"))
    metrics = Metrics()
    notifier = Notifier(
        book=book, senders=[way], screen=Screen(clock), rules=DeliveryRules(), sms_parts=2, metrics=metrics,
        clock=clock, log=Log("test"), chance=random.Random(1), on_failed=lambda _: None,
        wanted=lambda one: one.id == "n-2",
    )  # fmt: skip
    await notifier.start()
    await notifier._round()
    await notifier.stop()

    assert [one.id for one in way.sent] == ["n-2"]
    assert book.rows["n-1"].state is NoticeState.WITHDRAWN
    assert metrics.value("btimd_itsm_notify_withdrawn_total", {"means": "sms"}) == 1.0
