"""What the timeline of incidents tells the dispatcher: who was asked, what became of it, who is at work on what."""

import json
from typing import Final

from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.dispatchhistory import OutcomeKind
from btimd.itsm.replay import ENDED_DISPATCH, NOTHING, OUTCOME
from btimd.model.incident import ClockStatus, Dispatch, Incident, IncidentEvent, IncidentState
from btimd.model.plain import from_plain

_OVER: Final = frozenset({IncidentState.CLOSED, IncidentState.CANCELLED, IncidentState.MERGED})


def follow(desk: DispatchDesk, incident: Incident, event: IncidentEvent) -> bool:
    """Tell the desk of one event, in the order of events, and return whether it mattered.

    incident: as it was after the event.
    """
    details = event.details
    order = desk.workload.order_of(incident.id)
    mattered = False
    if ENDED_DISPATCH in details and order is not None:
        desk.told(incident, order.person, OutcomeKind(details[OUTCOME]), event.at)
        mattered = True
    given = details.get("dispatch", NOTHING)
    if given != NOTHING:
        dispatch: Dispatch = from_plain(Dispatch, json.loads(given))
        if dispatch.sent_at == event.at and not dispatch.reminders:
            desk.told(incident, dispatch.person, OutcomeKind.GIVEN, event.at)
            mattered = True
    order = desk.workload.order_of(incident.id)
    if "priority" in details and order is not None:
        desk.prioritised(incident.id, incident.priority)
        mattered = True
    if event.from_state is event.to_state:
        return mattered
    if IncidentState.PENDING in {event.from_state, event.to_state}:
        desk.put_off(incident.id, waiting=event.to_state is IncidentState.PENDING)
    if event.to_state is IncidentState.RESOLVED and order is not None:
        late = incident.resolution.status is ClockStatus.BREACHED
        desk.told(incident, order.person, OutcomeKind.RESOLVED_LATE if late else OutcomeKind.RESOLVED_IN_TIME, event.at)
    if event.to_state in _OVER:
        desk.dropped(incident.id)
    return True
