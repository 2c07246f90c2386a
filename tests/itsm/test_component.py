import asyncio
from dataclasses import replace
from typing import Any

import pytest

from btimd.itsm.lifecycle import allowed_commands
from btimd.model.incident import (
    ActorRole,
    ClockStatus,
    CommandKind,
    CommandRefusedError,
    Impact,
    ImpactAssessment,
    IncidentCommand,
    IncidentState,
    Priority,
    RefusalCode,
    ServiceClock,
    Signal,
)
from btimd.model.ports import IncidentWrite
from btimd.model.service import Criticality
from btimd.runtime.lifecycle import ComponentHealth
from tests.itsm.desks import HIT, Desk
from tests.itsm.examples import DAY, REPORT, T0, report, verdict
from tests.patience import PATIENCE_SECONDS

OTHER = {"cause": "mail-1", "path": ("mail", "mail-1"), "symptom_nodes": ("mail",), "symptoms": ("mail-smtp@1",)}
HR = {"id": "D1", "symptoms": ("erp-http@1", "hr-http@1"), "symptom_nodes": ("erp", "hr")}


def command(kind: CommandKind, command_id: str, incident_id: str = "", **fields: Any) -> IncidentCommand:
    return IncidentCommand(kind, command_id, incident_id, **fields)


async def kinds(desk: Desk, incident_id: str) -> list[str]:
    return [event.kind for event in await desk.component.timeline(incident_id)]


async def test_one_cause_is_one_incident_that_grows(desk: Desk) -> None:
    await desk.start()
    first = await desk.report(verdict())
    again = await desk.report(verdict(**HR), ImpactAssessment(("erp", "hr"), ("north",), 30))
    other = await desk.report(verdict(id="D2", **OTHER))

    assert (first.id, again.id, other.id) == ("INC-20231114-0001", "INC-20231114-0001", "INC-20231114-0002")
    assert (again.version, again.report_count, again.assessment.businesses) == (2, 2, ("erp", "hr"))
    assert await desk.component.incidents(only_open=True, business=None, limit=10) == [again, other]
    assert await desk.component.incidents(only_open=True, business="hr", limit=10) == [again]
    assert await desk.component.incidents(only_open=False, business="hr", limit=10) == [again]
    assert await desk.component.incidents(only_open=True, business=None, limit=1) == [again]
    assert await desk.component.incident("INC-20231114-0001") == again
    assert await desk.component.incident("INC-1") is None
    assert desk.told == [first, again, other]
    assert desk.metrics.value("btimd_itsm_steps_total", {"kind": "opened"}) == 2
    assert desk.metrics.value("btimd_itsm_incidents_open", {"priority": "P3"}) == 2


async def test_a_critical_business_raises_the_impact_that_was_reported(desk: Desk) -> None:
    await desk.start(criticality=lambda _: Criticality.CRITICAL)

    opened = await desk.report(verdict())
    assert (opened.impact, opened.priority) == (Impact.HIGH, Priority.P2)


async def test_a_report_without_an_impact_is_weighed_by_the_businesses_it_hits(desk: Desk) -> None:
    await desk.start(criticality=lambda _: Criticality.CRITICAL)
    told = replace(report(), incident_id="", fingerprint="mail-1", impact=Impact.LOW)

    kept = await desk.component.report(told)
    weighed = await desk.component.report(replace(told, fingerprint="mail-2"), weigh=True)

    assert kept is not None
    assert weighed is not None
    assert (kept.impact, weighed.impact) == (Impact.LOW, Impact.HIGH)


async def test_the_class_of_an_incident_is_that_of_the_node_at_fault(desk: Desk) -> None:
    await desk.start(class_of={"erp-db": "database"}.__getitem__)

    assert (await desk.report(verdict())).category == "database"


