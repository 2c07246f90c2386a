from btimd.flows.baseline import Baselines
from btimd.flows.baselinelearning import Learner
from btimd.flows.deviation import SeriesKey
from btimd.flows.indicators import Indicators
from btimd.flows.season import Season
from btimd.model.deviation import ALL, Indicator
from btimd.model.points import SeriesQuery, SeriesRow
from tests.flows.traffic_days import MONDAY

HOUR = 3_600_000
MINUTE = 60_000


def answer(query: SeriesQuery) -> list[SeriesRow]:
    return [
        SeriesRow(time, ("erp", "east"), (75_000.0, 75_000.0, 40.0 + time // MINUTE % 5, 160.0))
        for time in range(query.from_milliseconds, query.to_milliseconds, MINUTE)
    ]


def learn(days: int, rows: int) -> tuple[Learner, Baselines, list[SeriesKey], list[SeriesQuery]]:
    keys: list[SeriesKey] = []
    baselines = Baselines()
    learner = Learner(baselines, Indicators(baselines, keys), Season(), rows=rows)
    asked = []
    for query in learner.queries(MONDAY + 6 * 24 * HOUR, days * 24 * HOUR):
        asked.append(query)
        learner.take(query, answer(query))
    return learner, baselines, keys, asked


def test_the_past_is_read_in_parts_and_learned() -> None:
    learner, baselines, keys, asked = learn(4, 1_000_000)

    assert (len(asked), learner.intervals) == (17, 4 * 1440)
    assert keys[0] == ("erp", "east", Indicator.TRAFFIC)
    assert ("erp", ALL, Indicator.USERS) in keys
    expected, low, high = baselines.band_of(0, Season().place(MONDAY + 12 * HOUR), 1.0)
    assert expected is not None
    assert low is not None
    assert high is not None
    assert low < 20_000 < high
    assert abs(expected - 20_000) < 200


def test_many_rows_are_fewer_days() -> None:
    learner, _, _, asked = learn(4, 720)
    assert (len(asked), learner.intervals) == (3, 720)
