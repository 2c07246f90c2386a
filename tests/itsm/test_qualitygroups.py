"""Groups of incidents and their figures."""

from typing import Any

from btimd.itsm.quality import WALL
from btimd.itsm.qualitygroups import fits, group_figures, grouped, work_figures
from btimd.model.incident import IncidentState, Priority
from btimd.model.knowledge import Survey, SurveyState
from btimd.model.qualityview import FigureCoverage, FigureGroup, FigureQuery
from btimd.model.workfigures import IncidentFacts, OrderFacts

T0 = 1_700_000_000.0
QUERY = FigureQuery(T0, T0 + 1000)


def facts(number: int, **changes: Any) -> IncidentFacts:
    fields: dict[str, Any] = {
        "id": f"INC-{number}", "state": IncidentState.NEW, "priority": Priority.P3, "opened_at": T0 + number,
        "services": ("erp",), "group": "noc", "node": "db1", "category": "db", "handler": "li",
    }  # fmt: skip
    return IncidentFacts(**(fields | changes))


def test_an_incident_counts_in_every_business_that_it_hits_and_once_in_each_other_group() -> None:
    both = facts(1, services=("erp", "hr"), handler="", orders=(OrderFacts("ann", T0), OrderFacts("bob", T0)))
    found = {by: sorted(grouped([both, facts(2)], by)) for by in FigureGroup}
    assert found == {
        FigureGroup.BUSINESS: ["erp", "hr"],
        FigureGroup.GROUP: ["noc"],
        FigureGroup.PERSON: ["ann", "bob", "li"],
        FigureGroup.CLASS: ["db"],
        FigureGroup.NODE: ["db1"],
        FigureGroup.PRIORITY: ["P3"],
    }


def test_what_is_not_known_of_an_incident_is_a_group_of_its_own() -> None:
    lost = facts(1, services=(), group="", node="", category="", handler="")
    by_all = {by: list(grouped([lost], by)) for by in FigureGroup if by is not FigureGroup.PRIORITY}
    assert set(map(tuple, by_all.values())) == {("",)}


def test_every_filter_must_fit() -> None:
    one = facts(1)
    assert fits(one, QUERY)
    assert fits(one, FigureQuery(T0, T0 + 1, "erp", "noc", "li", "db", "db1"))
    for name in ("business", "group", "person", "category", "node"):
        assert not fits(one, FigureQuery(T0, T0 + 1, **{name: "other"}))


def test_groups_come_by_size_with_their_own_surveys_and_quiet_ones_are_left_out() -> None:
    incidents = [facts(1), facts(2), facts(3, services=("hr",)), facts(4, services=("old",), opened_at=T0 - 9,
                 state=IncidentState.CLOSED, resolved_at=T0 - 5, closed_at=T0 - 5)]  # fmt: skip
    surveys = [
        Survey("INC-1", 2, SurveyState.ANSWERED, "zhao", T0 + 5, score=5),
        Survey("INC-3", 2, SurveyState.ANSWERED, "zhao", T0 + 5, score=1),
        Survey("INC-9", 2, SurveyState.ANSWERED, "zhao", T0 + 5, score=1),
    ]
    found = group_figures(incidents, QUERY, surveys, lambda _: WALL, FigureGroup.BUSINESS)
    assert [(one.name, one.figures.opened, one.figures.satisfaction.satisfaction) for one in found] == [
        ("erp", 2, 1.0), ("hr", 1, 0.0),
    ]  # fmt: skip
    assert work_figures(incidents, QUERY, surveys, lambda _: WALL).satisfaction.answered == 2


def test_coverage_is_the_share_of_the_window_that_is_on_record() -> None:
    assert FigureCoverage(known_since=T0).share_of(T0, T0 + 10) == 1.0
    assert FigureCoverage(known_since=T0 + 5).share_of(T0, T0 + 10) == 0.5
    assert FigureCoverage(known_since=T0 + 50).share_of(T0, T0 + 10) == 0.0
    assert FigureCoverage().share_of(T0, T0 + 10) is None
