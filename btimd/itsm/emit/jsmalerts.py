"""Alerts of Jira Service Management Operations, by an API integration (GenieKey).

Every request is taken with 202 and carried out later. One open alert per alias, which the server keeps. Notes are not
kept apart by it, so after a lost answer the alert's notes are read first.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from btimd.itsm.emit.exchange import (
    Dialogue,
    Done,
    GoneError,
    Work,
    ask,
    ask_json,
    json_request,
    members,
    query,
    text,
)
from btimd.itsm.emit.facts import Facts, description, facts_of, note
from btimd.itsm.emit.polling import OURS
from btimd.itsm.emit.trial import TRIAL_KEY, TrialTold
from btimd.model.delivery import ExternalReference

_ALERTS: Final = "jsm/ops/integration/v2/alerts"
MESSAGE_CHARACTERS: Final = 130
ALIAS_CHARACTERS: Final = 512
DESCRIPTION_CHARACTERS: Final = 15_000
NOTE_CHARACTERS: Final = 25_000


@dataclass(frozen=True, slots=True)
class JsmAlerts:
    """An integration. tags: given to every alert."""

    source: str
    tags: Sequence[str] = ()

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Open, acknowledge or close the incident's alert, or write under it."""
        facts = facts_of(work.message.body)
        alias = facts.incident_id[:ALIAS_CHARACTERS]
        for name, document in self._steps(facts, alias):
            if name == "notes" and work.message.uncertain and (yield from self._has_note(facts, alias)):
                continue
            path = _ALERTS if name == "" else f"{_ALERTS}/{quote(alias, safe='')}/{name}?identifierType=alias"
            yield from ask(json_request("POST", path, document), good=(202,))
        reference = ExternalReference(work.message.target, facts.incident_id, alias, facts.seq, facts.is_open)
        return Done(reference, f"alert {alias}")

    def trial(self) -> Dialogue[TrialTold]:
        """Ask for an alert that is not there."""
        with suppress(GoneError):
            yield from ask(query(f"{_ALERTS}/{TRIAL_KEY}", {"identifierType": "alias"}), gone=True)
        return TrialTold("alerts can be looked up")

    def _steps(self, facts: Facts, alias: str) -> list[tuple[str, dict[str, Any]]]:
        """Return (what, document) of what an event asks for; "" makes the alert, or counts it once more."""
        said = {"source": self.source, "user": "btimd"}
        written = {**said, "note": note(facts)[:NOTE_CHARACTERS]}
        if not facts.is_open:
            return [("notes", written), ("close", said)]
        if facts.kind in {"opened", "reopened", "reported"}:
            return [("", self._alert(facts, alias))]
        if facts.kind == "accepted":
            return [("acknowledge", written)]
        return [("notes", written)]

    def _alert(self, facts: Facts, alias: str) -> dict[str, Any]:
        return {
            "message": (facts.title or facts.cause or facts.incident_id)[:MESSAGE_CHARACTERS],
            "alias": alias,
            "description": description(facts)[:DESCRIPTION_CHARACTERS],
            "priority": facts.priority if facts.priority in {"P1", "P2", "P3", "P4", "P5"} else "P3",
            "entity": facts.cause[:ALIAS_CHARACTERS],
            "source": self.source,
            "tags": list(self.tags),
            "details": {"incident": facts.incident_id, "businesses": ", ".join(facts.businesses)},
        }

    def _has_note(self, facts: Facts, alias: str) -> Dialogue[bool]:
        path = f"{_ALERTS}/{quote(alias, safe='')}/notes"
        try:
            answer = yield from ask_json(
                query(path, {"identifierType": "alias", "limit": "100", "order": "desc"}), gone=True
            )
        except GoneError:
            return False
        begin = f"{OURS}{facts.incident_id}.{facts.seq}]"
        return any(text(one, "note").startswith(begin) for one in members(answer, "data"))
