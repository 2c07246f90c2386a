from dataclasses import replace

import pytest

from btimd.model.incident import ClosingReport, ImpactAssessment, IncidentState, Priority
from btimd.model.incidentquery import IncidentDimension, IncidentQuery, Sight, value_of
from tests.fakes.views import INCIDENT

ONE = replace(
    INCIDENT,
    assignee="ann",
    group="db",
    category="db.oracle",
    reporter="bob",
    closing=ClosingReport(node="disk7"),
    closing_report="Replaced the DISK",
)
DONE = replace(ONE, state=IncidentState.CLOSED)
ERP_IN_SHANGHAI = Sight(frozenset({"erp"}), frozenset({"Shanghai"}))


@pytest.mark.parametrize(
    "query",
    [
        IncidentQuery(),
        IncidentQuery(states=frozenset({IncidentState.NEW}), priorities=frozenset({Priority.P2, Priority.P1})),
        IncidentQuery(business="hr", region="Shanghai", assignee="ann", group="db", reporter="bob"),
        IncidentQuery(category="db", node="db1"),
        IncidentQuery(category="db.oracle", node="disk7"),
        IncidentQuery(opened_from=ONE.opened_at, opened_before=ONE.opened_at + 1),
        IncidentQuery(text="i-1"),
        IncidentQuery(text="the disk"),
        IncidentQuery(sight=ERP_IN_SHANGHAI),
    ],
)
def test_an_incident_is_meant_that_fits_everything(query: IncidentQuery) -> None:
    assert query.fits(ONE)


@pytest.mark.parametrize(
    "query",
    [
        IncidentQuery(states=frozenset({IncidentState.CLOSED})),
        IncidentQuery(priorities=frozenset({Priority.P1})),
        IncidentQuery(business="crm"),
        IncidentQuery(region="Beijing"),
        IncidentQuery(assignee="bob"),
        IncidentQuery(group="net"),
        IncidentQuery(category="db.ora"),
        IncidentQuery(node="sw1"),
        IncidentQuery(reporter="ann"),
        IncidentQuery(opened_from=ONE.opened_at + 1),
        IncidentQuery(opened_before=ONE.opened_at),
        IncidentQuery(text="tape"),
        IncidentQuery(sight=Sight(frozenset({"crm"}), person="eve")),
    ],
)
def test_an_incident_is_not_meant_that_misses_one_thing(query: IncidentQuery) -> None:
    assert not query.fits(ONE)


def test_the_ended_ones_are_meant_where_they_are_asked_for() -> None:
    assert not IncidentQuery().fits(DONE)
    assert IncidentQuery(only_open=False).fits(DONE)
    assert IncidentQuery(states=frozenset({IncidentState.CLOSED})).fits(DONE)
    assert [IncidentQuery(only_open=only).by_work for only in (True, False)] == [True, False]


def test_people_see_what_touches_their_part_and_what_is_theirs() -> None:
    beijing = replace(ONE, assessment=ImpactAssessment(("erp",), ("Beijing",)))
    nowhere = replace(ONE, assessment=ImpactAssessment(("erp",)))
    unknown = replace(ONE, assessment=ImpactAssessment())

    seen = [ERP_IN_SHANGHAI.covers(incident) for incident in (ONE, beijing, nowhere, unknown)]
    assert seen == [True, False, True, False]
    assert [Sight(frozenset({"crm"}), person=person).covers(ONE) for person in ("ann", "bob", "eve", "")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert Sight().covers(unknown)


def test_an_incident_is_counted_under_what_it_says() -> None:
    assert {dimension.value: value_of(ONE, dimension) for dimension in IncidentDimension} == {
        "state": "new",
        "priority": "P2",
        "assignee": "ann",
        "group": "db",
        "category": "db.oracle",
        "node": "db1",
        "reporter": "bob",
        "month": "2026-09",
    }
