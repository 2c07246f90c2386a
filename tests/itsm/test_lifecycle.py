import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.lifecycle import (
    TABLE,
    TIMED,
    Publish,
    StartTimer,
    Step,
    StopTimer,
    allowed_commands,
    reopen_time_is_over,
    step,
)
from btimd.itsm.moment import LifecycleConfig, Tell
from btimd.itsm.timers import TimerName
from btimd.itsm.triggers import (
    Absorb,
    Accept,
    Cancel,
    Comment,
    Confirm,
    MergeInto,
    ReopenTimeOver,
    ReportClear,
    Resolve,
    SetPriority,
    Trigger,
)
from btimd.model.incident import (
    ActorRole,
    CommandRefusedError,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentState,
    Priority,
    RefusalCode,
    Signal,
    TimerDue,
    Urgency,
)
from btimd.model.ports import TellKind
from tests.itsm.examples import CONFIG, DAY, REPORT, T0, incident_after, report
from tests.itsm.story import Story, tell

OPENED = incident_after(report())
ACCEPTED = incident_after(report(), Accept(actor="ann"))
RESOLVED = incident_after(report(), ReportClear(remaining=0))
PARENT = incident_after(report(incident_id="INC-20231114-0002", fingerprint="host-1/down", cause="host-1"))


def test_a_first_report_opens_an_incident_and_tells_everybody() -> None:
    made = step(None, report(), T0, CONFIG)

    assert made.incident == Incident(
        id="INC-20231114-0001",
        version=1,
        fingerprint="erp-db/down",
        state=IncidentState.NEW,
        signal=Signal.ACTIVE,
        title="erp-db refuses connections",
        description="ERP fails because its database refuses connections.",
        cause="erp-db",
        verdict_id="D1",
        confidence=0.97,
        impact=Impact.MEDIUM,
        urgency=Urgency.MEDIUM,
        priority=Priority.P3,
        priority_is_manual=False,
        assessment=ImpactAssessment(businesses=("erp",), regions=("north",), users=40),
        report_count=1,
        reopen_count=0,
        touched_by_human=False,
        assignee="",
        closing_report="",
        opened_at=T0,
        last_seen_at=T0,
        began_at=T0 - 5,
    )
    assert [(event.seq, event.kind, event.from_state, event.to_state) for event in made.events] == [
        (1, "opened", None, IncidentState.NEW)
    ]
    assert made.effects == (Publish("opened"),)


def test_a_report_on_an_open_incident_adds_what_it_hits_and_raises_at_once() -> None:
    more = report(
        verdict_id="D2",
        impact=Impact.HIGH,
        assessment=ImpactAssessment(businesses=("hr",), regions=("south",), users=90),
    )
    made = step(ACCEPTED, more, T0 + 60, CONFIG)

    assert made.incident == replace(
        ACCEPTED,
        version=3,
        verdict_id="D2",
        impact=Impact.HIGH,
        priority=Priority.P2,
        assessment=ImpactAssessment(("erp", "hr"), ("north", "south"), users=90, users_exact=False),
        report_count=2,
        last_seen_at=T0 + 60,
        told_at=T0 + 60,
        timers=(TimerDue("stage", T0 + 1 + 2 * 3600, 3),),
    )
    assert made.effects == (
        StartTimer("stage", T0 + 1 + 2 * 3600),
        Publish("reported"),
        Tell(TellKind.HANDLER, "ann", "priority-raised"),
    )


def test_a_report_that_says_nothing_new_is_counted_but_told_to_nobody() -> None:
    few_more = replace(OPENED.assessment, users=44)
    made = step(OPENED, report(assessment=few_more), T0 + 60, CONFIG)

    assert (made.incident.report_count, made.incident.assessment.users, made.effects) == (2, 44, ())


def test_a_report_on_a_merged_childs_cause_leaves_the_parents_diagnosis() -> None:
    made = step(PARENT, report(verdict_id="D9", description="of the child"), T0 + 60, CONFIG)

    assert (made.incident.verdict_id, made.incident.description) == (PARENT.verdict_id, PARENT.description)


def test_a_report_within_the_reopen_time_reopens() -> None:
    by_hand = step(ACCEPTED, Resolve(actor="ann", closing_report=REPORT, override_reason="disk is new"), T0, CONFIG)
    made = step(by_hand.incident, report(), T0 + DAY - 1, CONFIG)

    assert made.incident == replace(
        ACCEPTED,
        version=4,
        state=IncidentState.NEW,
        report_count=2,
        reopen_count=1,
        last_seen_at=T0 + DAY - 1,
        assignee="",
        accepted_at=None,
        first_time_fix=False,
        timers=(),
    )
    assert made.effects == (StopTimer("reopen"), Publish("reopened"), Tell(TellKind.WATCHERS, "", "reopened"))


def test_a_report_after_the_reopen_time_is_not_this_incidents() -> None:
    resolved_at = RESOLVED.resolved_at or 0.0

    assert reopen_time_is_over(RESOLVED, resolved_at + DAY, CONFIG)
    with pytest.raises(CommandRefusedError, match="is resolved: report problem is not possible now"):
        step(RESOLVED, report(), resolved_at + DAY, CONFIG)


