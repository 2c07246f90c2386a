"""Prometheus Alertmanager, API v2. It forgets an alert that is not sent again, so open ones are, as Prometheus does.

One alert per incident; its labels are its identity, so they hold only what never changes. What may change is written
into annotations, and kept with the reference, so that a btimd that was restarted goes on.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from typing_extensions import override

from btimd.itsm.emit.exchange import Dialogue, Done, Work, ask, json_request, query
from btimd.itsm.emit.facts import Facts, facts_of, note
from btimd.itsm.emit.httptarget import HttpTarget
from btimd.itsm.emit.trial import TrialTold
from btimd.itsm.timestamp import rfc3339
from btimd.model.delivery import ExternalReference
from btimd.model.units import UnixSeconds

REPEAT_SECONDS: Final = 60.0
_ENDS_AFTER: Final = 300.0
"""An open alert ends by itself this long after it was last sent."""
_ALERTS: Final = "api/v2/alerts"
_TEXT_CHARACTERS: Final = 1000
_OPEN_LIMIT: Final = 10_000
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """An Alertmanager or one of a cluster. labels: added to every alert."""

    labels: dict[str, str]

    def deliver(self, work: Work) -> Dialogue[Done]:
        """Send the incident's alert as it is now."""
        facts = facts_of(work.message.body)
        alert = self._alert(facts)
        ends_at = work.now + _ENDS_AFTER if facts.is_open else work.now
        yield from _send([alert | {"endsAt": rfc3339(ends_at)}])
        reference = ExternalReference(
            work.message.target,
            facts.incident_id,
            facts.incident_id,
            facts.seq,
            facts.is_open,
            json.dumps(alert, ensure_ascii=False),
        )
        return Done(reference, f"alert {facts.incident_id}")

    def trial(self) -> Dialogue[TrialTold]:
        """Ask for its status."""
        yield from ask(query("api/v2/status"))
        return TrialTold("its status is readable")

    def repeat(self, references: Sequence[ExternalReference], now: UnixSeconds) -> Dialogue[int]:
        """Send open alerts again; return how many."""
        alerts = [json.loads(one.note) | {"endsAt": rfc3339(now + _ENDS_AFTER)} for one in references if one.note]
        for start in range(0, len(alerts), _AT_ONCE):
            yield from _send(alerts[start : start + _AT_ONCE])
        return len(alerts)

    def _alert(self, facts: Facts) -> dict[str, Any]:
        labels = {"alertname": "BtimdIncident", "incident": facts.incident_id, **self.labels}
        annotations = {
            "summary": f"[{facts.priority}] {facts.title}",
            "description": facts.description[:_TEXT_CHARACTERS],
            "event": note(facts).partition("\n")[0],
            "priority": facts.priority,
            "state": facts.state,
            "cause": facts.cause,
            "businesses": ", ".join(facts.businesses)[:_TEXT_CHARACTERS],
        }
        return {
            "labels": labels,
            "annotations": {name: text for name, text in annotations.items() if text},
            "startsAt": facts.began_at,
        }


def _send(alerts: Sequence[dict[str, Any]]) -> Dialogue[None]:
    yield from ask(json_request("POST", _ALERTS, list(alerts)))


class AlertmanagerTarget(HttpTarget):
    """The target with its clockwork: every minute it sends again what is open."""

    _repeating: asyncio.Task[None] | None = None

    @override
    async def start(self) -> None:
        await super().start()
        self._repeating = asyncio.create_task(self._repeat_for_ever(), name=f"itsm-repeat-{self.name}")

    @override
    async def stop(self) -> None:
        if self._repeating is not None:
            self._repeating.cancel()
            await asyncio.gather(self._repeating, return_exceptions=True)
            self._repeating = None
        await super().stop()

    async def _repeat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REPEAT_SECONDS)
            await self.repeat()

    async def repeat(self) -> int:
        """Send open alerts again; return how many arrived. One that does not is made good for a minute later."""
        if not isinstance(self._adapter, Alertmanager):
            return 0
        references = await self._journal.open_references(self.name, _OPEN_LIMIT)
        sent, _ = await self.carry_out(self._adapter.repeat(references, self._clock.wall()))
        return sent or 0
