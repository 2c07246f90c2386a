"""The plan of a notification: which means now, which later, and when nobody can be reached.

A ladder per priority says after how many repetitions a means joins in. Of several addresses for one means the first
that may be used is taken: people list them in their order. Where the ladder offers nothing, or nothing in time, the
means with the shortest expected time to accept is taken. Whatever stands in the way is said, never passed over: a
means that is left out has its reason in `skipped`, and a person who cannot be reached at all is an alarm.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from btimd.itsm.notify.estimates import Estimates
from btimd.itsm.notify.limits import DEFAULT_LIMITS, CostCap, RateLimit, affordable, free_at
from btimd.itsm.notify.quiet import local_hour, quiet_until
from btimd.model.incident import Priority
from btimd.model.notification import (
    Contact,
    Means,
    Notice,
    NoticeKind,
    NoticeState,
    Order,
    QuietHours,
    Recipient,
)
from btimd.model.units import Seconds, UnixSeconds

LEARNED_ENOUGH: Final = 3.0
"""Answers of a person to a means after which the estimate may change the order of the ladder."""
_SPARE: Final = frozenset({Means.IM, Means.SMS, Means.VOICE, Means.EMAIL, Means.WEBHOOK})
"""Tried where nothing of the ladder can be used."""
_CALLS_UP_TO: Final = Priority.P3
"""Less urgent orders make no telephone ring only because mail is down."""
_LOUD: Final = frozenset({Means.IM, Means.SMS, Means.VOICE, Means.WEBHOOK})
"""The means that the rules' own quiet hours hold back; screen and mail wake nobody."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A means joins in after so many repetitions."""

    after: int
    means: Means


def _rungs(*steps: tuple[int, tuple[Means, ...]]) -> tuple[Rung, ...]:
    return tuple(Rung(after, means) for after, several in steps for means in several)


