"""Trouble with a target becomes an incident that other targets are told of, once, and ends with the trouble."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.itsm.emit.courier import LaneState
from btimd.itsm.emit.watch import about_target, fingerprint_of, troubles
from btimd.itsm.outbox import Breaker
from btimd.model.incident import Incident, IncidentState
from btimd.store.deliverylog import DeliveryTable
from btimd.store.journal import SqliteJournal
from tests.itsm.desks import Desk
from tests.itsm.examples import T0, verdict
from tests.itsm.receivers import Receiver

FIRST = "INC-20231114-0001.1@desk"


CLOSED = Breaker()


def lane(name: str, breaker: Breaker = CLOSED, hold: str | None = None, oldest: float | None = None) -> LaneState:
    return LaneState(name, breaker, hold, 0, oldest, None, "uncertain: no answer", None)


def test_what_is_behind_refuses_or_has_dead_letters_is_trouble_and_what_people_paused_is_not() -> None:
    paused = Breaker(1, T0, paused=True, reason="HTTP 401")
    states = [
        lane("late", oldest=T0 - 901), lane("soon", oldest=T0 - 899), lane("shut", paused),
        lane("held", paused, hold="for now", oldest=T0 - 9999),
    ]  # fmt: skip
    assert [(one.target, one.kind, one.title) for one in troubles(states, {"gone": 2, "late": 1}, T0, 900.0)] == [
        ("gone", "dead-letters", "gone refused 2 events for good"),
        ("late", "dead-letters", "late refused 1 event for good"),
        ("late", "backlog", "late is 15 min behind"),
        ("shut", "backlog", "shut refuses everything of ours"),
    ]


def test_the_target_that_an_incident_is_about_is_in_its_fingerprint() -> None:
    assert about_target(fingerprint_of("a|b", "backlog")) == "a|b"
    assert about_target("erp-db/down") == ""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk("sqlite", tmp_path)
    yield made
    await made.close()


async def about_delivery(desk: Desk) -> list[Incident]:
    found = await desk.component.incidents(only_open=False, business=None, limit=99)
    return sorted((one for one in found if one.category == "delivery"), key=lambda one: one.fingerprint)


async def test_dead_letters_are_told_on_another_channel_and_cleared_when_they_are_dealt_with(desk: Desk) -> None:
    async with Receiver(desk.clock.wall).up() as refusing, Receiver(desk.clock.wall).up() as other:
        desk.add_webhook(refusing)
        desk.add_webhook(other, "other")
        refusing.script = [422] * 999
        assert isinstance(desk.journal, SqliteJournal)
        component = await desk.start(delivery=DeliveryTable(desk.journal.run))
        await desk.report(verdict())
        await other.wait_for(2)
        await desk.until_outbox(dead=1, done=2)
        assert [one.data["incident"]["title"][:30] for one in other.requests] == [
            "erp-db refuses connections", "desk refused 1 event for good",
        ]  # fmt: skip
        assert len(refusing.requests) == 1  # it is not told of its own trouble

        await component.delivery.drop(FIRST, actor="mona", reason="old", command_id="c")
        component._outgoing.watch.wake()

        async def over() -> bool:
            return [one.state for one in await about_delivery(desk)] == [IncidentState.RESOLVED]

        await desk.until(over)


async def test_two_targets_that_refuse_everything_make_two_incidents_and_no_more(desk: Desk) -> None:
    async with Receiver(desk.clock.wall).up() as one, Receiver(desk.clock.wall).up() as two:
        desk.add_webhook(one)
        desk.add_webhook(two, "two")
        one.script, two.script = [422] * 999, [422] * 999
        await desk.start()
        await desk.report(verdict())
        await desk.until_outbox(dead=4, pending=0, inflight=0)
        for _ in range(5):
            await desk.component._outgoing.watch.look()
        assert [incident.fingerprint for incident in await about_delivery(desk)] == [
            "delivery|desk|dead-letters", "delivery|two|dead-letters",
        ]  # fmt: skip
        assert (await desk.journal.outbox_depth())["dead"] == 4


async def test_after_a_restart_what_is_still_wrong_is_not_taken_for_over(desk: Desk) -> None:
    async with Receiver(desk.clock.wall).up() as refusing:
        desk.add_webhook(refusing)
        refusing.script = [422] * 999
        await desk.start()
        await desk.report(verdict())
        await desk.until_outbox(dead=1)
        await desk.restart()
        await desk.component._outgoing.watch.look()
        assert desk.component.is_active("delivery|desk|dead-letters")
        (incident,) = await about_delivery(desk)
        await desk.component._reports.give_up_unconfirmed()
        assert desk.component.is_active(incident.fingerprint)
        assert incident.report_count == 1
