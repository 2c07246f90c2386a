import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.itsm.emit.courier import Target
from btimd.itsm.outbox import Outcome
from btimd.model.incident import CommandKind, ImpactAssessment, IncidentCommand
from btimd.model.ports import OutboxMessage
from btimd.runtime.lifecycle import HealthLevel
from btimd.store.journal import JournalFailedError, SqliteJournal
from tests.itsm.desks import Desk
from tests.itsm.examples import REPORT, verdict
from tests.itsm.receivers import SECRET, Receiver
from tests.patience import PATIENCE_SECONDS

FIRST = "INC-20231114-0001"


def outcomes(desk: Desk, target: str = "desk") -> dict[str, float]:
    name = "btimd_itsm_deliveries_total"
    kinds = ("delivered", "not-sent", "uncertain", "server-error", "refused", "paused", "retry-after")
    found = {kind: desk.metrics.value(name, {"target": target, "outcome": kind}) for kind in kinds}
    return {kind: count for kind, count in found.items() if count}


async def work_through(desk: Desk, incident_id: str) -> None:
    """Do four more things to an incident."""
    for kind, text in [
        (CommandKind.ACCEPT, ""),
        (CommandKind.COMMENT, "looking"),
        (CommandKind.RESOLVE, REPORT),
        (CommandKind.CONFIRM, ""),
    ]:
        wish = IncidentCommand(kind, f"{incident_id}-{kind}", incident_id, text=text, override_reason="known")
        await desk.component.command(wish, "ann")


@pytest.fixture
async def down(desk: Desk) -> AsyncIterator[Receiver]:
    """Return a receiver that is not up yet; the desk's webhook names its port."""
    receiver = Receiver(desk.clock.wall)
    async with receiver.up():
        desk.add_webhook(receiver)
    return_to = receiver.port
    yield receiver
    assert receiver.port == return_to


async def test_a_target_is_told_everything_in_order(desk: Desk, receiver: Receiver) -> None:
    await desk.start()
    await desk.report(verdict())
    await work_through(desk, FIRST)
    await desk.until_outbox(done=5)

    assert receiver.ids == [f"{FIRST}.{number}" for number in range(1, 6)]
    assert [request.kind for request in receiver.requests] == ["opened", "accepted", "commented", "resolved", "closed"]
    assert receiver.requests[0].data["verdict"]["evidence"] == [
        "erp-db-sql on erp-db bad (refused): 10.2.0.20:5432 refused the connection; asked because tells most"
    ]
    assert receiver.requests[4].data["incident"]["closing_report"] == REPORT
    assert receiver.requests[4].data["verdict"]["path"] == ["erp", "erp-web", "erp-db"]
    assert {request.headers["webhook-attempt"] for request in receiver.requests} == {"1"}
    assert outcomes(desk) == {"delivered": 5}


async def test_what_happens_while_a_target_is_down_arrives_later_in_order(desk: Desk, down: Receiver) -> None:
    await desk.start()
    await desk.report(verdict())
    await work_through(desk, FIRST)

    async def held_back() -> bool:
        return desk.component.health().level is HealthLevel.WARNING

    await desk.until(held_back, step_seconds=1)
    assert desk.component.health().reason.startswith("desk unreachable: no connection: 127.0.0.1:")
    assert desk.metrics.value("btimd_itsm_target_held_back", {"target": "desk"}) == 1
    async with down.up(down.port):
        await desk.until_outbox(done=5, step_seconds=1)

    assert down.ids == [f"{FIRST}.{number}" for number in range(1, 6)]
    assert int(down.requests[0].headers["webhook-attempt"]) > 3
    assert desk.component.health().level is HealthLevel.OK
    assert desk.metrics.value("btimd_itsm_target_held_back", {"target": "desk"}) == 0
    assert set(outcomes(desk)) == {"delivered", "not-sent"}


