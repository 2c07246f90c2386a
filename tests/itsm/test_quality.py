"""Figures of service management, each by its exact definition."""

from typing import Any

from btimd.itsm.quality import LIST_LIMIT, figures, is_first_time_fix, quantile, resolution_seconds, standard_minutes
from btimd.model.incident import IncidentState, Priority
from btimd.model.knowledge import SurveyFigures
from btimd.model.workfigures import (
    CauseFigures,
    ClassFigures,
    Durations,
    IncidentFacts,
    OrderFacts,
    PersonFigures,
    Share,
    Waiting,
    WorkFigures,
)

T0 = 1_700_000_000.0
END = T0 + 10_000
S = IncidentState


def facts(number: int = 1, **changes: Any) -> IncidentFacts:
    """Return an incident that was taken after 100 s, resolved after 1,000 s, and closed after 2,000 s."""
    fields: dict[str, Any] = {
        "id": f"INC-{number}",
        "state": S.CLOSED,
        "priority": Priority.P3,
        "opened_at": T0,
        "accepted_at": T0 + 100,
        "resolved_at": T0 + 1_000,
        "closed_at": T0 + 2_000,
        "handler": "li",
    }
    return IncidentFacts(**(fields | changes))


def still_open(number: int = 1, **changes: Any) -> IncidentFacts:
    fields = {"state": S.NEW, "accepted_at": None, "resolved_at": None, "closed_at": None, "handler": ""}
    return facts(number, **(fields | changes))


class OfficeHours:
    """Service hours that begin at T0 + 500 and never end."""

    def between(self, start: float, end: float) -> float:
        return max(0.0, end - max(start, T0 + 500))


def test_a_first_time_fix_is_resolved_by_the_first_who_takes_it_and_stays_so() -> None:
    assert is_first_time_fix(facts())
    assert is_first_time_fix(facts(handler="", accepted_at=None, online=True))
    for disturbed in ("returns", "transfers", "escalations", "reopens"):
        assert not is_first_time_fix(facts(**{disturbed: 1}))
    assert not is_first_time_fix(facts(handler="", self_cleared=True))
    assert not is_first_time_fix(facts(handler=""))


def test_the_first_time_fix_rate_is_of_the_incidents_closed_in_the_window() -> None:
    incidents = [
        facts(1),
        facts(2, returns=1),
        facts(3, self_cleared=True, handler=""),
        facts(4, closed_at=END),  # the window ends before it
        facts(5, state=S.CANCELLED),
        facts(6, state=S.MERGED),
    ]
    found = figures(incidents, T0, END)
    assert (found.first_time_fix, found.first_time_fix.rate) == (Share(1, 3), 1 / 3)
    assert (found.closed, found.cancelled, found.merged, found.self_cleared) == (3, 1, 1, 1)


def test_a_first_dispatch_is_right_wrong_or_not_decided_yet() -> None:
    orders = (OrderFacts("li", T0 + 10),)
    incidents = [
        facts(1, orders=orders, first_order_right=True),
        facts(2, orders=orders, first_order_right=False),
        facts(3, orders=orders, state=S.CANCELLED),  # nobody accepted it before it was over
        still_open(4, orders=orders, state=S.DISPATCHED),
        facts(5),  # never dispatched
        facts(6, orders=(OrderFacts("li", T0 - 10),), first_order_right=True),  # before the window
    ]
    found = figures(incidents, T0, END).first_dispatch
    assert (found, found.rate) == (Share(1, 3, undecided=1), 1 / 3)


def test_resolution_leaves_out_pauses_in_wall_time_and_in_service_hours() -> None:
    paused = facts(pauses=((T0 + 400, T0 + 600), (T0 + 900, T0 + 1_200)))
    assert resolution_seconds(paused) == 700.0
    assert resolution_seconds(paused, OfficeHours()) == 300.0
    assert resolution_seconds(still_open()) is None


def test_durations_have_mean_half_and_nine_of_ten_in_both_times() -> None:
    incidents = [facts(number, accepted_at=T0 + 100 * number, resolved_at=T0 + 1_000) for number in range(1, 11)]
    found = figures(incidents, T0, END, hours=lambda _: OfficeHours())
    assert found.response == Durations(10, 0, 550.0, 500.0, 900.0)
    assert found.response_business == Durations(10, 0, 150.0, 0.0, 400.0)
    assert found.resolution == Durations(10, 0, 1_000.0, 1_000.0, 1_000.0)
    assert found.resolution_business == Durations(10, 0, 500.0, 500.0, 500.0)


