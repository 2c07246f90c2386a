"""Incidents, events, messages and points that the tests of this package share."""

from collections.abc import Mapping

import numpy as np

from btimd.model.incident import (
    Impact,
    ImpactAssessment,
    Incident,
    IncidentEvent,
    IncidentState,
    Priority,
    Signal,
    Urgency,
)
from btimd.model.points import PointBlock
from btimd.model.ports import IncidentWrite, OutboxMessage
from btimd.model.units import UnixSeconds

T0 = 1_700_000_000.0
T0_MILLISECONDS = 1_700_000_000_000


def incident(
    incident_id: str = "I1", version: int = 1, state: IncidentState = IncidentState.NEW, opened_at: UnixSeconds = T0
) -> Incident:
    return Incident(
        id=incident_id,
        version=version,
        fingerprint=f"cause:{incident_id}",
        state=state,
        signal=Signal.ACTIVE,
        title="ERP 慢",
        description="",
        cause="ora1",
        verdict_id="V1",
        confidence=0.9,
        impact=Impact.HIGH,
        urgency=Urgency.MEDIUM,
        priority=Priority.P2,
        priority_is_manual=False,
        assessment=ImpactAssessment(businesses=("erp",), regions=("north",), users=41),
        report_count=version,
        reopen_count=0,
        touched_by_human=False,
        assignee="",
        closing_report="",
        opened_at=opened_at,
        last_seen_at=opened_at,
        began_at=opened_at - 5,
    )


def event(incident_id: str = "I1", seq: int = 1, command_id: str = "") -> IncidentEvent:
    return IncidentEvent(
        incident_id=incident_id,
        seq=seq,
        at=T0 + seq,
        actor="rca",
        kind="report",
        from_state=None,
        to_state=IncidentState.NEW,
        reason="",
        details={"seq": str(seq)},
        command_id=command_id,
    )


def message(
    message_id: str, target: str = "mail", incident_id: str = "I1", seq: int = 1, next_at: UnixSeconds = T0
) -> OutboxMessage:
    return OutboxMessage(
        id=message_id,
        target=target,
        incident_id=incident_id,
        seq=seq,
        content_type="application/json",
        body=b'{"n":1}',
        attempts=0,
        next_at=next_at,
        uncertain=False,
    )


def write(
    of: Incident,
    *events: IncidentEvent,
    messages: tuple[OutboxMessage, ...] = (),
    timers: Mapping[str, UnixSeconds | None] | None = None,
) -> IncidentWrite:
    return IncidentWrite(incident=of, events=events, messages=messages, timers=timers or {})


def points(
    first: int = 0,
    count: int = 1,
    value: int = 1,
    *,
    measurement: str = "flows",
    business: str = "erp",
    interval: str = "10s",
    step_milliseconds: int = 10_000,
) -> PointBlock:
    """Points of one series, step by step; octets are value, value + 1, ..."""
    return PointBlock(
        measurement=measurement,
        time_milliseconds=T0_MILLISECONDS + np.arange(first, first + count, dtype=np.int64) * step_milliseconds,
        tags={"business": [business] * count, "interval": [interval] * count},
        fields={
            "octets": np.arange(value, value + count, dtype=np.int64),
            "rtt_seconds": np.arange(value, value + count, dtype=np.float64) / 8,
        },
    )
