"""Answers by mail and by what gateways post: they act as nobody but their sender, and a refusal is told."""

import json
from pathlib import Path
from typing import Any

from btimd.daemon.noticereplies import NoticeReplies, person_with
from btimd.itsm.intake.mail import Mail
from btimd.model.duty import PersonContact
from btimd.model.incident import CommandKind, Incident, IncidentCommand, IncidentState
from btimd.model.notification import Means
from btimd.model.posted import Posted
from btimd.runtime.log import Log
from tests.daemon.noticing import Company, company, im, people_of, person_of

SECRET = "a-long-token-for-the-gateway"
PHONE = PersonContact("sms", "+86 138 0013 8000", verified=True)
PEOPLE = people_of(
    person_of("ann", im("ann"), PersonContact("mail", "ann@corp.test", verified=True), PHONE),
    person_of("bob", PersonContact("mail", "bob@corp.test", verified=True)),
    person_of("lea", PersonContact("mail", "lea@corp.test")),
)


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    secret = folder / "answer.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    answer = {"secret_file": str(secret), "means": "sms", "id_path": "id", **more}
    mail = {"server": "127.0.0.1:9", "sender": "btimd@corp.test", "security": "none"}
    sms = {"means": "sms", "url": "http://127.0.0.1:9/", "fields": {"to": "{to}", "text": "{text}"}}
    return {"answer": {"sms": answer}, "mail": {"corp": mail}, "gateway": {"gw": sms}}


def replies_of(there: Company) -> NoticeReplies:
    return NoticeReplies(
        there.notices, there.desk.component, metrics=there.desk.metrics, clock=there.desk.clock, log=Log("itsm")
    )


def mail(sender: str, text: str, *, subject: str = "Re: order", thread: str = "", key: str = "<1@corp.test>") -> Mail:
    replies = (f"<incident-{thread}@corp.test>",) if thread else ()
    return Mail(key=key, sender=sender, sender_name="", subject=subject, text=text, replies_to=replies)


async def now(there: Company, incident: Incident) -> Incident:
    found = await there.desk.component.incident(incident.id)
    assert found is not None
    return found


