"""What agreements promise for an incident, as the life cycle of incidents asks for it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from btimd.itsm.deadlines import Promise
from btimd.model.agreement import Agreement
from btimd.model.agreement import Promise as Agreed
from btimd.model.calendar import ALWAYS
from btimd.model.incident import Incident, Priority
from btimd.model.units import UnixSeconds


class Agreements(Protocol):
    """Who keeps the agreements."""

    def agreements(self) -> Sequence[Agreement]:
        """Return all of them."""
        ...

    def promises(
        self, *, businesses: Sequence[str], cause: str, priority: Priority, opened_at: UnixSeconds
    ) -> tuple[Agreed | None, Agreed | None]:
        """Return by when an incident must be responded to and resolved: the earliest of all its agreements."""
        ...


def agreement_of(book: Agreements) -> Callable[[Incident], str]:
    """Return what tells the agreement that decides about an incident: whose resolution, else response, is due first."""

    def agreement(incident: Incident) -> str:
        response, resolution = _promises(book, incident)
        decides = resolution or response
        return "" if decides is None else decides.agreement

    return agreement


def _promises(book: Agreements, incident: Incident) -> tuple[Agreed | None, Agreed | None]:
    return book.promises(
        businesses=incident.assessment.businesses,
        cause=incident.cause,
        priority=incident.priority,
        opened_at=incident.opened_at,
    )


def promise_of(book: Agreements) -> Callable[[Incident], Promise]:
    """Return what tells the promise for an incident: service hours are those of the agreement that is due first."""

    def promise(incident: Incident) -> Promise:
        response, resolution = _promises(book, incident)
        decides = resolution or response
        named = {one.name: one.calendar for one in book.agreements()}
        return Promise(
            None if response is None else response.target_seconds,
            None if resolution is None else resolution.target_seconds,
            ALWAYS if decides is None else named.get(decides.agreement, ALWAYS),
        )

    return promise
