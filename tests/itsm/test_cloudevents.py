import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from btimd.itsm.emit.cloudevents import BODY_LIMIT, incident_event, messages_of
from btimd.itsm.lifecycle import step
from btimd.model.incident import (
    ClockStatus,
    ClosingReport,
    Dispatch,
    ImpactAssessment,
    IncidentState,
    ServiceClock,
    TicketReference,
)
from btimd.model.ports import OutboxMessage
from btimd.model.sla import Availability, SlaState, SlaStatus, SlaTarget
from tests.itsm.examples import CONFIG, T0, report

OPENED = step(None, report(), T0, CONFIG)
DIAGNOSIS = {"summary": "why", "path": "erp\nerp-db", "evidence": "one\ntwo"}
SLA = SlaState(
    target=SlaTarget("erp", 99.9),
    period_start=T0,
    period_end=T0 + 1,
    at=T0,
    current=Availability.DOWN,
    up_seconds=90.0,
    down_seconds=10.0,
    unknown_seconds=0.0,
    availability=0.9,
    coverage=1.0,
    error_budget_seconds=40.0,
    burn_ratio=0.25,
    status=SlaStatus.AT_RISK,
    outages=(),
)


NO_CLOCK = {
    "status": "none", "allowed_seconds": 0.0, "due_at": None, "told_percent": 0, "remaining_seconds": 0.0,
    "ended_at": None,
}  # fmt: skip
SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "incident-event.schema.json").read_text())
DISPATCHED = replace(
    OPENED.incident,
    state=IncidentState.DISPATCHED,
    group="dba",
    level=1,
    dispatch=Dispatch("O1", 1, 1, 1, "ann", "dba", by_hand=False, sent_at=T0, accept_by=T0 + 600),
    response=ServiceClock(ClockStatus.RUNNING, 600.0, T0 + 600),
)
PENDING = replace(
    OPENED.incident, state=IncidentState.PENDING, pending_reason="spare part", pending_until=T0 + 9, pending_since=T0
)
RESOLVED = replace(
    OPENED.incident,
    state=IncidentState.RESOLVED,
    closing=ClosingReport("disk", "replaced", "erp-db", "hardware", 30, "KB-1"),
    resolution=ServiceClock(ClockStatus.MET, 7200.0, None, 50, 100.0, T0 + 9),
    first_time_fix=True,
    survey_score=5,
    parent_id="INC-2",
    references=(TicketReference("desk", "77"),),
)


