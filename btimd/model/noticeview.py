"""What there is to see and do about notices: the seam between the API and those who tell people."""

from collections.abc import Sequence
from typing import Protocol

from btimd.model.incident import Incident
from btimd.model.notification import Notice, ReplyAction
from btimd.model.ports import Subscription


class NoticesView(Protocol):
    """Notices, answers and tests."""

    def watch_screen(self, person: str) -> Subscription[Notice]:
        """Open a person's screen: what was told in the last day, then what comes. "" = everybody's, for a wall."""
        ...

    async def find_notices(self, *, incident_id: str, person: str, limit: int) -> Sequence[Notice]:
        """Return the latest notices of an incident, of a person or of both, newest first; "" = of any."""
        ...

    async def noticed_incident(self, incident_id: str) -> Incident | None:
        """Return the incident that notices are about."""
        ...

    async def answer_notice(self, *, command_id: str, person: str, action: ReplyAction, incident_id: str) -> Incident:
        """Carry out what a person answers; raises CommandRefusedError. incident_id "": as the action's number says."""
        ...

    async def test_contact(self, *, command_id: str, person: str, address: str) -> Sequence[Notice]:
        """Send a test to one address of a person, verified or not, "" = to all; raises LookupError where none is."""
        ...
