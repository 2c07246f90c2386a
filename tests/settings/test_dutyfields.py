"""Values of people.toml and rota.toml."""

from pathlib import Path

import pytest
from pydantic import Field

from btimd.model.incident import Priority
from btimd.settings.dutyfields import (
    ClockMinute,
    Moment,
    Name,
    PrioritySeconds,
    TableReader,
    Weekdays,
    ZoneName,
    priority_of,
)
from btimd.settings.fields import Section
from btimd.settings.load import read_toml
from btimd.settings.report import SettingsError


class Table(Section):
    clock: ClockMinute = 0
    days: Weekdays = frozenset({0})
    zone: ZoneName = "UTC"
    name: Name = "x"
    moment: Moment = None
    seconds: PrioritySeconds = Field(default_factory=dict)


@pytest.mark.parametrize(("text", "minute"), [("00:00", 0), ("8:05", 485), ("08:05", 485), ("24:00", 1440)])
def test_a_time_of_day_is_minutes_after_midnight(text: str, minute: int) -> None:
    assert Table.model_validate({"clock": text}).clock == minute


@pytest.mark.parametrize("text", ["24:01", "25:00", "8", "08:60", "", True, None, 8.5, "08:00:00"])
def test_what_is_no_time_of_day_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no time of day"):
        Table.model_validate({"clock": text})


@pytest.mark.parametrize(
    ("text", "days"),
    [("daily", "0123456"), (["mon"], "0"), (["mon-fri"], "01234"), (["fri-mon", "WED"], "02456"), ("sun", "6")],
)
def test_weekdays_are_words_and_spans(text: object, days: str) -> None:
    assert Table.model_validate({"days": text}).days == {int(day) for day in days}


@pytest.mark.parametrize("text", [[], ["monday"], "never", 5, [5], ["mon-"], [""], None])
def test_what_is_no_weekday_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="day"):
        Table.model_validate({"days": text})


@pytest.mark.parametrize("text", ["Mars/Phobos", "", "../etc/passwd", "/etc/localtime", "Asia", 5])
def test_what_is_no_time_zone_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        Table.model_validate({"zone": text})


def test_seconds_are_for_all_priorities_or_for_some() -> None:
    assert Table.model_validate({"seconds": "5m"}).seconds == dict.fromkeys(Priority, 300.0)
    assert Table.model_validate({"seconds": {"P1": "5m"}}).seconds == {Priority.P1: 300.0}
    with pytest.raises(ValueError, match="longer than nothing"):
        Table.model_validate({"seconds": "0s"})
    with pytest.raises(ValueError, match="'P0' is no priority; write P1, P2, P3, P4, P5"):
        priority_of("P0")


@pytest.mark.parametrize("text", ["2026-13-01", "today", 5, None, "2026-10-01T25:00:00"])
def test_what_is_no_date_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="is no date"):
        Table.model_validate({"moment": text})


def test_a_reader_keeps_what_is_right_and_collects_what_is_not(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text('[a.one]\nname = "One"\n[a.two]\nname = 5\n[[row]]\nname = " "\n[b]\n', encoding="utf-8")
    reader = TableReader(read_toml(file), ("a", "row"))

    assert {name: table.name for name, table in reader.tables("a", Table).items()} == {"one": "One", "two": "x"}
    assert [(index, row.name) for index, row in reader.rows("row", Table)] == [(0, "x")]
    assert reader.declared("a") == ("one", "two")
    with pytest.raises(SettingsError) as caught:
        reader.check()
    assert [str(problem) for problem in caught.value.problems] == [
        'x.toml:4: a.two.name: 5 is no text; put it in quotes: "..."',
        "x.toml:6: row[0].name: is empty; write a name",
        "x.toml:7: b: unknown table; known: a, row",
    ]
