"""What people see and change of delivery, on a real journal and real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from btimd.itsm.emit.deliverydesk import DeliveryDesk
from btimd.model.delivery import Credentials, DeliveryActionKind, OutboxState, ProvenAgainst, TargetState
from btimd.store.deliverylog import DeliveryTable
from btimd.store.journal import SqliteJournal
from tests.itsm.desks import Desk
from tests.itsm.examples import T0, verdict
from tests.itsm.receivers import Receiver

FIRST = "INC-20231114-0001.1@desk"
WHO = {"actor": "mona", "reason": "the form was wrong"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk("sqlite", tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def receiver(desk: Desk) -> AsyncIterator[Receiver]:
    async with Receiver(desk.clock.wall).up() as made:
        desk.add_webhook(made)
        yield made


async def started(desk: Desk) -> DeliveryDesk:
    assert isinstance(desk.journal, SqliteJournal)
    return (await desk.start(delivery=DeliveryTable(desk.journal.run))).delivery


async def test_a_dead_letter_is_edited_sent_again_and_logged_once_per_command(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [422]
    delivery = await started(desk)
    await desk.report(verdict())
    await desk.until_outbox(dead=1)

    (letter,) = await delivery.dead_letters(None, 9)
    assert (letter.id, letter.state, letter.last_error, letter.body) == (
        FIRST,
        OutboxState.DEAD,
        "refused: HTTP 422",
        "",
    )
    body = (await delivery.letter(FIRST)).body
    for wrong, problem in (
        ("no event", "is no event of an incident"),
        (body.replace('"seq":1', '"seq":2', 1), "it must stay INC-20231114-0001.1"),
        ("x" * 70_000, "65536 at most"),
    ):
        with pytest.raises(ValueError, match=problem):
            await delivery.edit(FIRST, wrong, **WHO, command_id="c0")
    better = body.replace("erp-db refuses", "ERP-DB refuses")
    for _ in range(2):
        edited = await delivery.edit(FIRST, better, **WHO, command_id="c1")
        assert edited.body == better
    with pytest.raises(ValueError, match="command c1 was edit of"):
        await delivery.resend(FIRST, **WHO, command_id="c1")
    await delivery.resend(FIRST, **WHO, command_id="c2")
    await receiver.wait_for(2)
    await desk.until_outbox(done=1, dead=0)

    assert [one.data["incident"]["title"][:6] for one in receiver.requests] == ["erp-db", "ERP-DB"]
    assert [
        (one.kind, one.actor, one.message_id, one.incident_id) for one in await delivery.actions(None, None, 9)
    ] == [(kind, "mona", FIRST, "INC-20231114-0001") for kind in (DeliveryActionKind.RESEND, DeliveryActionKind.EDIT)]
    with pytest.raises(ValueError, match="only dead letters can be dropped"):
        await delivery.drop(FIRST, **WHO, command_id="c3")
    with pytest.raises(KeyError):
        await delivery.drop("x", **WHO, command_id="c4")


async def test_a_dead_letter_is_dropped_with_a_reason(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [422]
    delivery = await started(desk)
    incident = await desk.report(verdict())
    await desk.until_outbox(dead=1)
    dropped = await delivery.drop(FIRST, **WHO, command_id="c1")
    assert (dropped.state, dropped.last_error) == (OutboxState.DROPPED, "the form was wrong")
    assert [one.state for one in await delivery.outbox(incident.id, 9)] == [OutboxState.DROPPED]
    assert await delivery.dead_letters("desk", 9) == []


async def test_a_paused_target_gets_nothing_also_after_a_restart_until_it_is_resumed(
    desk: Desk, receiver: Receiver
) -> None:
    delivery = await started(desk)
    paused = await delivery.pause("desk", **WHO, command_id="c1")
    assert (paused.state, paused.paused_by, paused.paused_at) == (TargetState.PAUSED, "mona", T0)
    await desk.report(verdict())
    await desk.stop()
    delivery = await started(desk)
    desk.advance(120)  # nothing else is due by then
    assert receiver.requests == []
    (target,) = await delivery.targets()
    assert (target.state, target.reason, target.pending, target.oldest_at) == (
        TargetState.PAUSED, "the form was wrong", 1, T0,
    )  # fmt: skip
    assert desk.component.health().reason == "desk was paused: the form was wrong (mona)"

    await delivery.resume("desk", **WHO, command_id="c2")
    await receiver.wait_for(1)
    await desk.until_outbox(done=1)
    await delivery.pause("desk", **WHO, command_id="c1")  # a repeat of what was undone since
    (target,) = await delivery.targets()
    assert (target.state, target.last_success_at) == (TargetState.HEALTHY, desk.clock.now)
    with pytest.raises(KeyError):
        await delivery.pause("x", **WHO, command_id="c9")


async def test_a_target_shows_what_it_was_proven_on_and_why_it_refuses(desk: Desk, receiver: Receiver) -> None:
    receiver.script = [401]
    delivery = await started(desk)
    await desk.report(verdict())
    await receiver.wait_for(1)

    async def refuses() -> bool:
        (target,) = await delivery.targets()
        return target.state is TargetState.REFUSES

    await desk.until(refuses)
    (target,) = await delivery.targets()
    assert (target.kind, target.tier, target.proven_against) == ("webhook", 1, ProvenAgainst.REAL_SERVER)
    assert target.reason.startswith("HTTP 401")
    assert target.last_error.startswith("paused: HTTP 401")
    await delivery.resume("desk", **WHO, command_id="c1")
    await receiver.wait_for(2)


async def test_a_target_is_asked_something_harmless(desk: Desk, receiver: Receiver) -> None:
    delivery = await started(desk)
    trial = await delivery.try_target("desk")
    assert (trial.is_reachable, trial.credentials) == (True, Credentials.NOT_TESTED)
    assert trial.detail.startswith("HTTP 405 to OPTIONS")
    assert receiver.requests == []
    with pytest.raises(KeyError):
        await delivery.try_target("x")
