"""Who is told of what: reporters and watchers by mail, the centre, quiet hours, what is tried again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from btimd.itsm.triggers import ReportProblem
from btimd.model.duty import PersonContact
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentCommand,
    IncidentState,
    Urgency,
)
from btimd.model.notification import Means, NoticeState, QuietHours
from tests.daemon.noticing import PEOPLE, Company, company, im, people_of, person_of
from tests.itsm.examples import DAY, REPORT, verdict

CENTRE = frozenset({ActorRole.CENTRE, ActorRole.DESK})


class Post:
    """A mail server that keeps what it takes."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, str]] = []
        self.refuse = ""

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        content = envelope.content
        assert isinstance(content, bytes)
        read = message_from_bytes(content, policy=policy.default)
        self.taken.append((envelope.rcpt_tos[0], str(read["Subject"]), read.get_content()))
        return "250 ok"


@asynccontextmanager
async def posting(folder: Path, people: Any = PEOPLE, **settings: Any) -> AsyncIterator[tuple[Company, Post]]:
    post = Post()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(post, hostname="test"), "127.0.0.1", 0)
    at = "{}:{}".format(*server.sockets[0].getsockname())
    mail = {"corp": {"server": at, "security": "none", "sender": "btimd@corp.test"}}
    try:
        async with company(folder, people, mail=mail, reporter_language="en", **settings) as there:
            yield there, post
    finally:
        server.close()


def problem(reporter: str, name: str) -> ReportProblem:
    return ReportProblem(
        actor=reporter, incident_id="", fingerprint=name, title=f"{name} is slow", description="", cause="",
        verdict_id="", confidence=0.0, impact=Impact.LOW, urgency=Urgency.MEDIUM, reporter=reporter,
        assessment=ImpactAssessment(businesses=("erp",)), began_at=1_700_000_000.0, notes={"channel": "email"},
    )  # fmt: skip


async def reported(there: Company, reporter: str, name: str) -> Incident:
    found = await there.desk.component.report(problem(reporter, name))
    assert found is not None
    return found


async def mailed(post: Post, number: int) -> bool:
    return len(post.taken) >= number


async def do(there: Company, kind: CommandKind, incident: Incident, actor: str, **more: Any) -> Incident:
    command = IncidentCommand(kind, f"{kind}-{incident.id}-{incident.version}", incident.id, **more)
    return await there.desk.component.command(command, actor, CENTRE)


async def test_who_reported_is_told_by_mail_how_it_goes_on(tmp_path: Path) -> None:
    async with posting(tmp_path) as (there, post):
        await there.start()
        there.run()
        incident = await reported(there, "eve@else.test", "printer")
        taken = await do(there, CommandKind.ACCEPT, incident, "ann")
        await there.desk.until(lambda: mailed(post, 1))
        await do(there, CommandKind.RESOLVE, taken, "ann", text=REPORT, override_reason="seen")
        await there.desk.until(lambda: mailed(post, 3))
        await there.idle()

    assert [to for to, _, _ in post.taken] == ["eve@else.test"] * 3
    told = "".join(text for _, _, text in post.taken)
    assert "somebody works on it" in post.taken[0][2]
    assert "works again, please confirm" in told
    assert 'Reply "score 1" (not at all) to "score 5" (very)' in told


async def test_who_reported_what_was_merged_hears_of_the_end(tmp_path: Path) -> None:
    async with posting(tmp_path) as (there, post):
        await there.start()
        there.run()
        child = await reported(there, "eve@else.test", "printer")
        grandchild = await reported(there, "max@else.test", "scanner")
        parent = await reported(there, "", "network")
        await do(there, CommandKind.MERGE, grandchild, "cat", parent_id=child.id, text="same")
        child = await _now(there, child)
        await do(there, CommandKind.MERGE, child, "cat", parent_id=parent.id, text="same")
        parent = await do(there, CommandKind.ACCEPT, await _now(there, parent), "ann")
        await do(there, CommandKind.RESOLVE, parent, "ann", text=REPORT, override_reason="seen")
        await there.desk.until(lambda: mailed(post, 4))
        await there.idle()

    said = sorted((to, "please confirm" in text) for to, _, text in post.taken)
    assert said == [
        ("eve@else.test", False), ("eve@else.test", True), ("max@else.test", False), ("max@else.test", True),
    ]  # fmt: skip


