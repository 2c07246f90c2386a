from btimd.itsm.lifecycle import step
from btimd.itsm.register import IncidentNumbers, Register, sorted_for_work
from btimd.itsm.triggers import Accept, Cancel, Trigger
from btimd.model.incident import Difficulty, Incident, Priority
from tests.itsm.examples import CONFIG, DAY, T0, report, verdict


def record(register: Register, incident: Incident | None, trigger: Trigger) -> Incident:
    made = step(incident, trigger, T0, CONFIG)
    register.record(made.incident, made.events[0])
    return made.incident


def test_ids_count_per_day_and_never_go_back() -> None:
    numbers = IncidentNumbers()

    assert [numbers.next(T0), numbers.next(T0)] == ["INC-20231114-0001", "INC-20231114-0002"]
    assert numbers.next(T0 + DAY) == "INC-20231115-0001"
    assert numbers.next(T0) == "INC-20231115-0002"
    numbers.seen("INC-20231115-12000")
    numbers.seen("INC-20231115-0007")
    numbers.seen("something else")
    assert numbers.next(T0) == "INC-20231115-12001"


def test_an_incident_is_found_by_its_cause_and_by_its_diagnosis() -> None:
    register = Register()
    opened = record(register, None, report())

    assert register.find(verdict(id="D7")) == opened
    assert register.find(verdict(cause="other", path=("erp", "other"))) == opened
    assert register.find(verdict(id="D7", cause="other", path=("erp", "other"))) is None
    assert register.live() == [opened]


def test_a_finished_incident_is_found_no_more() -> None:
    register = Register()
    opened = record(register, None, report())
    record(register, opened, Cancel(actor="ann", reason="drill"))

    assert (register.find(verdict()), register.get(opened.id), register.live()) == (None, None, [])


def test_symptoms_of_an_earlier_run_are_unconfirmed_until_taken() -> None:
    made = step(None, report(notes={"symptoms": "a\nb"}), T0, CONFIG)
    register = Register()
    register.restore(made.incident, made.events)

    assert register.unconfirmed == [made.incident.id]
    assert register.take_unconfirmed(made.incident.id) == {"a", "b"}
    assert register.take_unconfirmed(made.incident.id) == set()
    assert register.dossier(made.incident.id).symptoms == {"a", "b"}


def test_work_is_ordered_by_priority_then_age() -> None:
    def made(number: int, priority: Priority, opened_at: float) -> Incident:
        return step(None, report(incident_id=f"I{number}", priority=priority), opened_at, CONFIG).incident

    listed = [made(1, Priority.P3, T0), made(2, Priority.P1, T0 + 9), made(3, Priority.P1, T0 + 5)]

    assert [incident.id for incident in sorted_for_work(listed)] == ["I3", "I2", "I1"]


def test_inside_one_priority_the_hardest_comes_first() -> None:
    listed = [
        step(None, report(incident_id=f"I{number}", difficulty=difficulty), T0 + number, CONFIG).incident
        for number, difficulty in enumerate((Difficulty.LOW, Difficulty.MEDIUM, Difficulty.HIGH, Difficulty.MEDIUM))
    ]

    assert [incident.id for incident in sorted_for_work(listed)] == ["I2", "I1", "I3", "I0"]


def test_a_row_changes_with_every_record() -> None:
    register = Register()
    opened = record(register, None, report())
    accepted = record(register, opened, Accept(actor="ann"))

    assert register.get(opened.id) == accepted
