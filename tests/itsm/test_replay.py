from types import MappingProxyType

from btimd.itsm.lifecycle import step
from btimd.itsm.replay import Dossier, rebuild
from btimd.itsm.triggers import Accept, ReportClear
from btimd.model.incident import IncidentEvent, IncidentState
from tests.itsm.examples import CONFIG, T0, report


def test_a_timeline_says_in_words_what_changed() -> None:
    opened = step(None, report(), T0, CONFIG)
    accepted = step(opened.incident, Accept(actor="ann"), T0 + 9.25, CONFIG)

    assert accepted.events[0] == IncidentEvent(
        incident_id="INC-20231114-0001",
        seq=2,
        at=T0 + 9.25,
        actor="ann",
        kind="accepted",
        from_state=IncidentState.NEW,
        to_state=IncidentState.ACCEPTED,
        reason="taken without an order",
        details={
            "assignee": "ann",
            "accepted_at": "1700000009.25",
            "touched_by_human": "true",
            "timers": '[{"name": "stage", "due_at": 1700028809.25, "generation": 2}]',
        },
    )
    assert rebuild([*opened.events, *accepted.events]) == accepted.incident
    assert rebuild([]) is None


def test_the_dossier_keeps_symptoms_children_and_the_latest_diagnosis() -> None:
    def event(seq: int, **details: str) -> IncidentEvent:
        return IncidentEvent("I", seq, T0, "btimd", "x", IncidentState.NEW, IncidentState.NEW, "", details)

    events = [
        event(1, symptoms="a 1\nb", summary="first", path="erp\ndb", evidence="line"),
        event(2, symptoms="c", summary="second", path="", evidence=""),
        event(3, symptoms_gone="b\nz"),
        event(4, child_id="J", child_fingerprint="?/erp"),
    ]

    assert Dossier.of(events) == Dossier(
        symptoms=frozenset({"a 1", "c"}),
        aliases=frozenset({"?/erp"}),
        children=frozenset({"J"}),
        diagnosis=MappingProxyType({"summary": "second", "path": "", "evidence": ""}),
    )


def test_a_reopened_incident_has_the_symptoms_of_its_return_only() -> None:
    opened = step(None, report(notes={"symptoms": "a\nb"}), T0, CONFIG)
    resolved = step(opened.incident, ReportClear(remaining=0), T0, CONFIG)
    reopened = step(resolved.incident, report(notes={"symptoms": "c"}), T0, CONFIG)

    assert Dossier.of([*opened.events, *resolved.events, *reopened.events]).symptoms == {"c"}
