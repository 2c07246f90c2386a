"""PagerDuty Events API v2 (https://developer.pagerduty.com/docs/send-alert-event).

It keeps one alert per dedup_key and takes a repeat for what it is, so nothing has to be looked up.
"""

from dataclasses import dataclass
from typing import Any, Final

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask_json, json_request
from btimd.itsm.emit.facts import Facts, facts_of, note
from btimd.itsm.emit.trial import TRIAL_KEY, TrialTold
from btimd.model.delivery import ExternalReference

SUMMARY_CHARACTERS: Final = 1024
KEY_CHARACTERS: Final = 255
_SEVERITIES: Final = {"P1": "critical", "P2": "error", "P3": "warning"}


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """A service of PagerDuty. source: what `payload.source` says."""

    routing_key: str
    source: str

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Trigger, acknowledge or resolve the incident's alert."""
        facts = facts_of(work.message.body)
        key = facts.incident_id[:KEY_CHARACTERS]
        event: dict[str, Any] = {
            "routing_key": self.routing_key,
            "dedup_key": key,
            "event_action": _action(facts),
            "client": "btimd",
        }
        if event["event_action"] == "trigger":
            event["payload"] = self._payload(facts)
        yield from ask_json(json_request("POST", "v2/enqueue", event), good=(202,))
        reference = ExternalReference(work.message.target, facts.incident_id, key, facts.seq, facts.is_open)
        return Done(reference, f"{event['event_action']} {key}")

    def trial(self) -> Dialogue[TrialTold]:
        """Resolve an alert that is not there, which does nothing. An unknown routing key is answered the same way."""
        event = {"routing_key": self.routing_key, "dedup_key": TRIAL_KEY, "event_action": "resolve"}
        yield from ask_json(json_request("POST", "v2/enqueue", event, writes=False), good=(202,))
        return TrialTold("it takes events; whether it knows the key only a real event shows", tests_credentials=False)

    def _payload(self, facts: Facts) -> dict[str, Any]:
        summary = f"{facts.title or facts.cause or facts.incident_id}"
        return {
            "summary": summary[:SUMMARY_CHARACTERS],
            "source": self.source,
            "severity": _SEVERITIES.get(facts.priority, "info"),
            "timestamp": facts.began_at,
            "component": facts.cause,
            "group": ", ".join(facts.businesses),
            "class": "incident",
            "custom_details": {
                "incident": facts.incident_id,
                "priority": facts.priority,
                "state": facts.state,
                "regions": ", ".join(facts.regions),
                "users": facts.users,
                "event": note(facts),
            },
        }


def _action(facts: Facts) -> str:
    """Return what an event means there. A trigger after the end would wake somebody up for nothing."""
    if not facts.is_open:
        return "resolve"
    return "acknowledge" if facts.kind == "accepted" else "trigger"
