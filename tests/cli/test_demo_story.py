"""The demonstration, told to people and to programs: a small diagnosis from the first act to the last."""

import io
import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from rich.console import Console

from btimd.cli.demo_story import JsonStory, ScreenStory, Story, by_region, result
from btimd.daemon.addresses import Addresses
from btimd.lab.faults import FAULTS
from btimd.lab.staff import Staff
from btimd.model.incident import Dispatch, Impact, ImpactAssessment, IncidentState, Priority, Urgency
from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import ErrorClass, Health
from btimd.model.sla import SlaTarget
from btimd.model.verdict import Evidence, Suspect, Verdict, VerdictStatus
from tests.fakes.views import INCIDENT, QUALITY, SLA_STATE, USER, WINDOW

FAULT = FAULTS["db-dead"]
ADDRESSES = Addresses((("127.0.0.1", 2055),), ("127.0.0.1", 50551), ("127.0.0.1", 8551))
ASKED = Evidence(
    "erp-web-connect", "erp-web", Health.GOOD, ErrorClass.NONE, "127.20.1.10:8080 accepts connections",
    "known already, 0.4 s old", 0.5, 1.5, 10.0,
)  # fmt: skip
FOUND = Evidence(
    "db1-connect", "db1", Health.BAD, ErrorClass.REFUSED, "127.20.3.10:5432 refuses", "splits 3 suspects", 0.83125, 1.5,
    11.0,
)  # fmt: skip
SUSPECTS = (Suspect("db1", 0.45), Suspect("host-app1", 0.28), Suspect("host-db1", 0.27))
VERDICT = Verdict(
    id="d1", symptoms=("s1",), symptom_nodes=("hr",), status=VerdictStatus.CAUSE_FOUND, cause="db1",
    cause_error=ErrorClass.REFUSED, path=("hr", "hr-app", "db1"), confidence=0.98765, ranked=SUSPECTS,
    evidence=(ASKED, FOUND), businesses=("erp", "hr"), probes_used=2, started_at=9.0, ended_at=11.0,
    seconds_taken=1.23456, summary="office database (db1) refuses connections; ERP and HR are down",
)  # fmt: skip
FIRST = DiagnosisProgress("d1", 1, ("hr",), SUSPECTS, (ASKED,), None)
LAST = DiagnosisProgress("d1", 2, ("hr",), (), (ASKED, FOUND), VERDICT)
OPEN = replace(
    INCIDENT, id="INC-1", state=IncidentState.NEW, priority=Priority.P1, impact=Impact.HIGH, urgency=Urgency.HIGH,
    title="db1 refuses connections", assessment=ImpactAssessment(("erp", "hr"), ("east", "north"), 27),
    closing_report="",
)  # fmt: skip
SENT = replace(OPEN, dispatch=Dispatch("INC-1/1", 1, 1, 1, "li.na", "databases", False, 1000.0, 1300.0))
SOLVED = replace(OPEN, state=IncidentState.RESOLVED, closing_report="cleared by btimd")
ROWS = [
    replace(WINDOW, business="erp", region="north", octets_to_server=4100, octets_to_client=93_500_000, flows=16),
    replace(WINDOW, business="erp", region="north", segment="Sales", octets_to_server=900, octets_to_client=0, flows=1),
    replace(WINDOW, business="hr", region="east", octets_to_server=10, octets_to_client=2_000_000_000, flows=2),
    replace(WINDOW, business="", region="east", flows=99),
]
USERS = [replace(USER, business="erp", region="north", person=name) for name in ("Wang Fang", "", "Li Na")]
STATES = [
    replace(
        SLA_STATE, target=SlaTarget("erp", 99.9), down_seconds=6.0, availability=0.624, coverage=0.000009,
        burn_ratio=0.0023,
    ),
    replace(SLA_STATE, target=SlaTarget("hr", 99.5), down_seconds=0.0, availability=None, coverage=None, burn_ratio=0.0),
]  # fmt: skip
TOLD = "[P1] ERP 数据库拒绝连接 #0001 回复 1接 2退 3升"
RECEIPT = {"type": "io.btimd.incident.opened.v1", "id": "INC-1.1"}

