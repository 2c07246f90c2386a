"""Notices made of plans, and several notices told as one: what is written down before anything is sent."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm.notify.ladder import Plan
from btimd.itsm.notify.sms import shortened, size_of
from btimd.itsm.notify.texts import SUBJECT_LIMIT, Wording, folded, language_of, write
from btimd.model.incident import Priority
from btimd.model.notification import Means, Notice, NoticeKind, Order, Recipient
from btimd.model.units import UnixSeconds

FOLD_FROM: Final = 3
"""So many notices to one contact at once are told as one."""
_FOLDABLE: Final = (NoticeKind.ORDER, NoticeKind.REMINDER)


def notices_of(
    planned: Plan,
    order: Order,
    person: Recipient,
    *,
    now: UnixSeconds,
    wording: Wording,
    new_id: Callable[[], str],
    kind: NoticeKind | None = None,
) -> tuple[Notice, ...]:
    """Return the rows of a plan, to be written in the transaction that decided it.

    kind: None = an order, or with a later round a reminder of it. A notice expires when the next plan is due: what did
    not get out until then is repeated by that one, not sent twice.
    """
    told = kind or (NoticeKind.REMINDER if planned.round else NoticeKind.ORDER)
    made = []
    for send in planned.sends:
        written = write(told, send.channel.means, order, person, now=now, wording=wording)
        parts = size_of(written.text).parts if send.channel.means is Means.SMS else 1
        made.append(
            Notice(
                id=new_id(),
                incident_id=order.incident_id,
                dispatch_id=order.dispatch_id,
                number=order.number,
                priority=order.priority,
                person=person.id,
                kind=told,
                means=send.channel.means,
                channel=send.channel.name,
                address=send.contact.address,
                language=language_of(person),
                round=send.round,
                subject=written.subject,
                text=written.text,
                due_at=now,
                expires_at=planned.wait_until,
                at=now,
                cost=send.channel.cost * parts,
            )
        )
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is sent at once: one notice as it is, or one text that stands for all of `told`."""

    sent: Notice
    told: tuple[Notice, ...]


def bundled(notices: Sequence[Notice], *, sms_parts: int, fold_from: int = FOLD_FROM) -> tuple[Bundle, ...]:
    """Return what to send for notices that are due together, in their order.

    Orders of a person and address are told as one from `fold_from` on, so that a storm is one message and not fifty;
    P1 is never folded, nor is what is shown on the screen, which shows everything.
    """
    groups: dict[tuple[str, str, str], list[Notice]] = defaultdict(list)
    for notice in notices:
        foldable = (
            notice.kind in _FOLDABLE
            and notice.means is not Means.SCREEN
            and notice.priority is not Priority.P1
            and not notice.uncertain
        )
        key = (notice.channel, notice.address, notice.person) if foldable else (notice.id, "", "")
        groups[key].append(notice)
    made = []
    for group in groups.values():
        if len(group) < fold_from:
            made += [Bundle(notice, (notice,)) for notice in group]
            continue
        first = group[0]
        numbers = [notice.number for notice in group]
        text = folded(numbers, first.language, sms_parts=sms_parts if first.means is Means.SMS else None)
        made.append(Bundle(replace(first, subject=shortened(text, SUBJECT_LIMIT, "…"), text=text), tuple(group)))
    return tuple(made)
