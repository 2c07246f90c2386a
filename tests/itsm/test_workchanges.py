"""Every transition of work by example: what happens, the whole row after it, and all it owes to time and people."""

from dataclasses import replace
from typing import Any

import pytest

from btimd.itsm.deadlines import DAY, HOUR, MINUTE, Promise
from btimd.itsm.lifecycle import TABLE, Publish, StartTimer, Step, StopTimer, step
from btimd.itsm.moment import LifecycleConfig, OrderLimits, Tell
from btimd.itsm.triggers import (
    Accept,
    AcceptTimeOver,
    AskSurvey,
    Assign,
    Cancel,
    CentreDue,
    Confirm,
    DigestDue,
    Escalate,
    ExternalUpdate,
    ExternalWish,
    ForceEscalate,
    Hold,
    HoldOver,
    LetGo,
    MergeInto,
    Pend,
    PendingOver,
    PeopleChanged,
    Reassess,
    Referenced,
    Reject,
    Release,
    RenotifyDue,
    ReportClear,
    ResolutionMark,
    Resolve,
    ResponseMark,
    Resume,
    Return,
    SetPriority,
    StageDue,
    StageGraceOver,
    StageReport,
    Survey,
    Transfer,
    Trigger,
    Unmerge,
    WaitOver,
)
from btimd.model.incident import (
    ActorRole,
    ClockStatus,
    ClosingReport,
    CommandRefusedError,
    Difficulty,
    Dispatch,
    Impact,
    ImpactAssessment,
    Incident,
    IncidentState,
    Priority,
    RefusalCode,
    ServiceClock,
    Signal,
    TicketReference,
    TimerDue,
    Urgency,
)
from btimd.model.ports import TellKind
from tests.itsm.examples import REPORT, T0, incident_after, report
from tests.itsm.people import Team

S = IncidentState
QUIET = LifecycleConfig(promise=lambda _: Promise(0.0, 0.0), max_candidates=2)
PROMISED = replace(QUIET, promise=lambda _: Promise())
NOW = T0 + 1000


def life(*triggers: Trigger, config: LifecycleConfig = QUIET, team: Team | None = None) -> Incident:
    """Return the incident after these triggers, all at T0, with the team's people."""
    incident: Incident | None = None
    for trigger in triggers:
        incident = step(incident, trigger, T0, config, team or Team()).incident
    assert incident is not None
    return incident


def now(incident: Incident, trigger: Trigger, config: LifecycleConfig = QUIET, team: Team | None = None) -> Step:
    return step(incident, trigger, NOW, config, team or Team())


def order(number: int, person: str, level: int = 1, at_level: int = 1, **fields: Any) -> Dispatch:
    plain: dict[str, Any] = {"by_hand": False, "sent_at": NOW, "accept_by": NOW + 30 * MINUTE}
    return Dispatch(
        id=f"INC-20231114-0001/{number}",
        number=number,
        level=level,
        number_at_level=at_level,
        person=person,
        group=f"team-{level}",
        **plain | fields,
    )


def timer(name: str, due_at: float, generation: int) -> TimerDue:
    return TimerDue(name, due_at, generation)


SELF = report(by_human=True, actor="eve", verdict_id="")
NEW = life(SELF)
DISPATCHED = life(SELF, WaitOver())
ACCEPTED = life(SELF, WaitOver(), Accept(actor="ann"))
PENDING = life(SELF, WaitOver(), Accept(actor="ann"), Pend(actor="ann", reason="disk", until=T0 + HOUR))
HELD = life(SELF, Hold(actor="cat", reason="wait for news"))
NOBODY = Team(by_level=((), ()))
STALLED = life(SELF, WaitOver(), team=NOBODY)
RESOLVED = life(SELF, WaitOver(), Accept(actor="ann"), Resolve(actor="ann", closing_report=REPORT))
CLOSED = life(SELF, WaitOver(), Accept(actor="ann"), Resolve(actor="ann", closing_report=REPORT), Confirm(actor="eve"))
PARENT = incident_after(report(incident_id="INC-20231114-0002", fingerprint="host-1/down", cause="host-1"))
MERGED = life(SELF, MergeInto(actor="cat", parent=PARENT, reason="same rack"))
RECALL_1 = Tell(TellKind.RECALL, "ann", "recalled", "INC-20231114-0001/1")


def ordered(number: int, person: str) -> Tell:
    return Tell(TellKind.ORDER, person, "order", f"INC-20231114-0001/{number}")


def lead(what: str, level: int = 1) -> Tell:
    return Tell(TellKind.LEAD, f"team-{level}", what)


def reporter(what: str) -> Tell:
    return Tell(TellKind.REPORTER, "eve", what)


def watchers(what: str) -> Tell:
    return Tell(TellKind.WATCHERS, "", what)


def sent(generation: int, accept: float = 30 * MINUTE) -> tuple[TimerDue, ...]:
    return (timer("accept", NOW + accept, generation), timer("renotify", NOW + 10 * MINUTE, generation))


SENT = (StartTimer("accept", NOW + 30 * MINUTE), StartTimer("renotify", NOW + 10 * MINUTE))
UNACCEPTED = (StopTimer("accept"), StopTimer("renotify"))

