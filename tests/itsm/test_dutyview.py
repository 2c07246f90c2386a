"""What is shown of duty and dispatch, over a running incident desk with real people, rota and dispatcher."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.daemon.dutydesk import DutyDesk
from btimd.itsm.dutyview import DutyViews
from btimd.model.duty import DutyOverride, GroupRota, Presence, RotaRules, WorkClass
from btimd.model.dutyview import RotaFaultKind
from btimd.model.incident import CommandKind, IncidentCommand, IncidentState
from btimd.runtime.log import Log
from btimd.store.incidentsearch import IncidentTable
from btimd.store.journal import SqliteJournal
from tests.itsm.desks import Desk
from tests.itsm.duties import SHANGHAI, at, people_of, person, shift
from tests.itsm.examples import T0, verdict

PEOPLE = people_of(
    person("ann", {"db": 0.9}, noc=1),
    person("bob", {"db": 0.6}, noc=1),
    person("dee", {"db": 1.0}, tech=2),
    classes=(WorkClass("db", "path", effort_minutes=90.0),),
)
RULES = RotaRules(
    groups={"noc": GroupRota("noc", SHANGHAI)},
    shifts=(shift("day", "08:00", "20:00", ("ann", "bob")),),
    overrides=(DutyOverride("noc", at("2026-11-03 20:00"), at("2026-11-04 08:00"), "ann", why="release"),),
)
ALWAYS = RotaRules(groups={"noc": GroupRota("noc", SHANGHAI)}, shifts=(shift("on", "00:00", "24:00", ("ann", "bob")),))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk("sqlite", tmp_path)
    yield made
    await made.close()


async def views_of(desk: Desk, rules: RotaRules = ALWAYS) -> DutyViews:
    """Start the desk with the dispatcher; return the views."""

    async def changed() -> None:
        await desk.component.people_changed()

    assert isinstance(desk.journal, SqliteJournal)
    duty = DutyDesk(PEOPLE, rules, journal=desk.journal, on_duty_change=changed, clock=desk.clock, log=Log("duty"))
    await duty.start()
    await desk.start(people=duty, on_events=duty.followed)
    return DutyViews(duty.desk, desk.component, IncidentTable(desk.journal.run), desk.clock)


async def ordered(desk: Desk) -> str:
    """Report trouble and let time pass until an order went out."""
    incident_id = (await desk.report(verdict())).id

    async def is_there() -> bool:
        found = await desk.component.incident(incident_id)
        return found is not None and found.state is IncidentState.DISPATCHED

    await desk.until(is_there, step_seconds=60.0)
    return incident_id


async def test_who_is_there_is_told_with_their_turn_and_with_gaps(desk: Desk) -> None:
    views = await views_of(desk, RULES)
    morning, night = at("2026-11-02 09:00"), at("2026-11-02 23:00")
    noc, tech = views.on_duty("", morning)
    (late,) = views.on_duty("noc", night)

    assert [(one.person, one.presence, one.until) for one in noc.people] == [
        ("ann", Presence.ON_SHIFT, at("2026-11-02 20:00")),
        ("bob", Presence.ON_SHIFT, at("2026-11-02 20:00")),
    ]
    assert (noc.name, noc.ruled, noc.next_change_at, noc.fault) == ("Group noc", True, at("2026-11-02 20:00"), "")
    assert ([one.person for one in tech.people], tech.ruled, tech.next_change_at) == (["dee"], False, None)
    assert tech.people[0].until is None
    assert (late.people, late.fault, late.next_change_at) == ((), "nobody on duty, 1 wanted", at("2026-11-03 08:00"))
    with pytest.raises(KeyError):
        views.on_duty("nobody", None)


async def test_the_week_begins_on_monday_and_holds_gaps_and_stand_ins(desk: Desk) -> None:
    views = await views_of(desk, RULES)
    week = views.rota("noc", at("2026-11-04 12:00"), 7)
    evening = views.rota("noc", at("2026-11-03 20:00"), 1)

    assert (week.start_at, week.end_at, week.timezone) == (at("2026-11-02 00:00"), at("2026-11-09 00:00"), SHANGHAI)
    assert len(week.slots) == 15
    assert {(slot.person, slot.why) for slot in week.slots if slot.source == "override"} == {("ann", "release")}
    gaps = [(one.start_at, one.end_at) for one in week.problems if one.kind is RotaFaultKind.GAP]
    assert gaps[0] == (at("2026-11-02 00:00"), at("2026-11-02 08:00"))
    assert (at("2026-11-03 20:00"), at("2026-11-04 08:00")) not in gaps
    assert (evening.start_at, len(evening.slots)) == (at("2026-11-03 20:00"), 3)
    with pytest.raises(KeyError):
        views.rota("nobody", None, 7)


async def test_a_decision_is_explained_as_it_was_stored(desk: Desk) -> None:
    views = await views_of(desk)
    incident_id = await ordered(desk)
    incident = await desk.component.incident(incident_id)
    (decision,) = await views.explained(incident_id)
    (table,) = decision.tables

    assert incident is not None
    assert (decision.chosen, decision.level, decision.group, decision.kind) == (
        incident.assignee,
        1,
        "noc",
        "dispatched",
    )
    assert (decision.path, decision.work_class, decision.priority) == ("path", "default", incident.priority)
    assert table.rows[0].person == decision.chosen
    assert {row.person for row in table.rows} == {"ann", "bob"}
    assert decision.text.startswith(f"{decision.chosen.title()} ({decision.chosen}) (Group noc, level 1) was chosen")
    assert "得分" in decision.text_zh or "分" in decision.text_zh
    assert table.rows[0].reasons.startswith("on shift, skill 0.30 (nothing is known of class default)")
    with pytest.raises(KeyError):
        await views.explained("INC-1")


async def test_candidates_are_peers_of_the_handler_or_whom_the_dispatcher_would_ask(desk: Desk) -> None:
    views = await views_of(desk)
    incident_id = (await desk.report(verdict())).id
    before = await views.candidates(incident_id)
    await desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident_id), "ann")
    after = await views.candidates(incident_id)

    assert (before.for_transfer, before.handler, [row.person for row in before.rows]) == (False, "", ["ann", "bob"])
    assert before.text.startswith("Ann (ann) (Group noc, level 1) was chosen")
    assert (after.for_transfer, after.handler, [row.person for row in after.rows]) == (True, "ann", ["bob"])


async def test_load_is_hours_of_duty_incidents_and_open_orders(desk: Desk) -> None:
    views = await views_of(desk)
    incident_id = await ordered(desk)
    incident = await desk.component.incident(incident_id)
    assert incident is not None
    load = {one.person: one for one in await views.load(T0, 1)}
    next_week = {one.person: one for one in await views.load(T0 + 7 * 86_400, 1)}

    mine, other = load[incident.assignee], load["bob" if incident.assignee == "ann" else "ann"]
    assert (mine.primary_hours, mine.incidents, mine.open_orders, mine.open_load) == (168.0, 1, 1, 1.0)
    assert (other.incidents, other.open_orders, other.open_load, other.capacity) == (0, 0, 0.0, 3.0)
    assert replace(load["dee"], week_at=0.0) == replace(next_week["dee"], week_at=0.0)
    assert next_week[incident.assignee].incidents == 0
