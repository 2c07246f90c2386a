from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from btimd.flows.season import BINS_PER_DAY, DayKind, Season

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def test_local_time_decides_and_summer_time_is_known() -> None:
    season = Season(BERLIN)
    winter, summer = season.place(at("2026-03-27T07:05:00")), season.place(at("2026-03-30T06:05:00"))

    assert (winter.bin, winter.minute, winter.kind) == (32, 5, DayKind.WORKDAY)  # 08:05 both times
    assert (summer.bin, summer.cell, summer.block) == (32, winter.cell, winter.block)


def test_the_hour_that_comes_twice_is_the_same_time_of_day() -> None:
    season = Season(BERLIN)
    first, again = season.place(at("2026-10-25T00:30:00")), season.place(at("2026-10-25T01:30:00"))

    assert first.cell == again.cell == DayKind.SUNDAY * BINS_PER_DAY + 10
    assert again.bin_start - first.bin_start == 3_600_000


def test_a_moment_lies_between_the_middles_of_two_cells() -> None:
    season = Season()
    place = season.place(at("2026-03-02T10:10:00"))
    assert (place.before, place.after, round(place.weight, 3)) == (40, 41, 0.167)
    early = season.place(at("2026-03-02T10:05:00"))
    assert (early.before, early.after, round(early.weight, 3)) == (39, 40, 0.833)


def test_neighbours_over_midnight_are_those_of_the_other_day() -> None:
    season = Season()
    sunday_night = season.place(at("2026-03-01T23:59:00"))
    assert (sunday_night.before, sunday_night.after) == (DayKind.SUNDAY * BINS_PER_DAY + 95, 0)
    monday = season.place(at("2026-03-02T00:01:00"))
    assert (monday.before, monday.after) == (DayKind.SUNDAY * BINS_PER_DAY + 95, 0)


def test_a_calendar_says_what_a_day_is() -> None:
    off = date(2026, 3, 3)
    season = Season(kind_of=lambda day: DayKind.HOLIDAY if day == off else DayKind.WORKDAY)
    assert season.place(at("2026-03-03T12:00:00")).kind is DayKind.HOLIDAY
    assert season.place(at("2026-03-03T12:00:00")).block == 8 + 4