SCREEN = """\
╭───────────────────────────────────────── btimd demo ─────────────────────────────────────────╮
│ Three businesses on loopback: ERP, HR and core banking; users in three regions; web,         │
│ application and database servers, DNS. Real sockets, metered by the kernel, exported as      │
│ IPFIX. btimd runs as a process of its own and knows only its configuration. Then something   │
│ breaks: Database process dead 数据库进程终止.                                                │
╰──────────────────────────────────────────────────────────────────────────────────────────────╯
btimd is ready: IPFIX at udp 127.0.0.1:2055, gRPC at 127.0.0.1:50551

Who uses what, from where (last ten seconds) ───────────────────────────────────────────────────
business  region  users  flows  to server  to client  known people
erp       north       3     17     5.0 kB    93.5 MB  Li Na, Wang Fang
hr        east        0      2       10 B     2.0 GB

How well it goes, measured on the packets ──────────────────────────────────────────────────────
09-21 14:14:00, 1 min; up to 0.01 % of segments never seen
business  tries  failed  client net  server net    response  resent %  full  slow
erp       1.2 k  12/8/3   3.1/12 ms  0.4/1.2 ms  0.24/1.4 s   0.1/3.0   2/0  server 98 %
client net, server net, response: median/95 %; failed: refused/unanswered/reset; resent %: to
the server/to the client; full: how often the server/the client could take no more; slow: the
leg with most of a median turn

Something breaks: Database process dead 数据库进程终止 ─────────────────────────────────────────
The office database process is gone; its host is well. ERP and HR answer 503. (btimd is not
told)
symptom  hr: a key indicator is off
probe  1 erp-web-connect        good    127.20.1.10:8080 accepts connections
         known already, 0.4 s old
         suspects: db1 45%  host-app1 28%  host-db1 27%
probe  2 db1-connect            bad     127.20.3.10:5432 refuses
         splits 3 suspects
╭────────────────────────────────────── root cause: db1 ───────────────────────────────────────╮
│ office database (db1) refuses connections; ERP and HR are down                               │
│ path        hr -> hr-app -> db1                                                              │
│ confidence  99%   probes 2   1.2 s from the first bad sample                                 │
╰──────────────────────────────────────────────────────────────────────────────────────────────╯

Incident ───────────────────────────────────────────────────────────────────────────────────────
INC-1  P1 new  db1 refuses connections
         impact high, urgency high: erp, hr; 27 users on line in east, north
webhook  io.btimd.incident.opened.v1 received, signature good, id INC-1.1
packets  packets of hr: HTTP 503 in 2 of 9 answers of 10.0.0.1:80

Somebody is sent ───────────────────────────────────────────────────────────────────────────────
order    to Li Na 李娜 of databases, to accept within 5 min
         Li Na was chosen: on shift, skill 0.90.
screen   [P1] ERP 数据库拒绝连接 #0001 回复 1接 2退 3升

Everything is repaired ─────────────────────────────────────────────────────────────────────────
INC-1  P1 resolved  db1 refuses connections
         impact high, urgency high: erp, hr; 27 users on line in east, north
         cleared by btimd

What it cost ───────────────────────────────────────────────────────────────────────────────────
business   down  availability (measured time)  target  coverage of the month  error budget used
erp       6.0 s                        62.40%  99.9 %                0.0009%              0.23%
hr        0.0 s                       unknown  99.5 %                unknown              0.00%

Summary ────────────────────────────────────────────────────────────────────────────────────────
broken: db1   found: db1 (right)   first bad sample 0.7 s after the fault, cause 1.2 s later, 2
probes
"""


def recorder() -> Console:
    return Console(file=io.StringIO(), width=96, highlight=False, emoji=False)


