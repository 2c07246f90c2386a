"""Answers of people become commands: by mail, by what gateways and robots post, and by the API.

Who answers is known by the verified contact that the answer comes from, and acts as nobody but themselves: the life
cycle decides whether the order is theirs. What cannot be done is said to them by the same means.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from btimd.daemon.noticedesk import NoticeDesk
from btimd.itsm.emit.signing import SignatureError, key_of, verify
from btimd.itsm.intake.mail import Mail
from btimd.itsm.notify.addressees import is_called, number_of
from btimd.itsm.notify.callbacks import CallbackError, CallbackRules, Called, read_callback
from btimd.itsm.notify.ladder import Channel
from btimd.itsm.notify.replies import parse_reply, parse_score
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.notify.texts import write
from btimd.model.duty import People, Person
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    Incident,
    IncidentCommand,
    IncidentState,
    Priority,
    RefusalCode,
)
from btimd.model.notification import Means, Notice, NoticeKind, Order, ReplyAction, ReplyKind
from btimd.model.posted import PostAnswer, Posted
from btimd.runtime.clock import Clock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

_COMMANDS: Final = {
    ReplyKind.ACCEPT: CommandKind.ACCEPT,
    ReplyKind.RETURN: CommandKind.RETURN,
    ReplyKind.ESCALATE: CommandKind.ESCALATE,
}
_DONE: Final = {ReplyKind.ACCEPT: "accepted", ReplyKind.RETURN: "returned", ReplyKind.ESCALATE: "escalated"}
_THREAD: Final = re.compile(r"<incident-(INC-\d{8}-\d{1,9})@")
_IN_SUBJECT: Final = re.compile(r"#\s?([0-9A-Za-z][0-9A-Za-z-]{0,39})")
_LEAST_DIGITS: Final = 8
_ANSWER_SECONDS: Final = 3600.0
_MOST_LISTED: Final = 5


class Incidents(Protocol):
    """Who keeps incidents."""

    async def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        ...

    async def incidents(self, *, only_open: bool, business: str | None, limit: int) -> Sequence[Incident]:
        """Return incidents."""
        ...

    async def command(
        self, command: IncidentCommand, actor: str, roles: frozenset[ActorRole] | None = None
    ) -> Incident:
        """Do what a person wants."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of a person. key: the same when it comes again. incident_id: the one it refers to by itself, or ""."""

    key: str
    person: str
    action: ReplyAction
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class _Back:
    """How somebody who answered is told: by the way their answer came. by: the label of the counter."""

    by: str
    person: Person
    means: Means
    address: str
    channel: str = ""


def person_with(people: People, means: Means, address: str) -> Person | None:
    """Return whose verified contact an address is; None = nobody's alone.

    A telephone number is the same with and without its country; everything else must be the same text.
    """
    if means not in {Means.SMS, Means.VOICE}:
        return people.person_at(address)
    wanted = _digits(address)
    if len(wanted) < _LEAST_DIGITS:
        return None
    found = {
        person.id: person
        for person in people.persons.values()
        for contact in person.contacts
        if contact.verified and contact.means in {"sms", "voice"} and _same(_digits(contact.address), wanted)
    }
    return next(iter(found.values())) if len(found) == 1 else None


def _digits(text: str) -> str:
    return "".join(one for one in text if one in "0123456789").lstrip("0")


