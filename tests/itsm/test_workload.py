"""What everybody has to do."""

import pytest

from btimd.itsm.workload import OpenOrder, Workload, workload_document, workload_from, workload_of
from btimd.model.incident import Priority

HOUR = 3600.0


def order(incident: str, person: str = "ann", priority: Priority = Priority.P3, minutes: float = 60.0) -> OpenOrder:
    return OpenOrder(incident, person, priority, minutes, given_at=0.0)


def test_an_order_weighs_its_priority_times_its_standard_hours() -> None:
    load = workload_of([order("1"), order("2", priority=Priority.P1, minutes=120), order("3", "bob", Priority.P5, 30)])

    assert (load.load_of("ann", 0.0), load.load_of("bob", 0.0), load.load_of("cem", 0.0)) == (5.0, 0.25, 0.0)


def test_the_work_left_shrinks_once_an_order_is_accepted_but_never_to_nothing() -> None:
    load = workload_of([order("1")]).accepted("1", HOUR)

    assert load.load_of("ann", HOUR) == 1.0
    assert load.load_of("ann", HOUR + 1800) == 0.5
    assert load.load_of("ann", 100 * HOUR) == pytest.approx(0.1)


def test_a_waiting_order_weighs_a_fifth_and_a_graver_one_more() -> None:
    load = workload_of([order("1")]).put_off("1", waiting=True)

    assert load.load_of("ann", 0.0) == pytest.approx(0.2)
    assert load.put_off("1", waiting=False).prioritised("1", Priority.P1).load_of("ann", 0.0) == 2.0


def test_an_incident_has_one_order_at_a_time_and_an_ended_one_weighs_nothing() -> None:
    load = Workload().given(order("1")).given(order("1", "bob")).given(order("2", "bob"))

    assert (load.load_of("ann", 0.0), load.load_of("bob", 0.0)) == (0.0, 2.0)
    assert load.order_of("1") == order("1", "bob")
    assert load.ended("1").ended("2") == Workload()
    assert load.ended("3").accepted("3", 0.0).put_off("3", waiting=True).prioritised("3", Priority.P1) is load


def test_a_document_gives_the_same_load_again() -> None:
    load = Workload().given(order("1")).given(order("2", "bob", Priority.P1)).accepted("2", 5.0)

    assert workload_from(workload_document(load)) == load


def test_the_number_of_open_orders_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.itsm.workload._MOST_ORDERS", 2)
    load = Workload().given(order("1")).given(order("2"))

    with pytest.raises(ValueError, match="2 orders are open; close some"):
        load.given(order("3"))
    assert load.given(order("2", "bob")).load_of("bob", 0.0) == 1.0
