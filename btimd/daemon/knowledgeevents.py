"""Which events of incidents give rise to something in the knowledge base, at once or made up for later."""

from collections.abc import Sequence
from typing import Final

from btimd.model.incident import Incident, IncidentEvent, IncidentState
from btimd.model.units import Seconds, UnixSeconds

ENDED: Final = frozenset({IncidentState.RESOLVED, IncidentState.CLOSED})
WITHDRAWN: Final = frozenset({IncidentState.CANCELLED, IncidentState.MERGED})
WORKED_ON: Final = frozenset({IncidentState.ACCEPTED, IncidentState.PENDING})
SURVEY: Final = "survey"


def matters(event: IncidentEvent) -> bool:
    """Tell whether an event gives rise to anything."""
    changed = event.from_state is not event.to_state
    return changed or event.kind == SURVEY or (event.kind == "reported" and "difficulty" in event.details)


def may_have_missed(incident: Incident, since: UnixSeconds, answer_within: Seconds) -> bool:
    """Tell whether anything that matters can have happened to an incident since a moment."""
    moments = [incident.opened_at, incident.last_seen_at, incident.began_at]
    moments += [one for one in (incident.accepted_at, incident.resolved_at, incident.closed_at) if one is not None]
    if incident.survey_score is not None:
        moments.append((incident.resolved_at or incident.opened_at) + answer_within)
    return incident.state.is_open or max(moments) >= since


def missed(events: Sequence[IncidentEvent], since: UnixSeconds) -> Sequence[IncidentEvent]:
    """Return the events of a timeline that are to be worked on again: of several ends only the last one stands."""
    wanted = [one for one in events if matters(one) and one.at >= since and one.kind != "reported"]
    ends = [one for one in wanted if one.to_state in ENDED and one.from_state not in ENDED]
    return [one for one in wanted if one not in ends[:-1]]
