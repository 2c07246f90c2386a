"""What a person changed in another system means to the incident here (transition 33 and its neighbours)."""

from btimd.itsm.triggers import Confirm, ExternalUpdate, ExternalWish, Reject, Trigger
from btimd.itsm.workchanges import last_seen
from btimd.model.delivery import ExternalUpdate as Update
from btimd.model.delivery import UpdateKind
from btimd.model.incident import Incident, IncidentState

_WISHES = {"accept": ExternalWish.ACCEPT, "resolve": ExternalWish.RESOLVE}


def trigger_of(update: Update, incident: Incident) -> Trigger:
    """Return what an update asks for. What has no meaning here is kept as a comment, so that nothing people do is lost.

    The inbox takes every update once and in order (UNIQUE(target, event_id)), so each gets the next number of its
    target. A close confirms a resolution and a reopening rejects it; on an open incident both are comments.
    """
    if update.kind is UpdateKind.STATUS and incident.state is IncidentState.RESOLVED:
        if update.meaning == "close":
            return Confirm(actor=update.actor, text=_said(update))
        if update.meaning == "reopen":
            return Reject(actor=update.actor, reason=_said(update))
    wish = _WISHES.get(update.meaning, ExternalWish.COMMENT) if update.kind is UpdateKind.STATUS else None
    return ExternalUpdate(
        actor=update.actor,
        target=update.target,
        reference=update.external_id,
        seq=last_seen(incident, update.target) + 1,
        wish=wish or ExternalWish.COMMENT,
        status=update.value if update.kind is UpdateKind.STATUS else "",
        text=update.text.strip() or _said(update),
    )


def _said(update: Update) -> str:
    """Return the change in words."""
    if update.kind is UpdateKind.COMMENT:
        return update.text or update.value
    what = "status" if update.kind is UpdateKind.STATUS else "assignee"
    return f"{what} {update.value!r} set in {update.target} ({update.external_id})" + (
        f": {update.text}" if update.text else ""
    )
