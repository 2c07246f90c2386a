"""QualityService over a fake view: every figure comes back as it was; people only to managers; scopes are handed on."""

from dataclasses import replace

import pytest

from btimd.api import calls_figures as calls
from btimd.api.client import Page
from btimd.model.qualityview import FigureGroup, FigureQuery, GroupFigures
from tests.api.conftest import Served
from tests.api.test_knowledge import ask, refused
from tests.fakes.knowledge import COVERAGE, DAY, FIGURES, RELIABLE, T0, TREND, UNMEASURED

QUERY = FigureQuery(T0, T0 + DAY, "erp", "noc", "", "database", "ora1")
WITHOUT = replace(FIGURES, people=())


async def test_every_figure_comes_back_as_it_was(served: Served) -> None:
    assert await ask(served, "mona", calls.work_figures, QUERY) == (FIGURES, COVERAGE)
    assert await ask(served, "mona", calls.incident_trend, QUERY, FigureGroup.CLASS, bucket_seconds=3600, ahead=9) == (
        TREND, COVERAGE,
    )  # fmt: skip
    found = await ask(served, "mona", calls.reliability, T0, T0 + DAY, FigureGroup.NODE, 1)
    assert found == Page([RELIABLE], True)
    assert served.figures.asked == [QUERY, (QUERY, FigureGroup.CLASS, 3600.0, 9), (T0, T0 + DAY, FigureGroup.NODE)]


async def test_groups_are_paged(served: Served) -> None:
    page, coverage = await ask(served, "mona", calls.group_figures, QUERY, FigureGroup.BUSINESS, 1)
    assert (page, coverage) == (Page([GroupFigures("erp", FIGURES)], True), COVERAGE)


@pytest.mark.parametrize("caller", [None, "vera", "otto"])
async def test_figures_of_single_persons_need_manager(served: Served, caller: str | None) -> None:
    assert await ask(served, caller, calls.work_figures, QUERY) == (WITHOUT, COVERAGE)
    page, _ = await ask(served, caller, calls.group_figures, QUERY, FigureGroup.NODE)
    assert [one.figures for one in page.items] == [WITHOUT, WITHOUT]
    for call, args in (
        (calls.work_figures, (replace(QUERY, person="li"),)),
        (calls.group_figures, (QUERY, FigureGroup.PERSON)),
        (calls.incident_trend, (QUERY, FigureGroup.PERSON)),
    ):
        assert "figures of single persons need manager" in await refused(served, caller, call, *args)


async def test_what_is_outside_the_scope_of_the_caller_is_in_no_figure(served: Served) -> None:
    await ask(served, "sven", calls.work_figures, QUERY)
    assert served.figures.sees(("erp", "hr"), ())
    assert not served.figures.sees(("hr",), ())
    page, _ = await ask(served, "sven", calls.group_figures, QUERY, FigureGroup.BUSINESS)
    assert [one.name for one in page.items] == ["erp"]
    await ask(served, "sven", calls.reliability, T0, T0 + DAY, FigureGroup.BUSINESS)
    assert not served.figures.sees(("hr",), ())


async def test_what_makes_no_sense_is_refused(served: Served) -> None:
    assert await refused(served, None, calls.work_figures, replace(QUERY, end=T0)) == (
        "end: the window ends before it begins"
    )
    assert await refused(served, None, calls.work_figures, replace(QUERY, business="nonsense")) == (
        "query: that makes no sense"
    )
    assert await refused(served, None, calls.incident_trend, QUERY, FigureGroup.CLASS, ahead=900) == (
        "ahead: 900 is not from 0 to 366"
    )


async def test_a_measured_nothing_stays_nothing(served: Served) -> None:
    page = await ask(served, None, calls.reliability, T0, T0 + DAY, FigureGroup.BUSINESS)
    assert page.items[1] == UNMEASURED
