import math
from unittest.mock import MagicMock

import numpy as np

from btimd.flows.attribution import Attribution
from btimd.flows.baseline import Baselines
from btimd.flows.deviation import SeriesKey
from btimd.flows.indicators import Feeders, Indicators, Settling
from btimd.flows.qualityrows import DurationColumns, QualityInterval
from btimd.model.deviation import ALL, Indicator
from btimd.model.quality import COUNTERS
from btimd.model.taps import Names
from btimd.model.window import WindowBatch
from tests.flows.traffic import ERP, RULES, T0, attribution, flow

MINUTE = 60_000
START = T0 - T0 % MINUTE


def nobody(_: str) -> bool:
    return False


def window(
    cells: list[tuple[str, str, str, int, int]], *, start: int = START, revision: int = 0, loss: float = 0.0
) -> WindowBatch:
    """Return a batch of (business, region, segment, octets, users)."""
    businesses = tuple(dict.fromkeys(cell[0] for cell in cells))
    places = tuple(dict.fromkeys(cell[1:3] for cell in cells))
    size = len(cells)
    zeros, flags = np.zeros(size, np.int64), np.zeros(size, np.uint8)
    return WindowBatch(
        start, MINUTE, revision, businesses, places,
        np.array([businesses.index(cell[0]) for cell in cells], np.int32),
        np.array([places.index(cell[1:3]) for cell in cells], np.int32),
        np.array([cell[3] for cell in cells], np.int64), zeros, zeros, np.array([4 * cell[4] for cell in cells], np.int64),
        np.array([cell[4] for cell in cells], np.int64), flags, flags, np.full(size, 0.196), np.full(size, loss), flags, flags,
    )  # fmt: skip


def made() -> tuple[Indicators, list[SeriesKey]]:
    keys: list[SeriesKey] = []
    return Indicators(Baselines(), keys), keys


def told(indicators: Indicators, keys: list[SeriesKey], start: int = START) -> dict[SeriesKey, float]:
    observation = indicators.observation(start, nobody)
    return {
        key: round(value, 6)
        for key, value in zip(keys, observation.value.tolist(), strict=True)
        if not math.isnan(value)
    }


def test_traffic_users_and_flows_are_of_regions_and_of_the_whole() -> None:
    indicators, keys = made()
    indicators.add_traffic(
        window([("erp", "east", "1", 7500, 2), ("erp", "east", "2", 7500, 3), ("erp", "west", "", 1500, 1)])
    )

    assert told(indicators, keys) == {
        ("erp", "east", Indicator.TRAFFIC): 2000.0, ("erp", "east", Indicator.USERS): 5.0,
        ("erp", "west", Indicator.TRAFFIC): 200.0, ("erp", "west", Indicator.USERS): 1.0,
        ("erp", ALL, Indicator.TRAFFIC): 2200.0, ("erp", ALL, Indicator.USERS): 6.0,
        ("erp", "east", Indicator.FLOWS): 20.0, ("erp", "west", Indicator.FLOWS): 4.0, ("erp", ALL, Indicator.FLOWS): 24.0,
    }  # fmt: skip


def test_a_revision_replaces_its_cells_and_only_those() -> None:
    indicators, keys = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2), ("erp", "west", "", 7500, 2)]))
    indicators.add_traffic(window([("erp", "east", "", 15000, 3)], revision=1))

    found = told(indicators, keys)
    assert (found["erp", "east", Indicator.TRAFFIC], found["erp", "west", Indicator.TRAFFIC]) == (2000.0, 1000.0)


def test_what_had_traffic_before_and_has_none_now_has_zero() -> None:
    indicators, keys = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2)]))
    told(indicators, keys)
    indicators.add_traffic(window([("hr", "east", "", 7500, 2)], start=START + MINUTE))

    assert told(indicators, keys, START + MINUTE)["erp", "east", Indicator.TRAFFIC] == 0.0


def test_much_loss_is_doubt_and_some_sampling_an_error() -> None:
    indicators, _ = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2)], loss=0.2))
    observation = indicators.observation(START, nobody)
    assert observation.doubtful.tolist() == [True] * 6

    indicators, _ = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2)], loss=math.nan))
    observation = indicators.observation(START, nobody)
    assert observation.doubtful.tolist() == [False] * 6
    np.testing.assert_allclose(observation.error, 0.1)


def test_a_business_nobody_reports_is_absent() -> None:
    indicators, _ = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2), ("hr", "east", "", 1, 1)]))
    observation = indicators.observation(START, lambda business: business == "erp")
    assert observation.absent.sum() == 6