def text_of(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return "".join(line.rstrip() + "\n" for line in console.file.getvalue().splitlines())


def tell(story: Story) -> None:
    """Tell a small demonstration; the incident is told twice in one state, the diagnosis again after its end."""
    story.begins(FAULT)
    with story.waiting("btimd"):
        story.ready(ADDRESSES)
    story.traffic(ROWS, USERS)
    story.quality([QUALITY])
    story.breaks(FAULT)
    for progress in (FIRST, FIRST, LAST):
        story.diagnosis(progress)
    story.verdict(VERDICT)
    story.incident(OPEN)
    story.incident(replace(OPEN, version=9))
    story.receipt(RECEIPT, rejected=0)
    story.evidence("packets of hr: HTTP 503 in 2 of 9 answers of 10.0.0.1:80")
    story.order(SENT, Staff.member("li.na"), "Li Na was chosen: on shift, skill 0.90.", TOLD)
    story.heals()
    story.incident(SOLVED)
    story.sla(STATES)
    story.ends(FAULT, VERDICT, correct=True, detected_seconds=0.7)


def test_on_a_screen_it_is_told_in_acts() -> None:
    console = recorder()
    tell(ScreenStory(console, UTC))

    # the second telling of FIRST adds its suspects again and no probe
    assert text_of(console).replace("         suspects: db1 45%  host-app1 28%  host-db1 27%\n", "", 1) == SCREEN


def test_for_programs_each_event_is_a_line_and_the_last_line_is_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    tell(JsonStory())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    incident = {"event": "incident", "id": "INC-1", "priority": "P1", "title": "db1 refuses connections", "users": 27}
    probe = {"event": "probe", "diagnosis": "d1"}
    traffic = {"users": 3, "flows": 17, "octets_to_server": 5000, "octets_to_client": 93_500_000}
    assert lines == [
        {"event": "begins", "fault": "db-dead", "title": "Database process dead", "title_zh": "数据库进程终止"},
        {"event": "ready", "grpc": ["127.0.0.1", 50551], "http": ["127.0.0.1", 8551], "capture": [["127.0.0.1", 2055]]},
        {"event": "traffic", "cells": [
            {"business": "erp", "region": "north", **traffic},
            {"business": "hr", "region": "east", "users": 0, "flows": 2, "octets_to_server": 10,
             "octets_to_client": 2_000_000_000},
        ]},
        {"event": "quality", "business": QUALITY.business, "attempts": QUALITY.connections_attempted,
         "client_leg_seconds": QUALITY.client_leg.p50_seconds, "server_leg_seconds": QUALITY.server_leg.p50_seconds,
         "response_seconds": QUALITY.response.p50_seconds},
        {"event": "breaks", "fault": "db-dead"},
        {**probe, "check": "erp-web-connect", "health": "good", "error": "none", "gain_bits": 0.5,
         "detail": "127.20.1.10:8080 accepts connections", "why": "known already, 0.4 s old"},
        {**probe, "check": "db1-connect", "health": "bad", "error": "refused", "gain_bits": 0.8313,
         "detail": "127.20.3.10:5432 refuses", "why": "splits 3 suspects"},
        {"event": "verdict", "status": "cause-found", "cause": "db1", "path": ["hr", "hr-app", "db1"],
         "summary": "office database (db1) refuses connections; ERP and HR are down"},
        {**incident, "state": "new"},
        {**incident, "state": "new"},
        {"event": "receipt", "id": "INC-1.1", "type": "io.btimd.incident.opened.v1", "rejected": 0},
        {"event": "evidence", "text": "packets of hr: HTTP 503 in 2 of 9 answers of 10.0.0.1:80"},
        {"event": "order", "id": "INC-1/1", "person": "li.na", "group": "databases",
         "why": "Li Na was chosen: on shift, skill 0.90.", "told": TOLD},
        {"event": "heals"},
        {**incident, "state": "resolved"},
        {"event": "sla", "business": "erp", "down_seconds": 6.0, "availability": 0.624, "coverage": 0.000009,
         "burn_ratio": 0.0023},
        {"event": "sla", "business": "hr", "down_seconds": 0.0, "availability": None, "coverage": None,
         "burn_ratio": 0.0},
        {"fault": "db-dead", "cause": "db1", "expected": "db1", "correct": True, "seconds_to_cause": 1.235, "probes": 2,
         "confidence": 0.9877},
    ]  # fmt: skip


def test_the_result_has_its_keys_in_one_order_whatever_was_found() -> None:
    nothing = replace(VERDICT, cause=None, path=(), status=VerdictStatus.UNKNOWN)

    assert json.dumps(result(FAULT, nothing, correct=False)) == (
        '{"fault": "db-dead", "cause": null, "expected": "db1", "correct": false, "seconds_to_cause": 1.235, '
        '"probes": 2, "confidence": 0.9877}'
    )


def test_what_keeps_running_and_what_failed_is_said_to_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    story = JsonStory()
    story.keeps(ADDRESSES, Path("/srv/btimd-demo"))
    story.failed("db-dead", "no verdict within 25 s")

    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"event": "keeps", "grpc": ["127.0.0.1", 50551], "folder": "/srv/btimd-demo"},
        {
            "fault": "db-dead", "cause": None, "correct": False, "seconds_to_cause": None, "probes": None,
            "reason": "no verdict within 25 s",
        },
    ]  # fmt: skip


