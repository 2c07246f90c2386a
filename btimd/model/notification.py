"""Notification: an order that people are told of, how they can be reached, and every attempt to reach them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.incident import Priority
from btimd.model.units import Seconds, UnixSeconds


class Means(StrEnum):
    """A way of reaching a person."""

    SCREEN = "screen"
    IM = "im"
    EMAIL = "email"
    SMS = "sms"
    VOICE = "voice"
    WEBHOOK = "webhook"


class NoticeState(StrEnum):
    """How far an attempt got. Only DELIVERED and READ say that it reached the person's device."""

    PENDING = "pending"
    SENDING = "sending"
    ACCEPTED_BY_GATEWAY = "accepted_by_gateway"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"
    """Never sent: by then nobody had to be told any more."""


class NoticeKind(StrEnum):
    """What a person is told."""

    ORDER = "order"
    """You are to deal with this; answer until accept_by."""
    REMINDER = "reminder"
    """The same again, as nobody accepted it."""
    NOT_ACCEPTED = "not-accepted"
    """To those above: the order was not accepted in time."""
    ESCALATED = "escalated"
    """To those above: the incident is theirs now."""
    REPORT_DUE = "report-due"
    """A stage report is missing."""
    RECALLED = "recalled"
    """It is no longer yours."""
    STATUS = "status"
    """To who reported it, or uses the business: how it stands."""
    NEWS = "news"
    """To who has it, leads the group or watches over all work: what happened to it."""
    ANSWER = "answer"
    """To who answered: why that could not be done."""
    TEST = "test"
    """To whoever an address belongs to: it works."""


class ReplyKind(StrEnum):
    """What a person answers to an order."""

    ACCEPT = "accept"
    RETURN = "return"
    ESCALATE = "escalate"


@dataclass(frozen=True, slots=True)
class ReplyAction:
    """An answer. number: of the order it names, "" = it names none. reason: RETURN and ESCALATE need one, may be ""."""

    kind: ReplyKind
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be told of an incident (source, description, time, reporter, time allowed), and more.

    title, description, reporter, source: text of others, any characters. occurred_at, accept_by, resolve_due_at: wall
    clock, None = no such limit. users: hit, None = not known. number: what people call it, without "#".
    status: for STATUS and NEWS, a key of the texts ("investigating", "found", "restored", ...) or the words themselves.
    """

    incident_id: str
    dispatch_id: str
    priority: Priority
    title: str
    description: str
    source: str
    reporter: str
    occurred_at: UnixSeconds
    accept_by: UnixSeconds | None
    resolve_due_at: UnixSeconds | None
    business: str
    region: str
    users: int | None
    cause: str
    number: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When a contact is left alone: minutes since local midnight, from > to = over midnight, equal = never.

    weekdays: on which it begins, 0 = Monday. from_priority: this one and less urgent ones are held back.
    """

    from_minute: int
    to_minute: int
    weekdays: frozenset[int] = frozenset(range(7))
    from_priority: Priority = Priority.P4


@dataclass(frozen=True, slots=True)
class Contact:
    """An address of a person. verified: it was shown to be theirs; others are never used. channel: "" = any for it.

    quiet: of this address; () = the rules' own. address: a number, mailbox, user id; "" for the screen.
    """

    means: Means
    address: str
    verified: bool = False
    quiet: tuple[QuietHours, ...] = ()
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told. language: "zh" or "en". timezone: IANA name, of the hours that are quiet and the times in texts."""

    id: str
    name: str
    language: str = "zh"
    timezone: str = "Asia/Shanghai"
    contacts: tuple[Contact, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """One attempt to tell one person by one means: a row that stays.

    telling_id: what the engine wanted to be told, of which notices were made; those of one telling stand together.
    id: makes a repeat harmless where the other side knows ids. round: 0 = first telling, then each repetition.
    channel: of the settings. due_at: not before. expires_at: of no use afterwards. attempts: how often it was sent.
    at: of the state. provider_id: what the gateway calls it. uncertain: an earlier sending may have arrived. cost: of
    one message part times parts. folded_into: id of the notice that told it together with others.
    """

    id: str
    incident_id: str
    dispatch_id: str
    number: str
    priority: Priority
    person: str
    kind: NoticeKind
    means: Means
    channel: str
    address: str
    language: str
    round: int
    subject: str
    text: str
    due_at: UnixSeconds
    expires_at: UnixSeconds
    at: UnixSeconds
    state: NoticeState = NoticeState.PENDING
    attempts: int = 0
    provider_id: str = ""
    error: str = ""
    uncertain: bool = False
    cost: float = 0.0
    folded_into: str = ""
    telling_id: str = ""


class NoticeBook(Protocol):
    """The durable list of notices. What a method returned from survives kill -9."""

    async def claim_notices(self, now: UnixSeconds, limit: int) -> Sequence[Notice]:
        """Mark as sending, and return, pending notices with due_at <= now, most urgent first, then oldest.

        attempts counts the one that begins. A notice that was sending when the process died comes back, uncertain.
        """
        ...

    async def notice_told(
        self, notice_id: str, state: NoticeState, *, provider_id: str, now: UnixSeconds, folded_into: str = ""
    ) -> None:
        """Record that a gateway took it (ACCEPTED_BY_GATEWAY), or that it is known to have arrived."""
        ...

    async def notice_again(self, notice_id: str, *, next_at: UnixSeconds, error: str, uncertain: bool) -> None:
        """Record a failed sending; it is pending again and due at next_at."""
        ...

    async def notice_failed(self, notice_id: str, *, error: str, now: UnixSeconds, uncertain: bool) -> None:
        """Record that it will not be sent any more. uncertain: it may have arrived all the same."""
        ...

    async def notice_withdrawn(self, notice_id: str, now: UnixSeconds) -> None:
        """Record that it was not sent, as nobody has to be told any more."""
        ...

    async def notice_receipt(self, channel: str, provider_id: str, state: NoticeState, now: UnixSeconds) -> bool:
        """Record a later word of the gateway; a state never goes back. Returns whether the id is known."""
        ...

    async def next_notice_at(self) -> UnixSeconds | None:
        """Return when the next pending notice is due."""
        ...

    async def notice_depth(self) -> Mapping[str, int]:
        """Return the number of notices by state, of the last day."""
        ...


@dataclass(frozen=True, slots=True)
class AcceptTime:
    """An answer to an order, for learning: how long after the notice by these means. censored: none came so long."""

    person: str
    means: Means
    hour: int
    seconds: Seconds
    censored: bool = False
