"""Facts of random lives that the real engine made, against an obvious walk over the rows after each event."""

from collections import Counter
from functools import cache

from btimd.itsm import replay
from btimd.itsm.quality import figures, is_first_time_fix
from btimd.itsm.qualityfacts import facts_of
from btimd.model.incident import Incident, IncidentEvent, IncidentState, Priority
from btimd.model.workfigures import IncidentFacts, OrderFacts
from tests.itsm.story import Story, tell

S = IncidentState
STORIES, EVENTS = 100, 60
ENDED = {S.RESOLVED, S.CLOSED}


def rows_of(events: list[IncidentEvent]) -> list[Incident]:
    """Return the row after each event."""
    rows: list[Incident] = []
    for event in events:
        rows.append(replay.apply(rows[-1] if rows else replay.blank(event.incident_id), event))
    return rows


def orders_of(events: list[IncidentEvent], rows: list[Incident]) -> tuple[OrderFacts, ...]:
    found: dict[str, OrderFacts] = {}
    for at, (event, row) in enumerate(zip(events, rows, strict=True)):
        waiting = rows[at - 1].dispatch if at else None
        if waiting is not None and event.to_state is S.ACCEPTED and event.actor == waiting.person:
            found[waiting.id] = OrderFacts(waiting.person, waiting.sent_at, event.at)
        if row.dispatch is not None and row.dispatch.id not in found:
            found[row.dispatch.id] = OrderFacts(row.dispatch.person, row.dispatch.sent_at)
    return tuple(found.values())


def pauses_of(events: list[IncidentEvent], rows: list[Incident]) -> tuple[tuple[float, float], ...]:
    since = [row.pending_since for row in rows]
    begins = [
        event.at for at, event in enumerate(events) if since[at] is not None and (at == 0 or since[at - 1] is None)
    ]
    ends = [event.at for at, event in enumerate(events) if at and since[at] is None and since[at - 1] is not None]
    return tuple(zip(begins, ends, strict=False))


def obvious(events: list[IncidentEvent]) -> IncidentFacts:
    """Return the facts as the rows say them."""
    rows = rows_of(events)
    last = rows[-1]
    named = [e.at for e, row in zip(events, rows, strict=True) if row.cause or (row.closing and row.closing.cause)]
    taken = [e.at for e in events if e.to_state is S.ACCEPTED and e.from_state not in {S.ACCEPTED, S.PENDING}]
    ends = [at for at, e in enumerate(events) if e.to_state in ENDED and e.from_state not in ENDED]
    end = rows[ends[-1]] if ends else None
    stands = last.state in ENDED
    closing = last.closing
    return IncidentFacts(
        id=last.id,
        state=last.state,
        priority=last.priority,
        opened_at=last.opened_at,
        fingerprint=last.fingerprint,
        cause=last.cause or (closing.cause if closing else ""),
        category=last.category,
        services=last.assessment.businesses,
        began_at=last.began_at if last.began_at < last.opened_at else None,
        cause_known_at=named[0] if named else None,
        accepted_at=taken[0] if taken else None,
        resolved_at=last.resolved_at if stands else None,
        closed_at=last.closed_at,
        pauses=pauses_of(events, rows),
        orders=orders_of(events, rows),
        handler=end.assignee if end else "",
        online=stands and end is not None and not end.assignee and end.touched_by_human,
        self_cleared=stands and end is not None and not end.touched_by_human,
        returns=last.return_count,
        transfers=last.transfer_count,
        escalations=last.escalation_count,
        reopens=last.reopen_count,
        first_order_right=last.first_dispatch_right,
        effort_minutes=closing.effort_minutes if closing and stands else None,
        group=last.group,
        node=(closing.node if closing and closing.node else last.fingerprint.rpartition("/")[0]),
        regions=last.assessment.regions,
    )


@cache
def lives() -> list[Story]:
    return [story for story in (tell(seed, EVENTS) for seed in range(STORIES)) if story.events]


def test_the_facts_of_every_prefix_of_a_random_life_are_what_its_rows_say() -> None:
    seen: Counter[IncidentState] = Counter()
    for story in lives():
        for until in {*range(1, len(story.events), 4), len(story.events)}:
            events = story.events[:until]
            found = facts_of(events)
            assert found == obvious(events), story
            assert found is not None
            seen[found.state] += 1
    assert seen.keys() >= set(IncidentState) - {S.HELD}, "every state was met"


def test_pauses_add_up_to_what_the_engine_counted() -> None:
    longest = 0.0
    for story in lives():
        found = facts_of(story.events)
        assert found is not None
        assert story.incident is not None
        assert sum(end - start for start, end in found.pauses) == story.incident.paused_seconds
        longest = max(longest, story.incident.paused_seconds)
    assert longest > 0


def test_a_first_time_fix_is_one_where_the_engine_says_so() -> None:
    said: Counter[bool] = Counter()
    for story in lives():
        found = facts_of(story.events)
        if found is not None and story.incident is not None and found.state is S.CLOSED:
            assert is_first_time_fix(found) == (story.incident.first_time_fix is True), story.events
            said[is_first_time_fix(found)] += 1
    assert set(said) == {True, False}


def test_the_figures_of_a_window_are_what_counting_by_hand_gives() -> None:
    known = [facts for story in lives() if (facts := facts_of(story.events)) is not None]
    start = min(one.opened_at for one in known)
    end = start + 20_000.0
    inside = [one for one in known if start <= one.opened_at < end]
    closed = [
        one for one in known if one.state is S.CLOSED and one.closed_at is not None and start <= one.closed_at < end
    ]
    found = figures(known, start, end)

    assert found.opened == len(inside)
    assert found.by_priority == {level: sum(one.priority is level for one in inside) for level in Priority}
    assert found.closed == len(closed)
    assert found.reopened == sum(one.reopens > 0 for one in closed)
    assert (found.first_time_fix.good, found.first_time_fix.of) == (sum(map(is_first_time_fix, closed)), len(closed))
    assert found.orders == sum(start <= order.sent_at < end for one in known for order in one.orders)
    waits = sorted(
        one.accepted_at - one.opened_at
        for one in known
        if one.accepted_at is not None and start <= one.accepted_at < end
    )
    assert (found.response.count, found.response.p50) == (len(waits), waits[(len(waits) + 1) // 2 - 1])
    assert found.response.mean is not None
    assert abs(found.response.mean - sum(waits) / len(waits)) < 1e-6
