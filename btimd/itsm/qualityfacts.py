"""IncidentFacts from the timeline of an incident, read as its events tell it: kinds, states and changed fields.

Fields that older events do not have were not there then: no order, no return, no pause.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from btimd.itsm.knowledge import cause_node
from btimd.model.incident import IncidentEvent, IncidentState, Priority
from btimd.model.units import UnixSeconds
from btimd.model.workfigures import IncidentFacts, OrderFacts

_RESOLVED: Final = frozenset({IncidentState.RESOLVED, IncidentState.CLOSED})
_TRUE: Final = "true"
_BY_HAND: Final = "manual/"
_COUNTS: Final = ("return_count", "transfer_count", "escalation_count", "reopen_count")


@dataclass(slots=True)
class _Reading:
    """What was read of a timeline so far. texts: the latest text of each field."""

    texts: dict[str, str] = field(default_factory=dict)
    state: IncidentState = IncidentState.NEW
    opened_at: UnixSeconds | None = None
    cause_known_at: UnixSeconds | None = None
    accepted_at: UnixSeconds | None = None
    resolved_at: UnixSeconds | None = None
    online: bool = False
    self_cleared: bool = False
    handler: str = ""
    paused_since: UnixSeconds | None = None
    pauses: list[tuple[UnixSeconds, UnixSeconds]] = field(default_factory=list)
    orders: dict[str, OrderFacts] = field(default_factory=dict)
    order_id: str = ""

    def take(self, event: IncidentEvent) -> None:
        """Read one event."""
        handler = event.details.get("assignee", self.texts.get("assignee", ""))
        self.texts.update(event.details)
        if self.opened_at is None:
            self.opened_at = event.at
        if self.cause_known_at is None and (self.texts.get("cause", "").strip() or self._closing().get("cause")):
            self.cause_known_at = event.at
        self._take_order(event)
        self._take_pause(event)
        if event.to_state is IncidentState.ACCEPTED and event.from_state is not IncidentState.PENDING:
            self._take_acceptance(event)
        if event.to_state in _RESOLVED:
            if event.from_state not in _RESOLVED:
                self.resolved_at, self.handler = event.at, handler
                # as it was then: who confirms what cleared by itself touches it too
                self.self_cleared = self.texts.get("touched_by_human") != _TRUE
                self.online = not handler and not self.self_cleared
        elif event.to_state.is_open:
            self.resolved_at = None
        self.state = event.to_state

    def _take_acceptance(self, event: IncidentEvent) -> None:
        if event.from_state is IncidentState.ACCEPTED:
            return
        if self.accepted_at is None:
            self.accepted_at = event.at
        order = self.orders.get(self.order_id)
        if order is not None and event.from_state is IncidentState.DISPATCHED and event.actor == order.person:
            self.orders[self.order_id] = OrderFacts(order.person, order.sent_at, event.at)

    def _take_order(self, event: IncidentEvent) -> None:
        order = _object(event.details.get("dispatch", ""))
        order_id = str(order.get("id", ""))
        if order_id and order_id not in self.orders:
            self.orders[order_id] = OrderFacts(str(order.get("person", "")), event.at)
        self.order_id = order_id or self.order_id

    def _take_pause(self, event: IncidentEvent) -> None:
        if event.to_state is IncidentState.PENDING and self.texts.get("pending_since"):
            self.paused_since = event.at if self.paused_since is None else self.paused_since
        elif self.paused_since is not None and event.to_state is not IncidentState.PENDING:
            self.pauses.append((self.paused_since, event.at))
            self.paused_since = None

    def _closing(self) -> Mapping[str, Any]:
        return _object(self.texts.get("closing", ""))


def facts_of(events: Iterable[IncidentEvent]) -> IncidentFacts | None:
    """Return what figures are made of; None where there is no event.

    A timeline that lacks its beginning gives what it has. Raises ValueError for events that no btimd wrote.
    """
    reading = _Reading()
    incident_id = ""
    for event in events:
        incident_id = event.incident_id
        reading.take(event)
    if reading.opened_at is None:
        return None
    texts = reading.texts
    closing = _object(texts.get("closing", ""))
    returns, transfers, escalations, reopens = (int(texts.get(name) or 0) for name in _COUNTS)
    opened_at = float(texts.get("opened_at") or reading.opened_at)
    began_at = float(texts.get("began_at") or 0.0)
    effort = closing.get("effort_minutes")
    judged = texts.get("first_dispatch_right", "")
    fingerprint = texts.get("fingerprint", "")
    resolved = reading.resolved_at is not None
    return IncidentFacts(
        id=incident_id,
        state=reading.state,
        priority=Priority(int(texts.get("priority") or Priority.P5)),
        opened_at=opened_at,
        fingerprint=fingerprint,
        cause=texts.get("cause", "").strip() or str(closing.get("cause") or "").strip(),
        category=texts.get("category", "") or str(closing.get("category") or ""),
        services=tuple(_object(texts.get("assessment", "")).get("businesses", ())),
        # who telephones tells no beginning: that of the report is the moment in which it was written down
        began_at=began_at if 0.0 < began_at < opened_at and not fingerprint.startswith(_BY_HAND) else None,
        cause_known_at=reading.cause_known_at,
        accepted_at=reading.accepted_at,
        resolved_at=reading.resolved_at,
        closed_at=float(texts["closed_at"]) if texts.get("closed_at") else None,
        pauses=tuple(reading.pauses),
        orders=tuple(reading.orders.values()),
        handler=reading.handler,
        online=resolved and reading.online,
        self_cleared=resolved and reading.self_cleared,
        returns=returns,
        transfers=transfers,
        escalations=escalations,
        reopens=reopens,
        first_order_right=judged == _TRUE if judged else None,
        effort_minutes=effort if isinstance(effort, int) and resolved else None,
        group=texts.get("group", ""),
        node=str(closing.get("node") or "").strip() or cause_node(fingerprint),
        regions=tuple(_object(texts.get("assessment", "")).get("regions", ())),
    )


def _object(text: str) -> Mapping[str, Any]:
    if not text:
        return {}
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
