"""Facts of an incident as its timeline tells them."""

import json
from dataclasses import replace
from typing import Any

from btimd.itsm.lifecycle import step
from btimd.itsm.qualityfacts import facts_of
from btimd.itsm.triggers import Accept, Cancel, Confirm, ReportClear, Resolve, Trigger
from btimd.model.incident import Incident, IncidentEvent, IncidentState, Priority
from btimd.model.workfigures import IncidentFacts, OrderFacts
from tests.itsm.examples import CONFIG, REPORT, T0, report

S = IncidentState
RESOLVE = Resolve(actor="li", closing_report=REPORT, override_reason="x")
OPENED = IncidentFacts(
    id="INC-20231114-0001",
    state=S.NEW,
    priority=Priority.P3,
    opened_at=T0,
    fingerprint="erp-db/down",
    cause="erp-db",
    services=("erp",),
    began_at=T0 - 5,
    cause_known_at=T0,
    node="erp-db",
    regions=("north",),
)


def lived(*triggers: Trigger) -> list[IncidentEvent]:
    """Return the timeline of an incident to which these things happen, ten seconds apart, the first at T0."""
    incident: Incident | None = None
    events: list[IncidentEvent] = []
    for at, trigger in enumerate(triggers):
        done = step(incident, trigger, T0 + 10 * at, CONFIG)
        incident = done.incident
        events += done.events
    return events


def test_no_event_no_facts() -> None:
    assert facts_of([]) is None


def test_a_new_incident_is_only_opened() -> None:
    assert facts_of(lived(report())) == OPENED


def test_what_was_taken_resolved_and_closed_has_its_moments_and_its_handler() -> None:
    assert facts_of(lived(report(), Accept(actor="li"), RESOLVE, Confirm(actor="zhao"))) == replace(
        OPENED, state=S.CLOSED, accepted_at=T0 + 10, resolved_at=T0 + 20, closed_at=T0 + 30, handler="li"
    )


def test_what_the_desk_resolves_at_once_is_online_and_has_no_response() -> None:
    assert facts_of(lived(report(), RESOLVE)) == replace(OPENED, state=S.RESOLVED, resolved_at=T0 + 10, online=True)


def test_what_clears_before_anybody_takes_it_is_fixed_by_nobody() -> None:
    found = facts_of(lived(report(), ReportClear(remaining=0)))
    assert found == replace(OPENED, state=S.RESOLVED, resolved_at=T0 + 10, self_cleared=True)


def test_who_confirms_what_cleared_by_itself_did_not_fix_it() -> None:
    cleared = line(1, "resolved", S.NEW, S.RESOLVED, resolved_at=str(T0 + 10))
    confirmed = line(2, "closed", S.RESOLVED, S.CLOSED, "zhao", touched_by_human="true", closed_at=str(T0 + 20))
    found = facts_of([line(0, "opened", None, S.NEW), cleared, confirmed])
    assert found is not None
    assert (found.self_cleared, found.online, found.handler) == (True, False, "")


def test_what_comes_back_is_not_resolved_and_counts_as_reopened() -> None:
    assert facts_of(lived(report(), Accept(actor="li"), RESOLVE, report())) == replace(
        OPENED, state=S.NEW, accepted_at=T0 + 10, handler="li", reopens=1
    )


def test_a_cancelled_incident_has_an_end_and_no_resolution() -> None:
    found = facts_of(lived(report(), Cancel(actor="li", reason="a test")))
    assert found == replace(OPENED, state=S.CANCELLED, closed_at=T0 + 10)


def test_a_report_by_telephone_tells_no_earlier_beginning_and_no_cause() -> None:
    found = facts_of(lived(report(fingerprint="manual/C1", cause="", began_at=T0)))
    assert found == replace(OPENED, fingerprint="manual/C1", cause="", began_at=None, cause_known_at=None, node="")


def line(seq: int, kind: str, before: S | None, after: S, actor: str = "btimd", **details: Any) -> IncidentEvent:
    texts = {name: one if isinstance(one, str) else json.dumps(one) for name, one in details.items()}
    return IncidentEvent("INC-1", seq, T0 + 10 * seq, actor, kind, before, after, "", texts)


def order(number: int, person: str) -> dict[str, Any]:
    return {"id": f"INC-1/{number}", "number": number, "person": person}


STORY = [
    line(0, "opened", None, S.NEW, priority="1", opened_at=str(T0), category="database"),
    line(1, "dispatched", S.NEW, S.DISPATCHED, assignee="li", dispatch=order(1, "li")),
    line(2, "redispatched", S.DISPATCHED, S.DISPATCHED, assignee="wang", dispatch=order(2, "wang"),
         first_dispatch_right="false"),
    line(3, "reminded", S.DISPATCHED, S.DISPATCHED, dispatch=order(2, "wang")),
    line(4, "accepted", S.DISPATCHED, S.ACCEPTED, "wang", dispatch="", touched_by_human="true"),
    line(5, "pended", S.ACCEPTED, S.PENDING, "wang", pending_since=str(T0 + 50)),
    line(6, "reported", S.PENDING, S.PENDING),
    line(8, "resumed", S.PENDING, S.ACCEPTED, "wang", pending_since="", paused_seconds="30.0"),
    line(9, "pended", S.ACCEPTED, S.PENDING, "wang"),
    line(10, "resumed", S.PENDING, S.ACCEPTED, "wang"),
    line(11, "transferred", S.ACCEPTED, S.DISPATCHED, "wang", assignee="zhao", dispatch=order(3, "zhao"),
         transfer_count="1"),
    line(12, "accepted", S.DISPATCHED, S.ACCEPTED, "zhao", dispatch=""),
    line(13, "resolved", S.ACCEPTED, S.RESOLVED, "zhao", resolved_at="x",
         closing={"cause": "a leak", "effort_minutes": 45}),
]  # fmt: skip


def test_orders_pauses_and_effort_are_read_from_the_timeline() -> None:
    assert facts_of(STORY) == IncidentFacts(
        id="INC-1",
        state=S.RESOLVED,
        priority=Priority.P1,
        opened_at=T0,
        cause="a leak",
        category="database",
        cause_known_at=T0 + 130,
        accepted_at=T0 + 40,
        resolved_at=T0 + 130,
        pauses=((T0 + 50, T0 + 80),),  # the second one did not stop the clock
        orders=(
            OrderFacts("li", T0 + 10),
            OrderFacts("wang", T0 + 20, T0 + 40),
            OrderFacts("zhao", T0 + 110, T0 + 120),
        ),
        handler="zhao",
        transfers=1,
        first_order_right=False,
        effort_minutes=45,
    )


def test_an_effort_is_known_only_of_what_stays_resolved() -> None:
    found = facts_of([*STORY, line(14, "reopened", S.RESOLVED, S.NEW, assignee="", reopen_count="1")])
    assert found is not None
    assert (found.resolved_at, found.effort_minutes, found.reopens) == (None, None, 1)
