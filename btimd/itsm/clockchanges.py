"""What the marks of promised times change in an incident, and the reminders of what lies at the management centre."""

from dataclasses import replace

from btimd.itsm import deadlines, timers
from btimd.itsm.deadlines import Limit
from btimd.itsm.moment import Change, Moment
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import CentreDue, ResolutionMark, ResponseMark
from btimd.itsm.workchanges import next_level
from btimd.model.incident import ClockStatus, Incident


def response_mark(incident: Incident, _mark: ResponseMark, moment: Moment) -> Incident:
    """Note how much of the time to respond has passed."""
    calendar = moment.config.calendar(incident)
    return replace(incident, response=deadlines.marked(incident.response, moment.now, calendar))


def resolution_mark(incident: Incident, _mark: ResolutionMark, moment: Moment) -> Incident:
    """Note how much of the time to resolve has passed."""
    calendar = moment.config.calendar(incident)
    return replace(incident, resolution=deadlines.marked(incident.resolution, moment.now, calendar))


def response_escalated(incident: Incident, mark: ResponseMark, moment: Moment) -> Change:
    """Note how much of the time to respond has passed, and go to the next level."""
    return next_level(response_mark(incident, mark, moment), mark, moment)


def resolution_escalated(incident: Incident, mark: ResolutionMark, moment: Moment) -> Change:
    """Note how much of the time to resolve has passed, and go to the next level."""
    return next_level(resolution_mark(incident, mark, moment), mark, moment)


def just_breached(before: Incident, after: Incident) -> bool:
    """Tell whether a promise was broken between two rows."""
    return any(
        was.status is not ClockStatus.BREACHED and now.status is ClockStatus.BREACHED
        for was, now in ((before.response, after.response), (before.resolution, after.resolution))
    )


def centre_reminded(incident: Incident, _due: CentreDue, moment: Moment) -> Incident:
    """Leave it at the management centre, which is told again later."""
    return timers.armed(incident, TimerName.CENTRE, moment.due(Limit.CENTRE, incident))
