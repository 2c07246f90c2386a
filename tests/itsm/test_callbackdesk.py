"""Calls of other systems, from their octets to the incident."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from btimd.itsm.emit.signing import signed_headers
from btimd.itsm.settings import ItsmSettings, WebhookSettings
from btimd.itsm.targetsettings import JiraSettings, PagerDutySettings
from btimd.model.delivery import CallbackRefusal, CallbackRefusedError, ExternalReference
from btimd.model.incident import IncidentState
from tests.itsm.desks import Desk
from tests.itsm.examples import T0, verdict
from tests.itsm.receivers import KEY, secret_file


def generic(**changes: str) -> bytes:
    said = {
        "external_id": "7", "incident": "INC-20231114-0001", "event_id": "e1", "actor": "ann", "kind": "status",
        "value": "accept", "at": "2023-11-14T22:13:20Z", "text": "",
    }  # fmt: skip
    return json.dumps(said | changes).encode()


@pytest.mark.usefixtures("receiver")
async def test_a_signed_call_is_taken_once_and_becomes_a_step_of_the_incident(desk: Desk) -> None:
    hook: WebhookSettings = desk.settings["webhook"]["desk"]
    desk.settings["webhook"] = {"desk": hook.model_copy(update={"callback_secret_files": (secret_file(desk.folder),)})}
    component = await desk.start()
    incident = await desk.report(verdict())
    body = generic()
    headers = signed_headers([KEY], message_id="m", at=T0, body=body)
    assert [await component.callbacks.take("desk", headers, body) for _ in range(2)] == [1, 0]

    async def accepted() -> bool:
        return (await component.incident(incident.id)).state is IncidentState.ACCEPTED  # type: ignore[union-attr]

    await desk.until(accepted)
    found = await component.incident(incident.id)
    assert found is not None
    assert (found.assignee, [(one.target, one.reference) for one in found.references]) == ("ann", [("desk", "7")])
    for name, body, head, why in (
        ("x", generic(), {}, CallbackRefusal.UNKNOWN_TARGET),
        ("desk", generic(), {}, CallbackRefusal.NOT_SIGNED),
        ("desk", generic(), headers, CallbackRefusal.NOT_SIGNED),
        ("desk", b"{", None, CallbackRefusal.NOT_UNDERSTOOD),
        ("desk", b"x" * 1_100_000, {}, CallbackRefusal.TOO_LARGE),
    ):
        given = signed_headers([KEY], message_id="m", at=T0, body=body) if head is None else head
        wrong = body if head != headers else generic(value="resolve")
        with pytest.raises(CallbackRefusedError) as refused:
            await component.callbacks.take(name, given, wrong)
        assert refused.value.why is why
    assert desk.metrics.value("btimd_itsm_callbacks_total", {"target": "desk", "outcome": "not-signed"}) == 2.0


@pytest.mark.usefixtures("receiver")
async def test_our_own_changes_that_come_back_are_left_out(desk: Desk, tmp_path: Path) -> None:
    secret = tmp_path / "callback"
    secret.touch(mode=0o600)
    secret.write_text("a-secret-of-many-octets")
    nobody: dict[str, Any] = {"url": "http://127.0.0.1:9", "poll": None, "callback_secret_files": (secret,)}
    desk.settings["pagerduty"] = {"pd": PagerDutySettings(key_file=secret, **nobody)}
    desk.settings["jira"] = {
        "jira": JiraSettings(token_file=secret, user="me", deployment="data-center", project="P", **nobody)
    }
    component = await desk.start()
    await desk.report(verdict())
    await desk.journal.save_reference(ExternalReference("pd", "INC-20231114-0001", "Q1", 1))

    async def call(name: str, header: str, before: str, document: Any) -> int:
        body = json.dumps(document).encode()
        signature = before + hmac.new(b"a-secret-of-many-octets", body, hashlib.sha256).hexdigest()
        return await component.callbacks.take(name, {header: signature}, body)

    def event(agent: Any) -> Any:
        return {"event": {"id": "1", "event_type": "incident.acknowledged", "agent": agent, "data": {"id": "Q1"}}}

    ours = event({"type": "inbound_integration_reference", "id": "I"})
    assert await call("pd", "x-pagerduty-signature", "v1=", ours) == 0
    # Its incident key is missing; what the target calls the incident is known.
    assert await call("pd", "x-pagerduty-signature", "v1=", event({"type": "user_reference", "summary": "ann"})) == 1
    issue = {"id": "7", "fields": {"labels": ["btim-INC-20231114-0001"]}}
    for author, body, taken in (("me", "hello", 0), ("bob", "[btimd INC-1.2] hello", 0), ("bob", "hello", 1)):
        said = {"issue": issue, "comment": {"id": "5", "body": body, "author": {"name": author}}}
        assert await call("jira", "x-hub-signature", "sha256=", said) == taken


@pytest.mark.usefixtures("receiver")
async def test_what_cannot_be_kept_is_not_acknowledged(desk: Desk) -> None:
    hook: WebhookSettings = desk.settings["webhook"]["desk"]
    desk.settings["webhook"] = {"desk": hook.model_copy(update={"callback_secret_files": (secret_file(desk.folder),)})}
    component = await desk.start()

    async def broken(*_: object) -> bool:
        raise OSError("disk")

    desk.journal.take_update = broken  # type: ignore[method-assign,assignment]  # a disk that is full
    body = generic()
    with pytest.raises(CallbackRefusedError) as refused:
        await component.callbacks.take("desk", signed_headers([KEY], message_id="m", at=T0, body=body), body)
    assert refused.value.why is CallbackRefusal.BUSY


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    desk = Desk("fake", tmp_path)
    hook = WebhookSettings(
        url="http://127.0.0.1:9", secret_file=secret_file(tmp_path), callback_secret_files=(tmp_path / "gone",)
    )
    desk.settings["webhook"] = {"desk": hook}
    with pytest.raises(ValueError, match="callback_secret_files of desk: .*gone"):
        desk.build().callbacks.start()
    assert ItsmSettings(**desk.settings).webhook["desk"].meanings["accept"] == "accept"