def test_a_wrong_cause_and_a_failure_are_said_loudly() -> None:
    console = recorder()
    story = ScreenStory(console)
    story.ends(FAULT, replace(VERDICT, cause=None, path=()), correct=False, detected_seconds=-0.1)
    story.failed("db-dead", "no verdict within 25 s; configuration and log stay in /tmp/[x]")

    assert text_of(console).splitlines()[2:] == [
        "broken: db1   found: nothing (WRONG)   first bad sample 0.0 s after the fault, cause 1.2 s",
        "later, 2 probes",
        "The demonstration of db-dead failed: no verdict within 25 s; configuration and log stay in /tmp/[x]",
    ]


def test_how_to_look_at_what_keeps_running_can_be_copied() -> None:
    console = recorder()
    ScreenStory(console).keeps(
        ADDRESSES, Path("/srv/a-folder-with-a-long-name-that-would-be-wrapped-on-a-screen/btimd-demo")
    )
    lines = text_of(console).splitlines()

    assert lines[2] == (
        "  export BTIMD_SERVER=127.0.0.1:50551 BTIMD_TOKEN_FILE="
        "/srv/a-folder-with-a-long-name-that-would-be-wrapped-on-a-screen/btimd-demo/centre.token"
    )
    assert lines[3].endswith("/btimctl status | windows | nodes | incidents list | verdicts")


def test_what_was_known_already_is_not_counted_as_a_probe() -> None:
    console = recorder()
    known = replace(FOUND, why="known already, 0.4 s old", gain_bits=0.0, cost=0.0)
    ScreenStory(console).diagnosis(replace(LAST, verdict=None, suspects=(), evidence=(known, FOUND)))
    labels = [line[:8] for line in text_of(console).splitlines() if FOUND.check_id in line]

    assert labels == ["known   ", "probe  1"]


def test_what_a_server_answered_cannot_steer_the_terminal_nor_break_the_story() -> None:
    hostile = "\x1b[2J[/] [red]:smile:[/red] \u202e"
    console = recorder()
    story = ScreenStory(console)
    story.diagnosis(replace(LAST, symptom_nodes=("hr[/]",), evidence=(replace(FOUND, detail=hostile, why=hostile),)))
    story.verdict(replace(VERDICT, summary=hostile))
    story.incident(replace(SOLVED, title=hostile, closing_report=hostile, assessment=ImpactAssessment(("[/]",))))
    story.receipt({"type": hostile}, rejected=1)
    story.traffic([replace(ROWS[0], region=hostile)], [])
    text = text_of(console)

    assert not {"\x1b", "\u202e"} & set(text)
    assert text.count(":smile:") == 7


def test_traffic_is_that_of_the_latest_interval_with_the_most_businesses() -> None:
    early = [replace(row, interval_start_milliseconds=1000) for row in ROWS]
    late = [replace(row, interval_start_milliseconds=2000, flows=5) for row in ROWS]
    latest = [replace(ROWS[0], interval_start_milliseconds=3000)]

    assert {key: cell["flows"] for key, cell in by_region([*late, *latest, *early], []).items()} == {
        ("erp", "north"): 10,
        ("hr", "east"): 5,
    }
    assert by_region([], []) == {}
