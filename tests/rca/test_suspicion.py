import pytest

from btimd.model.sign import Change
from btimd.rca.suspicion import Suspicion

HOUR = 3600.0
NOW = 1_000_000.0


def test_a_change_is_suspected_twentyfold_and_half_of_that_every_six_hours() -> None:
    one = Suspicion()
    one.changed(Change("sw1", "new configuration", NOW, "syslog"))
    assert [round(one.boosts(NOW + hours * HOUR).get("sw1", 1.0), 2) for hours in (0, 6, 12, 24, 25)] == [
        20.0, 10.5, 5.75, 2.19, 1.0,
    ]  # fmt: skip


def test_what_failed_within_a_day_is_suspected_more_and_both_add_up() -> None:
    one = Suspicion()
    one.failed("db1", NOW)
    one.changed(Change("db1", "restarted", NOW, "snmp"))
    one.failed("web", NOW)
    assert one.boosts(NOW) == pytest.approx({"db1": 100.0, "web": 5.0})
    assert one.boosts(NOW + 25 * HOUR) == {}


def test_what_is_remembered_is_bounded() -> None:
    one = Suspicion()
    for number in range(10_050):
        one.changed(Change(f"n{number}", "", NOW, "person"))
        one.failed(f"n{number}", NOW)
    assert len(one.boosts(NOW)) == 10_000
    assert "n0" not in one.boosts(NOW)