async def test_a_mail_of_the_person_ordered_accepts_and_the_same_mail_again_does_nothing_more(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        replies = replies_of(there)
        said = [await replies.mail(mail("ann@corp.test", "1", thread=incident.id)) for _ in range(2)]
        after = await now(there, incident)

    assert (after.state, after.assignee) == (IncidentState.ACCEPTED, "ann")
    assert said == [f"accepted: {incident.id} is accepted"] * 2
    assert after.version == incident.version + 1


async def test_the_number_in_the_text_or_in_the_subject_names_the_order(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        number = incident.id.removeprefix("INC-2023")
        await replies_of(there).mail(mail("ann@corp.test", "1", subject=f"Re: [P3] please accept: ERP #{number}"))
        after = await now(there, incident)

    assert after.state is IncidentState.ACCEPTED


async def test_to_escalate_what_was_not_accepted_yet_takes_it_first(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        said = await replies_of(there).mail(mail("ann@corp.test", "3 needs a DBA", thread=incident.id))
        after = await now(there, incident)
        kinds = [event.kind for event in await there.desk.component.timeline(incident.id)]

    assert said.startswith("escalated")
    assert (after.assignee, after.level) == ("dan", 2)
    assert kinds[-2:] == ["accepted", "escalated"]


async def test_only_verified_addresses_act_and_only_for_their_own_orders(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        replies = replies_of(there)
        said = [
            await replies.mail(mail("lea@corp.test", "1", thread=incident.id, key="<a>")),  # not verified
            await replies.mail(mail("who@else.test", "1", thread=incident.id, key="<b>")),
            await replies.mail(mail("bob@corp.test", "1", thread=incident.id, key="<c>")),  # ordered was ann
        ]
        after = await now(there, incident)
        told = await there.notices.table.find(person="bob")

    assert after.state is IncidentState.DISPATCHED
    assert [one.partition(":")[0] for one in said] == ["not taken", "not taken", "refused"]
    assert [(one.kind.value, one.means.value, one.address, one.channel) for one in told] == [
        ("answer", "email", "bob@corp.test", "corp")
    ]
    assert "not done" in told[0].text


async def test_a_mail_that_answers_nothing_is_left_to_the_intake(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        await there.ordered()
        said = await replies_of(there).mail(mail("ann@corp.test", "the printer is broken", subject="printer"))

    assert said == ""


async def test_words_without_a_code_are_kept_as_a_comment(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        said = await replies_of(there).mail(mail("ann@corp.test", "I am looking at it", thread=incident.id))
        last = (await there.desk.component.timeline(incident.id))[-1]

    assert said == "kept as a comment"
    assert (last.kind, last.actor, last.reason) == ("commented", "ann", "I am looking at it")


async def test_what_a_reporter_writes_back_is_a_comment_and_a_strangers_words_are_a_report(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        create = IncidentCommand(CommandKind.CREATE, "c1", title="slow")
        incident = await there.desk.component.command(create, "eve@else.test")
        replies = replies_of(there)
        said = [
            await replies.mail(mail("eve@else.test", "still slow here", thread=incident.id, key="<a>")),
            await replies.mail(mail("max@else.test", "here too", thread=incident.id, key="<b>")),
        ]
        last = (await there.desk.component.timeline(incident.id))[-1]
        await there.desk.component.command(IncidentCommand(CommandKind.CANCEL, "c2", incident.id, text="over"), "cat")
        said.append(await replies.mail(mail("eve@else.test", "again", thread=incident.id, key="<c>")))

    assert said == ["kept as a comment", "", ""]
    assert (last.kind, last.actor, last.reason) == ("commented", "eve@else.test", "still slow here")


async def test_a_reporter_who_writes_a_score_answers_the_survey_once_and_nobody_else_does(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        desk = there.desk.component
        incident = await desk.command(IncidentCommand(CommandKind.CREATE, "c1", title="slow"), "eve@else.test")
        await desk.command(IncidentCommand(CommandKind.ACCEPT, "c2", incident.id), "ann")
        report = IncidentCommand(
            CommandKind.RESOLVE,
            "c3",
            incident.id,
            text="The disk was full; logs were moved away.",
            override_reason="seen",
        )
        await desk.command(report, "ann")
        replies = replies_of(there)
        said = [
            await replies.mail(mail("max@else.test", "score 1", thread=incident.id, key="<a>")),
            await replies.mail(mail("eve@else.test", "评分 4\n谢谢", thread=incident.id, key="<b>")),
            await replies.mail(mail("eve@else.test", "评分 4\n谢谢", thread=incident.id, key="<b>")),
        ]
        found = await desk.incident(incident.id)

    assert said == ["", "kept as the answer to the survey", "kept as the answer to the survey"]
    assert found is not None
    assert found.survey_score == 4


def posted(body: dict[str, Any], token: str = SECRET, name: str = "sms") -> Posted:
    headers = {"authorization": f"Bearer {token}"}
    return Posted(name, headers, {}, "application/json", json.dumps(body).encode())


async def test_an_sms_that_a_gateway_posts_returns_the_order_with_its_reason(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        answer = await replies_of(there).post(posted({"from": "13800138000", "text": "2 not my system", "id": "7"}))
        after = await now(there, incident)
        reasons = [event.reason for event in await there.desk.component.timeline(incident.id)]

    assert (answer.status, answer.text) == (200, "ok")
    assert after.assignee == "bob"
    assert reasons[-1] == "not my system"


async def test_what_cannot_be_done_is_told_by_sms_once(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        await there.desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident.id), "ann")
        replies = replies_of(there)
        for text in ("1", "1", "what?"):
            await replies.post(posted({"from": "+8613800138000", "text": text, "id": text}))
        told = [one for one in await there.notices.table.find(person="ann") if one.kind.value == "answer"]

    assert [(one.means, one.address, one.channel) for one in told] == [(Means.SMS, "+8613800138000", "gw")] * 2
    assert "the answer is not clear" in told[0].text


async def test_a_caller_without_the_token_or_of_another_name_does_nothing(tmp_path: Path) -> None:
    async with company(tmp_path, PEOPLE, **settings(tmp_path)) as there:
        await there.start()
        incident = await there.ordered()
        replies = replies_of(there)
        body = {"from": "13800138000", "text": "1", "id": "7"}
        answers = [await replies.post(posted(body, "wrong")), await replies.post(posted(body, name="other"))]
        stranger = await replies.post(posted({**body, "from": "13900139000"}))
        after = await now(there, incident)

    assert [one.status for one in answers] == [401, 404]
    assert stranger.status == 200
    assert after.state is IncidentState.DISPATCHED


async def test_a_gateway_tells_how_far_a_message_got(tmp_path: Path) -> None:
    states = {"state_path": "status", "refers_path": "sid", "delivered_values": ["DELIVRD"], "channel": "noc"}
    async with company(tmp_path, PEOPLE, **settings(tmp_path, **states)) as there:
        await there.start()
        incident = await there.ordered()
        await there.notices._look()
        row = next(one for one in await there.rows(incident.id) if one.means is Means.IM)
        await there.notices.table.notice_told(row.id, row.state, provider_id="p1", now=there.desk.clock.wall())
        await replies_of(there).post(posted({"sid": "p1", "status": "DELIVRD"}))
        after = next(one for one in await there.rows(incident.id) if one.means is Means.IM)

    assert after.state.value == "delivered"


def test_a_number_is_the_same_with_and_without_its_country() -> None:
    for address in ("13800138000", "+8613800138000", "008613800138000", "+86 138 0013 8000"):
        found = person_with(PEOPLE, Means.SMS, address)
        assert found is not None
        assert found.id == "ann"
    assert person_with(PEOPLE, Means.SMS, "8000") is None
    assert person_with(PEOPLE, Means.IM, "13800138000") is None
