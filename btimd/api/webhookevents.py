"""Webhook events -> what they mean: Alertmanager's webhook (version 4), and CloudEvents 1.0.

Labels of an alert, or members of an event's data, say which node it is about: `btimd_node` names it; otherwise the
first of `instance`, `host`, ... that is there is looked up among names and addresses of the model.
CloudEvents: type "...change..." is a change; else data.status says "firing", "bad", "resolved" or "ok".
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from btimd.model.heard import Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.sign import SignSource
from btimd.model.units import UnixSeconds

MOST_OCTETS: Final = 256 * 1024
_MOST_EVENTS: Final = 500
_MOST_LEFT_OUT: Final = 1 << 31
_MOST_LABELS: Final = 64
_MOST_LABEL: Final = 512
_MOST_TEXT: Final = 400
NODE_LABEL: Final = "btimd_node"
HOST_LABELS: Final = ("node", "host", "hostname", "instance", "target", "device", "server", "pod", "service", "job")
_ERRORS: Final = {one.value: one for one in ErrorClass if one not in {ErrorClass.NONE, ErrorClass.OVER_BUDGET}}
_BAD: Final = frozenset({"firing", "bad", "critical", "warning", "down", "error", "failed", "open"})
_OVER: Final = frozenset({"resolved", "ok", "good", "up", "closed", "cleared", "normal"})
_CHANGE: Final = frozenset({"change", "changed", "deployed", "restarted"})
_ATTRIBUTES: Final = ("id", "source", "specversion", "type")
_LASTS_SECONDS: Final = 4 * 3600.0
"""Alertmanager repeats alerts that still fire every four hours, where nothing else is said."""


class EventError(ValueError):
    """What is wrong with a body; status: of HTTP."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def read_events(
    body: bytes, content_type: str, headers: Mapping[str, str], sender: str, now: UnixSeconds
) -> list[tuple[str, Told]]:
    """Return what a request's body says, each with an id that is the same when it is sent again; raises EventError.

    headers: names in lower case.
    """
    if len(body) > MOST_OCTETS:
        raise EventError(f"{len(body)} octets; {MOST_OCTETS} at most", 413)
    kind = content_type.partition(";")[0].strip().lower()
    if "json" not in kind:
        raise EventError(f"content type {kind[:80]!r}; send application/json or application/cloudevents+json", 415)
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise EventError(f"the body is no JSON: {error}") from error
    if "ce-id" in headers or "ce-specversion" in headers:
        attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
        return [_cloud_event({**attributes, "data": told}, sender, now)]
    if isinstance(told, list):
        return [_cloud_event(one, sender, now) for one in _bounded(told)]
    if not isinstance(told, dict):
        raise EventError("the body is neither an object nor a list of CloudEvents")
    if "specversion" in told:
        return [_cloud_event(told, sender, now)]
    if "alerts" in told:
        if not isinstance(told["alerts"], list):
            raise EventError("alerts: is no list")
        return [_alert(one, number, sender, now) for number, one in enumerate(_bounded(told["alerts"]))]
    raise EventError('neither a CloudEvent ("specversion") nor of Alertmanager ("alerts")', 422)


def left_out(body: bytes) -> int:
    """Return how many alerts of its group Alertmanager says it has left out (max_alerts of its receiver)."""
    told = json.loads(body)
    found = told.get("truncatedAlerts", 0) if isinstance(told, dict) else 0
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 < found < _MOST_LEFT_OUT else 0


def _bounded(found: list[Any]) -> list[Any]:
    if len(found) > _MOST_EVENTS:
        raise EventError(f"{len(found)} events; {_MOST_EVENTS} at most", 413)
    return found


def _labels(found: Any, where: str) -> dict[str, str]:
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise EventError(f"{where}: is no object")
    return {
        str(name)[:_MOST_LABEL]: str(value)[:_MOST_LABEL]
        for name, value in list(found.items())[:_MOST_LABELS]
        if isinstance(value, str | int | float)
    }


