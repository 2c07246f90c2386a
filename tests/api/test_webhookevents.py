import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.api.webhookevents import EventError, SeenIds, read_events
from btimd.model.heard import Told
from btimd.model.probe import ErrorClass, Health

ALERT = {
    "status": "firing", "labels": {"alertname": "DiskFull", "instance": "10.0.0.5:9100", "severity": "critical"},
    "annotations": {"summary": "disk of db1 is full"}, "startsAt": "2024-01-01T00:00:00Z", "fingerprint": "abc",
}  # fmt: skip
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/ci",
    "type": "com.example.change",
    "subject": "web",
    "data": {"text": "release 4.2"},
}


def read(told: Any, headers: dict[str, str] | None = None, kind: str = "application/json") -> list[tuple[str, Told]]:
    return read_events(json.dumps(told).encode(), kind, headers or {}, "otto", 5.0)


def test_an_alert_is_bad_while_it_fires_and_over_when_it_is_resolved() -> None:
    ((first, bad),) = read({"version": "4", "alerts": [ALERT]})
    ((second, over),) = read({"version": "4", "alerts": [ALERT | {"status": "resolved"}]})
    assert (bad.health, bad.error, bad.hosts, bad.text) == (
        Health.BAD,
        ErrorClass.EXCEEDED,
        ("10.0.0.5",),
        "DiskFull: disk of db1 is full",
    )
    assert (over.health, over.error, over.subject) == (Health.UNKNOWN, ErrorClass.NONE, bad.subject)
    assert first != second


def test_a_label_may_name_the_node_and_the_error() -> None:
    ((_, told),) = read({"alerts": [{"status": "firing", "labels": {"btimd_node": "db", "error": "slow"}}]})
    assert (told.node, told.error) == ("db", ErrorClass.SLOW)


def test_cloud_events_come_whole_in_headers_and_in_batches() -> None:
    ((_, told),) = read(EVENT, kind="application/cloudevents+json; charset=utf-8")
    assert (told.health, told.hosts, told.text) == (None, ("web",), "release 4.2")
    headers = {"ce-id": "2", "ce-source": "/ci", "ce-specversion": "1.0", "ce-type": "x", "ce-subject": "web"}
    ((_, told),) = read({"status": "down", "text": "no answer"}, headers)
    assert (told.health, told.hosts, told.text) == (Health.BAD, ("web",), "no answer")
    assert len(read([EVENT, EVENT | {"id": "3"}])) == 2


@pytest.mark.parametrize(
    ("told", "kind", "status", "text"),
    [
        ({}, "application/json", 422, "neither a CloudEvent"),
        ({"alerts": 1}, "application/json", 400, "alerts: is no list"),
        ({"alerts": [{"status": "x"}]}, "application/json", 400, 'is neither "firing" nor "resolved"'),
        ({"alerts": [1]}, "application/json", 400, "alerts[0]: is no object"),
        ({"alerts": [{"status": "firing", "labels": 1}]}, "application/json", 400, "alerts[0].labels: is no object"),
        ({"alerts": [{}] * 501}, "application/json", 413, "500 at most"),
        ({"specversion": "1.0"}, "application/json", 422, "id: must be a text"),
        (EVENT | {"specversion": "9"}, "application/json", 422, "1.0 is understood"),
        (EVENT | {"type": "x"}, "application/json", 422, "data.status"),
        (1, "application/json", 400, "neither an object nor a list"),
        (EVENT, "text/plain", 415, "content type"),
        ("x" * 300_000, "application/json", 413, "at most"),
    ],
)  # fmt: skip
def test_every_mistake_is_named(told: Any, kind: str, status: int, text: str) -> None:
    with pytest.raises(EventError, match=text.replace("[", r"\[")) as raised:
        read(told, kind=kind)
    assert raised.value.status == status


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    ["alerts", "status", "labels", "specversion", "id", "source", "type", "data", "firing"]
                ),
                inner,
                max_size=6,
            )
        ),
    ),
    st.booleans(),
)
def test_any_body_is_events_or_a_named_mistake(told: Any, binary: bool) -> None:
    with suppress(EventError):
        read(told, {"ce-id": "1", "ce-specversion": "1.0"} if binary else None)


@given(st.integers(0, 200))
def test_a_body_cut_anywhere_is_a_named_mistake(at: int) -> None:
    body = json.dumps({"alerts": [ALERT]}).encode()[:at]
    with pytest.raises(EventError):
        read_events(body, "application/json", {}, "otto", 5.0)


def test_ids_are_remembered_and_bounded() -> None:
    seen = SeenIds(2)
    assert [seen.is_new(one) for one in ("a", "a", "b", "c", "a")] == [True, False, True, True, True]
