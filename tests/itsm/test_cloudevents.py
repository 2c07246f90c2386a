import json
from dataclasses import replace
from typing import Any

import pytest

from btimd.itsm.emit.cloudevents import BODY_LIMIT, incident_event, messages_of
from btimd.itsm.lifecycle import step
from btimd.model.incident import ImpactAssessment
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
