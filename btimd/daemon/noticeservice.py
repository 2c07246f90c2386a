"""Notices as the API serves them: screens, attempts, answers, tests."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from typing_extensions import override

from btimd.daemon.noticedesk import NoticeDesk
from btimd.daemon.noticereplies import Incidents, NoticeReplies, Reply, plain_order
from btimd.itsm.notify.ladder import Plan, Send
from btimd.itsm.notify.rows import notices_of
from btimd.itsm.notify.screen import ScreenSubscription
from btimd.model.incident import Incident
from btimd.model.noticeview import NoticesView
from btimd.model.notification import Means, Notice, NoticeKind, ReplyAction
from btimd.runtime.clock import Clock

_TEST_SECONDS: Final = 300.0
_TEST: Final = "test"


class NoticeService(NoticesView):
    """Serves what the notice desk does."""

    def __init__(self, notices: NoticeDesk, replies: NoticeReplies, incidents: Incidents, clock: Clock) -> None:
        self._notices, self._replies, self._incidents, self._clock = notices, replies, incidents, clock

    @override
    def watch_screen(self, person: str) -> ScreenSubscription:
        return self._notices.watch_screen(person)

    @override
    async def find_notices(self, *, incident_id: str, person: str, limit: int) -> Sequence[Notice]:
        return await self._notices.table.find(incident_id=incident_id, person=person, limit=limit)

    @override
    async def noticed_incident(self, incident_id: str) -> Incident | None:
        return await self._incidents.incident(incident_id)

    @override
    async def answer_notice(self, *, command_id: str, person: str, action: ReplyAction, incident_id: str) -> Incident:
        return await self._replies.do(Reply(f"api {command_id}", person, action, incident_id))

    @override
    async def test_contact(self, *, command_id: str, person: str, address: str) -> Sequence[Notice]:
        if person not in self._notices.people.persons:
            raise LookupError(f"there is no person {person!r} in people.toml")
        recipient = self._notices.plans.recipient(person)
        channels = self._notices.plans.channels
        ways = [
            (contact, channel)
            for contact in recipient.contacts
            if address.casefold() in {"", contact.address.casefold()}
            for channel in [
                one for one in channels if one.means is contact.means and contact.channel in {"", one.name}
            ][:1]
        ]
        if not ways:
            known = ", ".join(one.address for one in recipient.contacts) or "none that a channel carries"
            raise LookupError(f"{person} has no such address; known: {known}")
        now = self._clock.wall()
        digest = hashlib.sha256(f"{command_id} {person} {address}".encode()).hexdigest()[:24]
        planned = Plan(
            tuple(Send(replace(contact, verified=True), channel, 0, 0.0) for contact, channel in ways),
            now + _TEST_SECONDS,
        )
        ids = iter(f"{_TEST}-{digest}-{number}" for number in range(len(ways)))
        made = notices_of(
            planned, plain_order(_TEST, ""), recipient, now=now, wording=self._notices.settings.wording(),
            new_id=lambda: next(ids), kind=NoticeKind.TEST,
        )  # fmt: skip
        await self._notices.add(*made)
        return [one for one in made if one.means is not Means.SCREEN]
