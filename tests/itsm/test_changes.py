from dataclasses import replace

from btimd.itsm import changes, workchanges
from btimd.itsm.moment import Moment
from btimd.itsm.triggers import Accept, Cancel, ReopenTimeOver
from btimd.model.incident import Priority
from tests.itsm.examples import CONFIG, T0, incident_after, report

NEW = incident_after(report())
MOMENT = Moment(T0 + 60, CONFIG)


def test_changes_leave_id_version_and_state_to_the_life_cycle() -> None:
    accepted = workchanges.accept(NEW, Accept(actor="ann"), MOMENT).incident

    assert (accepted.id, accepted.version, accepted.state) == (NEW.id, NEW.version, NEW.state)


def test_a_priority_that_comes_with_the_report_is_a_persons() -> None:
    made = changes.open_new(NEW, report(priority=Priority.P1), MOMENT)

    assert (made.priority, made.priority_is_manual) == (Priority.P1, True)


def test_only_a_person_counts_as_a_touch() -> None:
    by_time = changes.close(NEW, ReopenTimeOver(), MOMENT).incident

    assert by_time == replace(NEW, closed_at=T0 + 60)
    assert changes.close(NEW, Cancel(actor="ann", reason="drill"), MOMENT).incident.touched_by_human
