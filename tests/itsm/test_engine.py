"""The engine with people: orders, timers after a restart, tellings, and what happens when the dispatcher fails."""

from dataclasses import replace
from typing import Any

import pytest
from typing_extensions import override

from btimd.itsm.lifecycle import allowed_commands
from btimd.itsm.moment import Choice
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import (
    Reassess,
    ReportClear,
)
from btimd.model.delivery import ExternalUpdate, UpdateKind
from btimd.model.incident import (
    ActorRole,
    CommandKind,
    CommandRefusedError,
    Difficulty,
    Impact,
    Incident,
    IncidentCommand,
    IncidentState,
    Priority,
    RefusalCode,
    Signal,
    TicketReference,
    Urgency,
)
from btimd.model.ports import TellKind, Timer
from btimd.store.journal import SqliteJournal
from tests.fakes.journal import FakeJournal
from tests.itsm.desks import HIT, Desk
from tests.itsm.examples import DAY, REPORT, T0, report, verdict
from tests.itsm.people import Team
from tests.itsm.suppressing import Quiet

OTHER = {"cause": "mail-1", "path": ("mail", "mail-1"), "symptom_nodes": ("mail",), "symptoms": ("mail-smtp@1",)}


def wish(kind: CommandKind, command_id: str, incident_id: str = "", **fields: Any) -> IncidentCommand:
    return IncidentCommand(kind, command_id, incident_id, **fields)


async def state_of(desk: Desk, incident_id: str) -> Incident:
    found = await desk.component.incident(incident_id)
    assert found is not None
    return found


async def until_state(desk: Desk, incident_id: str, state: IncidentState) -> Incident:
    async def reached() -> bool:
        return (await state_of(desk, incident_id)).state is state

    await desk.until(reached)
    return await state_of(desk, incident_id)


async def told(desk: Desk) -> list[tuple[str, str, str]]:
    """Return what waits to be told, and count it as told."""
    tellings = await desk.journal.claim_tellings(desk.clock.wall(), 100)
    for telling in tellings:
        await desk.journal.telling_done(telling.id, desk.clock.wall())
    return [(telling.kind.value, telling.recipient, telling.what) for telling in tellings]


async def test_an_incident_nobody_takes_goes_to_the_first_then_to_the_next_level_then_to_the_centre(desk: Desk) -> None:
    desk.settings["max_candidates"] = 1
    woken: list[int] = []
    await desk.start(people=Team(), on_tellings=lambda: woken.append(1))
    opened = await desk.report(verdict())
    desk.advance(300)
    first = await until_state(desk, opened.id, IncidentState.DISPATCHED)
    tellings = [await told(desk)]
    for _ in range(3):
        desk.advance(1800)
        await desk.until(lambda: _timers_rest(desk))
        tellings.append(await told(desk))
    last = await state_of(desk, opened.id)

    assert (first.assignee, first.level) == ("ann", 1)
    assert (last.state, last.level, last.excluded) == (IncidentState.STALLED, 2, ("ann", "dan"))
    assert tellings[0] == [("order", "ann", "order")]
    assert ("order", "dan", "order") in tellings[1]
    assert ("recall", "ann", "timeout") in tellings[1]
    assert ("centre", "", "stalled") in tellings[2]
    assert tellings[3] == [("centre", "", "stalled")]
    assert woken
    assert desk.metrics.value("btimd_itsm_incidents_stalled") == 1
    assert desk.metrics.value("btimd_itsm_timers_fired_total", {"name": "accept"}) == 2
    assert desk.metrics.value("btimd_itsm_tellings_total", {"kind": "centre"}) >= 2


async def _timers_rest(desk: Desk) -> bool:
    next_at = await desk.journal.next_timer_at()
    return next_at is None or next_at > desk.clock.wall()


