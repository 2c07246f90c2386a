"""From incidents and people to notification: who a person is to a channel, what an order says, what a telling is about.

Pure. A contact whose means is the name or the kind of a chat robot goes through that robot only; what nothing carries
is named by `unserved`, so that the operator hears of it before somebody has to be told.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from btimd.itsm.notify.ladder import Channel, Plan, Send
from btimd.itsm.notify.mail import check_mailbox
from btimd.model.duty import People, Person, PersonContact
from btimd.model.incident import Incident
from btimd.model.notification import Contact, Means, NoticeKind, Order, Recipient
from btimd.model.ports import Telling, TellKind
from btimd.model.units import UnixSeconds

_MEANS: Final[Mapping[str, Means]] = {
    "mail": Means.EMAIL, "email": Means.EMAIL, "sms": Means.SMS, "voice": Means.VOICE, "im": Means.IM,
    "webhook": Means.WEBHOOK,
}  # fmt: skip
_SCREEN: Final = "screen"
_NUMBER: Final = re.compile(r"INC-\d{4}(\d{4}-\d+)")
_ORDERS: Final = frozenset({TellKind.ORDER, TellKind.REMINDER})
_KINDS: Final[Mapping[str, NoticeKind]] = {
    "order-timeout": NoticeKind.NOT_ACCEPTED,
    "escalated": NoticeKind.ESCALATED,
    "stage-report-due": NoticeKind.REPORT_DUE,
}
"""What those with a part in the work are told in words of its own; the rest is news."""
_STATUS: Final[Mapping[str, str]] = {
    "accepted": "taken", "resolved": "restored", "reopened": "reopened", "cancelled": "cancelled", "merged": "merged",
    "pending": "waiting", "progress": "found",
}  # fmt: skip
"""What a reporter is told, by what the engine calls it; the invitation to a survey goes its own way."""


def number_of(incident_id: str) -> str:
    """Return what people call an incident: INC-20261122-0007 is 1122-0007."""
    match = _NUMBER.fullmatch(incident_id)
    return match[1] if match else incident_id


def is_called(incident_id: str, number: str) -> bool:
    """Tell whether a number that somebody wrote is that of an incident."""
    wanted = number.upper()
    return wanted in {incident_id.upper(), incident_id.upper().removeprefix("INC-"), number_of(incident_id).upper()}


def contacts_of(contact: PersonContact, channels: Sequence[Channel], kinds: Mapping[str, str]) -> tuple[Contact, ...]:
    """Return how a contact of people.toml is used; none where nothing carries it. kinds: of robots, by channel."""
    address = re.sub(r"[ ()-]", "", contact.address) if contact.means in {"sms", "voice"} else contact.address
    means = _MEANS.get(contact.means)
    named = [
        channel
        for channel in channels
        if channel.means is not Means.SCREEN and contact.means in {channel.name, kinds.get(channel.name)}
    ]
    if named:
        return tuple(
            Contact(one.means, address, verified=contact.verified, quiet=contact.quiet, channel=one.name)
            for one in named
        )
    if means is None or not any(channel.means is means for channel in channels):
        return ()
    return (Contact(means, address, verified=contact.verified, quiet=contact.quiet),)


def recipient_of(person: Person, channels: Sequence[Channel], kinds: Mapping[str, str]) -> Recipient:
    """Return a person as notification knows them."""
    contacts = [made for contact in person.contacts for made in contacts_of(contact, channels, kinds)]
    return Recipient(person.id, person.name_in(person.language), person.language, person.timezone, tuple(contacts))


def unserved(people: People, channels: Sequence[Channel], kinds: Mapping[str, str], centre: Iterable[str]) -> list[str]:
    """Return what stands in the way of people being told, as notes for the operator."""
    notes = []
    for person in people.persons.values():
        for contact in person.contacts:
            if contact.means != _SCREEN and not contacts_of(contact, channels, kinds):
                notes.append(
                    f"person {person.id}: nothing carries {contact.means} (contact {contact.address}); "
                    "configure a channel for it under [itsm.notify]"
                )
            elif not contact.verified and contact.means != _SCREEN:
                notes.append(
                    f"person {person.id}: contact {contact.address} is not verified and never used; "
                    f"try it with btimctl contact test {person.id}, then set verified = true"
                )
        if person.groups and not any(one.verified for one in recipient_of(person, channels, kinds).contacts):
            notes.append(f"person {person.id}: can be reached by the screen only; give a verified contact")
    leads = {group.id for group in people.groups.values() if not group.lead}
    notes += [f"group {name} has no lead; the centre is told in their place" for name in sorted(leads)]
    known = [name for name in centre if name in people.persons]
    notes += [f"itsm.notify.centre: no person {name} in people.toml" for name in centre if name not in people.persons]
    if people.persons and not known:
        notes.append("itsm.notify.centre names nobody; nobody hears of what nobody can be given")
    return notes


def order_of(  # one value per thing that an order says
    incident: Incident,
    *,
    names: Callable[[str], str],
    source: str,
    dispatch_id: str = "",
    status: str = "",
    description: str | None = None,
) -> Order:
    """Return what is to be told of an incident. names: of businesses by id. dispatch_id: "" = it is no order."""
    made = incident.dispatch
    is_current = made is not None and made.id == dispatch_id
    return Order(
        incident_id=incident.id,
        dispatch_id=dispatch_id,
        priority=incident.priority,
        title=incident.title,
        description=incident.description if description is None else description,
        source=source,
        reporter=incident.reporter or "btimd",
        occurred_at=incident.began_at,
        accept_by=made.accept_by if made is not None and is_current else None,
        resolve_due_at=incident.resolution.due_at,
        business="、".join(map(names, incident.assessment.businesses)),
        region="、".join(incident.assessment.regions),
        users=incident.assessment.users,
        cause=incident.cause,
        number=number_of(incident.id),
        status=status,
    )


def is_order(telling: Telling) -> bool:
    """Tell whether a telling is an order, or repeats one."""
    return telling.kind in _ORDERS


def matter_of(telling: Telling) -> tuple[NoticeKind, str] | None:
    """Return as what a telling is told, and its status; None: it is not told by notices."""
    if telling.kind in {TellKind.REPORTER, TellKind.WATCHERS}:
        status = _STATUS.get(telling.what)
        return None if status is None else (NoticeKind.STATUS, status)
    return _KINDS.get(telling.what, NoticeKind.NEWS), telling.what


def reporter_recipient(
    reporter: str, people: People, channels: Sequence[Channel], kinds: Mapping[str, str], *, language: str, zone: str
) -> Recipient | None:
    """Return who reported, to be written to by mail; None where there is no mail address of them."""
    person = people.persons.get(reporter) or people.person_at(reporter)
    if person is not None:
        known = recipient_of(person, channels, kinds)
        mails = tuple(one for one in known.contacts if one.means is Means.EMAIL and one.verified)
        return Recipient(known.id, known.name, known.language, known.timezone, mails) if mails else None
    try:
        address = check_mailbox(reporter)
    except ValueError:
        return None
    return Recipient(reporter, reporter, language, zone, (Contact(Means.EMAIL, address, verified=True),))


def mail_plan(person: Recipient, channels: Sequence[Channel], closed: Iterable[str], until: UnixSeconds) -> Plan:
    """Return a plan of one mail; without a channel it has nothing to send and says so as an alarm."""
    ways = [one for one in channels if one.means is Means.EMAIL]
    held = set(closed)
    for channel in sorted(ways, key=lambda one: one.name in held):
        return Plan((Send(person.contacts[0], channel, 0, 0.0),), until)
    return Plan((), until, alarm="no mail server is configured")


def plan_by(means: Iterable[tuple[Contact, Channel]], number: int, until: UnixSeconds) -> Plan:
    """Return a plan that uses just these ways: to take back what was told by them."""
    return Plan(tuple(Send(contact, channel, number, 0.0) for contact, channel in means), until, round=number)