EXAMPLES: dict[str, tuple[Incident, Trigger, dict[str, Any], tuple[Any, ...]]] = {
    "5": (
        NEW,
        WaitOver(),
        {
            "state": S.DISPATCHED,
            "assignee": "ann",
            "group": "team-1",
            "level": 1,
            "dispatch": order(1, "ann"),
            "dispatch_count": 1,
            "level_dispatch_count": 1,
            "timers": sent(2),
        },
        (StopTimer("wait"), *SENT, Publish("dispatched"), ordered(1, "ann")),
    ),
    "5a": (
        replace(NEW, signal=Signal.CLEARED),
        WaitOver(),
        {"timers": ()},
        (StopTimer("wait"), Tell(TellKind.CENTRE, "", "waits")),
    ),
    "5b": (
        step(None, SELF, T0, QUIET).incident,
        PeopleChanged(),
        {"timers": (timer("wait", NOW + 5 * MINUTE, 2),)},
        (StartTimer("wait", NOW + 5 * MINUTE),),
    ),
    "6": (
        NEW,
        Hold(actor="cat", reason=" wait "),
        {
            "state": S.HELD,
            "hold_reason": "wait",
            "touched_by_human": True,
            "timers": (timer("hold", NOW + HOUR, 2),),
        },
        (StopTimer("wait"), StartTimer("hold", NOW + HOUR), Publish("held")),
    ),
    "7": (
        HELD,
        Assign(actor="cat", person="bob"),
        {
            "state": S.DISPATCHED,
            "assignee": "bob",
            "level": 1,
            "dispatch": replace(order(1, "bob"), group="", by_hand=True),
            "dispatch_count": 1,
            "level_dispatch_count": 1,
            "hold_reason": "",
            "timers": sent(3),
        },
        (StopTimer("hold"), *SENT, Publish("assigned"), ordered(1, "bob")),
    ),
    "8": (
        NEW,
        Resolve(actor="desk", closing_report=REPORT, closing=ClosingReport(category="disk")),
        {
            "state": S.RESOLVED,
            "closing_report": REPORT,
            "closing": ClosingReport(category="disk"),
            "category": "disk",
            "resolved_at": NOW,
            "first_time_fix": True,
            "timers": (timer("reopen", NOW + 2 * DAY, 2),),
        },
        (
            StopTimer("wait"), StartTimer("reopen", NOW + 2 * DAY), Publish("resolved"), reporter("resolved"),
            watchers("resolved"), reporter("survey"),
        ),
    ),
    "9": (
        HELD,
        Release(actor="cat"),
        {"state": S.NEW, "hold_reason": "", "timers": (timer("wait", NOW, 3),)},
        (StopTimer("hold"), StartTimer("wait", NOW), Publish("released")),
    ),
    "9a": (
        HELD,
        HoldOver(),
        {"state": S.NEW, "hold_reason": "", "timers": (timer("wait", NOW, 3),)},
        (StopTimer("hold"), StartTimer("wait", NOW), Publish("released"), Tell(TellKind.CENTRE, "", "hold-over")),
    ),
    "10": (
        DISPATCHED,
        Accept(actor="ann"),
        {
            "state": S.ACCEPTED,
            "accepted_at": NOW,
            "dispatch": None,
            "touched_by_human": True,
            "first_dispatch_right": True,
            "timers": (timer("stage", NOW + 8 * HOUR, 3),),
        },
        (*UNACCEPTED, StartTimer("stage", NOW + 8 * HOUR), Publish("accepted"), reporter("accepted")),
    ),
    "10a": (
        STALLED,
        Accept(actor="zoe"),
        {
            "state": S.ACCEPTED,
            "assignee": "zoe",
            "accepted_at": NOW,
            "touched_by_human": True,
            "timers": (timer("stage", NOW + 8 * HOUR, 3),),
        },
        (StopTimer("centre"), StartTimer("stage", NOW + 8 * HOUR), Publish("accepted"), reporter("accepted")),
    ),
    "11": (
        DISPATCHED,
        RenotifyDue(),
        {
            "dispatch": replace(order(1, "ann"), sent_at=T0, accept_by=T0 + 30 * MINUTE, reminders=1),
            "timers": (timer("accept", T0 + 30 * MINUTE, 2), timer("renotify", NOW + 10 * MINUTE, 3)),
        },
        (
            StartTimer("renotify", NOW + 10 * MINUTE),
            Tell(TellKind.REMINDER, "ann", "reminder", "INC-20231114-0001/1"),
        ),
    ),
    "12": (
        DISPATCHED,
        AcceptTimeOver(),
        {
            "assignee": "bob",
            "dispatch": order(2, "bob", at_level=2),
            "dispatch_count": 2,
            "level_dispatch_count": 2,
            "excluded": ("ann",),
            "first_dispatch_right": False,
            "timers": sent(3),
        },
        (
            *SENT, Publish("redispatched"), lead("order-timeout"),
            Tell(TellKind.RECALL, "ann", "timeout", "INC-20231114-0001/1"), ordered(2, "bob"),
        ),
    ),
    "13": (
        life(SELF, WaitOver(), AcceptTimeOver()),
        AcceptTimeOver(),
        {
            "assignee": "dan",
            "group": "team-2",
            "level": 2,
            "dispatch": order(3, "dan", level=2),
            "dispatch_count": 3,
            "level_dispatch_count": 1,
            "excluded": ("ann", "bob"),
            "escalation_count": 1,
            "timers": sent(4),
        },
        (
            *SENT, Publish("escalated"), lead("escalated", 2),
            Tell(TellKind.RECALL, "bob", "timeout", "INC-20231114-0001/2"), ordered(3, "dan"),
        ),
    ),
    "14": (
        ACCEPTED,
        Return(actor="ann", reason="not mine"),
        {
            "state": S.DISPATCHED,
            "assignee": "bob",
            "accepted_at": None,
            "dispatch": order(2, "bob", at_level=2),
            "dispatch_count": 2,
            "level_dispatch_count": 2,
            "excluded": ("ann",),
            "return_count": 1,
            "first_dispatch_right": False,
            "timers": sent(4),
        },
        (StopTimer("stage"), *SENT, Publish("returned"), lead("returned"), ordered(2, "bob")),
    ),
    "15": (
        ACCEPTED,
        Transfer(actor="ann", person="cai", reason="knows it"),
        {
            "state": S.DISPATCHED,
            "assignee": "cai",
            "accepted_at": None,
            "dispatch": order(2, "cai", at_level=2, by_hand=True),
            "dispatch_count": 2,
            "level_dispatch_count": 2,
            "transfer_count": 1,
            "first_dispatch_right": False,
            "timers": sent(4),
        },
        (StopTimer("stage"), *SENT, Publish("transferred"), ordered(2, "cai")),
    ),
    "16": (
        ACCEPTED,
        Escalate(actor="ann", reason="too hard"),
        {
            "state": S.DISPATCHED,
            "assignee": "dan",
            "group": "team-2",
            "level": 2,
            "accepted_at": None,
            "dispatch": order(2, "dan", level=2),
            "dispatch_count": 2,
            "escalation_count": 1,
            "timers": sent(4),
        },
        (StopTimer("stage"), *SENT, Publish("escalated"), lead("escalated", 2), ordered(2, "dan")),
    ),
    "17": (
        DISPATCHED,
        ForceEscalate(actor="cat", reason="the director calls"),
        {
            "assignee": "dan",
            "group": "team-2",
            "level": 2,
            "dispatch": order(2, "dan", level=2),
            "dispatch_count": 2,
            "escalation_count": 1,
            "touched_by_human": True,
            "first_dispatch_right": False,
            "timers": sent(3),
        },
        (*SENT, Publish("escalated"), lead("escalated", 2), RECALL_1, ordered(2, "dan")),
    ),
    "18": (
        ACCEPTED,
        StageDue(),
        {"timers": (timer("stage-grace", NOW + HOUR, 4),)},
        (
            StopTimer("stage"), StartTimer("stage-grace", NOW + HOUR),
            Tell(TellKind.HANDLER, "ann", "stage-report-due"), lead("stage-report-due"),
        ),
    ),
    "19": (
        life(SELF, WaitOver(), Accept(actor="ann"), StageDue()),
        StageReport(actor="ann", text="The new disk comes at noon.", next_at=NOW + HOUR),
        {
            "stage_reported_at": NOW,
            "stage_eta": NOW + HOUR,
            "timers": (timer("stage", NOW + 8 * HOUR, 5),),
        },
        (StopTimer("stage-grace"), StartTimer("stage", NOW + 8 * HOUR), Publish("stage-report"), reporter("progress")),
    ),
    "20": (
        life(SELF, WaitOver(), Accept(actor="ann"), StageDue()),
        StageGraceOver(),
        {
            "state": S.DISPATCHED,
            "assignee": "dan",
            "group": "team-2",
            "level": 2,
            "accepted_at": None,
            "dispatch": order(2, "dan", level=2),
            "dispatch_count": 2,
            "excluded": ("ann",),
            "escalation_count": 1,
            "timers": sent(5),
        },
        (
            StopTimer("stage-grace"), *SENT, Publish("escalated"), lead("escalated", 2),
            Tell(TellKind.RECALL, "ann", "recalled"), ordered(2, "dan"),
        ),
    ),
    "21": (
        ACCEPTED,
        Pend(actor="ann", reason="the vendor", until=NOW + DAY),
        {
            "state": S.PENDING,
            "pending_reason": "the vendor",
            "pending_until": NOW + DAY,
            "stage_left_seconds": 8 * HOUR - 1000,
            "timers": (timer("pending", NOW + DAY, 4),),
        },
        (StopTimer("stage"), StartTimer("pending", NOW + DAY), Publish("pended"), reporter("pending")),
    ),
    "22": (
        PENDING,
        Resume(actor="ann"),
        {
            "state": S.ACCEPTED,
            "pending_reason": "",
            "pending_until": None,
            "stage_left_seconds": None,
            "timers": (timer("stage", NOW + 8 * HOUR, 5),),
        },
        (StopTimer("pending"), StartTimer("stage", NOW + 8 * HOUR), Publish("resumed")),
    ),
    "22a": (
        PENDING,
        PendingOver(),
        {
            "state": S.ACCEPTED,
            "pending_reason": "",
            "pending_until": None,
            "stage_left_seconds": None,
            "timers": (timer("stage", NOW + 8 * HOUR, 5),),
        },
        (
            StopTimer("pending"), StartTimer("stage", NOW + 8 * HOUR), Publish("resumed"),
            Tell(TellKind.HANDLER, "ann", "pending-over"),
        ),
    ),
    "22b": (
        PENDING,
        SELF,
        {
            "state": S.ACCEPTED,
            "pending_reason": "",
            "pending_until": None,
            "stage_left_seconds": None,
            "report_count": 2,
            "last_seen_at": NOW,
            "told_at": NOW,
            "timers": (timer("stage", NOW + 8 * HOUR, 5),),
        },
        (
            StopTimer("pending"), StartTimer("stage", NOW + 8 * HOUR), Publish("resumed"),
            Tell(TellKind.HANDLER, "ann", "reported-again"),
        ),
    ),
    "23": (
        PENDING,
        Resolve(actor="ann", closing_report=REPORT),
        {
            "state": S.RESOLVED,
            "pending_reason": "",
            "pending_until": None,
            "stage_left_seconds": None,
            "closing_report": REPORT,
            "resolved_at": NOW,
            "first_time_fix": True,
            "timers": (timer("reopen", NOW + 2 * DAY, 5),),
        },
        (
            StopTimer("pending"), StartTimer("reopen", NOW + 2 * DAY), Publish("resolved"), reporter("resolved"),
            watchers("resolved"), reporter("survey"),
        ),
    ),
    "24": (
        RESOLVED,
        Confirm(actor="eve"),
        {"state": S.CLOSED, "closed_at": NOW, "timers": ()},
        (StopTimer("reopen"), Publish("closed")),
    ),
    "25": (
        RESOLVED,
        Reject(actor="eve", reason="still broken"),
        {
            "state": S.DISPATCHED,
            "accepted_at": None,
            "resolved_at": None,
            "closing_report": "",
            "reopen_count": 1,
            "first_time_fix": False,
            "dispatch": order(2, "ann", at_level=2),
            "dispatch_count": 2,
            "level_dispatch_count": 2,
            "timers": sent(5),
        },
        (StopTimer("reopen"), *SENT, Publish("reopened"), ordered(2, "ann")),
    ),
    "26": (CLOSED, Survey(actor="eve", score=4), {"survey_score": 4}, ()),
    "26a": (CLOSED, AskSurvey(reminder=True), {}, (reporter("survey-reminder"),)),
    "26b": (replace(CLOSED, reopen_count=1), AskSurvey(), {}, (reporter("survey"),)),
    "27": (
        DISPATCHED,
        Cancel(actor="cat", reason="a drill"),
        {
            "state": S.CANCELLED,
            "assignee": "",
            "dispatch": None,
            "closed_at": NOW,
            "touched_by_human": True,
            "first_dispatch_right": False,
            "timers": (),
        },
        (*UNACCEPTED, Publish("cancelled"), reporter("cancelled"), watchers("cancelled"), RECALL_1),
    ),
    "28": (
        ACCEPTED,
        MergeInto(actor="cat", parent=PARENT, reason="same rack"),
        {"state": S.MERGED, "closed_at": NOW, "parent_id": PARENT.id, "timers": ()},
        (StopTimer("stage"), Publish("merged"), reporter("merged"), Tell(TellKind.RECALL, "ann", "ended")),
    ),
    "29": (
        MERGED,
        Unmerge(actor="cat", parent=PARENT, reason="another rack"),
        {"state": S.NEW, "closed_at": None, "parent_id": "", "timers": (timer("wait", NOW + 5 * MINUTE, 3),)},
        (StartTimer("wait", NOW + 5 * MINUTE), Publish("unmerged")),
    ),
    "29a": (NEW, LetGo(child=PARENT, reason=""), {}, (Publish("let-go"),)),
    "31": (
        DISPATCHED,
        SetPriority(actor="cat", priority=Priority.P1, reason="month end"),
        {
            "priority": Priority.P1,
            "priority_is_manual": True,
            "touched_by_human": True,
            "dispatch": replace(order(1, "ann"), sent_at=T0, accept_by=T0 + 5 * MINUTE),
            "timers": (timer("accept", T0 + 5 * MINUTE, 3), timer("renotify", T0 + 10 * MINUTE, 2)),
        },
        (
            StartTimer("accept", T0 + 5 * MINUTE), Publish("priority-set"),
            Tell(TellKind.REMINDER, "ann", "priority-raised", "INC-20231114-0001/1"),
        ),
    ),
    "31a": (
        STALLED,
        Reassess(
            impact=Impact.HIGH, urgency=Urgency.HIGH, assessment=ImpactAssessment(("hr",), (), 900), cause="users",
            difficulty=Difficulty.HIGH,
        ),
        {
            "priority": Priority.P1,
            "impact": Impact.HIGH,
            "urgency": Urgency.HIGH,
            "difficulty": Difficulty.HIGH,
            "assessment": ImpactAssessment(("erp", "hr"), ("north",), 900, users_exact=False),
            "told_at": NOW,
            "timers": (timer("centre", NOW + 5 * MINUTE, 3),),
        },
        (
            StartTimer("centre", NOW + 5 * MINUTE), Publish("reassessed"),
            Tell(TellKind.CENTRE, "", "priority-raised"),
        ),
    ),
    "32": (
        STALLED,
        PeopleChanged(),
        {
            "state": S.DISPATCHED,
            "assignee": "ann",
            "group": "team-1",
            "level": 1,
            "dispatch": order(1, "ann"),
            "dispatch_count": 1,
            "level_dispatch_count": 1,
            "timers": sent(3),
        },
        (StopTimer("centre"), *SENT, Publish("dispatched"), ordered(1, "ann")),
    ),
    "33": (
        DISPATCHED,
        ExternalUpdate(
            actor="zoe", target="rt", reference="7", seq=3, wish=ExternalWish.ACCEPT, status="open", text=""
        ),
        {
            "state": S.ACCEPTED,
            "assignee": "zoe",
            "accepted_at": NOW,
            "dispatch": None,
            "touched_by_human": True,
            "first_dispatch_right": False,
            "references": (TicketReference("rt", "7", 3, "open"),),
            "timers": (timer("stage", NOW + 8 * HOUR, 3),),
        },
        (*UNACCEPTED, StartTimer("stage", NOW + 8 * HOUR), Publish("accepted"), reporter("accepted"), RECALL_1),
    ),
    "33a": (
        ACCEPTED,
        ExternalUpdate(
            actor="zoe", target="rt", reference="7", seq=4, wish=ExternalWish.RESOLVE, status="resolved", text=" fan "
        ),
        {
            "state": S.RESOLVED,
            "closing_report": "resolved in rt as 7 by zoe: fan",
            "resolved_at": NOW,
            "first_time_fix": True,
            "references": (TicketReference("rt", "7", 4, "resolved"),),
            "timers": (timer("reopen", NOW + 2 * DAY, 4),),
        },
        (
            StopTimer("stage"), StartTimer("reopen", NOW + 2 * DAY), Publish("resolved"), reporter("resolved"),
            watchers("resolved"), reporter("survey"),
        ),
    ),
    "33b": (
        ACCEPTED,
        ExternalUpdate(actor="zoe", target="rt", reference="7", seq=1, wish=ExternalWish.COMMENT, text="on it"),
        {"references": (TicketReference("rt", "7", 1),)},
        (),
    ),
    "33c": (
        replace(ACCEPTED, references=(TicketReference("rt", "7", 3, "open"),)),
        Referenced(target="jira", reference="OPS-1"),
        {"references": (TicketReference("rt", "7", 3, "open"), TicketReference("jira", "OPS-1"))},
        (),
    ),
}  # fmt: skip
WITH_NOBODY = {
    "5": (NEW, WaitOver(), (StopTimer("wait"), StartTimer("centre", NOW + 30 * MINUTE), Publish("stalled"))),
    "12": (
        DISPATCHED,
        AcceptTimeOver(),
        (*UNACCEPTED, StartTimer("centre", NOW + 30 * MINUTE), Publish("stalled"), lead("order-timeout")),
    ),
    "16": (
        ACCEPTED,
        Escalate(actor="ann", reason="too hard"),
        (StopTimer("stage"), StartTimer("centre", NOW + 30 * MINUTE), Publish("stalled"), lead("escalated")),
    ),
    "32b": (STALLED, CentreDue(), (StartTimer("centre", NOW + 30 * MINUTE),)),
}