def quality(**counters: int) -> QualityInterval:
    values = np.zeros((len(COUNTERS), 1), np.int64)
    for name, count in counters.items():
        values[COUNTERS.index(name)] = count
    seconds = np.full((6, 4), np.nan)
    seconds[2, 1:] = [0.01, 0.02, 0.2]
    durations = DurationColumns(
        np.array([0, 10, 10, 5]), seconds, np.zeros(5, np.int64), np.zeros(0, np.uint16), np.zeros(0, np.int32)
    )
    return QualityInterval(
        START, MINUTE, 0, (["erp"], ["east"], ["1"], ["10.0.0.1:443"]), values, durations,
        np.array([[1], [2], [3], [0]], np.int64), np.array([math.nan]),
    )  # fmt: skip


def test_connections_are_failures_times_and_retransmissions() -> None:
    indicators, keys = made()
    indicators.add_quality(
        quality(connections_attempted=50, connections_refused=1, connections_unanswered=4, segments_to_server=100,
                segments_to_client=100, segments_retransmitted_to_client=10)
    )  # fmt: skip
    found = told(indicators, keys)

    assert {key[2]: value for key, value in found.items() if key[1] == "east"} == {
        Indicator.FAILURES: 0.1, Indicator.HANDSHAKE: 0.03, Indicator.RESPONSE: 0.2, Indicator.RETRANSMISSION: 0.05,
    }  # fmt: skip


def test_intervals_wait_until_they_are_as_good_as_complete() -> None:
    direct, late = Settling(), Settling()
    assert direct.age == 2
    direct.note([100.0] * 6)
    late.note([40.0, 70.0, 90.0, 99.0, 100.0, 100.0])
    assert (direct.age, late.age) == (0, 3)


def test_intervals_are_due_once_and_in_order() -> None:
    indicators, _ = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2)]))
    assert list(indicators.due(START + MINUTE, 15_000)) == [START - 3 * MINUTE]
    assert list(indicators.due(START + 3 * MINUTE + 15_000, 15_000)) == [START - 2 * MINUTE, START - MINUTE, START]
    assert list(indicators.due(START + 3 * MINUTE + 16_000, 15_000)) == []
    indicators.add_traffic(window([("erp", "east", "", 1, 1)], start=START - 10 * MINUTE))
    assert indicators.late == 1


def test_series_without_room_are_left_out() -> None:
    keys: list[SeriesKey] = []
    baselines = Baselines(most=2)
    indicators = Indicators(baselines, keys, frozenset({"erp"}))
    indicators.add_traffic(window([("erp", "east", "", 7500, 2), ("other", "east", "", 7500, 2)]))
    indicators.observation(START, nobody)
    assert (len(keys), {key[0] for key in keys}) == (2, {"erp"})
    assert baselines.overflowed == 4


def names(of: Attribution) -> Names:
    return Names(1, of.businesses, RULES, of.owners.offsets, of.owners.business, of.plan)


def test_a_reporter_that_falls_silent_is_noticed_for_whom_it_reported() -> None:
    feeders, at = Feeders(), attribution()
    batch = at.attribute(flow("10.1.0.1", ERP))
    for minute in range(60):
        feeders.add(batch, None, names(at), START + minute * MINUTE)
    assert not feeders.absent("erp", START + 59 * MINUTE)
    feeders.tick(START + 61 * MINUTE)
    assert feeders.absent("erp", START + 60 * MINUTE)
    assert not feeders.absent("hr", START + 60 * MINUTE)


def test_records_and_questions_of_two_threads_do_not_meet() -> None:
    guard, at = MagicMock(), attribution()
    feeders = Feeders(guard=guard)
    feeders.add(at.attribute(flow("10.1.0.1", ERP)), None, names(at), START)
    feeders.tick(START + MINUTE)
    feeders.absent("erp", START)
    assert (guard.__enter__.call_count, guard.__exit__.call_count) == (3, 3)


def test_cells_keep_their_numbers_when_names_come_in_another_order() -> None:
    indicators, keys = made()
    indicators.add_traffic(window([("erp", "east", "", 7500, 2), ("hr", "west", "", 15000, 1)]))
    indicators.add_traffic(window([("hr", "west", "", 22500, 1), ("erp", "east", "", 30000, 2)], revision=1))
    found = told(indicators, keys)
    assert (found["erp", "east", Indicator.TRAFFIC], found["hr", "west", Indicator.TRAFFIC]) == (4000.0, 3000.0)
