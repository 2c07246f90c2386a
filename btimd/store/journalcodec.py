"""Incidents and their events as JSON text for the journal, and back.

A field with a default may be missing in what is read and a field nobody knows is passed over, so a journal of another
release can be read; the schema version of the file guards what that rule cannot.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from btimd.model.incident import Incident, IncidentEvent, IncidentState
from btimd.model.plain import from_plain, to_plain


def incident_to_json(incident: Incident) -> str:
    """Return an incident as one line of JSON."""
    return _text(to_plain(incident))


def incident_from_json(text: str) -> Incident:
    """Return the incident that was written; raises ValueError, KeyError or TypeError for anything else."""
    found: Incident = from_plain(Incident, json.loads(text))
    return found


def event_to_json(event: IncidentEvent) -> str:
    """Return a line of a timeline as one line of JSON."""
    plain = {field.name: getattr(event, field.name) for field in fields(event)}
    return _text(plain | {"details": dict(event.details)})


def event_from_json(text: str) -> IncidentEvent:
    """Return the event that was written; raises ValueError, KeyError or TypeError for anything else."""
    found = _known(IncidentEvent, json.loads(text))
    found |= {
        "from_state": None if found["from_state"] is None else IncidentState(found["from_state"]),
        "to_state": IncidentState(found["to_state"]),
        "details": MappingProxyType(found["details"]),
    }
    return IncidentEvent(**found)


def _text(plain: Mapping[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _known(shape: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(shape)}
    return {name: value for name, value in plain.items() if name in names}
