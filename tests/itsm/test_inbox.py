import pytest

from btimd.itsm.emit.exchange import Dialogue
from btimd.itsm.emit.inbox import Inbox, Source
from btimd.itsm.emit.polling import Changes, OutsideChange, is_ours, update_of
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.delivery import ExternalUpdate, UpdateKind
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.fakes.journal import FakeJournal
from tests.itsm.posts import T0

DONE = OutsideChange(
    "7", "INC-1", "t-1", "ann", UpdateKind.STATUS, "resolved", "2023-11-14T22:20:00Z", "it was the card"
)
SAID = OutsideChange("7", "INC-1", "t-2", "ann", UpdateKind.COMMENT, "on it", "no time at all")
UPDATE = ExternalUpdate(
    "desk", "7", "t-1", "INC-1", "ann", UpdateKind.STATUS, "resolved", 1_700_000_400.0, "resolve", "it was the card"
)


class Desk:
    """A target whose answers are set by hand, and an inbox that asks it."""

    def __init__(self) -> None:
        self.journal = FakeJournal()
        self.metrics = Metrics()
        self.answer: Changes | None = Changes((), "c")
        self.cursors: list[str] = []
        self.taken: list[ExternalUpdate] = []
        self.broken = False
        self.source = Source("desk", 60.0, lambda: self, self.carry_out, {"resolved": "resolve"}, frozenset({"btimd"}))
        self.inbox = Inbox(
            journal=self.journal, sources=[self.source], on_update=self.on_update, metrics=self.metrics,
            clock=ManualClock(now=T0), log=Log("itsm"),
        )  # fmt: skip

    def changes(self, cursor: str) -> Dialogue[Changes]:
        self.cursors.append(cursor)
        return (_ for _ in ())  # type: ignore[return-value]  # never asked anything

    async def carry_out(self, _dialogue: Dialogue[Changes]) -> tuple[Changes | None, Outcome]:
        kind = OutcomeKind.NOT_SENT if self.answer is None else OutcomeKind.DELIVERED
        return self.answer, Outcome(kind, "down")

    async def on_update(self, update: ExternalUpdate) -> str:
        if self.broken:
            raise RuntimeError("the engine is busy")
        self.taken.append(update)
        return "accepted"

    def counted(self, result: str) -> float:
        return self.metrics.value("btimd_itsm_updates_total", {"target": "desk", "result": result})


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_first_question_is_about_now_and_each_next_one_goes_on_where_the_last_ended(desk: Desk) -> None:
    for _ in range(2):
        await desk.inbox.poll(desk.source)
    desk.answer = None
    await desk.inbox.poll(desk.source)
    await desk.inbox.poll(desk.source)

    assert desk.cursors == ["2023-11-14T22:13:20.000Z", "c", "c", "c"]
    assert desk.metrics.value("btimd_itsm_polls_total", {"target": "desk", "outcome": "not-sent"}) == 2


async def test_a_change_is_taken_and_handed_on_once(desk: Desk) -> None:
    desk.answer = Changes((DONE, SAID), "d")
    assert [await desk.inbox.poll(desk.source) for _ in range(2)] == [2, 0]
    assert await desk.inbox.hand_on()
    assert await desk.inbox.hand_on()

    assert desk.taken == [UPDATE, update_of(SAID, "desk", {}, T0)]
    assert desk.taken[1].at == T0, "an unreadable time is now"
    assert (desk.counted("taken"), desk.counted("known"), desk.counted("done")) == (2, 2, 2)
    assert desk.journal.inbox_results == {("desk", "t-1"): "accepted", ("desk", "t-2"): "accepted"}


async def test_what_could_not_be_carried_out_is_kept_in_its_order(desk: Desk) -> None:
    desk.answer, desk.broken = Changes((DONE, SAID), "d"), True
    await desk.inbox.poll(desk.source)
    assert not await desk.inbox.hand_on()
    desk.broken = False
    assert await desk.inbox.hand_on()

    assert [update.event_id for update in desk.taken] == ["t-1", "t-2"]
    assert desk.counted("failed") == 1


@pytest.mark.parametrize(
    "change",
    [
        OutsideChange("7", "INC-1", "t", "btimd", UpdateKind.STATUS, "resolved", ""),
        OutsideChange("7", "INC-1", "t", "gateway", UpdateKind.COMMENT, "[btimd INC-1.2] accepted by ann", ""),
        OutsideChange("7", "", "t", "ann", UpdateKind.COMMENT, "of no incident", ""),
    ],
)
async def test_what_btimd_did_itself_does_not_come_back(desk: Desk, change: OutsideChange) -> None:
    assert not await desk.inbox.take(desk.source, change)
    assert desk.journal.inbox == {}


def test_strangers_texts_are_bounded() -> None:
    long = OutsideChange("7" * 999, "I" * 999, "e" * 999, "a" * 999, UpdateKind.COMMENT, "v" * 99_999, "", "t" * 99_999)
    update = update_of(long, "desk", {}, T0)

    assert [len(one) for one in (update.external_id, update.incident_id, update.event_id, update.actor)] == [
        100,
        100,
        200,
        200,
    ]
    assert (len(update.value), len(update.text)) == (10_000, 10_000)
    assert is_ours("  [btimd INC-1.1] opened")
    assert not is_ours("the [btimd INC-1.1] opened")
