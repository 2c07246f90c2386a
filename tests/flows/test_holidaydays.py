from datetime import date
from pathlib import Path

import pytest

from btimd.flows.holidaydays import day_kinds
from btimd.flows.season import DayKind


def test_weeks_alone_know_no_holidays() -> None:
    kind = day_kinds()
    assert [kind(date(2026, 10, day)) for day in (1, 3, 4)] == [DayKind.WORKDAY, DayKind.SATURDAY, DayKind.SUNDAY]


def test_a_country_has_holidays_and_make_up_workdays() -> None:
    kind = day_kinds("CN")
    assert kind(date(2026, 10, 1)) is DayKind.HOLIDAY
    assert kind(date(2026, 2, 14)) is DayKind.WORKDAY  # a Saturday, worked for the Spring Festival
    assert kind(date(2026, 11, 22)) is DayKind.SUNDAY


def test_days_of_the_operator_win(tmp_path: Path) -> None:
    days = tmp_path / "days.txt"
    days.write_text("# the company's own\n2026-10-01 workday  # stock-taking\n\n2026-10-12 holiday\n")
    kind = day_kinds("CN", days_file=days)
    assert (kind(date(2026, 10, 1)), kind(date(2026, 10, 12))) == (DayKind.WORKDAY, DayKind.HOLIDAY)


@pytest.mark.parametrize("line", ["2026-02-30 holiday", "2026-02-01 party", "2026-02-01", "a b c"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    days = tmp_path / "days.txt"
    days.write_text(f"2026-01-01 holiday\n{line}\n")
    with pytest.raises(ValueError, match=r"days.txt:2: .* is no day; write: 2026-05-02 workday"):
        day_kinds(days_file=days)


def test_what_is_not_known_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="XX not available; write an ISO 3166 code"):
        day_kinds("XX")
    with pytest.raises(ValueError, match="does not have subdivision"):
        day_kinds("DE", "ZZ")
    with pytest.raises(ValueError, match="cannot read"):
        day_kinds(days_file=tmp_path / "none")