async def test_a_failing_server_gets_the_same_id_again(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [500, 502, None]
    await desk.start()
    await desk.report(verdict())
    await desk.until_outbox(done=1, step_seconds=5)

    assert receiver.ids == [f"{FIRST}.1"] * 4
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2", "3", "4"]
    assert outcomes(desk) == {"delivered": 1, "server-error": 1, "uncertain": 2}


async def test_a_missed_answer_is_given_time_to_settle(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [None]
    await desk.start()
    await desk.report(verdict())
    await receiver.wait_for(1)
    await desk.until_outbox(pending=1)
    asked_at = desk.clock.now

    assert await desk.journal.next_message_at() == asked_at + 30
    desk.advance(30)
    await desk.until_outbox(done=1)
    assert receiver.ids == [f"{FIRST}.1"] * 2


async def test_a_wrong_secret_pauses_the_target_and_loses_nothing(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [401]
    await desk.start()
    await desk.report(verdict())
    await work_through(desk, FIRST)

    async def paused() -> bool:
        return desk.component.health().reason == "desk paused: HTTP 401; compare the secret at both ends"

    await desk.until(paused)
    desk.advance(299)
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 1
    desk.advance(1)
    await desk.until_outbox(done=5)
    assert receiver.ids == [f"{FIRST}.1", *(f"{FIRST}.{number}" for number in range(1, 6))]


async def test_a_refused_message_is_dead_and_the_next_goes_on(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [400]
    await desk.start()
    await desk.report(verdict())
    await work_through(desk, FIRST)
    await desk.until_outbox(done=4, dead=1)

    assert receiver.ids == [f"{FIRST}.{number}" for number in range(1, 6)]
    assert outcomes(desk) == {"delivered": 4, "refused": 1}


async def test_a_busy_target_is_left_alone_as_long_as_it_asks(desk: Desk, receiver: Receiver) -> None:
    receiver.script, receiver.answer_headers = [429], {"Retry-After": "20"}
    await desk.start()
    await desk.report(verdict())
    await receiver.wait_for(1)
    await desk.until_outbox(pending=1)
    assert await desk.journal.next_message_at() == desk.clock.now + 20
    desk.advance(20)
    await desk.until_outbox(done=1)

    assert outcomes(desk) == {"delivered": 1, "retry-after": 1}


async def test_one_target_down_does_not_hold_up_another(desk: Desk, receiver: Receiver) -> None:
    gone = Receiver(desk.clock.wall)
    async with gone.up():
        desk.add_webhook(gone, "gone")
    await desk.start()
    await desk.report(verdict())
    await work_through(desk, FIRST)
    await desk.until_outbox(done=5)

    assert receiver.ids == [f"{FIRST}.{number}" for number in range(1, 6)]
    assert outcomes(desk, "gone").keys() == {"not-sent"}


async def test_no_more_than_two_requests_are_in_flight(desk: Desk, receiver: Receiver) -> None:
    receiver.hold = asyncio.Event()
    await desk.start()
    for number in range(5):
        cause = f"node-{number}"
        await desk.report(verdict(id=f"D{number}", cause=cause, path=("erp", cause), symptoms=(cause,)))
    await receiver.wait_for(2)
    await asyncio.sleep(0.05)

    assert len(receiver.requests) == 2
    receiver.hold.set()
    await desk.until_outbox(done=5)
    assert len(set(receiver.ids)) == 5


async def test_what_was_in_flight_at_a_crash_is_sent_again_with_the_same_id(desk: Desk, receiver: Receiver) -> None:
    receiver.hold = asyncio.Event()
    await desk.start()
    await desk.report(verdict())
    await receiver.wait_for(1)
    await desk.kill()
    receiver.hold.set()
    receiver.hold = None
    await desk.start()
    await asyncio.sleep(0.05)
    assert len(receiver.requests) == 1, "the request of the dead process may still be running"
    desk.advance(30)
    await desk.until_outbox(done=1)

    assert receiver.ids == [f"{FIRST}.1"] * 2
    assert [request.headers["webhook-attempt"] for request in receiver.requests] == ["1", "2"]


async def test_a_stop_lets_requests_end_and_gives_back_the_rest(desk: Desk, receiver: Receiver) -> None:
    receiver.hold = asyncio.Event()
    await desk.start()
    for number in range(4):
        cause = f"node-{number}"
        await desk.report(verdict(id=f"D{number}", cause=cause, path=("erp", cause), symptoms=(cause,)))
    await receiver.wait_for(2)
    stopping = asyncio.create_task(desk.stop())
    await asyncio.sleep(0.01)
    receiver.hold.set()
    await stopping
    assert await desk.journal.outbox_depth() == {"pending": 2, "inflight": 0, "done": 2, "dead": 0}
    await desk.restart()
    await desk.until_outbox(done=4)

    assert len(receiver.ids) == len(set(receiver.ids)) == 4, "nothing twice, and nothing has to settle"


async def test_messages_to_a_target_that_was_removed_are_dead_and_counted(desk: Desk, down: Receiver) -> None:
    await desk.start()
    await desk.report(verdict())
    await desk.stop()
    desk.settings.pop("webhook")
    desk.advance(600)
    await desk.restart()
    await desk.until_outbox(dead=1)

    labels = {"target": "unknown", "outcome": "no-target"}
    assert desk.metrics.value("btimd_itsm_deliveries_total", labels) == 1
    assert down.requests == []


async def test_the_depth_of_the_outbox_is_measured(desk: Desk, down: Receiver) -> None:
    await desk.start()
    await desk.report(verdict())
    await desk.until_outbox(inflight=0)
    desk.advance(20)

    async def seen() -> bool:
        return desk.metrics.value("btimd_itsm_outbox_messages", {"state": "pending"}) == 1

    await desk.until(seen, step_seconds=20)
    assert down.requests == []


async def test_no_secret_and_no_address_is_in_logs_or_journal(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.script = [500, 400, 401, None]
    with caplog.at_level(logging.DEBUG):
        await desk.start()
        await desk.report(verdict())
        await work_through(desk, FIRST)
        await desk.until_outbox(done=4, dead=1, step_seconds=30)
        await desk.stop()
    written = caplog.text + repr(desk.component.health()) + repr(desk.settings)
    for path in desk.folder.glob("journal*"):
        written += path.read_bytes().decode("latin-1")

    assert "message-dead" in caplog.text
    for secret in (SECRET.decode(), SECRET.decode().removeprefix("whsec_"), "/hook"):
        assert secret not in written


async def test_a_bug_in_a_target_costs_one_attempt(
    desk: Desk, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.start()
    await desk.report(verdict())
    await desk.until_outbox(done=1)
    lane = desk.component._outgoing.courier._lanes["desk"]
    lane.target = _Broken(lane.target)
    await work_through(desk, FIRST)
    await desk.until_outbox(done=5, step_seconds=30)

    assert receiver.ids == [f"{FIRST}.{number}" for number in range(1, 6)]
    assert outcomes(desk) == {"delivered": 5, "uncertain": 1}
    assert "delivery-bug target=desk" in caplog.text


class _Broken:
    """A target whose first attempt meets a bug."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._met = False
        self.name = target.name
        self.limits = target.limits

    async def start(self) -> None:
        await self._target.start()

    async def stop(self) -> None:
        await self._target.stop()

    async def deliver(self, message: OutboxMessage) -> Outcome:
        if not self._met:
            self._met = True
            raise ZeroDivisionError
        return await self._target.deliver(message)


async def test_a_journal_that_fails_ends_the_run(tmp_path: Path) -> None:
    desk = Desk("sqlite", tmp_path)
    async with Receiver(desk.clock.wall).up() as receiver:
        desk.add_webhook(receiver)
        receiver.hold = asyncio.Event()
        await desk.start()
        await desk.report(verdict())
        await receiver.wait_for(1)
        assert isinstance(desk.journal, SqliteJournal)
        desk.journal.close()
        receiver.hold.set()
        assert desk._run is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            with pytest.raises(ExceptionGroup) as failed:
                await desk._run
    assert failed.group_contains(JournalFailedError)
    await desk.close()


async def test_a_refused_event_is_tried_for_as_long_as_the_target_asks_and_then_told_to_people(
    desk: Desk, receiver: Receiver
) -> None:
    hook = desk.settings["webhook"]["desk"].model_copy(update={"refused_for": 3600.0})
    desk.settings["webhook"] = {"desk": hook}
    receiver.script = [422] * 9999
    dead: list[tuple[str, str]] = []
    await desk.start()
    desk.component._outgoing.courier._on_dead = lambda message, error: dead.append((message.id, error))
    await desk.report(verdict())
    began = desk.clock.now
    await receiver.wait_for(1)
    assert (await desk.journal.outbox_depth())["dead"] == 0
    await desk.until_outbox(dead=1, step_seconds=100)

    assert desk.clock.now - began >= 3600
    assert dead == [(f"{FIRST}.1@desk", "refused: HTTP 422")]
    assert [message.id for message in await desk.journal.dead_messages(9)] == [f"{FIRST}.1@desk"]


async def test_a_target_with_a_long_backlog_does_not_keep_others_from_being_told(
    desk: Desk, receiver: Receiver
) -> None:
    gone = Receiver(desk.clock.wall)
    async with gone.up():
        desk.add_webhook(gone, "gone")
    await desk.start()
    for number in range(30):
        cause = f"node-{number}"
        await desk.report(verdict(id=f"D{number}", cause=cause, path=("erp", cause), symptoms=(cause,)))
    await desk.until_outbox(done=30, step_seconds=0.5)

    assert len(receiver.ids) == 30
    lines = {line.target: line for line in await desk.journal.outbox_lines()}
    assert lines["gone"].pending + lines["gone"].in_flight == 30
    assert lines["gone"].in_flight <= 2, "what cannot be sent now is not claimed"


async def test_a_burst_is_let_through_and_the_rest_keeps_the_pace(desk: Desk, receiver: Receiver) -> None:
    hook = desk.settings["webhook"]["desk"].model_copy(update={"per_second": 1.0, "burst": 3})
    desk.settings["webhook"] = {"desk": hook}
    await desk.start()
    for number in range(5):
        cause = f"node-{number}"
        await desk.report(verdict(id=f"D{number}", cause=cause, path=("erp", cause), symptoms=(cause,)))
    await desk.until_outbox(done=3)
    await asyncio.sleep(0.05)
    assert len(receiver.ids) == 3
    desk.advance(1)
    await desk.until_outbox(done=4)
    desk.advance(1)
    await desk.until_outbox(done=5)


async def test_age_and_depth_of_a_backlog_are_measured_and_a_warning(desk: Desk, receiver: Receiver) -> None:
    receiver.hold = asyncio.Event()
    await desk.start()
    await desk.report(verdict())
    await receiver.wait_for(1)
    desk.advance(901)

    async def warned() -> bool:
        return desk.component.health().reason == "desk is behind: its oldest message waits for 15 min"

    await desk.until(warned)
    labels = {"target": "desk"}
    assert desk.metrics.value("btimd_itsm_target_backlog_messages", labels) == 1
    desk.advance(20)

    async def aged() -> bool:
        return desk.metrics.value("btimd_itsm_target_backlog_age_seconds", labels) == 921

    await desk.until(aged)
    assert desk.metrics.value("btimd_itsm_target_dead_messages", labels) == 0


async def test_a_repeated_state_that_was_never_sent_is_told_once(desk: Desk, down: Receiver) -> None:
    await desk.start()
    await desk.report(verdict())
    for number in range(2, 5):
        await desk.report(verdict(id=f"D{number}"), ImpactAssessment(("erp",), ("north",), 10 * 2**number))
    lines = {line.target: line for line in await desk.journal.outbox_lines()}
    assert lines["desk"].pending + lines["desk"].in_flight == 2, "the opening, and the latest report"
    assert down.requests == []