def test_what_clears_before_anybody_touched_it_is_resolved_with_a_closing_report() -> None:
    made = step(OPENED, ReportClear(remaining=0), T0 + 30, CONFIG)

    assert made.incident == replace(
        OPENED,
        version=2,
        state=IncidentState.RESOLVED,
        signal=Signal.CLEARED,
        resolved_at=T0 + 30,
        closing_report="cleared at 2023-11-14T22:13:50.000Z by btimd: the checks that saw it are good again, "
        "and nobody had taken the incident; it was erp-db",
        timers=(TimerDue("reopen", T0 + 30 + DAY, 2),),
    )
    told = Tell(TellKind.WATCHERS, "", "resolved")
    assert made.effects == (StartTimer("reopen", T0 + 30 + DAY), Publish("resolved"), told)


@pytest.mark.parametrize(
    ("incident", "config"),
    [
        pytest.param(ACCEPTED, CONFIG, id="accepted"),
        pytest.param(incident_after(report(), Comment(actor="ann", text="mine")), CONFIG, id="commented"),
        pytest.param(OPENED, LifecycleConfig(auto_resolve=False), id="not wanted"),
    ],
)
def test_what_clears_is_not_resolved_over_somebodys_head(incident: Incident, config: LifecycleConfig) -> None:
    made = step(incident, ReportClear(remaining=0), T0 + 30, config)

    assert made.incident == replace(incident, version=incident.version + 1, signal=Signal.CLEARED)
    told = (Tell(TellKind.HANDLER, "ann", "cleared"),) if incident.assignee else ()
    assert (made.events[0].kind, made.effects) == ("cleared", (Publish("cleared"), *told))


def test_an_incident_is_not_cleared_while_one_of_its_symptoms_is_left() -> None:
    made = step(OPENED, ReportClear(remaining=1), T0 + 30, CONFIG)

    assert made.incident == replace(OPENED, version=2)
    assert (made.events[0].kind, made.effects) == ("cleared-in-part", ())


def test_accepting_gives_the_incident_to_who_accepts() -> None:
    assert step(OPENED, Accept(actor="ann"), T0 + 9, CONFIG).incident == replace(
        OPENED,
        version=2,
        state=IncidentState.ACCEPTED,
        assignee="ann",
        accepted_at=T0 + 9,
        touched_by_human=True,
        timers=(TimerDue("stage", T0 + 9 + 8 * 3600, 2),),
    )


def test_resolving_stores_the_closing_report_and_waits_for_a_reopening() -> None:
    cleared = step(ACCEPTED, ReportClear(remaining=0), T0 + 30, CONFIG).incident
    made = step(cleared, Resolve(actor="ann", closing_report=f" {REPORT}\n"), T0 + 60, CONFIG)

    assert made.incident == replace(
        cleared,
        version=4,
        state=IncidentState.RESOLVED,
        closing_report=REPORT,
        resolved_at=T0 + 60,
        first_time_fix=True,
        timers=(TimerDue("reopen", T0 + 60 + DAY, 4),),
    )
    told = Tell(TellKind.WATCHERS, "", "resolved")
    assert made.effects == (StopTimer("stage"), StartTimer("reopen", T0 + 60 + DAY), Publish("resolved"), told)


@pytest.mark.parametrize(
    ("text", "override", "message"),
    [
        ("fixed", "x", "the closing report has 5 characters; write at least 20: what the cause was and what was done"),
        (" " * 30, "x", "the closing report has 0 characters; write at least 20"),
        ("x" * 10_001, "x", "the closing report has 10001 characters; shorten it to 10000"),
        (REPORT, " ", "the symptoms are still there; wait until they clear or give an override_reason"),
    ],
)
def test_a_resolution_without_what_it_needs_is_refused(text: str, override: str, message: str) -> None:
    with pytest.raises(CommandRefusedError, match=message) as refused:
        step(ACCEPTED, Resolve(actor="ann", closing_report=text, override_reason=override), T0, CONFIG)

    assert refused.value.code is RefusalCode.INVALID


def test_a_persons_own_report_can_be_resolved_although_no_check_clears_it() -> None:
    manual = incident_after(report(verdict_id="", by_human=True))

    assert step(manual, Resolve(actor="ann", closing_report=REPORT), T0, CONFIG).incident.state is (
        IncidentState.RESOLVED
    )


@pytest.mark.parametrize(
    ("trigger", "reason"),
    [(Confirm(actor="eve", text="works"), "works"), (ReopenTimeOver(), "not seen again in the time to reopen")],
)
def test_a_resolved_incident_is_closed_by_a_person_or_by_time(trigger: Trigger, reason: str) -> None:
    made = step(RESOLVED, trigger, T0 + DAY, CONFIG)

    assert made.incident == replace(
        RESOLVED,
        version=3,
        state=IncidentState.CLOSED,
        closed_at=T0 + DAY,
        touched_by_human=trigger.actor == "eve",
        timers=(),
    )
    assert (made.events[0].reason, made.effects) == (reason, (StopTimer("reopen"), Publish("closed")))


