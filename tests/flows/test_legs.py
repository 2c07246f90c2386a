import pytest

from btimd.flows.legs import slow_leg
from btimd.model.quality import NO_DURATIONS, Durations, QualityRow
from tests.flows.connections import near
from tests.flows.traffic import T0


def row(client: float, server: float, response: float, *, counts: tuple[int, int, int] = (5, 5, 5)) -> QualityRow:
    """Return a row with these medians in seconds."""
    legs = [Durations(count, p50_seconds=at) for count, at in zip(counts, (client, server, response), strict=True)]
    return QualityRow(T0, 10_000, 0, "erp", "", "", "", client_leg=legs[0], server_leg=legs[1], response=legs[2])


@pytest.mark.parametrize(
    ("client", "server", "response", "leg"),
    [
        (0.004, 0.004, 0.096, ("server", 0.92, 0.1)),  # of the 96 ms, 4 are on the way
        (0.120, 0.010, 0.040, ("client network", 0.75, 0.16)),
        (0.010, 0.150, 0.190, ("server network", 0.75, 0.2)),
        (0.010, 0.150, 0.100, ("server network", 0.9375, 0.16)),  # it never takes less than nothing itself
    ],
)
def test_the_leg_with_more_than_half_of_a_turn_is_slow(
    client: float, server: float, response: float, leg: tuple[str, float, float]
) -> None:
    found = slow_leg(row(client, server, response))
    assert found is not None
    assert (found.name, found.share, found.turn_seconds) == (leg[0], near(leg[1]), near(leg[2]))


def test_nothing_is_said_of_legs_that_share_the_time_of_short_turns_and_of_too_few_samples() -> None:
    assert slow_leg(row(0.05, 0.05, 0.10)) is None  # a third each
    assert slow_leg(row(0.1, 0.05, 0.10)) is None  # a half is not more than half
    assert slow_leg(row(0.001, 0.001, 0.0189)) is None
    for fewest in ((4, 5, 5), (5, 4, 5), (5, 5, 4)):
        assert slow_leg(row(0.004, 0.004, 0.096, counts=fewest)) is None
    assert slow_leg(QualityRow(T0, 10_000, 0, "erp", "", "", "", response=NO_DURATIONS)) is None
