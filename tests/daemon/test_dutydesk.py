"""The duty desk beside a running incident desk: who is asked, what is remembered, what a shift's change does."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.daemon.dutydesk import STATE_NAME, DutyDesk
from btimd.model.duty import EscalationPath, PathLevel, RotaRules, WorkClass
from btimd.model.incident import CommandKind, ImpactAssessment, Incident, IncidentCommand, IncidentState
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from tests.itsm.desks import Desk
from tests.itsm.duties import people_of, person, shift
from tests.itsm.examples import REPORT, verdict
from tests.store.examples import incident

OTHER = {
    "id": "D9", "cause": "mail-1", "path": ("mail", "mail-1"), "symptom_nodes": ("mail",), "symptoms": ("mail-smtp@1",),
}  # fmt: skip
PEOPLE = people_of(
    person("ann", {"db": 0.9}, noc=1),
    person("bob", {"db": 0.6}, noc=1),
    person("dee", {"db": 1.0}, tech=2),
    classes=(WorkClass("db", "path", effort_minutes=90.0),),
)
RULES = RotaRules(shifts=(shift("always", "00:00", "24:00", ("ann", "bob")),))


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk("sqlite", tmp_path)
    yield made
    await made.close()


def duty_of(desk: Desk, rules: RotaRules = RULES) -> DutyDesk:
    async def changed() -> None:
        await desk.component.people_changed()

    return DutyDesk(PEOPLE, rules, journal=desk.journal, on_duty_change=changed, clock=desk.clock, log=Log("duty"))


async def opened(desk: Desk, duty: DutyDesk) -> str:
    await duty.start()
    await desk.start(people=duty, on_events=duty.followed)
    return (await desk.report(verdict())).id


async def state_of(desk: Desk, incident_id: str) -> Incident:
    found = await desk.component.incident(incident_id)
    assert found is not None
    return found


async def ordered(desk: Desk, incident_id: str, number: int) -> Incident:
    """Let time pass until so many orders went out, and return the incident."""

    async def is_there() -> bool:
        return (await state_of(desk, incident_id)).dispatch_count >= number

    await desk.until(is_there, step_seconds=60.0)
    return await state_of(desk, incident_id)


async def test_who_does_not_answer_is_passed_over_and_each_order_is_remembered(desk: Desk) -> None:
    duty = duty_of(desk)
    incident_id = await opened(desk, duty)
    asked = []
    for number in (1, 2, 3):
        incident = await ordered(desk, incident_id, number)
        assert incident.dispatch is not None
        asked.append((incident.dispatch.person, incident.dispatch.level))
        assert duty.desk.workload.order_of(incident_id).person == incident.dispatch.person  # type: ignore[union-attr]
    assert (sorted(asked[:2]), asked[2]) == ([("ann", 1), ("bob", 1)], ("dee", 2))

    await desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", incident_id), "dee")
    await desk.component.command(
        IncidentCommand(CommandKind.RESOLVE, "c2", incident_id, text=REPORT, override_reason="seen to be over"), "dee"
    )
    assert (await state_of(desk, incident_id)).state is IncidentState.RESOLVED
    assert duty.desk.workload.order_of(incident_id) is None


async def test_an_agreement_may_have_its_own_path(desk: Desk) -> None:
    gold = WorkClass("default", "path", by_agreement={"gold": "short"})
    people = people_of(person("ann", noc=1), person("dee", tech=2), classes=(gold,))
    short = EscalationPath("short", (PathLevel("tech", "tech"),))
    people = replace(people, paths={**people.paths, "short": short})

    async def changed() -> None: ...

    def levels(agreement: str) -> int:
        duty = DutyDesk(
            people,
            RULES,
            journal=desk.journal,
            on_duty_change=changed,
            clock=desk.clock,
            log=Log("duty"),
            agreement_of=lambda _: agreement,
        )
        return duty.levels(incident(), 0.0)

    assert (levels("gold"), levels("")) == (1, 2)


async def test_what_was_told_is_there_after_a_restart(desk: Desk) -> None:
    duty = duty_of(desk)
    incident_id = await opened(desk, duty)
    await ordered(desk, incident_id, 2)
    await duty.stop()
    again = duty_of(desk)
    await again.start()

    assert again.desk.document() == duty.desk.document()
    assert again.desk.workload.order_of(incident_id) == duty.desk.workload.order_of(incident_id)


async def test_a_damaged_history_begins_anew_and_is_told(desk: Desk) -> None:
    duty = duty_of(desk)
    await desk.journal.save_state(STATE_NAME, json.dumps({"format": 99}).encode())
    await duty.start()

    assert duty.health().level is HealthLevel.WARNING
    assert "began anew" in duty.health().reason


async def test_nobody_on_duty_is_told_to_the_centre_and_the_next_shift_gets_it(desk: Desk) -> None:
    nobody = RotaRules(shifts=(shift("never", "00:00", "24:00", ("bob",)),), absences=())
    duty = duty_of(desk, RotaRules(shifts=(shift("gone", "00:01", "00:02", ("bob",)),)))
    alone = people_of(person("bob", {"db": 0.6}, noc=1))
    duty.reload(alone, RotaRules(shifts=(shift("gone", "00:01", "00:02", ("bob",)),)))
    incident_id = await opened(desk, duty)

    async def stalled() -> bool:
        return (await state_of(desk, incident_id)).state is IncidentState.STALLED

    await desk.until(stalled, step_seconds=60.0)
    told = [(one.kind.value, one.what) for one in await desk.journal.claim_tellings(desk.clock.wall(), 9)]
    duty.reload(alone, nobody)
    await desk.component.people_changed()
    incident = await state_of(desk, incident_id)

    assert ("centre", "stalled") in told
    assert (incident.state, incident.dispatch.person if incident.dispatch else "") == (IncidentState.DISPATCHED, "bob")


async def test_who_gets_free_is_given_what_stalled_because_they_had_too_much(desk: Desk) -> None:
    changes = 0
    busy = people_of(person("bob", {"db": 0.6}, capacity=0.2, noc=1))

    async def changed() -> None:
        nonlocal changes
        changes += 1
        await desk.component.people_changed()

    duty = DutyDesk(busy, RULES, journal=desk.journal, on_duty_change=changed, clock=desk.clock, log=Log("duty"))
    first = await opened(desk, duty)
    await ordered(desk, first, 1)
    second = (await desk.report(verdict(**OTHER), ImpactAssessment(("mail",)))).id

    async def stalled() -> bool:
        return (await state_of(desk, second)).state is IncidentState.STALLED

    await desk.until(stalled, step_seconds=60.0)
    running = asyncio.create_task(duty.run())
    await desk.component.command(IncidentCommand(CommandKind.ACCEPT, "c1", first), "bob")
    await desk.component.command(
        IncidentCommand(CommandKind.RESOLVE, "c2", first, text=REPORT, override_reason="seen to be over"), "bob"
    )

    async def given() -> bool:
        return (await state_of(desk, second)).state is IncidentState.DISPATCHED

    await desk.until(given)
    running.cancel()
    assert (await state_of(desk, second)).assignee == "bob"
    assert changes == 1
