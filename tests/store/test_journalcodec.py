"""What the journal writes of an incident it reads back the same."""

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from btimd.store.journalcodec import event_from_json, event_to_json, incident_from_json, incident_to_json

times = st.floats(0, 4e9)
texts = st.text(st.characters(codec="utf-8"), max_size=20)
tuples = st.lists(texts, max_size=3).map(tuple)
whens = st.none() | times

incidents = st.builds(
    Incident,
    id=texts,
    version=st.integers(1, 2**40),
    fingerprint=texts,
    state=st.sampled_from(IncidentState),
    signal=st.sampled_from(Signal),
    title=texts,
    description=texts,
    cause=texts,
    verdict_id=texts,
    confidence=st.floats(0, 1),
    impact=st.sampled_from(Impact),
    urgency=st.sampled_from(Urgency),
    priority=st.sampled_from(Priority),
    priority_is_manual=st.booleans(),
    assessment=st.builds(ImpactAssessment, tuples, tuples, st.none() | st.integers(0, 10**9), st.booleans()),
    report_count=st.integers(0, 10**6),
    reopen_count=st.integers(0, 10**6),
    touched_by_human=st.booleans(),
    assignee=texts,
    closing_report=texts,
    opened_at=times,
    last_seen_at=times,
    began_at=times,
    accepted_at=whens,
    resolved_at=whens,
    closed_at=whens,
)

events = st.builds(
    IncidentEvent,
    incident_id=texts,
    seq=st.integers(1, 10**6),
    at=times,
    actor=texts,
    kind=texts,
    from_state=st.none() | st.sampled_from(IncidentState),
    to_state=st.sampled_from(IncidentState),
    reason=texts,
    details=st.dictionaries(texts, texts, max_size=3).map(MappingProxyType),
    command_id=texts,
)


@given(incidents)
def test_an_incident_is_read_back_as_it_was(incident: Incident) -> None:
    back = incident_from_json(incident_to_json(incident))
    assert back == incident
    assert [type(value) for value in plain(back)] == [type(value) for value in plain(incident)]


@given(events)
def test_an_event_is_read_back_as_it_was(event: IncidentEvent) -> None:
    back = event_from_json(event_to_json(event))
    assert back == event
    assert isinstance(back.to_state, IncidentState)


@given(incidents)
def test_a_field_nobody_knows_is_passed_over_and_one_with_a_default_may_be_missing(incident: Incident) -> None:
    body = json.loads(incident_to_json(incident)) | {"added_later": 1}
    del body["closed_at"]
    assert incident_from_json(json.dumps(body)).closed_at is None


def test_text_that_is_no_incident_is_refused() -> None:
    for text in ("", "[]", "{}", '{"state": "unheard-of"}'):
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
            incident_from_json(text)


def plain(incident: Incident) -> list[Any]:
    return [getattr(incident, name) for name in Incident.__slots__]
