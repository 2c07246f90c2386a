from btimd.capture.rates import ExporterRates
from btimd.model.ports import Exporter

START = 1_700_000_000_000


def exporter(datagrams: int, records: int, *, number: int = 0, first_seen: int = START) -> Exporter:
    return Exporter(
        id=number, address=f"192.0.2.{number}", version=9, observation_domains=(0,), datagrams=datagrams,
        records=records, lost=0, templates=1, sampling_rate=1, first_seen_milliseconds=first_seen,
        last_seen_milliseconds=first_seen,
    )  # fmt: skip


def rates_of(rates: ExporterRates, one: Exporter, now: int) -> tuple[float, float]:
    found = rates.filled_in(one, now)
    return found.datagrams_per_second, found.records_per_second


def test_before_anything_is_remembered_the_rate_is_that_since_the_first_datagram() -> None:
    assert rates_of(ExporterRates(), exporter(10, 200), START + 4000) == (2.5, 50.0)
    assert rates_of(ExporterRates(), exporter(10, 200), START) == (10.0, 200.0)


def test_a_steady_exporter_has_its_rate_of_the_last_minute() -> None:
    rates = ExporterRates()
    for second in range(0, 300, 10):
        assert rates.is_due(START + second * 1000)
        per_second = 5 if second <= 200 else 50  # faster from 200 s on
        sent = 5 * second if per_second == 5 else 1000 + 50 * (second - 200)
        rates.note([exporter(sent, 20 * sent)], START + second * 1000)
        assert not rates.is_due(START + second * 1000 + 9999)
    assert rates_of(rates, exporter(1000 + 50 * 90, 20 * (1000 + 50 * 90)), START + 290_000) == (50.0, 1000.0)


def test_an_exporter_that_came_within_the_minute_counts_from_its_first_datagram() -> None:
    rates = ExporterRates()
    rates.note([exporter(7, 7)], START)
    late = exporter(30, 60, number=2, first_seen=START + 20_000)
    assert rates_of(rates, late, START + 30_000) == (3.0, 6.0)


def test_one_that_fell_silent_has_no_rate() -> None:
    rates = ExporterRates()
    for second in range(0, 130, 10):
        rates.note([exporter(500, 900)], START + second * 1000)
    assert rates_of(rates, exporter(500, 900), START + 125_000) == (0.0, 0.0)


def test_after_the_clock_was_set_back_everything_begins_anew() -> None:
    rates = ExporterRates()
    rates.note([exporter(100, 100)], START + 50_000)
    assert rates.is_due(START)
    rates.note([exporter(200, 200)], START)
    assert rates_of(rates, exporter(210, 220), START + 10_000) == (1.0, 2.0)
