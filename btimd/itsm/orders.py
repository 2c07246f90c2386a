"""Orders: who gets an incident next. An order goes to one person; where nobody is left the incident stalls, audibly."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from btimd.itsm import timers
from btimd.itsm.deadlines import Limit
from btimd.itsm.moment import Change, Choice, Moment, Tell
from btimd.itsm.replay import ENDED_DISPATCH, EXPLANATION, OUTCOME
from btimd.itsm.timers import TimerName
from btimd.model.incident import Dispatch, DispatchOutcome, Incident, IncidentState
from btimd.model.ports import TellKind
from btimd.model.units import UnixSeconds

EXPLANATION_LIMIT: Final = 50_000
"""Characters of an explanation that are kept."""


def there_are_groups(incident: Incident, moment: Moment) -> bool:
    """Tell whether an incident can be dispatched at all."""
    return moment.people.levels(incident, moment.now) > 0


def forced_level(incident: Incident, moment: Moment) -> int:
    """Return the level that a forced escalation goes to: what the present one says, else the next."""
    said = moment.people.limits(incident, incident.level).forced_to if incident.level else None
    return said or incident.level + 1


def find(incident: Incident, level: int, moment: Moment) -> tuple[int, Choice]:
    """Return the first level from `level` on at which somebody can be given an incident, and whom.

    Person "" where nobody is left: then with the explanation of the last level that was asked.
    """
    choice = Choice()
    at = level
    for at in range(max(level, 1), moment.people.levels(incident, moment.now) + 1):
        choice = moment.people.decide(incident, at, frozenset(incident.excluded), moment.now)
        if choice.person:
            break
    return at, choice


def dispatch(incident: Incident, level: int, moment: Moment) -> Change:
    """Order whom the dispatcher finds, at `level` or above; where it finds nobody the incident stalls.

    Where no groups are named at all nothing stalls: it waits, as every incident there, until somebody takes it.
    """
    if not there_are_groups(incident, moment):
        return Change(waiting(incident, moment), tells=(Tell(TellKind.CENTRE, "", "waits"),))
    at, choice = find(incident, level, moment)
    text = choice.explanation if len(choice.explanation) <= EXPLANATION_LIMIT else "too long to be kept"
    notes = {EXPLANATION: text} if text else {}
    if not choice.person:
        return stall(incident, moment, notes=notes)
    return order(incident, choice.person, moment, group=choice.group, level=at, by_hand=False, notes=notes)


def order(
    incident: Incident,
    person: str,
    moment: Moment,
    *,
    group: str,
    level: int,
    by_hand: bool,
    accept_by: UnixSeconds | None = None,
    notes: Mapping[str, str] | None = None,
) -> Change:
    """Send an order to a person, within the limits of the level. accept_by: earlier than their time."""
    limits = moment.people.limits(incident, level)
    due_at = moment.due(Limit.ACCEPT, incident, limits.accept_seconds)
    if accept_by is not None:
        due_at = min(due_at, accept_by)
    number = incident.dispatch_count + 1
    at_level = incident.level_dispatch_count + 1 if incident.level == level else 1
    made = Dispatch(
        id=f"{incident.id}/{number}",
        number=number,
        level=level,
        number_at_level=at_level,
        person=person,
        group=group,
        by_hand=by_hand,
        sent_at=moment.now,
        accept_by=due_at,
        accept_seconds=limits.accept_seconds,
        renotify_seconds=limits.renotify_seconds,
        max_candidates=limits.max_candidates,
    )
    after = replace(
        incident,
        state=IncidentState.DISPATCHED,
        assignee=person,
        group=group,
        level=level,
        dispatch=made,
        dispatch_count=number,
        level_dispatch_count=at_level,
        hold_reason="",
        accepted_at=None,
    )
    after = timers.armed(after, TimerName.ACCEPT, due_at)
    after = timers.armed(after, TimerName.RENOTIFY, moment.due(Limit.RENOTIFY, after, limits.renotify_seconds))
    return Change(after, notes or {}, (Tell(TellKind.ORDER, person, "order", made.id),))


def waiting(incident: Incident, moment: Moment, *, at_once: bool = False) -> Incident:
    """Let the incident wait to be taken; where there are groups an order goes out after a while. at_once: now."""
    after = replace(incident, state=IncidentState.NEW, assignee="", dispatch=None, hold_reason="", accepted_at=None)
    if not there_are_groups(after, moment):
        return after
    due_at = moment.now if at_once else moment.due(Limit.WAIT, after)
    return timers.armed(after, TimerName.WAIT, due_at)


def stall(incident: Incident, moment: Moment, *, notes: Mapping[str, str] | None = None) -> Change:
    """Leave the incident to the management centre, which is told now and again."""
    after = replace(incident, state=IncidentState.STALLED, assignee="", dispatch=None, hold_reason="", accepted_at=None)
    after = timers.armed(after, TimerName.CENTRE, moment.due(Limit.CENTRE, after))
    return Change(after, notes or {}, (Tell(TellKind.CENTRE, "", "stalled"),))


def withdrawn(incident: Incident, outcome: DispatchOutcome, *, tell: bool) -> Change:
    """Take the incident away from whoever has it. tell: they did not do it themselves, so they are told."""
    made, person = incident.dispatch, incident.assignee
    notes = {} if made is None else {ENDED_DISPATCH: made.id, OUTCOME: str(outcome)}
    tells = (Tell(TellKind.RECALL, person, str(outcome), made.id if made else ""),) if tell and person else ()
    wrong = made is not None or outcome in {DispatchOutcome.RETURNED, DispatchOutcome.TRANSFERRED}
    right = False if incident.dispatch_count == 1 and wrong else incident.first_dispatch_right
    after = replace(incident, assignee="", dispatch=None, first_dispatch_right=right)
    return Change(after, notes, tells)


def excluding(incident: Incident, person: str) -> Incident:
    """Give a person no further order for this incident."""
    if not person or person in incident.excluded:
        return incident
    return replace(incident, excluded=(*incident.excluded, person))
