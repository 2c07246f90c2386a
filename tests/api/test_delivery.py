from typing import Any

import grpc
import pytest

from btimd.api.auth import Caller, Role
from btimd.api.convert_delivery import ACTION, OUTBOX_ENTRY, REFERENCE, TARGET, TRIAL
from btimd.api.delivery import DeliveryServicer
from btimd.api.errors import ApiError
from btimd.api.pb import delivery_pb2 as pb
from tests.fakes.delivery import DESK, LETTER, FakeDelivery
from tests.fakes.delivery import TRIAL as TRIED

MONA = Caller("mona-token", Role.MANAGER, person="mona")
WHY: dict[str, Any] = {"reason": " wrong form ", "command_id": "c1"}


async def test_targets_dead_letters_outbox_and_the_log_are_listed() -> None:
    view = FakeDelivery()
    servicer = DeliveryServicer(view)
    targets = (await servicer.list_targets(pb.ListTargetsRequest(), MONA)).targets
    assert [TARGET.from_pb(one) for one in targets] == [DESK]
    letters = await servicer.list_dead_letters(pb.ListDeadLettersRequest(target="desk", limit=5), MONA)
    assert [(one.id, one.body) for one in letters.letters] == [(LETTER.id, "")]
    letter = await servicer.get_dead_letter(pb.GetDeadLetterRequest(message_id=LETTER.id), MONA)
    assert OUTBOX_ENTRY.from_pb(letter.letter) == LETTER
    owed = await servicer.list_outbox(pb.ListOutboxRequest(incident_id="INC-1"), MONA)
    assert ([one.id for one in owed.entries], REFERENCE.from_pb(owed.references[0]).external_id) == ([LETTER.id], "77")
    log = await servicer.list_delivery_actions(pb.ListDeliveryActionsRequest(incident_id="INC-1"), MONA)
    assert [ACTION.from_pb(one).actor for one in log.actions] == ["mona"]
    tried = await servicer.try_target(pb.TryTargetRequest(target="desk"), MONA)
    assert TRIAL.from_pb(tried.trial) == TRIED
    assert view.asked == [("dead", "desk", 6), ("actions", None, "INC-1", 101)]


async def test_changes_are_made_in_the_name_of_the_person_with_a_reason() -> None:
    view = FakeDelivery()
    servicer = DeliveryServicer(view)
    await servicer.pause_target(pb.PauseTargetRequest(target="desk", **WHY), MONA)
    await servicer.resume_target(pb.ResumeTargetRequest(target="desk", **WHY), MONA)
    edited = await servicer.edit_dead_letter(pb.EditDeadLetterRequest(message_id=LETTER.id, body="{}", **WHY), MONA)
    await servicer.resend_dead_letter(pb.ResendDeadLetterRequest(message_id=LETTER.id, **WHY), MONA)
    dropped = await servicer.drop_dead_letter(pb.DropDeadLetterRequest(message_id=LETTER.id, **WHY), MONA)
    assert (edited.letter.body, dropped.letter.state) == ("{}", pb.OUTBOX_STATE_DROPPED)
    said = ("mona", "wrong form", "c1")
    assert view.asked == [
        ("pause", "desk", *said), ("resume", "desk", *said), ("edit", LETTER.id, "{}", *said),
        ("resend", LETTER.id, *said), ("drop", LETTER.id, *said),
    ]  # fmt: skip


async def test_mistakes_and_refusals_are_named() -> None:
    view = FakeDelivery()
    servicer = DeliveryServicer(view)
    for request, code, text in (
        (pb.DropDeadLetterRequest(message_id=LETTER.id, command_id="c"), grpc.StatusCode.INVALID_ARGUMENT, "reason"),
        (pb.DropDeadLetterRequest(message_id=LETTER.id, reason="r"), grpc.StatusCode.INVALID_ARGUMENT, "command_id"),
        (pb.DropDeadLetterRequest(message_id="x", **WHY), grpc.StatusCode.NOT_FOUND, "there is no message 'x'"),
    ):
        with pytest.raises(ApiError, match=text) as raised:
            await servicer.drop_dead_letter(request, MONA)
        assert raised.value.code is code
    view.refuses = "only dead letters can be dropped"
    with pytest.raises(ApiError, match=view.refuses) as raised:
        await servicer.drop_dead_letter(pb.DropDeadLetterRequest(message_id=LETTER.id, **WHY), MONA)
    assert raised.value.code is grpc.StatusCode.FAILED_PRECONDITION
