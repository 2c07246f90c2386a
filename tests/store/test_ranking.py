"""Who answers a ranking, with what, and how the answer adds up."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from btimd.flows.linkrows import points_of
from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows
from btimd.model.archive import (
    Coverage,
    FlowSearch,
    FoundGroup,
    Ranking,
    RankingQuery,
    RankingRow,
    SearchResult,
    TimeRange,
)
from btimd.model.points import SeriesQuery, SeriesRow
from btimd.runtime.clock import ManualClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.embedded import EmbeddedStore
from btimd.store.ranking import ArchivePlan, SeriesPlan, archive_ranking, plan, series_ranking
from btimd.store.settings import StoreSettings
from btimd.store.storemetrics import StoreMetrics
from tests.flows.linkcrafting import NOW, names_of
from tests.flows.linkcrafting import records as link_records

MINUTE = 60_000
DAY = 86_400_000
QUERY = RankingQuery("businesses", "octets", 10 * MINUTE, 20 * MINUTE, limit=2)


def test_sums_of_businesses_come_from_the_series_in_whole_minutes() -> None:
    found = plan(replace(QUERY, from_milliseconds=10 * MINUTE + 1, to_milliseconds=20 * MINUTE - 1, business="erp"))
    assert found == SeriesPlan(
        replace(QUERY, from_milliseconds=10 * MINUTE + 1, to_milliseconds=20 * MINUTE - 1, business="erp"),
        ("business",),
        (
            SeriesQuery(
                "btimd_traffic",
                ("octets_to_server", "octets_to_client"),
                10 * MINUTE,
                20 * MINUTE,
                ("business",),
                {"interval": "60s", "business": "erp"},
            ),
        ),
        peak=False,
    )


def test_the_largest_the_others_and_the_whole_add_up() -> None:
    found = plan(QUERY)
    assert isinstance(found, SeriesPlan)
    rows = [
        SeriesRow(0, (name,), (value, None)) for name, value in (("hr", 10.0), ("erp", 60.0), ("", 25.0), ("x", 5.0))
    ]
    assert series_ranking(found, [rows]) == Ranking(
        ("business",),
        "octets",
        (
            RankingRow(("erp",), 60.0, 0.6),
            RankingRow(("",), 25.0, 0.25),
            RankingRow((), 15.0, 0.15, others=True),
        ),
        100.0,
        10 * MINUTE,
        20 * MINUTE,
        MINUTE,
        "series",
        (
            "traffic of several businesses counts for each of them, so that shares may add up to more than what was on the wire",
        ),
    )


def test_peaks_are_the_greatest_minute_and_have_no_shares() -> None:
    found = plan(replace(QUERY, subject="regions", measure="peak_users", to_milliseconds=2 * DAY))
    assert isinstance(found, SeriesPlan)
    assert [(one.from_milliseconds, one.to_milliseconds, one.step_milliseconds) for one in found.queries] == [
        (10 * MINUTE, DAY + 10 * MINUTE, MINUTE),
        (DAY + 10 * MINUTE, 2 * DAY, MINUTE),
    ]
    days = [[SeriesRow(0, ("A",), (5.0,)), SeriesRow(MINUTE, ("A",), (9.0,))], [SeriesRow(DAY, ("A",), (7.0,))]]
    ranking = series_ranking(found, days)
    assert (ranking.rows, ranking.total) == ((RankingRow(("A",), 9.0, None),), None)
    assert ranking.remarks == ("users: the most within one interval of 60 s; peaks do not add up",)


def test_nothing_stored_is_said() -> None:
    found = plan(replace(QUERY, subject="links", from_milliseconds=10 * MINUTE + 5))
    assert isinstance(found, SeriesPlan)
    ranking = series_ranking(found, [[]])
    assert (ranking.rows, ranking.total) == ((), 0.0)
    assert ranking.remarks == (
        "the time was widened to whole intervals of 60 s",
        "the series store has nothing of this time",
    )


def test_addresses_and_numbers_of_users_come_from_the_archive() -> None:
    servers = plan(replace(QUERY, subject="servers", measure="packets"))
    assert servers == ArchivePlan(
        replace(QUERY, subject="servers", measure="packets"),
        ("server",),
        FlowSearch(10 * MINUTE, 20 * MINUTE, group_by=("server",), limit=2),
        "packets",
        clients=False,
    )
    users = plan(replace(QUERY, measure="users"))
    assert isinstance(users, ArchivePlan)
    assert (users.order, users.clients, users.columns) == ("clients", True, ("business",))


def test_groups_of_the_archive_become_places() -> None:
    found = plan(replace(QUERY, subject="servers"))
    assert isinstance(found, ArchivePlan)
    coverage = Coverage(1, 1, 5, missing=(TimeRange(0, 1),))
    groups = (FoundGroup(("a",), 6, 2, 1, 1, 0, 1), FoundGroup(("b",), 1, 0, 1, 1, 0, 1))
    result = SearchResult((), groups, True, coverage, FoundGroup((), 7, 3, 3, 3, 0, 1))
    ranking = archive_ranking(found, result)
    assert ranking.rows == (
        RankingRow(("a",), 8.0, 0.8),
        RankingRow(("b",), 1.0, 0.1),
        RankingRow((), 1.0, 0.1, others=True),
    )
    assert ranking.remarks == ("the archive does not have all of this time: see what is missing",)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"subject": "cats"}, "subject: 'cats' is none of businesses"),
        ({"measure": "joy"}, "measure: 'joy' is none of octets"),
        ({"to_milliseconds": 0}, "to_time: is not after from_time"),
        ({"limit": 0}, "limit: 0 is not from 1 to 1000"),
        ({"subject": "links", "measure": "users"}, "links cannot be ranked by users, but by octets, packets, flows"),
        ({"subject": "servers", "measure": "peak_users"}, "servers cannot be ranked by peak_users, but by octets"),
        ({"measure": "peak_users", "to_milliseconds": 40 * DAY}, "from_time: peaks are looked for in 31 days at most"),
    ],
)
def test_what_nobody_can_rank_is_refused_with_what_can(change: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        plan(replace(QUERY, **change))  # type: ignore[arg-type]  # one field of any kind


@pytest.mark.parametrize(
    ("subject", "measure", "business", "places"),
    [
        ("links", "octets", None, {("core", "wan"): 6.0, ("core", "2"): 6.0}),
        ("links", "flows", "hr", {("core", "wan"): 1.0, ("core", "2"): 1.0}),
        ("interfaces", "packets", None, {("core", "wan", "in"): 2.0, ("core", "2", "out"): 2.0}),
        ("interfaces", "octets", "erp", {("core", "wan", "in"): 6.0, ("core", "2", "out"): 6.0}),
    ],
)
def test_links_are_ranked_by_the_points_that_are_written_of_them(
    tmp_path: Path, subject: str, measure: str, business: str | None, places: dict[tuple[str, ...], float]
) -> None:
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    told = link_records(0, 1, octet_delta_count=[2, 4], packet_delta_count=[1, 1])
    windows.add(told, np.zeros(2, np.bool_), names_of(["erp"], ["erp", "hr"]), NOW + 2000)
    store = EmbeddedStore(
        path=tmp_path / "series.duckdb", settings=StoreSettings(flush_every=0.01), metrics=StoreMetrics(Metrics()),
        clock=ManualClock(now=NOW / 1000), log=Log("store"),
    )  # fmt: skip
    store.open()
    for batch in windows.close(NOW + 70_000):
        store.write(points_of(batch, {0: "core"}, lambda _, interface: ("wan", 10**9) if interface == 1 else ("", 0)))
    assert store.flush(10.0)
    found = plan(RankingQuery(subject, measure, NOW, NOW + MINUTE, business))
    assert isinstance(found, SeriesPlan)
    ranking = series_ranking(found, [store.query(one) for one in found.queries])
    store.close()
    assert {row.keys: row.value for row in ranking.rows} == places