async def test_an_incident_clears_only_with_its_last_symptom(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.report(verdict(id="D2", symptoms=("hr-http@1",), symptom_nodes=("hr",), path=("hr", "erp-db")))
    await desk.component.cleared(verdict())
    half = await desk.component.incident(opened.id)
    await desk.component.cleared(
        verdict(id="D2", symptoms=("hr-http@1",), symptom_nodes=("hr",), path=("hr", "erp-db"))
    )
    whole = await desk.component.incident(opened.id)

    assert half is not None
    assert whole is not None
    assert (half.state, half.signal) == (IncidentState.NEW, Signal.ACTIVE)
    assert (whole.state, whole.signal) == (IncidentState.RESOLVED, Signal.CLEARED)
    assert whole.closing_report.startswith("cleared at 2023-11-14T22:13:20.000Z by btimd: ")
    assert await kinds(desk, opened.id) == ["opened", "reported", "cleared-in-part", "resolved"]


async def test_the_end_of_what_no_incident_tells_of_is_counted(desk: Desk) -> None:
    await desk.start()
    await desk.component.cleared(verdict())

    assert desk.metrics.value("btimd_itsm_clears_unmatched_total") == 1


async def test_trouble_that_returns_in_time_reopens_and_later_is_new(desk: Desk) -> None:
    desk.settings["reopen_within"] = 3600.0
    await desk.start()
    first = await desk.report(verdict())
    await desk.component.cleared(verdict())
    desk.clock.advance(3599)
    back = await desk.report(verdict(id="D2"))
    await desk.component.cleared(verdict(id="D2"))
    desk.clock.advance(3600)
    new = await desk.report(verdict(id="D3"))

    assert (back.id, back.state, back.reopen_count) == (first.id, IncidentState.NEW, 1)
    assert new.id == "INC-20231115-0001"
    assert await kinds(desk, first.id) == ["opened", "resolved", "reopened", "resolved", "closed"]


async def test_time_closes_what_stayed_resolved_also_after_a_restart(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.component.cleared(verdict())
    await desk.restart()
    desk.advance(DAY)

    async def closed() -> bool:
        found = await desk.component.incident(opened.id)
        return found is not None and found.state is IncidentState.CLOSED

    await desk.until(closed)
    assert await desk.journal.next_timer_at() is None


async def test_a_resolved_incident_reopens_after_a_restart(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.component.cleared(verdict())
    await desk.restart()

    assert (await desk.report(verdict(id="D2"))).id == opened.id


async def test_a_person_works_an_incident_through(desk: Desk) -> None:
    await desk.start()
    desk_command = desk.component.command
    opened = await desk.report(verdict())
    await desk_command(command(CommandKind.ACCEPT, "c1", opened.id), "ann")
    await desk_command(command(CommandKind.COMMENT, "c2", opened.id, text="disk is full"), "ann")
    await desk_command(
        command(CommandKind.SET_PRIORITY, "c3", opened.id, priority=Priority.P1, text="month end"), "eve"
    )
    await desk_command(command(CommandKind.RESOLVE, "c4", opened.id, text=REPORT, override_reason="checks lag"), "ann")
    closed = await desk_command(command(CommandKind.CONFIRM, "c5", opened.id, text="works"), "eve")

    assert closed == replace(
        opened,
        version=6,
        state=IncidentState.CLOSED,
        priority=Priority.P1,
        priority_is_manual=True,
        touched_by_human=True,
        assignee="ann",
        closing_report=REPORT,
        accepted_at=T0,
        resolved_at=T0,
        closed_at=T0,
        response=ServiceClock(ClockStatus.MET, 3600.0, T0 + 3600, remaining_seconds=3600.0, ended_at=T0),
        resolution=ServiceClock(ClockStatus.MET, 7200.0, T0 + 7200, remaining_seconds=7200.0, ended_at=T0),
        first_time_fix=True,
        timers=(),
    )
    assert [(event.actor, event.kind, event.reason) for event in await desk.component.timeline(opened.id)] == [
        ("btimd", "opened", ""),
        ("ann", "accepted", "taken without an order"),
        ("ann", "commented", "disk is full"),
        ("eve", "priority-set", "month end"),
        ("ann", "resolved", "checks lag"),
        ("eve", "closed", "works"),
    ]
    assert await desk.component.incidents(only_open=True, business=None, limit=10) == []
    assert await desk.component.incidents(only_open=False, business=None, limit=10) == [closed]


async def test_a_command_repeated_is_done_once_also_after_a_restart(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    wish = command(CommandKind.ACCEPT, "c1", opened.id, expected_version=1)
    accepted = await desk.component.command(wish, "ann")
    assert await desk.component.command(wish, "ann") == accepted
    await desk.restart()
    assert await desk.component.command(wish, "ann") == accepted


@pytest.mark.parametrize(
    ("wish", "code", "allowed"),
    [
        (command(CommandKind.ACCEPT, "", "INC-20231114-0001"), RefusalCode.INVALID, ()),
        (command(CommandKind.ACCEPT, "c", "INC-1"), RefusalCode.NOT_FOUND, ()),
        (command(CommandKind.CONFIRM, "c", "INC-20231114-0001"), RefusalCode.NOT_ALLOWED_NOW, "new"),
        (command(CommandKind.ACCEPT, "c", "INC-20231114-0001", expected_version=5), RefusalCode.WRONG_VERSION, "new"),
        (command(CommandKind.MERGE, "c", "INC-20231114-0001", parent_id="INC-1"), RefusalCode.NOT_FOUND, ()),
        (command(CommandKind.CREATE, "c"), RefusalCode.INVALID, ()),
    ],
)
async def test_a_refused_command_is_counted_and_changes_nothing(
    desk: Desk, wish: IncidentCommand, code: RefusalCode, allowed: Any
) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    with pytest.raises(CommandRefusedError) as refused:
        await desk.component.command(wish, "ann")

    in_new = allowed_commands(IncidentState.NEW)
    assert (refused.value.code, refused.value.allowed) == (code, in_new if allowed == "new" else ())
    assert await desk.component.incident(opened.id) == opened
    assert desk.metrics.value("btimd_itsm_commands_refused_total", {"code": code.value}) == 1


async def test_a_person_can_report_what_no_check_sees(desk: Desk) -> None:
    await desk.start(criticality={"mail": Criticality.HIGH}.__getitem__)
    wish = command(CommandKind.CREATE, "c1", title="Mail is odd", text="umlauts broken", businesses=("mail",))
    made = await desk.component.command(wish, "ann")

    assert (made.id, made.title, made.impact, made.priority) == (
        "INC-20231114-0001",
        "Mail is odd",
        Impact.MEDIUM,
        Priority.P3,
    )
    assert await desk.component.command(wish, "ann") == made
    assert made.reporter == "ann"


async def test_a_report_taken_down_for_somebody_makes_them_the_reporter(desk: Desk) -> None:
    await desk.start()
    made = await desk.component.command(command(CommandKind.CREATE, "c1", title="Mail is odd", person="lin"), "ann")

    (event,) = await desk.component.timeline(made.id)
    assert (made.reporter, event.actor) == ("lin", "ann")


async def test_what_somebody_may_do_follows_from_the_state_and_from_who_they_are(desk: Desk) -> None:
    await desk.start()
    made = await desk.component.command(command(CommandKind.CREATE, "c1", title="Mail is odd"), "ann")
    taken = await desk.component.command(command(CommandKind.ACCEPT, "c2", made.id), "bob")

    def allowed(actor: str, *roles: ActorRole) -> list[str]:
        return [str(kind) for kind in desk.component.allowed(taken, actor, frozenset(roles))]

    of_the_handler = ["return", "transfer", "escalate", "stage-report", "pend", "resolve", "merge", "comment"]
    assert allowed("ann") == ["comment"]
    assert allowed("bob") == allowed("bob", ActorRole.DESK) == of_the_handler
    assert allowed("eve", ActorRole.DESK) == ["merge", "comment"]
    assert allowed("eve", ActorRole.HANDLER) == ["comment"]
    assert set(allowed("eve", ActorRole.CENTRE)) == {*of_the_handler, "force-escalate", "cancel", "set-priority"}
    assert list(desk.component.allowed(taken, "eve")) == list(allowed_commands(taken.state))


async def test_a_child_joins_its_parent_with_its_symptoms_and_its_cause(desk: Desk) -> None:
    await desk.start()
    child = await desk.report(verdict(id="D2", **OTHER))
    parent = await desk.report(verdict())
    merge = command(CommandKind.MERGE, "c1", child.id, parent_id=parent.id, text="same rack")
    merged = await desk.component.command(merge, "ann")
    await desk.restart()

    assert merged.state is IncidentState.MERGED
    assert (await desk.component.timeline(child.id))[-1].details["parent_id"] == parent.id
    assert (await desk.report(verdict(id="D3", **OTHER))).id == parent.id
    await desk.component.cleared(verdict())
    still = await desk.component.incident(parent.id)
    assert still is not None
    assert still.signal is Signal.ACTIVE
    await desk.component.cleared(verdict(id="D3", **OTHER))
    gone = await desk.component.incident(parent.id)
    assert gone is not None
    assert gone.state is IncidentState.RESOLVED


async def test_a_found_cause_takes_in_the_incident_that_looked_for_it(desk: Desk) -> None:
    await desk.start()
    unknown = await desk.report(verdict(id="D0", cause=None))
    found = await desk.report(verdict(id="D1", symptom_nodes=("erp", "hr")))

    child = await desk.component.incident(unknown.id)
    assert child is not None
    assert child.state is IncidentState.MERGED
    assert await kinds(desk, found.id) == ["opened", "absorbed"]
    assert (await desk.component.timeline(unknown.id))[-1].reason == "diagnosis D1 found its cause"
    await desk.component.cleared(verdict(id="D0", cause=None))
    await desk.component.cleared(verdict(id="D1", symptom_nodes=("erp", "hr")))
    assert await desk.component.incidents(only_open=True, business=None, limit=9) == []


async def test_trouble_that_ended_while_btimd_was_down_is_cleared_after_a_while(desk: Desk) -> None:
    await desk.start()
    gone = await desk.report(verdict())
    stays = await desk.report(verdict(id="D2", **OTHER))
    await desk.restart()
    await desk.report(verdict(id="D3", **{**OTHER, "symptoms": ("mail-smtp@2",)}))
    desk.advance(600)

    async def resolved() -> bool:
        found = await desk.component.incident(gone.id)
        return found is not None and found.state is IncidentState.RESOLVED

    await desk.until(resolved)
    still = await desk.component.incident(stays.id)
    assert still is not None
    assert still.signal is Signal.ACTIVE
    await desk.component.cleared(verdict(id="D3", **{**OTHER, "symptoms": ("mail-smtp@2",)}))
    over = await desk.component.incident(stays.id)
    assert over is not None
    assert over.signal is Signal.CLEARED, "symptoms of the earlier run are forgotten"


async def test_ids_go_on_after_a_restart_and_when_the_clock_goes_back(desk: Desk) -> None:
    await desk.start()
    await desk.report(verdict())
    desk.clock.now -= 10 * DAY
    await desk.restart()

    assert (await desk.report(verdict(id="D2", **OTHER))).id == "INC-20231114-0002"


async def test_a_change_goes_on_when_its_caller_gives_up(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    call = asyncio.create_task(desk.component.command(command(CommandKind.ACCEPT, "c1", opened.id), "ann"))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    async def accepted() -> bool:
        found = await desk.component.incident(opened.id)
        return found is not None and found.state is IncidentState.ACCEPTED

    await desk.until(accepted)
    assert await desk.component.incident(opened.id) == await desk.journal.load_incident(opened.id)


async def test_many_at_once_are_done_one_after_the_other(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    wishes = [command(CommandKind.COMMENT, f"c{number}", opened.id, text="x") for number in range(20)]
    await asyncio.gather(*(desk.component.command(wish, "ann") for wish in wishes))

    events = await desk.component.timeline(opened.id)
    assert [event.seq for event in events] == list(range(1, 22))


async def test_watchers_see_the_open_incidents_and_then_every_change(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict())
    await desk.restart()
    subscription = desk.component.watch()
    assert subscription.snapshot == [opened]
    cancelled = await desk.component.command(command(CommandKind.CANCEL, "c1", opened.id, text="a drill"), "ann")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assert await anext(aiter(subscription.changes())) == [cancelled]
    subscription.close()


async def test_the_whole_diagnosis_is_kept(desk: Desk) -> None:
    await desk.start()
    opened = await desk.report(verdict(), HIT)

    details = (await desk.component.timeline(opened.id))[0].details
    assert (details["path"], details["summary"]) == ("erp\nerp-web\nerp-db", verdict().summary)


async def test_a_desk_without_targets_is_well(desk: Desk) -> None:
    component = await desk.start()

    assert (component.name, component.health()) == ("itsm", ComponentHealth())


async def test_a_merge_that_a_crash_cut_in_half_is_made_whole_by_asking_again(desk: Desk) -> None:
    await desk.start()
    child = await desk.report(verdict(id="D2", **OTHER))
    parent = await desk.report(verdict())
    merge = command(CommandKind.MERGE, "c1", child.id, parent_id=parent.id)
    write, written = desk.journal.write_incident, 0

    async def die_at_the_second(step: IncidentWrite) -> None:
        nonlocal written
        written += 1
        if written > 1:
            raise ConnectionAbortedError
        await write(step)

    desk.journal.write_incident = die_at_the_second  # type: ignore[method-assign, assignment]  # the crash
    with pytest.raises(ConnectionAbortedError):
        await desk.component.command(merge, "ann")
    desk.journal.write_incident = write  # type: ignore[method-assign]  # the restart
    await desk.restart()
    merged = await desk.component.command(merge, "ann")
    whole = await desk.component.incident(parent.id)

    assert whole is not None
    assert (merged.state, whole.report_count) == (IncidentState.MERGED, 2)
    assert await kinds(desk, parent.id) == ["opened", "absorbed"]


async def test_a_desk_that_was_never_run_can_be_stopped(desk: Desk) -> None:
    component = desk.build()

    await component.stop()
    await component.start()
    await component.stop()


async def test_what_packets_showed_goes_to_the_open_incidents_of_the_business_and_to_one_that_opens_soon(
    desk: Desk,
) -> None:
    await desk.start()
    first = await desk.report(verdict())
    await desk.component.observed("erp", "HTTP 503 in 14 of 20 answers of 10.2.0.10:80", {"file": "one.pcapng"})
    other = await desk.report(verdict(id="D2", **OTHER), ImpactAssessment(("mail",), (), 1))
    soon = await desk.report(verdict(id="D3", cause="disk-1", path=("erp", "disk-1"), symptoms=("x",)), HIT)
    desk.clock.advance(600)
    late = await desk.report(verdict(id="D4", cause="disk-2", path=("erp", "disk-2"), symptoms=("y",)), HIT)

    timelines = {one.id: await desk.component.timeline(one.id) for one in (first, other, soon, late)}
    assert {key: [event.kind for event in events] for key, events in timelines.items()} == {
        first.id: ["opened", "observed"], other.id: ["opened"], soon.id: ["opened", "observed"], late.id: ["opened"],
    }  # fmt: skip
    seen = timelines[first.id][-1]
    assert (seen.actor, seen.reason, seen.details["file"]) == (
        "btimd", "HTTP 503 in 14 of 20 answers of 10.2.0.10:80", "one.pcapng",
    )  # fmt: skip
    assert (soon.version, soon.touched_by_human) == (2, False)