DEFAULT_LADDERS: Final[Mapping[Priority, tuple[Rung, ...]]] = MappingProxyType(
    {
        Priority.P1: _rungs((0, (Means.SCREEN, Means.IM, Means.SMS)), (1, (Means.VOICE,))),
        Priority.P2: _rungs((0, (Means.SCREEN, Means.IM, Means.SMS)), (2, (Means.VOICE,))),
        Priority.P3: _rungs((0, (Means.SCREEN, Means.IM)), (1, (Means.SMS,))),
        Priority.P4: _rungs((0, (Means.SCREEN, Means.EMAIL))),
        Priority.P5: _rungs((0, (Means.SCREEN, Means.EMAIL))),
    }
)
DEFAULT_RENOTIFY: Final[Mapping[Priority, Seconds]] = MappingProxyType({
    Priority.P1: 120.0, Priority.P2: 300.0, Priority.P3: 600.0, Priority.P4: 1800.0, Priority.P5: 3600.0,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Channel:
    """A configured way out. cost: of one message part."""

    name: str
    means: Means
    cost: float = 0.0


SCREEN: Final = Channel("screen", Means.SCREEN)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a plan goes by. channels: in the order of preference. quiet: of contacts without their own, loud means only.

    hasten: a means of a later rung is used at once where the expected answer to the others would be too late.
    """

    channels: tuple[Channel, ...] = (SCREEN,)
    ladders: Mapping[Priority, tuple[Rung, ...]] = field(default_factory=lambda: DEFAULT_LADDERS)
    renotify: Mapping[Priority, Seconds] = field(default_factory=lambda: DEFAULT_RENOTIFY)
    limits: Mapping[Means, RateLimit] = field(default_factory=lambda: DEFAULT_LIMITS)
    quiet: QuietHours | None = None
    cost_cap: CostCap | None = None
    hasten: bool = True


@dataclass(frozen=True, slots=True)
class Health:
    """How the ways out stand. closed: channel -> why it is left alone now. watching: persons with an open screen.

    spent: cost of the day so far.
    """

    closed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    watching: frozenset[str] = frozenset()
    spent: float = 0.0


@dataclass(frozen=True, slots=True)
class Send:
    """Tell the person now. expected_seconds: until they accept, by these means alone. why: of an unusual choice."""

    contact: Contact
    channel: Channel
    round: int
    expected_seconds: Seconds
    why: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Why a means is not used now. until: when that ends, None = not by itself. quiet: on purpose, in quiet hours."""

    means: Means
    reason: str
    until: UnixSeconds | None = None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do. wait_until: plan again then, if it is not accepted. alarm: the person cannot be reached, "" = can.

    An alarm is the caller's to tell: to those above, and as STALLED if it stays.
    """

    sends: tuple[Send, ...]
    wait_until: UnixSeconds
    skipped: tuple[Skipped, ...] = ()
    alarm: str = ""
    round: int = 0


def round_of(order: Order, person: Recipient, history: Iterable[Notice]) -> int:
    """Return how often a person has been told of this dispatch already."""
    rounds = [
        notice.round
        for notice in history
        if notice.dispatch_id == order.dispatch_id
        and notice.incident_id == order.incident_id
        and notice.person == person.id
        and notice.kind in {NoticeKind.ORDER, NoticeKind.REMINDER}
    ]
    return max(rounds) + 1 if rounds else 0


def plan(
    order: Order,
    person: Recipient,
    history: Sequence[Notice],
    *,
    health: Health,
    estimates: Estimates,
    now: UnixSeconds,
    rules: Rules,
) -> Plan:
    """Return what to send for an order that is not accepted yet.

    history: the notices of this dispatch, and those to the person's addresses within the longest limit (15 min).
    A call before the next repetition is due (a channel broke down, say) repeats nothing that was sent in this round:
    use `again` for that.
    """
    number = round_of(order, person, history)
    return _Planner(order, person, history, health, estimates, now, rules).planned(number, frozenset())


def again(
    order: Order,
    person: Recipient,
    history: Sequence[Notice],
    *,
    health: Health,
    estimates: Estimates,
    now: UnixSeconds,
    rules: Rules,
) -> Plan:
    """Return what to send in place of what failed in the present round; nothing where another means went out.

    history: as for `plan`; of a notice that is about no order, only those of its telling.
    """
    number = max(round_of(order, person, history) - 1, 0)
    mine = [
        n
        for n in history
        if (n.incident_id, n.dispatch_id) == (order.incident_id, order.dispatch_id)
        and n.person == person.id
        and n.round == number
        and n.state is not NoticeState.WITHDRAWN
    ]
    failed = frozenset((n.means, n.address, n.channel) for n in mine if n.state is NoticeState.FAILED)
    alive = any(
        n.state is not NoticeState.FAILED and (n.means is not Means.SCREEN or person.id in health.watching)
        for n in mine
    )
    wait = now + rules.renotify[order.priority]
    if alive or not failed:
        return Plan((), wait, round=number)
    used = failed | {(n.means, n.address, n.channel) for n in mine}
    return _Planner(order, person, history, health, estimates, now, rules).planned(number, used, in_place=True)


_Used: TypeAlias = frozenset[tuple[Means, str, str]]
"""(means, address, channel) that are not tried again now."""


class _Planner:
    """One plan in the making."""

    def __init__(
        self,
        order: Order,
        person: Recipient,
        history: Sequence[Notice],
        health: Health,
        estimates: Estimates,
        now: UnixSeconds,
        rules: Rules,
    ) -> None:
        self._order, self._person, self._history = order, person, history
        self._health, self._estimates, self._now, self._rules = health, estimates, now, rules
        self._hour = local_hour(person.timezone, now)
        self._spent = health.spent
        self._skipped: list[Skipped] = []

    def planned(self, number: int, used: _Used, *, in_place: bool = False) -> Plan:
        rungs = self._rules.ladders[self._order.priority]
        now_means = [rung.means for rung in rungs if rung.after <= number]
        later = [rung.means for rung in rungs if rung.after > number]
        sends = [send for means in now_means if (send := self._send(means, number, used, "")) is not None]
        if not self._reaches(sends):
            others = [
                means
                for means in {*later, *_SPARE} - {*now_means}
                if means is not Means.VOICE or self._order.priority <= _CALLS_UP_TO
            ]
            sends += self._quickest(others, number, used, "nothing of the ladder can be used")
        elif self._rules.hasten and not in_place:
            sends += self._hastened(sends, later, number, used)
        return self._finished(sends, number)

    def _expected(self, means: Means) -> Seconds:
        return self._estimates.seconds(self._person.id, means, self._hour)

    def _quickest(self, several: Iterable[Means], number: int, used: _Used, why: str) -> list[Send]:
        """Return the means with the shortest time to accept of those that can be used, none where none can."""
        for means in sorted(several, key=lambda means: (self._expected(means), means.value)):
            send = self._send(means, number, used, why)
            if send is not None:
                return [send]
        return []

    def _hastened(self, sends: list[Send], later: list[Means], number: int, used: _Used) -> list[Send]:
        """Return a means of a later rung where an answer to the others is to be expected too late."""
        if self._order.accept_by is None:
            return []
        left = self._order.accept_by - self._now
        if min(send.expected_seconds for send in sends) <= left:
            return []
        quicker = [
            means
            for means in later
            if self._estimates.seen(self._person.id, means) >= LEARNED_ENOUGH and self._expected(means) <= left
        ]
        return self._quickest(quicker, number, used, "the other means would be too late")

    def _reaches(self, sends: Iterable[Send]) -> bool:
        """Tell whether anything of it reaches the person: a screen that nobody looks at does not."""
        return any(send.channel.means is not Means.SCREEN or self._person.id in self._health.watching for send in sends)

    def _finished(self, sends: list[Send], number: int) -> Plan:
        wait = self._now + self._rules.renotify[self._order.priority]
        alarm = ""
        if not self._reaches(sends):
            held = [skip.until for skip in self._skipped if skip.until is not None]
            if any(skip.quiet for skip in self._skipped):
                wait = min(held)  # left alone on purpose: no alarm, told when the quiet hours end
            else:
                reasons = "; ".join(f"{skip.means.value}: {skip.reason}" for skip in self._skipped)
                alarm = f"{self._person.id} cannot be reached: {reasons or 'no contact'}"
                wait = min([wait, *held])
        return Plan(tuple(sends), max(wait, self._now + 1.0), tuple(self._skipped), alarm, number)

    def _send(self, means: Means, number: int, used: _Used, why: str) -> Send | None:
        """Return the best that one means offers, or note why it offers nothing."""
        if means is Means.SCREEN:
            if (means, "", SCREEN.name) in used:
                return None
            return Send(Contact(means, "", verified=True), SCREEN, number, self._expected(means), why)
        reasons: list[Skipped] = []
        found: list[tuple[Contact, Channel]] = []
        contacts = [contact for contact in self._person.contacts if contact.means is means]
        for contact in contacts:
            pair = self._way(contact, used)
            if isinstance(pair, Skipped):
                reasons.append(pair)
            else:
                found.append((contact, pair))
        if not found:
            self._skipped.append(_best_reason(means, reasons))
            return None
        contact, channel = found[0]
        self._spent += channel.cost
        return Send(contact, channel, number, self._expected(means), why)

    def _quiet_until(self, several: Sequence[QuietHours]) -> UnixSeconds | None:
        """Return when the last of the quiet hours ends that now lies in; None where it lies in none."""
        ends = (quiet_until(one, self._order.priority, self._person.timezone, self._now) for one in several)
        return max((end for end in ends if end is not None), default=None)

    def _way(self, contact: Contact, used: _Used) -> Channel | Skipped:
        """Return the first channel that may carry a message to a contact now, or why none may."""
        means, now = contact.means, self._now
        if not contact.verified:
            return Skipped(means, "the contact is not verified")
        usual = (self._rules.quiet,) if self._rules.quiet is not None and means in _LOUD else ()
        until = self._quiet_until(contact.quiet or usual)
        if until is not None:
            return Skipped(means, "quiet hours", until, quiet=True)
        free = free_at(means, contact.address, self._history, now, self._rules.limits)
        if free > now:
            return Skipped(means, "the address was used as often as allowed", free)
        reason = "no channel is configured" if not contact.channel else f"channel {contact.channel} is not configured"
        for channel in self._rules.channels:
            if channel.means is not means or contact.channel not in {"", channel.name}:
                continue
            if (means, contact.address, channel.name) in used:
                reason = f"{channel.name} failed just now"
            elif channel.name in self._health.closed:
                reason = f"{channel.name} is held back: {self._health.closed[channel.name]}"
            elif not affordable(channel.cost, self._spent, self._order.priority, self._rules.cost_cap):
                reason = "the day's cost cap is reached"
            else:
                return channel
        return Skipped(means, reason)


def _best_reason(means: Means, reasons: list[Skipped]) -> Skipped:
    """Return the reason that ends first, else the first one."""
    if not reasons:
        return Skipped(means, "no contact")
    ending = [skip for skip in reasons if skip.until is not None]
    return min(ending, key=lambda skip: skip.until or 0.0) if ending else reasons[0]
