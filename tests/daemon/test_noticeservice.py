"""Notices as the API serves them, over a running desk."""

from pathlib import Path

import pytest

from btimd.daemon.noticereplies import NoticeReplies
from btimd.daemon.noticeservice import NoticeService
from btimd.model.incident import IncidentState
from btimd.model.notification import Means, NoticeState, ReplyAction, ReplyKind
from btimd.runtime.log import Log
from tests.daemon.noticing import PEOPLE, Company, company, im, people_of, person_of


def service_of(there: Company) -> NoticeService:
    desk = there.desk
    replies = NoticeReplies(there.notices, desk.component, metrics=desk.metrics, clock=desk.clock, log=Log("itsm"))
    return NoticeService(there.notices, replies, desk.component, desk.clock)


async def test_an_open_screen_is_shown_orders_and_what_waited_for_it_counts_as_delivered(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        screen = service_of(there).watch_screen("ann")
        shown = [one.incident_id for one in screen.snapshot]

        async def delivered() -> bool:
            rows = await there.rows(incident.id)
            return any(one.means is Means.SCREEN and one.state is NoticeState.DELIVERED for one in rows)

        await there.desk.until(delivered)
        there.desk.advance(600)
        news = [one.kind.value for one in await anext(screen.changes())]
        screen.close()

    assert shown == [incident.id]
    assert news == ["reminder"]


async def test_a_screen_opened_after_a_restart_still_shows_the_order(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        there.run()
        incident = await there.ordered()
        await there.idle()
        await there.die()
        await there.start()
        screen = service_of(there).watch_screen("ann")
        shown = [(one.incident_id, one.kind.value) for one in screen.snapshot]
        screen.close()

    assert shown == [(incident.id, "order")]


async def test_an_answer_at_the_screen_is_that_of_the_person(tmp_path: Path) -> None:
    async with company(tmp_path) as there:
        await there.start()
        incident = await there.ordered()
        served = service_of(there)
        after = await served.answer_notice(
            command_id="c1", person="ann", action=ReplyAction(ReplyKind.ACCEPT), incident_id=""
        )
        again = await served.answer_notice(
            command_id="c1", person="ann", action=ReplyAction(ReplyKind.ACCEPT), incident_id=incident.id
        )

    assert (after.state, again.version) == (IncidentState.ACCEPTED, after.version)


async def test_a_test_goes_to_an_address_also_before_it_is_verified(tmp_path: Path) -> None:
    people = people_of(person_of("ann", im("ann", verified=False)), PEOPLE.persons["lea"])
    async with company(tmp_path, people) as there:
        await there.start()
        there.run()
        served = service_of(there)
        made = await served.test_contact(command_id="c1", person="ann", address="ANN")
        await served.test_contact(command_id="c1", person="ann", address="ANN")
        await there.idle()
        (row,) = await served.find_notices(incident_id="", person="ann", limit=9)
        for person, address in (("ann", "bob"), ("zoe", "")):
            with pytest.raises(LookupError):
                await served.test_contact(command_id="c2", person=person, address=address)

    assert [one.id for one in made] == [row.id]
    assert (row.state, row.kind.value) == (NoticeState.ACCEPTED_BY_GATEWAY, "test")
    assert len(there.robot.taken) == 1
    assert "this is a test of btimd" in str(there.robot.taken[0])