def _alert(alert: Any, number: int, sender: str, now: UnixSeconds) -> tuple[str, Told]:
    where = f"alerts[{number}]"
    if not isinstance(alert, dict):
        raise EventError(f"{where}: is no object")
    labels = _labels(alert.get("labels"), f"{where}.labels")
    notes = _labels(alert.get("annotations"), f"{where}.annotations")
    status = alert.get("status")
    if status not in {"firing", "resolved"}:
        raise EventError(f'{where}.status: {str(status)[:80]!r} is neither "firing" nor "resolved"')
    name = labels.get("alertname", "alert")
    text = notes.get("summary") or notes.get("description") or name
    key = str(alert.get("fingerprint") or sorted(labels.items()))
    meaning = Health.BAD if status == "firing" else Health.UNKNOWN
    identity = f"alert {key} {status} {str(alert.get('startsAt', ''))[:64]}"
    return identity[: 2 * _MOST_LABEL], _told(labels, meaning, f"{name}: {text}", f"{name} {key}", sender, now)


def _cloud_event(event: Any, sender: str, now: UnixSeconds) -> tuple[str, Told]:
    if not isinstance(event, dict):
        raise EventError("a CloudEvent is an object")
    for attribute in _ATTRIBUTES:
        value = event.get(attribute)
        if not isinstance(value, str) or not value or len(value) > _MOST_LABEL:
            raise EventError(f"{attribute}: must be a text of 1 to {_MOST_LABEL} characters (CloudEvents 1.0)", 422)
    if not event["specversion"].startswith("1."):
        raise EventError(f"specversion: {event['specversion']!r}; 1.0 is understood", 422)
    data = event.get("data")
    labels = _labels(data if isinstance(data, dict) else {}, "data")
    nested = data.get("labels") if isinstance(data, dict) else None
    if isinstance(nested, dict):
        labels |= _labels(nested, "data.labels")
    subject = str(event.get("subject") or "")[:_MOST_LABEL]
    if subject and not any(one in labels for one in (NODE_LABEL, *HOST_LABELS)):
        labels["host"] = subject
    status = labels.get("status", "").lower()
    if status in _CHANGE or (not status and "change" in event["type"].lower()):
        meaning = None
    elif status in _BAD | _OVER:
        meaning = Health.BAD if status in _BAD else Health.UNKNOWN
    else:
        raise EventError(f'data.status: {status[:80]!r} is not understood; send "firing", "resolved" or "change"', 422)
    text = labels.get("text") or labels.get("summary") or labels.get("message") or event["type"]
    about = labels.get("subject") or event["type"]
    return f"event {event['source']} {event['id']}", _told(labels, meaning, text, about, sender, now)


def _told(
    labels: Mapping[str, str], health: Health | None, text: str, subject: str, sender: str, now: UnixSeconds
) -> Told:
    hosts = []
    for one in HOST_LABELS:
        value = labels.get(one, "")
        host, colon, port = value.rpartition(":")
        hosts.append(host.strip("[]") if colon and port.isdigit() and (":" not in host or value[0] == "[") else value)
    error = _ERRORS.get(labels.get("error", ""), ErrorClass.EXCEEDED)
    return Told(
        source=SignSource.WEBHOOK,
        sender=sender,
        hosts=tuple(dict.fromkeys(host for host in hosts if host)),
        rule="webhook",
        text=text[:_MOST_TEXT],
        at=now,
        health=health,
        error=error if health is Health.BAD else ErrorClass.NONE,
        node=labels.get(NODE_LABEL, ""),
        subject=subject,
        lasts_seconds=_LASTS_SECONDS,
        severity=labels.get("severity", "") or labels.get("priority", ""),
    )


class SeenIds:
    """Ids of events that were taken lately, so that one that is sent again does nothing; bounded."""

    def __init__(self, most: int = 20_000) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def is_new(self, identity: str) -> bool:
        """Tell whether an id is new, and remember it."""
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True