@pytest.mark.parametrize(
    "trigger",
    [
        Cancel(actor="ann", reason=" "),
        Comment(actor="ann", text=""),
        SetPriority(actor="ann", priority=Priority.P1, reason=""),
        Cancel(actor="ann", reason="x" * 10_001),
        MergeInto(actor="ann", parent=OPENED, reason=""),
        MergeInto(actor="ann", parent=replace(RESOLVED, id="INC-20231114-0009"), reason=""),
    ],
    ids=lambda trigger: type(trigger).__name__,
)
def test_what_brings_less_than_needed_is_refused(trigger: Trigger) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        step(OPENED, trigger, T0, CONFIG)

    assert refused.value.code is RefusalCode.INVALID


def test_a_cancelled_incident_is_final_and_says_why() -> None:
    made = step(OPENED, Cancel(actor="ann", reason="a drill"), T0 + 9, CONFIG)

    assert (made.incident.state, made.events[0].reason) == (IncidentState.CANCELLED, "a drill")
    assert allowed_commands(IncidentState.CANCELLED) == ()


def test_a_priority_set_by_a_person_stays_whatever_is_reported() -> None:
    low = step(OPENED, SetPriority(actor="ann", priority=Priority.P5, reason="test system"), T0, CONFIG).incident
    worse = step(low, report(impact=Impact.HIGH, urgency=Urgency.HIGH), T0 + 1, CONFIG).incident

    assert (worse.impact, worse.urgency, worse.priority) == (Impact.HIGH, Urgency.HIGH, Priority.P5)


def test_a_parent_takes_over_what_its_child_hits() -> None:
    child = incident_after(
        report(impact=Impact.HIGH, assessment=ImpactAssessment(("hr",), ("south",), 10), began_at=T0 - 50)
    )

    assert step(PARENT, Absorb(child=child, reason=""), T0, CONFIG).incident == replace(
        PARENT,
        version=2,
        impact=Impact.HIGH,
        priority=Priority.P2,
        assessment=ImpactAssessment(("erp", "hr"), ("north", "south"), users=40, users_exact=False),
        report_count=2,
        began_at=T0 - 50,
    )
    assert step(child, MergeInto(actor="ann", parent=PARENT, reason=""), T0, CONFIG).incident.state is (
        IncidentState.MERGED
    )


def test_what_the_table_does_not_list_is_refused_with_what_it_does_list() -> None:
    with pytest.raises(CommandRefusedError) as refused:
        step(RESOLVED, Accept(actor="ann"), T0, CONFIG)

    assert str(refused.value) == (
        "INC-20231114-0001 is resolved: accept is not possible now; possible: confirm, reject, survey, comment"
    )
    allowed = ("confirm", "reject", "survey", "comment")
    assert (refused.value.code, refused.value.allowed) == (RefusalCode.NOT_ALLOWED_NOW, allowed)
    with pytest.raises(CommandRefusedError) as nothing:
        step(None, Accept(actor="ann"), T0, CONFIG)
    assert nothing.value.code is RefusalCode.NOT_FOUND


def test_the_numbers_of_the_table_are_unique() -> None:
    numbers = [row.number for row in TABLE]

    assert len(numbers) == len(set(numbers))


def test_the_page_on_the_life_cycle_is_current() -> None:
    path = Path(__file__).parents[2] / "tools" / "lifecycle_diagram.py"
    spec = importlib.util.spec_from_file_location("lifecycle_diagram", path)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    assert tool.PAGE.read_text(encoding="utf-8") == tool.render(), f"run {tool.TO_RUN}"


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 120))
def test_whatever_happens_the_invariants_hold_and_the_timeline_rebuilds_the_row(seed: int, events: int) -> None:
    story = tell(seed, events)

    assert story.incident is None or step_is_pure(story)


def step_is_pure(story: Story) -> bool:
    """Tell whether the same step has the same outcome twice, and leaves the row alone."""
    row = story.incident
    assert row is not None
    copy = replace(row)
    outcomes: list[Step | str] = []
    for _ in range(2):
        try:
            outcomes.append(step(row, Comment(actor="ann", text="hm"), story.now, story.config))
        except CommandRefusedError as refused:
            outcomes.append(str(refused))
    return outcomes[0] == outcomes[1] and row == copy


def test_the_names_of_conditions_and_roles_are_data() -> None:
    by_number = {row.number: row for row in TABLE}

    assert by_number["27"].who == {ActorRole.CENTRE}
    assert by_number["14"].who == {ActorRole.HANDLER, ActorRole.CENTRE}
    assert by_number["24"].who == {ActorRole.REPORTER, ActorRole.DESK, ActorRole.CENTRE}
    assert by_number["10a"].who == frozenset()
    assert set(TIMED) == set(TimerName)
