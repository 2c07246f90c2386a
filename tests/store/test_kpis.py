"""Tests of business figures that others push."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from btimd.model.points import PointBlock, SeriesQuery, SeriesRow
from btimd.model.ports import SeriesStore
from btimd.model.view import BusinessMetric
from btimd.runtime.metrics import Metrics
from btimd.store.kpis import BusinessMetrics


class Series(SeriesStore):
    def __init__(self) -> None:
        self.blocks: list[PointBlock] = []

    @override
    def write(self, block: PointBlock) -> None:
        self.blocks.append(block)

    @override
    async def query(self, query: SeriesQuery) -> Sequence[SeriesRow]:
        return ()


def metric(name: str = "orders", value: float = 12.0, at: int = 1_000, unit: str = "1/h") -> BusinessMetric:
    return BusinessMetric("erp", name, value, unit, at)


def test_a_figure_that_is_pushed_is_the_latest_and_a_point_and_is_counted() -> None:
    series, metrics = Series(), Metrics()
    kpis = BusinessMetrics(series, metrics)

    kpis.push([metric(), metric("returns", 1.0)], {"erp"})
    kpis.push([metric(value=9.0, at=500)], {"erp"})  # measured before the one that is known

    assert kpis.latest("erp") == [metric(), metric("returns", 1.0)]
    assert [(block.measurement, dict(block.tags), block.fields["value"].tolist()) for block in series.blocks] == [
        ("btimd_kpi", {"business": ["erp", "erp"], "name": ["orders", "returns"], "unit": ["1/h", "1/h"]}, [12.0, 1.0]),
        ("btimd_kpi", {"business": ["erp"], "name": ["orders"], "unit": ["1/h"]}, [9.0]),
    ]
    assert metrics.value("btimd_store_kpi_points_total") == 3


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (
            metric("Orders per hour"),
            "'Orders per hour' is no name: lower-case letters, digits and underscore, up to 63",
        ),
        (metric(value=float("nan")), "orders is nan; a figure is a finite number"),
        (metric(unit="€ per order"), "'€ per order' is no unit: letters, digits, / and %, up to 20"),
        (BusinessMetric("erp", "orders", 1.0, "", 0, 0.0), "orders is valid for 0 s; from a second to a year"),
    ],
)
def test_what_is_no_figure_is_refused_and_with_it_all_that_came_along(wrong: BusinessMetric, error: str) -> None:
    kpis = BusinessMetrics(Series(), Metrics())

    with pytest.raises(ValueError) as raised:
        kpis.push([metric("good"), wrong], {"erp"})

    assert str(raised.value) == error
    assert kpis.latest("erp") == []


def test_figures_of_an_unknown_business_are_refused() -> None:
    with pytest.raises(KeyError, match="erp"):
        BusinessMetrics(Series(), Metrics()).push([metric()], {"hr"})


def test_a_business_has_so_many_figures_and_no_more() -> None:
    kpis = BusinessMetrics(Series(), Metrics())
    kpis.push([metric(f"figure_{number}") for number in range(100)], {"erp"})

    with pytest.raises(ValueError, match="erp would have 101 figures; 100 at most"):
        kpis.push([metric("one_more")], {"erp"})
