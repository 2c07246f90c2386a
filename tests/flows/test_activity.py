from btimd.flows.activity import Activity, bin_milliseconds
from btimd.flows.portnames import TCP
from btimd.model.address import address_halves
from tests.flows.worlds_discovery import MINUTE, T0, Records

WEB, DATA, OTHER = (address_halves(text) for text in ("10.20.1.10", "10.20.3.10", "10.20.3.20"))
ENDS = [(*WEB, TCP, 443, 0), (*DATA, TCP, 1521, 1), (*OTHER, TCP, 1521, 2)]


def busy(minutes: list[int], *, data: list[int], other: list[int]) -> Activity:
    """Return the activity of a web server that is used in some minutes, and calls two databases in some."""
    out = Records()
    for minute in minutes:
        out.both("10.1.0.1", 40_000 + minute, "10.20.1.10", 443, at=T0 + minute * MINUTE)
    for port, (server, used) in enumerate((("10.20.3.10", data), ("10.20.3.20", other))):
        for minute in used:
            out.both("10.20.1.10", 50_000 + port, server, 1521, at=T0 + minute * MINUTE + 50)
    made = Activity(ENDS, 3, [(0, 1), (0, 2)], T0, T0 + 120 * MINUTE)
    made.add(out.batch())
    return made


def test_what_is_called_whenever_one_is_called_goes_together_and_the_rest_does_not() -> None:
    used = [0, 3, 4, 11, 19, 40, 41, 42, 77, 80, 100]
    made = busy(used, data=used, other=[1, 20, 60, 61, 90, 110])
    data, other = made.edge(0, 1), made.edge(0, 2)

    assert data is not None
    assert other is not None
    assert (round(data.correlation, 6), data.coverage, data.bins) == (1.0, 1.0, 121)
    assert (other.correlation < 0.05, other.coverage, other.lift) == (True, 0.0, 0.0)


def test_a_call_that_never_came_says_nothing() -> None:
    assert busy([1, 2, 3], data=[1], other=[]).edge(0, 2) is None


def test_bins_are_a_minute_and_shorter_where_the_time_is() -> None:
    assert [bin_milliseconds(0, minutes * MINUTE) for minutes in (1, 10, 60, 1440)] == [1000, 5000, 30_000, 60_000]


def test_a_long_record_is_spread_over_its_bins_and_memory_is_bounded() -> None:
    out = Records()
    out.one("10.1.0.1", 40_000, "10.20.1.10", 443, at=T0 + MINUTE, lasts=3 * MINUTE, packets=8)
    made = Activity(ENDS[:1], 1, [], T0, T0 + 120 * MINUTE)
    made.add(out.batch())

    assert made._sums[0].tolist() == [0.0, 2.0, 2.0, 2.0, 2.0, *[0.0] * 116]
    assert Activity(ENDS[:1], 1_000_000, [], 0, 10**12).bins == 8
