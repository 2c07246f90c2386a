"""The dispatcher as the life cycle of incidents asks for it: one level at a time, from a snapshot."""

import json
from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeVar

from btimd.itsm.dispatch import DispatchOrder, decide, decision_document
from btimd.itsm.dispatchdesk import Dispatchable, DispatchDesk
from btimd.itsm.moment import OrderLimits
from btimd.model.duty import CENTRE, Presence
from btimd.model.units import UnixSeconds

REMINDERS: Final = 3
"""Where a time to accept of its own is said and nothing of reminders, one comes at each third of it."""

Choice_co = TypeVar("Choice_co", covariant=True)


class Handled(Dispatchable, Protocol):
    """An incident that somebody has. level: of the escalation path, from 1. assignee: who has it."""

    @property
    def level(self) -> int: ...  # noqa: D102
    @property
    def assignee(self) -> str: ...  # noqa: D102


class LevelDispatcher(Generic[Choice_co]):
    """Answers by the people, rota, orders and history that a desk had when this was made.

    choice: makes an answer of person ("" = nobody), group and explanation: the decision as JSON, with its table.
    agreement_of: the service level agreement of an incident, for classes with paths of their own.
    """

    def __init__(
        self,
        desk: DispatchDesk,
        choice: Callable[[str, str, str], Choice_co],
        agreement_of: Callable[[Dispatchable], str] = lambda _: "",
    ) -> None:
        self._people, self._rota, self._weights = desk.people, desk.rota, desk.weights
        self._workload, self._history = desk.workload, desk.history
        self._choice = choice
        self._agreement_of = agreement_of

    def levels(self, incident: Dispatchable, _now: UnixSeconds) -> int:
        """Return how many levels the escalation path of an incident has; 0: there are no groups for it."""
        path = self._people.path_of(incident.category, incident.priority, self._agreement_of(incident))
        return len(path.levels) if path is not None else 0

    def decide(self, incident: Dispatchable, level: int, excluded: frozenset[str], now: UnixSeconds) -> Choice_co:
        """Return who at a level (from 1) should get an incident; not of the levels above."""
        decision = decide(
            DispatchOrder(
                incident_id=incident.id,
                category=incident.category,
                priority=incident.priority,
                causes=(incident.fingerprint, incident.cause),
                agreement=self._agreement_of(incident),
                level=level,
                excluded=excluded,
            ),
            people=self._people,
            presence=self._rota.presences,
            workload=self._workload,
            history=self._history,
            now=now,
            weights=self._weights,
            climb=False,
        )
        group = decision.tables[-1].group if decision.tables else ""
        text = json.dumps(decision_document(decision), ensure_ascii=False, separators=(",", ":"))
        return self._choice(decision.chosen, group, text)

    def limits(self, incident: Dispatchable, level: int) -> OrderLimits:
        """Return what the level of the incident's path, else its group, says of orders."""
        path = self._people.path_of(incident.category, incident.priority, self._agreement_of(incident))
        step = None if path is None else path.level(level)
        if path is None or step is None:
            return OrderLimits()
        group = self._people.groups[step.group]
        accept = step.accept.get(incident.priority) or group.accept.get(incident.priority)
        return OrderLimits(
            accept_seconds=accept,
            renotify_seconds=step.renotify or group.renotify or (accept / REMINDERS if accept else None),
            max_candidates=step.max_candidates or group.max_candidates,
            forced_to=step.forced_to if step.forced_to != CENTRE else len(path.levels) + 1,
        )

    def transfer_candidates(self, incident: Handled, now: UnixSeconds) -> Sequence[str] | None:
        """Return the peers its handler may hand an incident to, best first; None: there are no groups for it."""
        if not self.levels(incident, now):
            return None
        desk = DispatchDesk(self._people, self._rota, self._weights)
        desk.workload, desk.history = self._workload, self._history
        agreement = self._agreement_of(incident)
        level = max(incident.level, 1)
        rows = desk.transfer_candidates(incident, level, incident.assignee, now, agreement=agreement)
        return [row.person for row in rows]

    def on_duty(self, person: str, now: UnixSeconds) -> bool | None:
        """Tell whether a person is on duty in any group, as primary or back-up; None: nobody of that name is known."""
        known = self._people.persons.get(person)
        if known is None:
            return None
        there = (self._rota.presences(group, now).get(person, Presence.OFF) for group in known.groups)
        return any(stands in {Presence.ON_SHIFT, Presence.BACKUP} for stands in there)