async def test_timers_that_ran_out_while_it_was_down_fire_at_once_in_due_order(desk: Desk) -> None:
    await desk.start(people=Team())
    late = await desk.report(verdict())
    early = await desk.component.command(wish(CommandKind.CREATE, "c1", title="P1", priority=Priority.P1), "eve")
    await desk.stop()
    desk.clock.advance(DAY)
    await desk.restart(people=Team())
    await desk.until(lambda: _timers_rest(desk))

    assert (await state_of(desk, late.id)).state is IncidentState.DISPATCHED
    found = await state_of(desk, early.id)
    assert found.state is IncidentState.DISPATCHED
    fired = [
        event
        for incident in (late, early)
        for event in await desk.component.timeline(incident.id)
        if event.kind in {"dispatched", "response-mark", "resolution-mark"}
    ]
    assert {event.at for event in fired} == {T0 + DAY}
    orders = [one for one in desk.told if one.state is IncidentState.DISPATCHED and one.dispatch is not None]
    assert orders[0].id == early.id, "30 s were over before 5 min"
    assert found.response.told_percent == 100, "one event tells of all marks that passed"
    assert [event.kind for event in fired if event.incident_id == early.id] == [
        "dispatched", "response-mark", "resolution-mark",
    ]  # fmt: skip


async def test_a_timer_nothing_waits_for_is_dropped(desk: Desk) -> None:
    await desk.start(people=Team())
    opened = await desk.report(verdict())
    engine = desk.component._engine
    await engine.fire(Timer(opened.id, "wait", T0, generation=7))
    await engine.fire(Timer("INC-1", "wait", T0, generation=1))
    assert (await state_of(desk, opened.id)).version == 1

    await engine.fire(Timer(opened.id, "wait", T0 + 300, generation=1))
    assert (await state_of(desk, opened.id)).state is IncidentState.DISPATCHED
    await engine.fire(Timer(opened.id, "wait", T0 + 300, generation=1))
    assert (await state_of(desk, opened.id)).version == 2


