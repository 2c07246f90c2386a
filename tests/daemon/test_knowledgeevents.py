"""Which events matter, and which are made up for."""

from dataclasses import replace

from btimd.daemon.knowledgeevents import matters, may_have_missed, missed
from btimd.itsm.triggers import Accept, Resolve
from btimd.model.incident import IncidentEvent, IncidentState
from tests.itsm.examples import DAY, REPORT, T0, incident_after, report

S = IncidentState


def line(seq: int, kind: str, before: S | None, after: S, **details: str) -> IncidentEvent:
    return IncidentEvent("INC-1", seq, T0 + 10 * seq, "li", kind, before, after, "", details)


def test_a_change_of_state_an_answer_and_another_difficulty_matter() -> None:
    assert matters(line(1, "opened", None, S.NEW))
    assert matters(line(2, "survey", S.CLOSED, S.CLOSED))
    assert matters(line(2, "reported", S.NEW, S.NEW, difficulty="1"))
    assert not matters(line(2, "reported", S.NEW, S.NEW))
    assert not matters(line(2, "observed", S.NEW, S.NEW))


def test_of_several_ends_only_the_last_one_is_made_up_for() -> None:
    events = [
        line(1, "opened", None, S.NEW),
        line(2, "observed", S.NEW, S.NEW),
        line(3, "resolved", S.NEW, S.RESOLVED),
        line(4, "reopened", S.RESOLVED, S.NEW),
        line(5, "accepted", S.NEW, S.ACCEPTED),
        line(6, "resolved", S.ACCEPTED, S.RESOLVED),
        line(7, "closed", S.RESOLVED, S.CLOSED),
        line(8, "survey", S.CLOSED, S.CLOSED),
    ]
    assert [one.seq for one in missed(events, T0 + 10)] == [1, 4, 5, 6, 7, 8]
    assert [one.seq for one in missed(events, T0 + 65)] == [7, 8]


def test_what_is_open_or_was_touched_lately_may_have_been_missed() -> None:
    resolve = Resolve(actor="li", closing_report=REPORT, override_reason="x")
    done = replace(incident_after(report(), Accept(actor="li"), resolve), state=S.CLOSED, closed_at=T0 + 60)
    assert may_have_missed(incident_after(report()), T0 + DAY, 7 * DAY)
    assert may_have_missed(done, T0, 7 * DAY)
    assert not may_have_missed(done, T0 + DAY, 7 * DAY)
    assert may_have_missed(replace(done, survey_score=4), T0 + DAY, 7 * DAY)