def _same(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return len(short) >= _LEAST_DIGITS and long.endswith(short)


class NoticeReplies:
    """Takes answers."""

    def __init__(self, notices: NoticeDesk, incidents: Incidents, *, metrics: Metrics, clock: Clock, log: Log) -> None:
        self._notices, self._incidents = notices, incidents
        self._clock, self._log = clock, log
        self._count = metrics.counter(
            "btimd_itsm_notify_replies_total", "Answers of people, by the way they came and what became of them.",
            ("by", "outcome"),
        )  # fmt: skip
        self._receipts = metrics.counter(
            "btimd_itsm_notify_receipts_total", "Words of gateways on how far a message got, by state.", ("state",)
        )

    async def do(self, reply: Reply) -> Incident:
        """Carry an answer out; raises CommandRefusedError."""
        incident = await self._meant(reply)
        key = _digest(reply.key)
        nobody: frozenset[ActorRole] = frozenset()
        if reply.action.kind is ReplyKind.ESCALATE and incident.state is IncidentState.DISPATCHED:
            # Only who has taken it can escalate it: the answer does both.
            accept = IncidentCommand(CommandKind.ACCEPT, f"answer-{key}-accept", incident.id)
            incident = await self._incidents.command(accept, reply.person, nobody)
        command = IncidentCommand(_COMMANDS[reply.action.kind], f"answer-{key}", incident.id, text=reply.action.reason)
        return await self._incidents.command(command, reply.person, nobody)

    async def _meant(self, reply: Reply) -> Incident:
        """Return the incident that is answered; raises CommandRefusedError."""
        number = reply.action.number
        if not number and reply.incident_id:
            found = await self._incidents.incident(reply.incident_id)
            if found is not None:
                return found
        live = await self._incidents.incidents(only_open=True, business=None, limit=10_000)
        if number:
            called = [one for one in live if is_called(one.id, number)]
            if len(called) == 1:
                return called[0]
            raise CommandRefusedError(RefusalCode.NOT_FOUND, f"there is no open incident #{number}")
        mine = [one for one in live if one.assignee == reply.person and one.dispatch is not None]
        mine = mine or [one for one in live if one.assignee == reply.person]
        if len(mine) == 1:
            return mine[0]
        listed = " ".join(f"#{number_of(one.id)}" for one in mine[:_MOST_LISTED])
        text = f"which one? say its number: {listed}" if mine else "no order waits for you"
        raise CommandRefusedError(RefusalCode.INVALID, text)

    # Mail.

    async def mail(self, mail: Mail) -> str:
        """Take a mail that answers a notice; return what became of it, "" = it is no answer."""
        thread = next((found[1] for one in mail.replies_to if (found := _THREAD.match(one))), "")
        action = parse_reply(mail.text)
        subject = _IN_SUBJECT.search(mail.subject)
        if action is not None and not action.number and not thread and subject:
            action = ReplyAction(action.kind, subject[1], action.reason)
        if not thread and (action is None or not action.number):
            return ""
        person = self._notices.people.person_at(mail.sender)
        score = parse_score(mail.text) if thread else None
        if score is not None:
            said = await self._scored(mail, thread, score, mail.sender if person is None else person.id)
            if said:
                return said
        if person is None:
            return await self._of_stranger(mail, thread, has_code=action is not None)
        if action is None:
            return await self._comment(mail, person, thread)
        reply = Reply(f"mail {mail.key}", person.id, action, thread)
        return await self._taken(reply, _Back("mail", person, Means.EMAIL, mail.sender))

    async def _of_stranger(self, mail: Mail, thread: str, *, has_code: bool) -> str:
        """Take what somebody writes who is nobody's verified address: words of the reporter, never a command."""
        incident = await self._incidents.incident(thread) if thread else None
        if incident is not None and incident.reporter.casefold() == mail.sender:
            command = IncidentCommand(CommandKind.COMMENT, f"answer-{_digest(mail.key)}", thread, text=mail.text)
            try:
                await self._incidents.command(command, incident.reporter, frozenset())
            except CommandRefusedError:
                return ""  # it is over: what they write now is a report of its own
            self._counted("mail", "comment", "reporter")
            return "kept as a comment"
        if not thread or not has_code:
            return ""
        self._counted("mail", "unknown-sender", mail.sender)
        return "not taken: the sender is nobody's verified address"

    async def _scored(self, mail: Mail, incident_id: str, score: int, who: str) -> str:
        """Take how content the reporter is; "" where somebody else says it, or nobody is asked."""
        incident = await self._incidents.incident(incident_id)
        if incident is None or incident.reporter.casefold() != who.casefold():
            return ""
        command = IncidentCommand(
            CommandKind.SURVEY, f"answer-{_digest(mail.key)}", incident_id, text=mail.text, score=score
        )
        try:
            await self._incidents.command(command, incident.reporter, frozenset())
        except CommandRefusedError:
            return ""
        self._counted("mail", "survey", "reporter")
        return "kept as the answer to the survey"

    async def _comment(self, mail: Mail, person: Person, incident_id: str) -> str:
        """Keep what somebody writes back without a code: it is worth reading, and is no command."""
        command = IncidentCommand(CommandKind.COMMENT, f"answer-{_digest(mail.key)}", incident_id, text=mail.text)
        try:
            await self._incidents.command(command, person.id, frozenset())
        except CommandRefusedError as refusal:
            back = _Back("mail", person, Means.EMAIL, mail.sender)
            return await self._refused(str(refusal), f"mail {mail.key}", back, incident_id)
        self._counted("mail", "comment", person.id)
        return "kept as a comment"

    # HTTP.

    async def post(self, posted: Posted) -> PostAnswer:
        """Take what a gateway or robot posts to /answers/NAME."""
        settings = self._notices.settings.answer.get(posted.name)
        if settings is None:
            return PostAnswer(404, "no such callback")
        rules = settings.rules()
        try:
            secret = read_secret(settings.secret_file)
            called = read_callback(rules, posted, secret, self._clock.wall(), self._verify)
        except CallbackError as error:
            self._counted("post", "refused", posted.name)
            return PostAnswer(error.status, str(error))
        except ValueError as error:
            self._log.error("callback-without-secret", callback=posted.name, error=str(error))
            return PostAnswer(503, "the secret of this callback cannot be read")
        if called.state is not None:
            known = await self._notices.table.notice_receipt(
                rules.channel, called.refers, called.state, self._clock.wall()
            )
            self._receipts.labels(called.state.value if known else "unknown").inc()
            return PostAnswer(200, rules.ok_text)
        return await self._answered(called, rules)

    def _verify(self, posted: Posted, secret: bytes) -> None:
        try:
            verify((key_of(secret),), posted.headers, posted.body, self._clock.wall())
        except SignatureError as error:
            raise ValueError(str(error)) from None

    async def _answered(self, called: Called, rules: CallbackRules) -> PostAnswer:
        person = person_with(self._notices.people, rules.means, called.sender)
        if person is None:
            self._counted("post", "unknown-sender", called.key)
            return PostAnswer(200, rules.ok_text)  # the caller did its part; it would only repeat it
        told = await self._notices.table.of_receipt(rules.channel, called.refers) if called.refers else ()
        incident_id = next((one.incident_id for one in told if one.person == person.id), "")
        action = parse_reply(called.text)
        back = _Back("post", person, rules.means, called.sender, rules.channel)
        if action is None:
            await self._refused("the answer is not clear: 1, 2 reason or 3 reason", called.key, back, incident_id)
        else:
            await self._taken(Reply(called.key, person.id, action, incident_id), back)
        return PostAnswer(200, rules.ok_text)

    # Both.

    async def _taken(self, reply: Reply, back: _Back) -> str:
        try:
            incident = await self.do(reply)
        except CommandRefusedError as refusal:
            return await self._refused(str(refusal), reply.key, back, reply.action.number or reply.incident_id)
        self._counted(back.by, _DONE[reply.action.kind], back.person.id)
        return f"{_DONE[reply.action.kind]}: {incident.id} is {incident.state.value}"

    async def _refused(self, why: str, key: str, back: _Back, number: str) -> str:
        """Say what could not be done, once, by the means that the answer came by."""
        self._counted(back.by, "refused", back.person.id)
        person, means, address = back.person, back.means, back.address
        way = self._way(means, back.channel)
        if way is not None:
            recipient = self._notices.plans.recipient(person.id)
            order = plain_order(number_of(number) if number else "?", why)
            now = self._clock.wall()
            written = write(
                NoticeKind.ANSWER, means, order, recipient, now=now, wording=self._notices.settings.wording()
            )
            digest = _digest(key)[:24]
            await self._notices.add(
                Notice(
                    id=f"answer-{digest}", incident_id="", dispatch_id="", number=order.number, priority=Priority.P3,
                    person=person.id, kind=NoticeKind.ANSWER, means=means, channel=way.name, address=address,
                    language=recipient.language, round=0, subject=written.subject, text=written.text, due_at=now,
                    expires_at=now + _ANSWER_SECONDS, at=now, cost=way.cost,
                )
            )  # fmt: skip
        return f"refused: {why}"

    def _way(self, means: Means, channel: str) -> Channel | None:
        ways = [one for one in self._notices.plans.channels if one.means is means and channel in {"", one.name}]
        return ways[0] if ways else None

    def _counted(self, by: str, outcome: str, who: str) -> None:
        self._count.labels(by, outcome).inc()
        self._log.info("notice-answered", by=by, outcome=outcome, who=who)


def _digest(key: str) -> str:
    """Return the key of an answer as ids hold it: what makes the same answer harmless when it comes again."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def plain_order(number: str, status: str) -> Order:
    """Return an order that is about no incident, for answers and tests."""
    return Order(
        incident_id="", dispatch_id="", priority=Priority.P3, title="", description="", source="", reporter="",
        occurred_at=0.0, accept_by=None, resolve_due_at=None, business="", region="", users=None, cause="",
        number=number, status=status,
    )  # fmt: skip


def unanswered(settings: NotifySettings) -> list[str]:
    """Return what is wrong with callbacks as they stand beside the channels, for the operator."""
    names = {one.name for one in settings.channels()}
    return [
        f"itsm.notify.answer.{name}: channel {one.channel!r} is not configured; no refusal can be told"
        for name, one in settings.answer.items()
        if one.channel and one.channel not in names
    ]