async def test_incidents_from_before_there_were_groups_are_dispatched_too(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.restart(people=Team())

    async def queued() -> bool:
        return (await state_of(desk, opened.id)).version == 2

    await desk.until(queued)
    desk.advance(300)
    assert (await until_state(desk, opened.id, IncidentState.DISPATCHED)).assignee == "ann"


async def test_a_timer_of_an_earlier_release_still_closes_what_is_resolved(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.component.cleared(verdict())
    (timer,) = await desk.journal.timers_due(T0 + DAY, 9)
    if isinstance(desk.journal, FakeJournal):
        desk.journal.timers[opened.id, "reopen"] = replace(timer, generation=0)
    elif isinstance(desk.journal, SqliteJournal):
        await desk.journal._ask(lambda file: file.execute("UPDATE timer SET generation = 0").rowcount)
    desk.advance(DAY)

    await until_state(desk, opened.id, IncidentState.CLOSED)
    assert await desk.journal.next_timer_at() is None


async def test_a_dispatcher_that_fails_stops_nothing(desk: Desk) -> None:
    class Broken(Team):
        @override
        def decide(self, *_: Any) -> Choice:
            raise ZeroDivisionError

    await desk.start(people=Broken())
    opened = await desk.report(verdict())
    desk.advance(300)
    stalled = await until_state(desk, opened.id, IncidentState.STALLED)
    assert desk.metrics.value("btimd_itsm_dispatcher_failures_total") == 2
    assert (await desk.component.timeline(opened.id))[-1].details["explanation"] == (
        "the dispatcher failed; the log says how"
    )

    assert await desk.component.people_changed() == 0
    assert await desk.component.people_changed(Team()) == 1
    assert (await state_of(desk, stalled.id)).assignee == "ann"


async def test_a_choice_of_somebody_who_is_excluded_is_none(desk: Desk) -> None:
    class Stubborn(Team):
        @override
        def decide(self, *_: Any) -> Choice:
            return Choice("ann", "team-1", "always ann")

    await desk.start(people=Stubborn())
    opened = await desk.report(verdict())
    desk.advance(300)
    await until_state(desk, opened.id, IncidentState.DISPATCHED)
    await desk.component.command(wish(CommandKind.RETURN, "c1", opened.id, text="not mine"), "ann")

    assert (await state_of(desk, opened.id)).state is IncidentState.STALLED


async def test_a_command_repeated_returns_what_it_did_however_much_happened_since(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    accepted = await desk.component.command(wish(CommandKind.ACCEPT, "c1", opened.id), "ann")
    await desk.component.command(wish(CommandKind.CANCEL, "c2", opened.id, text="a drill"), "ann")
    await desk.restart()

    assert await desk.component.command(wish(CommandKind.ACCEPT, "c1", opened.id), "ann") == accepted


async def test_who_may_not_ask_is_refused(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    cancel = wish(CommandKind.CANCEL, "c1", opened.id, text="a drill")
    with pytest.raises(CommandRefusedError, match="cancel is for centre; ask one of them") as refused:
        await desk.component.command(cancel, "ann", frozenset())

    assert (refused.value.code, refused.value.allowed) == (
        RefusalCode.NOT_PERMITTED,
        allowed_commands(IncidentState.NEW),
    )
    assert (await desk.component.command(cancel, "ann", frozenset({ActorRole.CENTRE}))).state is (
        IncidentState.CANCELLED
    )


async def test_a_child_given_back_has_its_cause_and_its_symptoms_again(desk: Desk) -> None:
    await desk.start()
    child = await desk.report(verdict(id="D2", **OTHER))
    parent = await desk.report(verdict())
    merge = wish(CommandKind.MERGE, "c1", child.id, parent_id=parent.id, text="same rack")
    await desk.component.command(merge, "ann")
    unmerge = wish(CommandKind.UNMERGE, "c2", child.id, text="another rack")
    freed = await desk.component.command(unmerge, "ann")

    assert (freed.state, freed.parent_id, freed.opened_at) == (IncidentState.NEW, "", child.opened_at)
    assert (await desk.report(verdict(id="D3", **OTHER))).id == child.id
    await desk.component.cleared(verdict())
    assert (await state_of(desk, parent.id)).signal is Signal.CLEARED
    assert (await state_of(desk, child.id)).signal is Signal.ACTIVE
    await desk.restart()
    assert (await desk.report(verdict(id="D4", **OTHER))).id == child.id
    with pytest.raises(CommandRefusedError, match="it is not part of another incident"):
        await desk.component.command(replace(unmerge, command_id="c3"), "ann")


async def test_reports_that_are_no_diagnosis_are_merged_cleared_and_suppressed(desk: Desk) -> None:
    suppressor = Quiet({"mail/x"})
    await desk.start(suppressor=suppressor)
    made = await desk.component.report(report(notes={"symptoms": "a\nb"}))
    assert made is not None
    assert (await desk.component.report(report(fingerprint="mail/x"))) is None
    again = await desk.component.report(report())
    assert again is not None
    assert (again.id, again.report_count) == (made.id, 2)
    half = await desk.component.report_cleared("erp-db/down", frozenset({"a"}), ReportClear(remaining=0))
    whole = await desk.component.report_cleared("erp-db/down", frozenset({"b"}), ReportClear(remaining=0))

    assert half is not None
    assert whole is not None
    assert (half.state, whole.state) == (IncidentState.NEW, IncidentState.RESOLVED)
    assert await desk.component.report_cleared("nobody/knows", frozenset(), ReportClear(remaining=0)) is None
    desk.clock.advance(2 * DAY)
    new = await desk.component.report(report())
    assert new is not None
    assert new.id != made.id
    assert suppressor.kept == [("mail/x", "maintenance")]
    assert desk.metrics.value("btimd_itsm_reports_suppressed_total") == 1
    assert desk.metrics.value("btimd_itsm_clears_unmatched_total") == 1


async def test_a_judgement_that_says_nothing_new_writes_nothing(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    news = Reassess(impact=opened.impact, urgency=opened.urgency, assessment=HIT, cause="calendar")
    assert await desk.component.reassess(opened.id, news) == opened
    worse = replace(news, urgency=Urgency.HIGH, impact=Impact.HIGH)
    raised = await desk.component.reassess(opened.id, worse)

    assert raised is not None
    assert raised.priority is Priority.P1
    assert await desk.component.reassess("INC-1", news) is None


async def test_what_is_hard_is_shown_first_among_equals(desk: Desk) -> None:
    await desk.start()
    easy = await desk.report(verdict())
    hard = await desk.component.verdict(verdict(id="D2", **OTHER), HIT, Impact.MEDIUM, Urgency.MEDIUM, Difficulty.HIGH)

    assert hard is not None
    assert hard.difficulty is Difficulty.HIGH
    assert await desk.component.incidents(only_open=True, business=None, limit=9) == [hard, easy]


async def test_a_target_names_the_incident_once_and_its_changes_are_taken_over_once(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.component.referenced(opened.id, "rt", "4711")
    await desk.component.referenced(opened.id, "rt", "4711")
    change = ExternalUpdate("rt", "4711", "e1", opened.id, "zoe", UpdateKind.STATUS, "open", 5.0, "accept")
    told = await desk.component.external_update(change)
    taken = await desk.component.incident(opened.id)

    assert taken is not None
    assert (told, taken.version, taken.assignee) == (f"{opened.id} is accepted", 3, "zoe")
    assert taken.references == (TicketReference("rt", "4711", 1, "open"),)


async def test_what_the_life_cycle_refuses_is_told_and_does_not_come_back(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    ours = ExternalUpdate("rt", "4711", "e1", opened.id, "btimd", UpdateKind.COMMENT, "told there", 5.0)

    assert (
        await desk.component.external_update(ours) == f"refused: {opened.id}: it is an echo of what btimd wrote there"
    )
    assert (await desk.component.external_update(replace(ours, incident_id="INC-0"))).startswith("refused: there is no")


async def test_tellings_name_the_order_they_are_about(desk: Desk) -> None:
    await desk.start(people=Team())
    opened = await desk.report(verdict())
    await desk.component.command(wish(CommandKind.ASSIGN, "c1", opened.id, person="bob"), "cat")
    (telling,) = await desk.journal.claim_tellings(T0, 9)

    assert (telling.id, telling.kind, telling.recipient) == (f"{opened.id}.2.1", TellKind.ORDER, "bob")
    assert (telling.dispatch_id, telling.what, telling.at) == (f"{opened.id}/1", "order", T0)


async def test_every_event_names_the_rules_it_went_by(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    desk.settings["max_returns"] = 0
    await desk.restart()
    await desk.component.command(wish(CommandKind.COMMENT, "c1", opened.id, text=REPORT), "ann")
    first, second = [event.details["policy"] for event in await desk.component.timeline(opened.id)]

    assert len(first) == 12
    assert first != second
    assert {name.value for name in TimerName} >= {timer.name for timer in opened.timers}


async def test_what_is_suppressed_makes_no_incident_reopens_none_and_does_not_close_one(desk: Desk) -> None:
    suppressor = Quiet(set())
    await desk.start(suppressor=suppressor)
    opened = await desk.report(verdict())
    suppressor.fingerprints = {opened.fingerprint}
    grown = await desk.component.verdict(verdict(id="D2"), HIT, Impact.MEDIUM, Urgency.MEDIUM)
    await desk.component.cleared(verdict(id="D2"))
    resolved = await desk.component.incident(opened.id)
    again = await desk.component.verdict(verdict(id="D3"), HIT, Impact.MEDIUM, Urgency.MEDIUM)
    await desk.component.cleared(verdict(id="D3"))
    after = await desk.component.incident(opened.id)

    assert grown is not None
    assert (grown.id, grown.report_count) == (opened.id, 2)
    assert resolved is not None
    assert resolved.state is IncidentState.RESOLVED
    assert again is None
    assert after is not None
    assert (after.state, after.reopen_count) == (IncidentState.RESOLVED, 0)
    assert suppressor.kept == [(opened.fingerprint, "maintenance")]
    assert suppressor.gone == [opened.fingerprint] * 2