def fits(value: Any, schema: dict[str, Any], where: str = "event") -> list[str]:
    """Return where a document is not as the schema says; the keywords it uses are all there are here."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    kinds: dict[str, Any] = {
        "object": dict,
        "array": list,
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
    }
    allowed = schema.get("type", [])
    allowed = [allowed] if isinstance(allowed, str) else allowed
    if value is None:
        return [] if "null" in allowed else [f"{where} is null"]
    if not any(isinstance(value, kinds[one]) for one in allowed if one != "null"):
        return [f"{where} is {type(value).__name__}, not {allowed}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where} is {value!r}"]
    found = []
    if isinstance(value, dict):
        known = schema["properties"]
        found += [f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        found += [f"{where}.{name} is not in the schema" for name in value if name not in known]
        for name in value.keys() & known.keys():
            found += fits(value[name], known[name], f"{where}.{name}")
    if isinstance(value, list):
        for one in value:
            found += fits(one, schema["items"], f"{where}[]")
    return found


@pytest.mark.parametrize("incident", [OPENED.incident, DISPATCHED, PENDING, RESOLVED], ids=lambda one: one.state.value)
def test_every_event_is_as_the_schema_says_that_receivers_rely_on(incident: Any) -> None:
    assert fits(json.loads(body(incident)), SCHEMA) == []


def test_order_clocks_closing_and_the_rest_of_the_work_are_told() -> None:
    told = json.loads(body(DISPATCHED))["data"]["incident"]
    assert told["order"] == {
        "id": "O1", "number": 1, "level": 1, "person": "ann", "group": "dba", "by_hand": False,
        "sent_at": "2023-11-14T22:13:20.000Z", "accept_by": "2023-11-14T22:23:20.000Z", "reminders": 0,
    }  # fmt: skip
    assert (told["response"]["status"], told["response"]["due_at"]) == ("running", "2023-11-14T22:23:20.000Z")
    assert json.loads(body(PENDING))["data"]["incident"]["pending"] == {
        "reason": "spare part", "until": "2023-11-14T22:13:29.000Z", "clock_stands_since": "2023-11-14T22:13:20.000Z",
    }  # fmt: skip
    told = json.loads(body(RESOLVED))["data"]["incident"]
    assert told["closing"] == {
        "cause": "disk", "action": "replaced", "node": "erp-db", "category": "hardware", "effort_minutes": 30,
        "article": "KB-1",
    }  # fmt: skip
    assert (told["survey_score"], told["parent_id"], told["references"]) == (
        5, "INC-2", [{"target": "desk", "reference": "77"}],
    )  # fmt: skip


def test_long_texts_of_a_closing_report_are_shortened_too() -> None:
    long = replace(RESOLVED, closing=ClosingReport("界" * 30_000, "界" * 30_000), pending_reason="x" * 99_000)
    short = body(long)
    assert len(short) <= BODY_LIMIT
    assert len(json.loads(short)["data"]["incident"]["closing"]["cause"]) == 200


def body(incident: Any = OPENED.incident, event: Any = OPENED.events[0], diagnosis: Any = DIAGNOSIS) -> bytes:
    return incident_event(incident, event, source="/btimd/test", diagnosis=diagnosis, sla=[SLA])


def test_an_event_tells_the_whole_incident() -> None:
    assert json.loads(body()) == {
        "specversion": "1.0",
        "id": "INC-20231114-0001.1",
        "source": "/btimd/test",
        "type": "io.btimd.incident.opened.v1",
        "subject": "INC-20231114-0001",
        "time": "2023-11-14T22:13:20.000Z",
        "sequence": "0000000001",
        "datacontenttype": "application/json",
        "data": {
            "event": {
                "seq": 1,
                "kind": "opened",
                "at": "2023-11-14T22:13:20.000Z",
                "actor": "btimd",
                "from_state": None,
                "to_state": "new",
                "reason": "",
                "parent_id": "",
                "command_id": "",
            },
            "incident": {
                "id": "INC-20231114-0001",
                "version": 1,
                "fingerprint": "erp-db/down",
                "state": "new",
                "is_open": True,
                "signal": "active",
                "title": "erp-db refuses connections",
                "description": "ERP fails because its database refuses connections.",
                "cause": "erp-db",
                "impact": 2,
                "urgency": 2,
                "priority": "P3",
                "priority_is_manual": False,
                "businesses": ["erp"],
                "regions": ["north"],
                "users": 40,
                "users_exact": True,
                "report_count": 1,
                "reopen_count": 0,
                "assignee": "",
                "closing_report": "",
                "began_at": "2023-11-14T22:13:15.000Z",
                "opened_at": "2023-11-14T22:13:20.000Z",
                "last_seen_at": "2023-11-14T22:13:20.000Z",
                "accepted_at": None,
                "resolved_at": None,
                "closed_at": None,
                "category": "",
                "reporter": "",
                "difficulty": 3,
                "group": "",
                "level": 0,
                "order": None,
                "order_count": 0,
                "hold_reason": "",
                "pending": None,
                "paused_seconds": 0.0,
                "response": NO_CLOCK,
                "resolution": NO_CLOCK,
                "progress": {"reported_at": None, "next_news_at": None},
                "return_count": 0,
                "transfer_count": 0,
                "escalation_count": 0,
                "first_time_fix": None,
                "first_dispatch_right": None,
                "closing": None,
                "survey_score": None,
                "parent_id": "",
                "references": [],
            },
            "verdict": {
                "id": "D1",
                "summary": "why",
                "confidence": 0.97,
                "path": ["erp", "erp-db"],
                "evidence": ["one", "two"],
            },
            "sla": [
                {
                    "business": "erp",
                    "target_percent": 99.9,
                    "availability": 0.9,
                    "down_seconds": 10.0,
                    "error_budget_seconds": 40.0,
                    "burn_ratio": 0.25,
                    "status": "at-risk",
                }
            ],
            "shortened": [],
        },
    }


def test_a_kind_of_two_words_is_snake_case() -> None:
    event = replace(OPENED.events[0], kind="priority-set")

    assert json.loads(body(event=event))["type"] == "io.btimd.incident.priority_set.v1"


def test_what_is_too_much_is_shortened_and_said_so() -> None:
    evidence = {**DIAGNOSIS, "evidence": "\n".join(["界" * 300] * 100)}
    shorter = json.loads(body(diagnosis=evidence))["data"]

    assert (len(shorter["verdict"]["evidence"]), shorter["shortened"]) == (5, ["evidence"])


@pytest.mark.parametrize("character", ["x", "界", "\0"])
def test_a_body_never_exceeds_its_limit(character: str) -> None:
    long = character * 10_000
    huge = replace(
        OPENED.incident,
        description=long,
        closing_report=long,
        title=long,
        fingerprint=long,
        cause=long,
        assignee=long,
        verdict_id=long,
        assessment=ImpactAssessment(businesses=(long,) * 300, regions=(long,) * 300),
    )
    event = replace(OPENED.events[0], reason=long, actor=long, command_id=long, details={"parent_id": long})
    sla = replace(SLA, target=SlaTarget(long, 99.9))
    notes = {"summary": long, "path": "\n".join([long] * 300), "evidence": "\n".join([long] * 300)}
    made = incident_event(huge, event, source="/btimd", diagnosis=notes, sla=[sla] * 300)

    assert len(made) <= BODY_LIMIT
    assert json.loads(made)["data"]["shortened"] == ["evidence", "names", "texts"]


def test_every_target_is_owed_the_same_body_under_its_own_message() -> None:
    made = messages_of(
        OPENED.incident,
        OPENED.events[0],
        diagnosis=DIAGNOSIS,
        targets=("desk", "chat"),
        source="/btimd/test",
        sla=[SLA],
        now=T0,
    )

    assert made == [
        OutboxMessage(
            id=f"INC-20231114-0001.1@{target}",
            target=target,
            incident_id="INC-20231114-0001",
            seq=1,
            content_type="application/cloudevents+json; charset=utf-8",
            body=body(),
            attempts=0,
            next_at=T0,
            uncertain=False,
        )
        for target in ("desk", "chat")
    ]