async def _now(there: Company, incident: Incident) -> Incident:
    found = await there.desk.component.incident(incident.id)
    assert found is not None
    return found


async def test_a_mail_that_could_not_be_sent_goes_later_and_one_that_is_refused_does_not(tmp_path: Path) -> None:
    async with posting(tmp_path) as (there, post):
        await there.start()
        there.run()
        post.refuse = "550 no such user"
        first = await reported(there, "gone@else.test", "printer")
        await do(there, CommandKind.ACCEPT, first, "ann")
        await there.idle()
        post.refuse = "451 later"
        second = await reported(there, "eve@else.test", "scanner")
        await do(there, CommandKind.ACCEPT, second, "ann")

        async def given_up() -> bool:
            found = await there.notices.table.find(person="eve@else.test")
            if not any(one.state is NoticeState.SENDING for one in found):
                there.desk.advance(5)
                there.notices.wake()
            return any(one.state is NoticeState.FAILED for one in found)

        await there.desk.until(given_up)
        post.refuse = ""
        await there.idle()
        there.desk.advance(70)
        there.notices.wake()
        await there.desk.until(lambda: mailed(post, 1))
        await there.idle()
        gone = await there.notices.table.find(person="gone@else.test")

    assert [to for to, _, _ in post.taken] == ["eve@else.test"]
    assert [one.state for one in gone] == [NoticeState.FAILED]


async def test_reporters_can_be_left_alone(tmp_path: Path) -> None:
    async with posting(tmp_path, reporters=False) as (there, post):
        await there.start()
        there.run()
        await do(there, CommandKind.ACCEPT, await reported(there, "eve@else.test", "printer"), "ann")
        await there.idle()

    assert post.taken == []


async def test_in_quiet_hours_an_order_waits_for_their_end_and_nobody_is_alarmed(tmp_path: Path) -> None:
    night = (QuietHours(0, 24 * 60 - 1),)  # until a minute before midnight
    ann = person_of("ann", PersonContact("wecom", "ann", verified=True, quiet=night))
    async with company(tmp_path, people_of(ann, PEOPLE.persons["lea"])) as there:
        await there.start()
        there.run()
        hit = ImpactAssessment(businesses=("erp",))
        opened = await there.desk.component.verdict(verdict(), hit, Impact.LOW, Urgency.LOW)
        assert opened is not None
        incident_id = opened.id
        assert opened.priority.name == "P5"

        async def held() -> bool:
            there.desk.advance(600)
            there.notices.wake()
            rows = await there.rows(incident_id)
            return any(one.means is Means.SCREEN for one in rows)

        await there.desk.until(held)
        await there.idle()
        before = len(there.robot.taken)
        owed = await there.journal.next_telling_at()

    assert before == 0
    assert owed is not None
    assert owed > there.desk.clock.wall()
    assert (owed + 8 * 3600) % DAY == DAY - 60  # a minute before midnight in Shanghai


async def test_a_centre_that_cannot_be_reached_is_tried_again_until_it_can(tmp_path: Path) -> None:
    from tests.itsm.people import Team

    unverified = people_of(person_of("cen", im("cen", verified=False)))
    async with company(tmp_path, unverified) as there:
        await there.start(Team(by_level=((),)))
        there.run()
        opened = await there.desk.report(verdict())
        there.desk.advance(300)

        async def stalled() -> bool:
            row = await there.desk.component.incident(opened.id)
            return row is not None and row.state is IncidentState.STALLED and bool(there.notices._unreached)

        await there.desk.until(stalled)
        there.notices.swap(None, people_of(PEOPLE.persons["cen"]))

        async def told() -> bool:
            there.desk.advance(60)
            there.notices.wake()
            return bool(there.robot.taken)

        await there.desk.until(told)
        await there.idle()

    assert "nobody can be given it" in str(there.robot.taken[0])
    assert there.notices._unreached == {}
