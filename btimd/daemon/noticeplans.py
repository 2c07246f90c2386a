"""Who is told of a telling, and by which notices: people, centre and reporters looked up, the ladder asked, rows made.

Nothing is written here; what is read is the journal and the notices there are.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from btimd.itsm.notify import ladder
from btimd.itsm.notify.addressees import (
    is_order,
    mail_plan,
    matter_of,
    order_of,
    plan_by,
    recipient_of,
    reporter_recipient,
)
from btimd.itsm.notify.estimates import Estimates
from btimd.itsm.notify.ladder import Channel, Health, Plan
from btimd.itsm.notify.rows import notices_of
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.replay import CHILD_ID, GONE_CHILD_ID
from btimd.itsm.timers import TimerName, due_at
from btimd.model.duty import People
from btimd.model.incident import Incident
from btimd.model.notification import Contact, Means, Notice, NoticeKind, NoticeState, Order, Recipient
from btimd.model.ports import Journal, Telling, TellKind
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.store.handover import NoticeTable

_NEWS_SECONDS: Final = 3600.0
"""How long news is worth sending."""
_MAIL_SECONDS: Final = 86_400.0
_MAIL_PAUSES: Final = (60.0, 300.0, 900.0, 3600.0, 3600.0, 3600.0)
_CENTRE_PAUSE: Final = 60.0
_CENTRE_TRIES: Final = 30
_MOST_WATCHERS: Final = 200
_SOURCES_KEPT: Final = 2000
_ORDERS: Final = frozenset({NoticeKind.ORDER, NoticeKind.REMINDER})
_SINGLE: Final = frozenset({NoticeKind.ANSWER, NoticeKind.TEST})
_UNSENT: Final = frozenset({NoticeState.PENDING, NoticeState.FAILED, NoticeState.WITHDRAWN})


class Incidents(Protocol):
    """Who keeps incidents."""

    async def incident(self, incident_id: str) -> Incident | None:
        """Return one incident."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """What a telling became. again_at: it is still owed and due again then, as `error` says.

    alarms: (who could not be reached: "person", "lead", "centre" or "reporter", and why). nobody: why nobody at all
    could be told of what somebody must know, "" = somebody was.
    """

    notices: tuple[Notice, ...] = ()
    again_at: UnixSeconds | None = None
    error: str = ""
    alarms: tuple[tuple[str, str], ...] = ()
    nobody: str = ""


@dataclass(frozen=True, slots=True)
class _Task:
    """What one telling, or one replacement, is made with."""

    incident: Incident
    telling_id: str
    ids: Iterator[str]
    source: str
    health: Health
    estimates: Estimates
    now: UnixSeconds


class NoticePlans:
    """Makes notices of tellings."""

    def __init__(
        self,
        settings: NotifySettings,
        people: People,
        renotify: tuple[Seconds, ...],
        *,
        journal: Journal,
        table: NoticeTable,
        incidents: Incidents,
        names: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._journal, self._table, self._incidents = journal, table, incidents
        self._names, self._clock = names, clock
        self._sources: dict[str, str] = {}
        self._alarmed: dict[str, int] = {}
        self.swap(settings, people, renotify)

    def swap(self, settings: NotifySettings, people: People, renotify: tuple[Seconds, ...]) -> None:
        """Go by other settings and people."""
        self._settings, self._people = settings, people
        self._rules = settings.rules(renotify)
        self._wording = settings.wording()
        self._longest = max((limit.seconds for limit in self._rules.limits.values()), default=0.0)

    @property
    def channels(self) -> Sequence[Channel]:
        """The ways out."""
        return self._rules.channels

    @property
    def kinds(self) -> Mapping[str, str]:
        """Kinds of robots, by channel."""
        return {name: robot.kind for name, robot in self._settings.robot.items()}

    def recipient(self, person: str) -> Recipient:
        """Return a person as notification knows them; of somebody unknown there is a screen at most."""
        known = self._people.persons.get(person)
        return Recipient(person, person) if known is None else recipient_of(known, self.channels, self.kinds)

    async def of_telling(self, telling: Telling, health: Health, estimates: Estimates) -> Written:
        """Return the notices of a telling."""
        incident = await self._incidents.incident(telling.incident_id)
        if incident is None:
            return Written()
        tries = f".{telling.attempts}" if telling.attempts > 1 else ""
        task = await self._task(incident, telling.id, f"{telling.id}{tries}", health, estimates)
        if is_order(telling):
            return await self._ordered(telling, task)
        if telling.kind is TellKind.RECALL:
            return await self._recalled(telling, task)
        matter = matter_of(telling)
        return Written() if matter is None else await self._of_matter(telling, *matter, task)

    async def _of_matter(self, telling: Telling, kind: NoticeKind, status: str, task: _Task) -> Written:
        incident = task.incident
        if telling.kind in {TellKind.REPORTER, TellKind.WATCHERS}:
            by_parent = telling.kind is TellKind.WATCHERS
            reporters = await self._watchers(incident, {incident.id}) if by_parent else [incident.reporter]
            return await self._reported(reporters, status, telling, task)
        if telling.kind is TellKind.HANDLER:
            return await self._told([telling.recipient], kind, status, task, who="person")
        lead = self._lead(telling.recipient) if telling.kind is TellKind.LEAD else ""
        if lead:
            return await self._told([lead], kind, status, task, who="lead")
        return await self._to_centre(telling, kind, status, task)

    async def in_place_of(self, failed: Notice, health: Health, estimates: Estimates) -> Written | None:
        """Return what to send in place of what failed; None where it need not be replaced, or was already."""
        incident = await self._incidents.incident(failed.incident_id)
        if incident is None or failed.kind in _SINGLE:
            return None
        task = await self._task(incident, failed.telling_id, f"{failed.id}r", health, estimates)
        if failed.kind is NoticeKind.STATUS:
            return self._later(failed, task)
        if failed.kind in _ORDERS:
            order = self._order(task, dispatch_id=failed.dispatch_id)
            person = self.recipient(failed.person)
            history = await self._history(order, person, task.now)
        else:
            order, person = self._order(task), self.recipient(failed.person)
            history = await self._table.of_telling(incident.id, failed.telling_id)
        made = ladder.again(order, person, history, health=health, estimates=estimates, now=task.now, rules=self._rules)
        if not made.sends and not made.alarm:
            return None
        rows = self._rows(replace(made, round=failed.round), order, person, failed.kind, task)
        if not made.alarm:
            return Written(rows)
        return await self._alarmed_by(Written(rows, alarms=(("person", made.alarm),)), {failed.person}, task)

    # Orders.

    async def _ordered(self, telling: Telling, task: _Task) -> Written:
        made = task.incident.dispatch
        if made is None or made.id != telling.dispatch_id:
            return Written()  # it was accepted, or went to somebody else, before it was told
        order, person = self._order(task, dispatch_id=made.id), self.recipient(telling.recipient)
        history = await self._history(order, person, task.now)
        told = [one for one in history if one.dispatch_id == made.id and one.state not in _UNSENT]
        if telling.kind is TellKind.ORDER and telling.attempts > 1 and any(self._reaches(one, task) for one in told):
            return Written()  # a reminder has told it by now
        planned = ladder.plan(
            order, person, history, health=task.health, estimates=task.estimates, now=task.now, rules=self._rules
        )
        reached = any(
            send.channel.means is not Means.SCREEN or person.id in task.health.watching for send in planned.sends
        )
        repeated_at = due_at(task.incident, TimerName.RENOTIFY)
        if reached and repeated_at is not None and repeated_at > task.now:
            planned = replace(planned, wait_until=repeated_at)
        rows = self._rows(planned, order, person, None, task)
        reasons = "; ".join(f"{skip.means.value}: {skip.reason}" for skip in planned.skipped)
        owed = planned.wait_until if not reached and telling.kind is TellKind.ORDER else None
        written = Written(rows, owed, reasons if owed is not None else "")
        if not planned.alarm:
            return written
        written = replace(written, alarms=(("person", planned.alarm),))
        self._alarmed[made.id] = self._alarmed.get(made.id, 0) + 1
        while len(self._alarmed) > _SOURCES_KEPT:
            del self._alarmed[next(iter(self._alarmed))]
        if self._alarmed[made.id] > 2:  # noqa: PLR2004  the lead, then the centre; more would be noise
            return written
        avoid = {person.id, *([self._lead(task.incident.group)] if self._alarmed[made.id] > 1 else ())}
        return await self._alarmed_by(written, avoid, task)

    def _reaches(self, notice: Notice, task: _Task) -> bool:
        return notice.means is not Means.SCREEN or notice.person in task.health.watching

    async def _recalled(self, telling: Telling, task: _Task) -> Written:
        """Take an order back by the means that carried it; who never got it hears nothing."""
        mine = [
            one
            for one in await self._table.find(incident_id=task.incident.id, person=telling.recipient)
            if one.kind in _ORDERS
            and (one.state not in _UNSENT or one.uncertain)
            and telling.dispatch_id in {"", one.dispatch_id}
        ]
        ways = {(one.means, one.address, one.channel) for one in mine}
        quiet = {way for way in ways if way[0] is not Means.VOICE} or ways  # nobody is called up for that
        by = [
            (Contact(means, address, verified=True), Channel(name, means, self._cost(name)))
            for means, address, name in sorted(quiet)
        ]
        planned = plan_by(by, 0, task.now + _NEWS_SECONDS)
        person = self.recipient(telling.recipient)
        return Written(self._rows(planned, self._order(task), person, NoticeKind.RECALLED, task))

    # News.

    async def _told(
        self, persons: Sequence[str], kind: NoticeKind, status: str, task: _Task, *, who: str, text: str | None = None
    ) -> Written:
        """Tell persons news; whom it cannot reach is an alarm, and those above are told instead."""
        rows, alarms = await self._news(persons, kind, status, task, who=who, text=text)
        written = Written(rows, alarms=alarms)
        if not alarms:
            return written
        return await self._alarmed_by(written, set(persons), task)

    async def _news(
        self, persons: Sequence[str], kind: NoticeKind, status: str, task: _Task, *, who: str, text: str | None = None
    ) -> tuple[tuple[Notice, ...], tuple[tuple[str, str], ...]]:
        rows: list[Notice] = []
        alarms: list[tuple[str, str]] = []
        order = self._order(task, status=status, text=text)
        for name in dict.fromkeys(persons):
            person = self.recipient(name)
            addresses = [contact.address for contact in person.contacts]
            history = await self._table.told_lately("", addresses, task.now - self._longest)
            planned = ladder.plan(
                replace(order, dispatch_id=f"news {task.telling_id}"), person, history,
                health=task.health, estimates=task.estimates, now=task.now, rules=self._rules,
            )  # fmt: skip
            if planned.alarm:
                alarms.append((who, planned.alarm))
            until = max(planned.wait_until, task.now + _NEWS_SECONDS)
            rows += self._rows(replace(planned, wait_until=until), order, person, kind, task)
        return tuple(rows), tuple(alarms)

    async def _to_centre(self, telling: Telling, kind: NoticeKind, status: str, task: _Task) -> Written:
        persons = self._centre()
        rows, alarms = await self._news(persons, kind, status, task, who="centre")
        if len(alarms) < len(persons):
            return Written(rows, alarms=alarms)
        why = "; ".join(reason for _, reason in alarms) or "itsm.notify.centre names nobody"
        again = None
        if persons and task.incident.state.is_open and telling.attempts < _CENTRE_TRIES:
            again = task.now + _CENTRE_PAUSE
        return Written(rows, again, why, alarms or (("centre", why),), nobody=self._nobody(why))

    async def _alarmed_by(self, written: Written, avoid: set[str], task: _Task) -> Written:
        """Tell those above that somebody cannot be reached: the lead of the group, else the centre."""
        why = "; ".join(reason for _, reason in written.alarms)
        lead = self._lead(task.incident.group)
        rows, alarms = written.notices, written.alarms
        for who, persons in (("lead", [lead] if lead else []), ("centre", self._centre())):
            asked = [name for name in persons if name not in avoid]
            if not asked:
                continue
            more, failed = await self._news(asked, NoticeKind.NEWS, "not-reached", task, who=who, text=why)
            rows, alarms = (*rows, *more), (*alarms, *failed)
            if len(failed) < len(asked):
                return replace(written, notices=rows, alarms=alarms)
        return replace(written, notices=rows, alarms=(*alarms, ("centre", why)), nobody=self._nobody(why))

    def _nobody(self, why: str) -> str:
        """Return why nobody could be told; where the operator has named no persons at all that is no trouble."""
        return why if self._people.persons else ""

    # Reporters.

    async def _reported(self, reporters: Sequence[str], status: str, telling: Telling, task: _Task) -> Written:
        if not self._settings.reporters:
            return Written()
        if telling.what == "progress":
            events = await self._journal.load_events(task.incident.id)
            status = next((one.reason for one in events if one.seq == telling.seq and one.reason), status)
        rows: list[Notice] = []
        alarms: list[tuple[str, str]] = []
        order = self._order(task, status=status)
        for reporter in dict.fromkeys(reporters):
            settings = self._settings
            person = reporter_recipient(
                reporter, self._people, self.channels, self.kinds,
                language=settings.reporter_language, zone=settings.reporter_timezone,
            )  # fmt: skip
            if person is None:
                alarms.append(("reporter", "no mail address is known"))
                continue
            planned = mail_plan(person, self.channels, task.health.closed, task.now + _MAIL_SECONDS)
            if planned.alarm:
                alarms.append(("reporter", planned.alarm))
            rows += self._rows(planned, order, person, NoticeKind.STATUS, task)
        return Written(tuple(rows), alarms=tuple(alarms))

    async def _watchers(self, incident: Incident, seen: set[str]) -> list[str]:
        """Return the reporters of what was merged into an incident, and of what had been merged into that."""
        children: dict[str, None] = {}
        for event in await self._journal.load_events(incident.id):
            if child := event.details.get(CHILD_ID, ""):
                children[child] = None
            children.pop(event.details.get(GONE_CHILD_ID, ""), None)
        found: list[str] = []
        for name in children:
            child_row = None if name in seen or len(seen) > _MOST_WATCHERS else await self._incidents.incident(name)
            if child_row is None:
                continue
            seen.add(name)
            found += [child_row.reporter] if child_row.reporter not in {"", incident.reporter} else []
            found += await self._watchers(child_row, seen)
        return found[:_MOST_WATCHERS]

    def _later(self, failed: Notice, task: _Task) -> Written | None:
        """Return the same mail for later, unless its address was refused."""
        if failed.error.startswith("refused") or failed.round >= len(_MAIL_PAUSES):
            return None
        at = task.now + _MAIL_PAUSES[failed.round]
        again = replace(
            failed, id=next(task.ids), round=failed.round + 1, state=NoticeState.PENDING, attempts=0, error="",
            provider_id="", due_at=at, at=task.now, expires_at=at + _MAIL_SECONDS,
        )  # fmt: skip
        return Written((again,))

    # Parts.

    async def _task(
        self, incident: Incident, telling_id: str, prefix: str, health: Health, estimates: Estimates
    ) -> _Task:
        ids = (f"{prefix}-{number}" for number in itertools.count(1))
        source = await self._source(incident)
        return _Task(incident, telling_id, ids, source, health, estimates, self._clock.wall())

    async def _source(self, incident: Incident) -> str:
        if incident.verdict_id:
            return "RCA"
        known = self._sources.get(incident.id)
        if known is None:
            events = await self._journal.load_events(incident.id)
            known = next((event.details["channel"] for event in events if "channel" in event.details), "manual")
            self._sources[incident.id] = known
            if len(self._sources) > _SOURCES_KEPT:
                del self._sources[next(iter(self._sources))]
        return known

    def _order(self, task: _Task, *, dispatch_id: str = "", status: str = "", text: str | None = None) -> Order:
        return order_of(
            task.incident, names=self._names, source=task.source, dispatch_id=dispatch_id, status=status,
            description=text,
        )  # fmt: skip

    def _rows(
        self, planned: Plan, order: Order, person: Recipient, kind: NoticeKind | None, task: _Task
    ) -> tuple[Notice, ...]:
        made = notices_of(
            planned, order, person, now=task.now, wording=self._wording, new_id=lambda: next(task.ids), kind=kind
        )
        return tuple(replace(one, telling_id=task.telling_id) for one in made)

    async def _history(self, order: Order, person: Recipient, now: UnixSeconds) -> Sequence[Notice]:
        addresses = [contact.address for contact in person.contacts]
        return await self._table.told_lately(order.dispatch_id, addresses, now - self._longest)

    def _cost(self, channel: str) -> float:
        return next((one.cost for one in self.channels if one.name == channel), 0.0)

    def _lead(self, group: str) -> str:
        known = self._people.groups.get(group)
        return "" if known is None else known.lead

    def _centre(self) -> list[str]:
        return [name for name in self._settings.centre if name in self._people.persons]