@pytest.mark.parametrize("number", EXAMPLES)
def test_a_transition_leaves_this_row_and_owes_these_effects(number: str) -> None:
    incident, trigger, changes, effects = EXAMPLES[number]
    made = now(incident, trigger)

    assert made.incident == replace(incident, version=incident.version + 1, **changes)
    assert made.effects == effects


@pytest.mark.parametrize("number", WITH_NOBODY)
def test_where_nobody_is_there_it_stalls_and_the_centre_hears_of_it(number: str) -> None:
    incident, trigger, effects = WITH_NOBODY[number]
    made = now(incident, trigger, team=NOBODY)

    assert made.incident.state is S.STALLED
    assert made.incident.assignee == ""
    assert [effect for effect in made.effects if effect not in effects] == [
        tell for tell in made.effects if isinstance(tell, Tell) and tell.kind in {TellKind.CENTRE, TellKind.RECALL}
    ]
    assert Tell(TellKind.CENTRE, "", "stalled") in made.effects
    assert all(effect in made.effects for effect in effects)


@pytest.mark.parametrize(
    ("incident", "trigger"),
    [
        (life(SELF, Assign(actor="cat", person="bob")), AcceptTimeOver()),
        (ACCEPTED, Return(actor="ann", reason="not mine")),
    ],
)
def test_where_no_groups_are_configured_nothing_stalls(incident: Incident, trigger: Trigger) -> None:
    made = step(incident, trigger, NOW, QUIET)

    assert (made.incident.state, made.incident.timers, made.incident.assignee) == (S.NEW, (), "")
    assert Tell(TellKind.CENTRE, "", "waits") in made.effects
    assert step(None, report(), T0, QUIET).incident.timers == ()