def test_each_incident_goes_by_its_own_service_hours() -> None:
    incidents = [facts(1, services=("erp",)), facts(2)]

    def hours(incident: IncidentFacts) -> Any:
        return OfficeHours() if incident.services else type("All", (), {"between": lambda _, start, end: end - start})()

    assert figures(incidents, T0, END, hours=hours).resolution_business == Durations(2, 0, 750.0, 500.0, 1_000.0)


def test_a_beginning_that_nobody_knows_is_not_measured_and_said_so() -> None:
    found = figures([facts(1, began_at=T0 - 60, cause_known_at=T0 + 30), facts(2)], T0, END)
    assert found.detection == Durations(1, 1, 60.0, 60.0, 60.0)
    assert found.cause == Durations(1, 0, 30.0, 30.0, 30.0)
    assert found.restoration == Durations(1, 1, 1_060.0, 1_060.0, 1_060.0)


def test_what_still_waits_stands_beside_the_means() -> None:
    incidents = [
        facts(1),
        still_open(2, opened_at=T0 + 4_000),
        still_open(3, opened_at=T0 - 500, accepted_at=T0 + 50),
        still_open(4, opened_at=END),
        facts(5, resolved_at=END + 5, closed_at=END + 9),
    ]
    found = figures(incidents, T0, END)
    assert found.waiting_response == Waiting(1, 6_000.0)
    assert found.waiting_resolution == Waiting(3, 10_500.0)


def test_an_empty_window_has_no_rates_at_all() -> None:
    found = figures([facts()], END, END + 1)
    levels = dict.fromkeys(Priority, 0)
    assert found == WorkFigures(start=END, end=END + 1, by_priority=levels)
    assert (found.first_time_fix.rate, found.first_dispatch.rate, found.response.mean) == (None, None, None)


def test_orders_and_effort_are_told_by_person_and_by_class() -> None:
    order = OrderFacts("li", T0 + 10, T0 + 20)
    incidents = [
        facts(1, category="database", orders=(OrderFacts("wang", T0 + 5), order), effort_minutes=30),
        facts(2, category="database"),
        still_open(3, category="network", orders=(OrderFacts("wang", T0 + 7),)),
    ]
    found = figures(incidents, T0, END)
    assert found.orders == 3
    assert found.people == (PersonFigures("li", 1, 1, 2, 30, 1), PersonFigures("wang", 2, 0, 0, 0, 0))
    assert found.classes == (
        ClassFigures("database", 2, 2, 2, 30, 1, None), ClassFigures("network", 1, 0, 1, 0, 0, None),
    )  # fmt: skip


def test_a_standard_of_effort_needs_five_statements() -> None:
    said = [facts(number, effort_minutes=minutes) for number, minutes in enumerate((10, 20, 30, 40, 500))]
    assert standard_minutes(said) == 30.0
    assert standard_minutes([*said[:4], facts(9)]) is None


def test_top_causes_have_the_unknown_among_them_and_count_what_is_merged_once() -> None:
    incidents = [
        facts(1, cause="ora1"),
        facts(2, cause="ora1", priority=Priority.P1),
        facts(3),
        facts(4, cause="ora1", state=S.MERGED),
    ]
    assert figures(incidents, T0, END).causes == (
        CauseFigures("ora1", 2, 2 / 3, Priority.P1, 2_000.0),
        CauseFigures("", 1, 1 / 3, Priority.P3, 1_000.0),
    )


def test_counts_by_priority_and_what_surveys_said_are_passed_on() -> None:
    surveys = SurveyFigures(invited=4, answered=2, satisfied=1, score_sum=6)
    found = figures([facts(1), facts(2, priority=Priority.P1, reopens=2)], T0, END, surveys=surveys)
    assert dict(found.by_priority) == dict.fromkeys(Priority, 0) | {Priority.P1: 1, Priority.P3: 1}
    assert (found.opened, found.resolved, found.reopened, found.satisfaction) == (2, 2, 1, surveys)


def test_lists_are_bounded() -> None:
    found = figures([facts(number, cause=f"node{number}", handler=f"p{number}") for number in range(99)], T0, END)
    assert (len(found.causes), len(found.people)) == (LIST_LIMIT, LIST_LIMIT)


def test_a_quantile_is_a_value_that_occurred() -> None:
    assert [quantile([1, 2, 3, 4, 5], share) for share in (0.0, 0.5, 0.9, 1.0)] == [1, 3, 5, 5]
