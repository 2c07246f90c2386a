"""The dispatcher: people, rota, open orders and history in one place, told of every order and asked for the next.

All that changes is the state of two folds (workload, history), which can be written to a document and taken back. It
does no I/O, and asks no clock.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from btimd.itsm.dispatch import Decision, DispatchOrder, assign, decide, transfer_candidates
from btimd.itsm.dispatchhistory import History, Outcome, OutcomeKind, history_document, history_from
from btimd.itsm.dispatchscore import WEIGHTS, Row, Weights
from btimd.itsm.dispatchtext import sentence
from btimd.itsm.rota import Rota
from btimd.itsm.workload import OpenOrder, Workload, workload_document, workload_from
from btimd.model.duty import DEFAULT_CLASS, DutySlot, LevelLimits, People
from btimd.model.incident import Priority
from btimd.model.units import UnixSeconds

_FORMAT: Final = 1
_USUAL_MINUTES: Final = 60.0
_ENDED: Final = frozenset({
    OutcomeKind.TIMEOUT, OutcomeKind.RETURNED, OutcomeKind.TRANSFERRED, OutcomeKind.RECALLED,
    OutcomeKind.RESOLVED_IN_TIME, OutcomeKind.RESOLVED_LATE,
})  # fmt: skip


class Dispatchable(Protocol):
    """What the dispatcher must know of an incident. category: the class of work, "" = the default one."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def category(self) -> str: ...  # noqa: D102
    @property
    def priority(self) -> Priority: ...  # noqa: D102
    @property
    def fingerprint(self) -> str: ...  # noqa: D102
    @property
    def cause(self) -> str: ...  # noqa: D102


class DispatchDesk:
    """Decides who is sent, and keeps what that depends on."""

    def __init__(self, people: People, rota: Rota, weights: Mapping[Priority, Weights] = WEIGHTS) -> None:
        self.people = people
        self.rota = rota
        self.weights = weights
        self.workload = Workload()
        self.history = History()

    def reload(self, people: People, rota: Rota) -> None:
        """Take other people and another rota; orders and history stay."""
        self.people, self.rota = people, rota

    def imported(self, slots: Sequence[DutySlot]) -> None:
        """Take what calendars say now."""
        self.rota = self.rota.with_imported(slots)

    def decide(
        self, incident: Dispatchable, level: int, excluded: frozenset[str], now: UnixSeconds, agreement: str = ""
    ) -> Decision:
        """Return whom to ask, from a level on; nobody: chosen is ""."""
        return decide(
            self._order(incident, level, excluded, agreement),
            people=self.people,
            presence=self.rota.presences,
            workload=self.workload,
            history=self.history,
            now=now,
            weights=self.weights,
        )

    def transfer_candidates(
        self,
        incident: Dispatchable,
        level: int,
        handler: str,
        now: UnixSeconds,
        *,
        excluded: frozenset[str] = frozenset(),
        agreement: str = "",
    ) -> tuple[Row, ...]:
        """Return who is fit and free to take an order over from its handler, best first."""
        return transfer_candidates(
            self._order(incident, level, excluded, agreement),
            handler,
            people=self.people,
            presence=self.rota.presences,
            workload=self.workload,
            history=self.history,
            now=now,
            weights=self.weights,
        )

    def assign(
        self, incident: Dispatchable, level: int, person: str, reason: str, now: UnixSeconds, agreement: str = ""
    ) -> Decision:
        """Return the centre's own choice as a decision.

        Raises ValueError for a stranger, and for somebody off duty without a reason. The person counts as of the group
        of the level if in it, else of the first of their groups.
        """
        found = self.people.persons.get(person)
        if found is None:
            raise ValueError(f"there is no person {person!r}")
        path = self.people.path_of(incident.category, incident.priority, agreement)
        step = path.level(level) if path is not None else None
        group = step.rota if step is not None and step.group in found.groups else next(iter(sorted(found.groups)), "")
        return assign(
            self._order(incident, level, frozenset(), agreement),
            found,
            group,
            reason,
            people=self.people,
            presence=self.rota.presences,
            workload=self.workload,
            history=self.history,
            now=now,
            weights=self.weights,
        )

    def limits(self, incident: Dispatchable, level: int, agreement: str = "") -> LevelLimits | None:
        """Return times and counts of a level of the incident's path; None = there is no such level."""
        path = self.people.path_of(incident.category, incident.priority, agreement)
        return None if path is None else self.people.limits(path, level, incident.priority)

    def explain(self, decision: Decision, language: str = "zh") -> str:
        """Return a decision as a sentence."""
        return sentence(decision, self.people, language)

    def effort_minutes(self, category: str) -> float:
        """Return the standard hours of a category of work."""
        found = self.people.class_of(category)
        return found.effort_minutes if found else _USUAL_MINUTES

    def told(self, incident: Dispatchable, person: str, kind: OutcomeKind, at: UnixSeconds) -> None:
        """Take note of what became of an order, in the order of time."""
        work = self.people.class_of(incident.category)
        outcome = Outcome(at, person, work.id if work else DEFAULT_CLASS, kind, (incident.fingerprint, incident.cause))
        self.history = self.history.folded(outcome)
        if kind is OutcomeKind.GIVEN:
            effort = self.effort_minutes(incident.category)
            self.workload = self.workload.given(OpenOrder(incident.id, person, incident.priority, effort, at))
        elif kind is OutcomeKind.ACCEPTED:
            self.workload = self.workload.accepted(incident.id, at)
        elif kind in _ENDED:
            order = self.workload.order_of(incident.id)
            if order is not None and order.person == person:  # else it was given to the next one already
                self.workload = self.workload.ended(incident.id)

    def put_off(self, incident_id: str, *, waiting: bool) -> None:
        """Take note that an order waits for others, or no longer does."""
        self.workload = self.workload.put_off(incident_id, waiting=waiting)

    def prioritised(self, incident_id: str, priority: Priority) -> None:
        """Take note of another priority."""
        self.workload = self.workload.prioritised(incident_id, priority)

    def dropped(self, incident_id: str) -> None:
        """Take note that an incident is closed, cancelled or merged, whoever had it."""
        self.workload = self.workload.ended(incident_id)

    def document(self) -> dict[str, Any]:
        """Return orders and history as JSON values."""
        return {
            "format": _FORMAT,
            "workload": workload_document(self.workload),
            "history": history_document(self.history),
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take back what `document` gave; raises ValueError for another format."""
        if document.get("format") != _FORMAT:
            raise ValueError(f"state of dispatch has format {document.get('format')!r}, not {_FORMAT}")
        self.workload = workload_from(document["workload"])
        self.history = history_from(document["history"])

    @staticmethod
    def _order(incident: Dispatchable, level: int, excluded: frozenset[str], agreement: str) -> DispatchOrder:
        return DispatchOrder(
            incident_id=incident.id,
            category=incident.category,
            priority=incident.priority,
            causes=(incident.fingerprint, incident.cause),
            agreement=agreement,
            level=level,
            excluded=excluded,
        )