def test_every_transition_of_the_table_has_its_example() -> None:
    elsewhere = {"1", "2", "3", "4", "4a", "4b", "24a", "28a", "34", "35"}  # test_lifecycle.py
    here = {"2a", "30", "30a", "30b", "30c", "32a", "32b"}  # below

    assert {row.number for row in TABLE} == EXAMPLES.keys() | elsewhere | here


@pytest.mark.parametrize(
    ("incident", "trigger", "message"),
    [
        (NEW, Hold(actor="cat", reason=""), "no reason was given; write why"),
        (NEW, Assign(actor="cat", person=" "), "no person was named"),
        (NEW, Assign(actor="cat", person="nemo"), "there is nobody named 'nemo'; look up their id"),
        (DISPATCHED, Accept(actor="bob"), "the order went to ann, not to bob"),
        (ACCEPTED, Return(actor="ann", reason=" "), "no reason was given"),
        (replace(ACCEPTED, return_count=3), Return(actor="ann", reason="x"), "it was returned 3 times; ask the manag"),
        (ACCEPTED, Transfer(actor="ann", person="dan", reason="x"), "dan is not among the peers it can go to: ann, bo"),
        (ACCEPTED, Transfer(actor="ann", person="ann", reason="x"), "no peer was named"),
        (NEW, ForceEscalate(actor="cat", reason="x", level=3), "there is no level 3; name one from 1 to 2"),
        (ACCEPTED, StageReport(actor="ann", text="soon"), "the report has 4 characters; write at least 20"),
        (ACCEPTED, StageReport(actor="ann", text=REPORT, next_at=NOW), "the time of the next news has passed"),
        (
            ACCEPTED,
            Pend(actor="ann", reason="x", until=NOW),
            "say until when it waits: later than now, and at most 168",
        ),
        (ACCEPTED, Pend(actor="ann", reason="x", until=NOW + 8 * DAY), "at most 168 hours"),
        (replace(RESOLVED, resolved_at=NOW - 2 * DAY), Reject(actor="eve", reason="x"), "report it anew"),
        (CLOSED, Survey(actor="eve", score=6), "6 is no score; give 1"),
        (replace(CLOSED, survey_score=1), Survey(actor="eve", score=2), "this survey was answered"),
        (replace(CLOSED, resolved_at=NOW - 8 * DAY), Survey(actor="eve", score=2), "the time to answer has passed"),
        (
            MERGED,
            Unmerge(actor="cat", parent=NEW, reason="x"),
            "is part of INC-20231114-0002, not of INC-20231114-0001",
        ),
        (
            MERGED,
            Unmerge(actor="cat", parent=replace(PARENT, state=S.CLOSED), reason="x"),
            "the parent INC-20231114-0002 is closed",
        ),
        (
            ACCEPTED,
            ExternalUpdate(actor="btimd", target="rt", reference="7", seq=9, wish=ExternalWish.COMMENT),
            "it is an echo of what btimd wrote there",
        ),
        (
            replace(ACCEPTED, references=(TicketReference("rt", "7", 9),)),
            ExternalUpdate(actor="zoe", target="rt", reference="7", seq=9, wish=ExternalWish.COMMENT),
            "change 9 of rt was taken over before; the last is 9",
        ),
        (
            ACCEPTED,
            ExternalUpdate(actor="zoe", target="rt", reference="7", seq=9, wish=ExternalWish.RESOLVE),
            "no text of the resolution was given",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Trigger) else "",
)
def test_what_brings_less_than_needed_is_refused(incident: Incident, trigger: Trigger, message: str) -> None:
    with pytest.raises(CommandRefusedError) as refused:
        now(incident, trigger)

    assert refused.value.code is RefusalCode.INVALID
    assert message in str(refused.value)


def test_a_person_off_duty_is_assigned_with_a_reason_only() -> None:
    team = Team(away={"bob"})
    with pytest.raises(CommandRefusedError, match="bob is not on duty; write why they shall get it nevertheless"):
        now(NEW, Assign(actor="cat", person="bob"), team=team)

    assert now(NEW, Assign(actor="cat", person="bob", reason="only he knows"), team=team).incident.assignee == "bob"


def test_escalation_needs_levels() -> None:
    with pytest.raises(CommandRefusedError, match="no groups are configured"):
        step(ACCEPTED, Escalate(actor="ann", reason="x"), NOW, QUIET)


def test_the_fields_of_the_closing_report_that_the_operator_wants_are_mandatory() -> None:
    config = replace(QUIET, closing_fields=("cause", "effort_minutes"))
    wish = Resolve(actor="ann", closing_report=REPORT, closing=ClosingReport(cause="disk"))
    with pytest.raises(CommandRefusedError, match="the closing report does not say: effort_minutes"):
        now(ACCEPTED, wish, config)
    with pytest.raises(CommandRefusedError, match="does not say: cause, effort_minutes"):
        now(ACCEPTED, replace(wish, closing=None), config)

    full = replace(wish, closing=ClosingReport(cause="disk", effort_minutes=0))
    assert now(ACCEPTED, full, config).incident.closing == ClosingReport(cause="disk", effort_minutes=0)


def test_who_may_ask_is_data_of_the_table() -> None:
    def asked(incident: Incident, trigger: Trigger, *roles: ActorRole) -> bool:
        try:
            now(incident, replace(trigger, roles=frozenset(roles)))
        except CommandRefusedError as refused:
            return refused.code is not RefusalCode.NOT_PERMITTED
        return True

    assert not asked(NEW, Hold(actor="ann", reason="x"))
    assert asked(NEW, Hold(actor="ann", reason="x"), ActorRole.CENTRE)
    assert asked(ACCEPTED, Return(actor="ann", reason="x")), "the handler, who is known by name"
    assert not asked(ACCEPTED, Return(actor="bob", reason="x"), ActorRole.HANDLER), "whatever is claimed"
    assert asked(RESOLVED, Confirm(actor="eve")), "the reporter"
    assert not asked(RESOLVED, Confirm(actor="ann"))
    assert asked(NEW, Resolve(actor="tel", closing_report=REPORT), ActorRole.DESK)
    assert not asked(NEW, Resolve(actor="tel", closing_report=REPORT))


# Promised times.


CLOCKED = life(SELF, WaitOver(), config=PROMISED)


def test_an_incident_that_opens_has_its_promises() -> None:
    opened = life(SELF, config=PROMISED)

    assert opened.response == ServiceClock(ClockStatus.RUNNING, HOUR, T0 + HOUR)
    assert opened.resolution == ServiceClock(ClockStatus.RUNNING, 8 * HOUR, T0 + 8 * HOUR)
    assert opened.timers == (
        timer("resolution", T0 + 4 * HOUR, 1), timer("response", T0 + 30 * MINUTE, 1), timer("wait", T0 + 300, 1),
    )  # fmt: skip


def test_an_acceptance_is_the_response() -> None:
    accepted = now(CLOCKED, Accept(actor="ann"), PROMISED)

    assert accepted.incident.response == ServiceClock(
        ClockStatus.MET, HOUR, T0 + HOUR, remaining_seconds=HOUR - 1000, ended_at=NOW
    )
    assert StopTimer("response") in accepted.effects


@pytest.mark.parametrize(
    ("at", "percent", "status", "told"),
    [
        (T0 + 30 * MINUTE, 50, ClockStatus.RUNNING, False),
        (T0 + 45 * MINUTE, 75, ClockStatus.RUNNING, False),
        (T0 + 60 * MINUTE, 100, ClockStatus.BREACHED, True),
        (T0 + 60 * DAY, 100, ClockStatus.BREACHED, True),
    ],
)
def test_a_mark_is_told_and_the_last_one_also_to_targets(
    at: float, percent: int, status: ClockStatus, told: bool
) -> None:
    made = step(CLOCKED, ResponseMark(), at, PROMISED, Team())

    assert (made.incident.response.told_percent, made.incident.response.status) == (percent, status)
    assert (Publish("response-mark") in made.effects) is told
    assert {lead("response-mark"), Tell(TellKind.HANDLER, "ann", "response-mark")} <= set(made.effects)
    assert made.incident.state is S.DISPATCHED
    assert ("response" in {one.name for one in made.incident.timers}) is not told


def test_a_mark_can_escalate() -> None:
    config = replace(PROMISED, escalate_response_percent=75, escalate_resolution_percent=50)
    first = step(CLOCKED, ResponseMark(), T0 + 30 * MINUTE, config, Team())
    second = step(first.incident, ResponseMark(), T0 + 45 * MINUTE, config, Team())
    third = step(second.incident, ResolutionMark(), T0 + 4 * HOUR, config, Team())

    assert (first.incident.level, second.incident.level, second.incident.assignee) == (1, 2, "dan")
    assert second.incident.excluded == ("ann",)
    assert (third.events[0].kind, third.incident.state) == ("stalled", S.STALLED)
    assert third.incident.resolution.told_percent == 50


def test_a_mark_of_the_resolution_is_told_while_somebody_works() -> None:
    accepted = now(CLOCKED, Accept(actor="ann"), PROMISED).incident
    made = step(accepted, ResolutionMark(), T0 + 4 * HOUR, PROMISED, Team())

    assert made.incident.resolution.told_percent == 50
    assert StartTimer("resolution", T0 + 6 * HOUR) in made.effects


@pytest.mark.parametrize(("stops", "due_at"), [(True, T0 + 8 * HOUR + 500), (False, T0 + 8 * HOUR)])
def test_waiting_for_others_stops_the_clock_only_where_the_rules_say_so(stops: bool, due_at: float) -> None:
    config = replace(PROMISED, pending_stops_clock=stops)
    accepted = now(CLOCKED, Accept(actor="ann"), config).incident
    pended = now(accepted, Pend(actor="ann", reason="disk", until=NOW + HOUR), config).incident
    resumed = step(pended, Resume(actor="ann"), NOW + 500, config, Team()).incident

    assert (resumed.resolution.due_at, resumed.paused_seconds) == (due_at, 500.0 if stops else 0.0)
    assert ("resolution" in {one.name for one in pended.timers}) is not stops


def test_a_higher_priority_brings_deadlines_forward_from_the_opening() -> None:
    raised = now(CLOCKED, SetPriority(actor="cat", priority=Priority.P2, reason="vip"), PROMISED).incident
    lowered = now(raised, SetPriority(actor="cat", priority=Priority.P5, reason="not vip"), PROMISED).incident

    assert (raised.response.due_at, raised.resolution.due_at) == (T0 + 20 * MINUTE, T0 + 4 * HOUR)
    assert raised.dispatch is not None
    assert raised.dispatch.accept_by == T0 + 10 * MINUTE
    assert (lowered.response, lowered.resolution) == (raised.response, raised.resolution), "never extended"


def test_an_incident_reopened_goes_on_with_the_time_that_was_left() -> None:
    accepted = now(CLOCKED, Accept(actor="ann"), PROMISED).incident
    resolved = now(accepted, Resolve(actor="ann", closing_report=REPORT), PROMISED).incident
    again = step(resolved, Reject(actor="eve", reason="no"), NOW + HOUR, PROMISED, Team(away={"ann"})).incident

    assert (again.state, again.assignee, again.level) == (S.NEW, "", 0)
    assert again.response.status is ClockStatus.MET
    assert again.resolution == ServiceClock(ClockStatus.RUNNING, 8 * HOUR, NOW + HOUR + 8 * HOUR - 1000)


# Repeated reports.


def test_a_storm_is_one_incident_with_one_comment_per_digest() -> None:
    incident = life(report())
    published = 0
    for number in range(100):
        made = step(incident, report(assessment=replace(report().assessment, users=50 * number)), T0 + number, QUIET)
        published += sum(isinstance(effect, Publish) for effect in made.effects)
        incident = made.incident
    digest = step(incident, DigestDue(), T0 + 300, QUIET)

    assert (incident.report_count, published) == (101, 1)
    assert [one.name for one in incident.timers] == ["digest", "wait"]
    assert digest.effects == (StopTimer("digest"), Publish("digest"))
    assert step(digest.incident, report(), T0 + 301, QUIET).incident.told_at == T0 + 300


def test_what_is_worse_is_told_at_once() -> None:
    told = life(report(), report(assessment=ImpactAssessment(("hr",))))
    made = now(told, report(impact=Impact.HIGH, urgency=Urgency.HIGH, assessment=told.assessment))

    assert Publish("reported") in made.effects
    assert made.incident.priority is Priority.P1


def test_what_cleared_and_came_back_before_an_order_is_dispatched_after_all() -> None:
    waiting = life(report(), ReportClear(remaining=1))
    cleared = step(replace(waiting, touched_by_human=True), ReportClear(remaining=0), T0, QUIET, Team()).incident
    left = now(cleared, WaitOver())
    back = now(left.incident, report())

    assert left.events[0].kind == "left-waiting"
    assert StartTimer("wait", NOW + 5 * MINUTE) in back.effects


def test_a_reminder_of_the_centre_finds_who_came_on_duty() -> None:
    made = now(STALLED, CentreDue())

    assert (made.incident.state, made.incident.assignee) == (S.DISPATCHED, "ann")
    with pytest.raises(CommandRefusedError, match="people changed is not possible now"):
        now(STALLED, PeopleChanged(), team=NOBODY)


def test_a_transfer_must_be_accepted_before_the_resolution_is_due() -> None:
    accepted = now(CLOCKED, Accept(actor="ann"), PROMISED).incident
    late = T0 + 8 * HOUR - 60
    made = step(accepted, Transfer(actor="ann", person="bob", reason="shift ends"), late, PROMISED, Team())

    assert made.incident.dispatch is not None
    assert made.incident.dispatch.accept_by == T0 + 8 * HOUR


def test_what_a_level_says_of_orders_is_kept_with_the_order_and_goes_before_the_rules() -> None:
    said = OrderLimits(accept_seconds=7 * MINUTE, renotify_seconds=2 * MINUTE, max_candidates=1)
    team = Team(said={1: said})
    sent = now(NEW, WaitOver(), team=team).incident

    assert sent.dispatch == order(
        1, "ann", accept_by=NOW + 7 * MINUTE, accept_seconds=420.0, renotify_seconds=120.0, max_candidates=1
    )
    assert {one.name: one.due_at - NOW for one in sent.timers} == {"accept": 420.0, "renotify": 120.0}

    reminded = step(sent, RenotifyDue(), NOW + 120.0, QUIET, Team()).incident  # the level says nothing any more
    assert {one.name: one.due_at - NOW for one in reminded.timers} == {"accept": 420.0, "renotify": 240.0}
    passed = step(reminded, AcceptTimeOver(), NOW + 420.0, QUIET, Team()).incident
    assert (passed.level, passed.assignee, passed.escalation_count) == (2, "dan", 1)


def test_a_higher_priority_brings_the_limits_that_the_level_has_for_it() -> None:
    sent = now(NEW, WaitOver(), team=Team(said={1: OrderLimits(accept_seconds=20 * MINUTE)})).incident
    wish = SetPriority(actor="cat", priority=Priority.P1, reason="the board waits")
    raised = now(sent, wish, team=Team(said={1: OrderLimits(accept_seconds=MINUTE, max_candidates=2)})).incident

    assert raised.dispatch == order(1, "ann", accept_by=NOW + MINUTE, accept_seconds=60.0, max_candidates=2)


@pytest.mark.parametrize(
    ("trigger", "forced"),
    [
        (AcceptTimeOver(), True),
        (ForceEscalate(actor="cat", reason="the board waits"), True),
        (ForceEscalate(actor="cat", reason="the board waits", level=2), False),
    ],
)
def test_a_forced_escalation_goes_where_the_level_says_unless_the_centre_names_another(
    trigger: Trigger, *, forced: bool
) -> None:
    team = Team((("ann",), ("dan",), ("eve",)), said={1: OrderLimits(max_candidates=1, forced_to=3)})
    sent = now(NEW, WaitOver(), team=team).incident
    after = step(sent, trigger, NOW + DAY, QUIET, team).incident

    assert (after.level, after.assignee) == ((3, "eve") if forced else (2, "dan"))


def test_an_incident_that_came_back_asks_its_reporter_no_second_time() -> None:
    resolve = Resolve(actor="ann", closing_report=REPORT)
    again = now(replace(ACCEPTED, reopen_count=1), resolve)
    told = [(effect.kind.value, effect.what) for effect in again.effects if isinstance(effect, Tell)]
    assert told == [("reporter", "resolved"), ("watchers", "resolved")]
