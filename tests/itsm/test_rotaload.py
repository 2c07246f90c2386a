"""How much duty everybody has."""

from btimd.itsm.rotaload import GivenOrder, PersonWeek, load_by_week
from btimd.model.duty import DutyRole
from tests.itsm.duties import BERLIN, SHANGHAI, at, people_of, person, rota_of, shift

MONDAY = at("2026-11-02 00:00")


def test_a_week_is_told_with_nights_weekends_backups_and_orders() -> None:
    rota = rota_of(
        shift("day", "08:00", "20:00", ("ann",), ("bob",), rotate_days=7),
        shift("night", "20:00", "08:00", ("bob",), ("ann",), rotate_days=7),
        shift("second", "08:00", "12:00", ("cem",), role=DutyRole.BACKUP),
    )
    orders = [GivenOrder("ann", MONDAY + 5, 90.0), GivenOrder("ann", MONDAY - 5, 30.0), GivenOrder("eve", MONDAY, 1.0)]

    assert load_by_week(rota, MONDAY + 86_400, 1, SHANGHAI, orders) == [
        PersonWeek("ann", MONDAY, 92.0, 0.0, 6.0, 24.0, 20.0, 1, 90.0),
        PersonWeek("bob", MONDAY, 76.0, 0.0, 50.0, 24.0, 12.0),
        PersonWeek("cem", MONDAY, 0.0, 28.0, 0.0, 0.0, 0.0),
    ]


def test_the_week_when_the_clocks_are_put_back_has_an_hour_more() -> None:
    rota = rota_of(shift("ever", "00:00", "24:00", ("ann",), zone=BERLIN))
    weeks = load_by_week(rota, at("2026-10-19 12:00", BERLIN), 2, BERLIN)

    assert [(week.primary, week.longest) for week in weeks] == [(169.0, 169.0), (168.0, 168.0)]


def test_duty_for_two_groups_at_once_counts_once() -> None:
    people = people_of(person("ann", noc=1, tech=1))
    rota = rota_of(
        shift("a", "08:00", "12:00", ("ann",)), shift("b", "10:00", "14:00", ("ann",), group="tech"), people=people
    )

    assert [week.primary for week in load_by_week(rota, MONDAY, 1, SHANGHAI)] == [42.0]
