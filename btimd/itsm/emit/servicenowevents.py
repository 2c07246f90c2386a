"""ServiceNow Event Management, the JSON web service (role evt_mgmt_integration).

One alert per message_key, which the server keeps; a repeat is counted there and harms nothing.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask, json_request
from btimd.itsm.emit.facts import Facts, description, facts_of, subject
from btimd.itsm.emit.trial import TrialTold
from btimd.model.delivery import ExternalReference

_SEVERITIES: Final = {"P1": "1", "P2": "2", "P3": "3", "P4": "4", "P5": "5"}
_CLEAR: Final = "0"
_TEXT_CHARACTERS: Final = 4000
_NAME_CHARACTERS: Final = 100


@dataclass(frozen=True, slots=True)
class ServiceNowEvents:
    """An event collector. source: who the events say they come from."""

    source: str

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Send an event of the incident's alert."""
        facts = facts_of(work.message.body)
        request = json_request("POST", "api/global/em/jsonv2", {"records": [self._record(facts)]})
        yield from ask(request, good=(200, 201))
        reference = ExternalReference(
            work.message.target, facts.incident_id, facts.incident_id, facts.seq, facts.is_open
        )
        return Done(reference, f"event {facts.incident_id}")

    def trial(self) -> Dialogue[TrialTold]:
        """Send no events at all."""
        request = json_request("POST", "api/global/em/jsonv2", {"records": []}, writes=False)
        yield from ask(request, good=(200, 201))
        return TrialTold("it took a list of no events")

    def _record(self, facts: Facts) -> dict[str, Any]:
        return {
            "source": self.source[:_NAME_CHARACTERS],
            "event_class": "btimd",
            "node": (facts.cause or facts.incident_id)[:_NAME_CHARACTERS],
            "resource": ", ".join(facts.businesses)[:_NAME_CHARACTERS],
            "metric_name": "incident",
            "type": "incident",
            "message_key": facts.incident_id,
            "severity": _SEVERITIES.get(facts.priority, "5") if facts.is_open else _CLEAR,
            "time_of_event": facts.at[:19].replace("T", " "),
            "description": f"{subject(facts)}\n\n{description(facts)}"[:_TEXT_CHARACTERS],
            "additional_info": json.dumps(
                {"incident": facts.incident_id, "seq": facts.seq, "state": facts.state, "users": facts.users}
            ),
            "resolution_state": "New" if facts.is_open else "Closing",
        }
