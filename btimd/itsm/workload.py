"""What everybody has to do now: open orders, weighted by priority and by the work that is left in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from btimd.model.incident import Priority
from btimd.model.units import UnixSeconds

WEIGHTS: Final[Mapping[Priority, float]] = MappingProxyType(
    {Priority.P1: 2.0, Priority.P2: 1.5, Priority.P3: 1.0, Priority.P4: 0.7, Priority.P5: 0.5}
)
"""How much an order of each priority weighs against one of P3."""
STANDARD_MINUTES: Final = 60.0
"""The work in one order of a person's capacity."""
LEAST_SHARE: Final = 0.1
"""Of the standard hours of an order that takes longer than those; nobody knows how much is left."""
WAITING_SHARE: Final = 0.2
"""How much an order weighs while it waits for others."""
_MOST_ORDERS: Final = 100_000


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that a person has: given, and since accepted_at being worked on.

    effort_minutes: standard hours of its class. waiting: it is put off.
    """

    incident_id: str
    person: str
    priority: Priority
    effort_minutes: float
    given_at: UnixSeconds
    accepted_at: UnixSeconds | None = None
    waiting: bool = False

    def load(self, now: UnixSeconds) -> float:
        """Return its weight times the work that is left, in orders of P3 with an hour of work."""
        left = self.effort_minutes
        if self.accepted_at is not None:
            left = max(left - max(now - self.accepted_at, 0.0) / 60.0, LEAST_SHARE * self.effort_minutes)
        load = WEIGHTS[self.priority] * left / STANDARD_MINUTES
        return load * WAITING_SHARE if self.waiting else load


@dataclass(frozen=True, slots=True)
class Workload:
    """Open orders by person. Every change returns another Workload; at most one order per incident is open.

    where: incident id -> person, kept beside so that an order is found without a search.
    """

    orders: Mapping[str, tuple[OpenOrder, ...]] = field(default_factory=lambda: MappingProxyType({}))
    where: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def load_of(self, person: str, now: UnixSeconds) -> float:
        """Return the load of a person."""
        orders = self.orders.get(person)
        return sum(order.load(now) for order in orders) if orders else 0.0

    def order_of(self, incident_id: str) -> OpenOrder | None:
        """Return the open order of an incident."""
        person = self.where.get(incident_id)
        if person is None:
            return None
        return next(order for order in self.orders[person] if order.incident_id == incident_id)

    def given(self, order: OpenOrder) -> "Workload":
        """Return the load with an order more; an earlier order of the same incident is gone."""
        rest = self.ended(order.incident_id)
        if len(rest.where) >= _MOST_ORDERS:
            raise ValueError(f"{_MOST_ORDERS} orders are open; close some")
        orders = {**rest.orders, order.person: (*rest.orders.get(order.person, ()), order)}
        return Workload(MappingProxyType(orders), MappingProxyType({**rest.where, order.incident_id: order.person}))

    def ended(self, incident_id: str) -> "Workload":
        """Return the load without an incident's order, whatever became of it."""
        person = self.where.get(incident_id)
        if person is None:
            return self
        left = tuple(order for order in self.orders[person] if order.incident_id != incident_id)
        orders = {name: kept for name, kept in self.orders.items() if name != person}
        if left:
            orders[person] = left
        where = {name: whose for name, whose in self.where.items() if name != incident_id}
        return Workload(MappingProxyType(orders), MappingProxyType(where))

    def accepted(self, incident_id: str, at: UnixSeconds) -> "Workload":
        """Return the load with an order being worked on."""
        order = self.order_of(incident_id)
        return self if order is None else self.given(replace(order, accepted_at=at, waiting=False))

    def put_off(self, incident_id: str, *, waiting: bool) -> "Workload":
        """Return the load with an order that waits for others, or is taken up again."""
        order = self.order_of(incident_id)
        return self if order is None else self.given(replace(order, waiting=waiting))

    def prioritised(self, incident_id: str, priority: Priority) -> "Workload":
        """Return the load with another priority of an order."""
        order = self.order_of(incident_id)
        return self if order is None else self.given(replace(order, priority=priority))


def workload_of(orders: Iterable[OpenOrder]) -> Workload:
    """Return the load of many orders at once, as after a start; the last of an incident counts."""
    by_incident = {order.incident_id: order for order in orders}
    by_person: dict[str, list[OpenOrder]] = {}
    for order in by_incident.values():
        by_person.setdefault(order.person, []).append(order)
    return Workload(
        MappingProxyType({person: tuple(kept) for person, kept in by_person.items()}),
        MappingProxyType({name: order.person for name, order in by_incident.items()}),
    )


def workload_document(load: Workload) -> list[dict[str, Any]]:
    """Return the orders as JSON values."""
    return [
        {
            "incident": order.incident_id,
            "person": order.person,
            "priority": int(order.priority),
            "effort_minutes": order.effort_minutes,
            "given_at": order.given_at,
            "accepted_at": order.accepted_at,
            "waiting": order.waiting,
        }
        for orders in load.orders.values()
        for order in orders
    ]


def workload_from(document: list[dict[str, Any]]) -> Workload:
    """Return what workload_document wrote."""
    return workload_of(
        OpenOrder(
            incident_id=one["incident"],
            person=one["person"],
            priority=Priority(one["priority"]),
            effort_minutes=one["effort_minutes"],
            given_at=one["given_at"],
            accepted_at=one["accepted_at"],
            waiting=one["waiting"],
        )
        for one in document
    )
