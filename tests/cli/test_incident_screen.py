from dataclasses import replace
from datetime import UTC

import pytest
from rich.console import Console, RenderableType

from btimd.api.calls_incidents import IncidentShown
from btimd.cli.incident_screen import clock_text, counts_table, incident_screen, incidents_table, left_text
from btimd.model.incident import (
    ClockStatus,
    ClosingReport,
    Dispatch,
    Incident,
    IncidentState,
    Priority,
    ServiceClock,
    TicketReference,
    TimerDue,
)
from btimd.model.incidentquery import IncidentCount, IncidentDimension
from tests.fakes.views import INCIDENT, NOW, OPENED

RUNNING = ServiceClock(ClockStatus.RUNNING, 600.0, NOW + 90, 50)
PAUSED = ServiceClock(ClockStatus.PAUSED, 14_400.0, None, 0, 3600.0)
ORDERED = replace(
    INCIDENT,
    state=IncidentState.DISPATCHED,
    assignee="li.na",
    group="db",
    level=1,
    category="db.oracle",
    reporter="noc",
    response=RUNNING,
    resolution=ServiceClock(ClockStatus.RUNNING, 14_400.0, NOW + 9000),
    dispatch=Dispatch("I-1/2", 2, 1, 2, "li.na", "db", False, NOW - 120, NOW + 180, 1),
    dispatch_count=2,
    excluded=("wang.wei",),
    timers=(TimerDue("accept", NOW + 180, 3), TimerDue("renotify", NOW + 30, 3)),
    references=(TicketReference("rt", "4711", 3, "open"),),
)
DONE = replace(
    ORDERED,
    state=IncidentState.RESOLVED,
    dispatch=None,
    timers=(),
    references=(),
    accepted_at=NOW,
    response=ServiceClock(ClockStatus.MET, 600.0, NOW, 0, 240.0, NOW),
    resolution=ServiceClock(ClockStatus.BREACHED, 14_400.0, NOW - 500, 100, -500.0, NOW),
    paused_seconds=900.0,
    closing_report="Replaced the disk.",
    closing=ClosingReport(node="host1", effort_minutes=45),
    resolved_at=NOW,
    first_time_fix=False,
    survey_score=4,
)


def drawn(picture: RenderableType) -> list[str]:
    console = Console(width=110, highlight=False)
    with console.capture() as capture:
        console.print(picture)
    return [line.rstrip() for line in capture.get().splitlines()]


def test_a_list_says_how_much_time_is_left_and_who_has_it() -> None:
    waiting = replace(INCIDENT, id="I-2", state=IncidentState.STALLED, group="db", priority=Priority.P1)

    assert drawn(incidents_table([ORDERED, waiting, replace(DONE, priority_is_manual=True)], NOW, UTC)) == [
        "id   prio  state       signal  left        opened          who    title",
        "I-1  P2    dispatched  active  1 min 30 s  09-21 14:13:22  li.na  db1 refuses connections",
        "I-2  P1    stalled     active  -           09-21 14:13:22  (db)   db1 refuses connections",
        "I-1  P2!   resolved    active  -           09-21 14:13:22  li.na  db1 refuses connections",
    ]


def test_an_incident_is_one_screen_of_what_is_known() -> None:
    assert drawn(incident_screen(IncidentShown(ORDERED, (OPENED,), ("accept", "return")), NOW, UTC)) == [
        "I-1  P2  dispatched  active",
        "title        db1 refuses connections",
        "priority     P2 (computed; impact high, urgency medium, difficulty low)",
        "hit          erp, hr; Shanghai; at least 37 users",
        "cause        db1 (98 % sure, verdict v1)",
        "category     db.oracle",
        "reporter     noc",
        "who          li.na (group db, level 1)",
        "order        2 to li.na, by the dispatcher, 09-21 14:11:20; accept in 3 min; 1 reminder",
        "so far       2 orders",
        "not again    wang.wei",
        "response     runs: 1 min 30 s left of 10 min, until 09-21 14:14:50; 50 % used",
        "resolution   runs: 2 h 30 min left of 4 h, until 09-21 16:43:20",
        "began        2026-09-21 14:13:10 +0000",
        "opened       2026-09-21 14:13:22 +0000",
        "last seen    2026-09-21 14:13:23 +0000, 2 reports",
        "references   rt 4711 (open)",
        "timers       renotify in 30 s, accept in 3 min",
        "description  ERP and HR are hit.",
        "",
        "#  when            who  what    state  why",
        "1  09-21 14:13:22  rca  opened  new    verdict v1",
        "",
        "you may: accept, return",
    ]


def test_what_is_over_says_how_it_ended() -> None:
    screen = drawn(incident_screen(IncidentShown(DONE, (), ()), NOW, UTC))

    assert screen[-1] == "you may: read it"
    assert [line for line in screen if line.startswith(("resp", "resol", "closing", "- ", "first", "survey"))] == [
        "response        met, 4 min left of 10 min",
        "resolution      missed since 09-21 14:05:00, 8 min 20 s late (of 4 h); stood still for 15 min",
        "resolved        2026-09-21 14:13:20 +0000",
        "closing report  Replaced the disk.",
        "- node          host1",
        "- effort        45 min",
        "first time      not fixed at the first go",
        "survey          4 of 5",
    ]


@pytest.mark.parametrize(
    ("incident", "left"),
    [
        (ORDERED, "1 min 30 s"),
        (replace(ORDERED, response=replace(RUNNING, due_at=NOW - 60)), "1 min late"),
        (replace(ORDERED, accepted_at=NOW), "2 h 30 min"),
        (replace(ORDERED, response=ServiceClock(), resolution=PAUSED), "paused"),
        (DONE, "late"),
        (INCIDENT, "-"),
    ],
)
def test_what_is_left_is_that_of_the_promise_that_counts_now(incident: Incident, left: str) -> None:
    assert left_text(incident, NOW).plain == left


@pytest.mark.parametrize(
    ("clock", "text"),
    [
        (ServiceClock(), "nothing was promised"),
        (PAUSED, "stands still: 1 h left of 4 h of service hours"),
        (replace(RUNNING, due_at=NOW - 60), "missed since 09-21 14:12:20 (of 10 min)"),
        (replace(RUNNING, status=ClockStatus.STOPPED), "given up of 10 min"),
        (replace(PAUSED, remaining_seconds=-60.0), "stands still: 1 min late of 4 h of service hours"),
    ],
)
def test_a_promise_says_how_it_stands(clock: ServiceClock, text: str) -> None:
    assert clock_text(clock, NOW, UTC).plain == text


def test_a_title_cannot_steer_the_terminal() -> None:
    screen = drawn(incident_screen(IncidentShown(replace(INCIDENT, title="a [bold]title\x1b[31m"), (), ()), NOW, UTC))

    assert "title        a [bold]title\ufffd[31m" in screen


def test_counts_are_a_table() -> None:
    counts = [IncidentCount(("new", "li.na"), 3, 3), IncidentCount(("closed", ""), 2, 0)]

    assert drawn(counts_table(counts, [IncidentDimension.STATE, IncidentDimension.ASSIGNEE])) == [
        "state   assignee  incidents  open",
        "new     li.na             3     3",
        "closed  -                 2     0",
    ]
