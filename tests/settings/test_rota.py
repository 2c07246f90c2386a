"""rota.toml -> the rules of a rota."""

from datetime import date
from pathlib import Path

import pytest

from btimd.itsm.rota import Rota
from btimd.itsm.rotacheck import rota_faults
from btimd.model.duty import Absence, DayRule, DutyOverride, DutyRole, GroupRota, RotaRules, Shift, WorkingHours
from btimd.settings.people import load_people
from btimd.settings.report import SettingsError
from btimd.settings.rota import CountryDays, load_rota
from tests.itsm.duties import BERLIN, SHANGHAI, at, people_of, person, told

ROOT = Path(__file__).parents[2]
PEOPLE = people_of(person("ann", noc=1), person("bob", noc=1), person("cem", tech=1))


def load(tmp_path: Path, text: str, country_days: CountryDays | None = None) -> RotaRules:
    file = tmp_path / "rota.toml"
    file.write_text(text, encoding="utf-8")
    return load_rota(file, PEOPLE, country_days)


def complaints(tmp_path: Path, text: str, country_days: CountryDays | None = None) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, country_days)
    return [str(problem) for problem in caught.value.problems]


def test_the_sample_is_right_and_with_its_dated_entries_says_who_is_there(tmp_path: Path) -> None:
    people = load_people(ROOT / "config" / "people.toml")
    sample = (ROOT / "config" / "rota.toml").read_text(encoding="utf-8")
    always, dated = sample.split("# [[override]]")
    lines = ["[[override]]", *(line.removeprefix("# ") for line in dated.splitlines())]
    (tmp_path / "rota.toml").write_text(always + "\n".join(lines), encoding="utf-8")
    rota = Rota(load_rota(tmp_path / "rota.toml", people), people)
    plain = Rota(load_rota(ROOT / "config" / "rota.toml", people), people)

    assert rota_faults(plain, at("2026-11-02 00:00"), at("2027-01-11 00:00")) == []

    assert told(rota.slots("noc", at("2026-11-03 00:00"), at("2026-11-04 00:00"))) == [
        "11-03 00:00 - 11-03 08:00 zhang.min",
        "11-03 08:00 - 11-03 10:00 li.na",
        "11-03 10:00 - 11-03 12:00 wang.wei (dentist)",
        "11-03 12:00 - 11-03 16:00 li.na",
        "11-03 16:00 - 11-04 00:00 wang.wei",
    ]
    assert "zhang.min" not in {
        slot.person for slot in rota.slots("noc", at("2026-12-28 00:00"), at("2027-01-01 00:00"))
    }


def test_everything_that_can_be_said_becomes_a_rule(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        """\
[rota.noc]
timezone = "Europe/Berlin"
least = 2
most = 3
rest = "11h"
covered = [{ days = ["fri-mon"], from = "22:00", to = "06:00" }]
closed = [2026-12-24]
open = [2026-12-26]
calendar = "noc.ics"
calendar_role = "backup"
[shift.day]
rota = "noc"
from = "8:00"
to = "20:00"
people = ["ann", ["bob", "ann"]]
rotate = "3d"
offset = -1
first = 2026-11-02
since = 2026-11-01
until = 2027-11-01
days = "workdays"
role = "backup"
[shift.night]
rota = "noc"
from = "20:00"
to = "8:00"
people = ["ann", "bob"]
days = ["sat", "sun"]
timezone = "Asia/Shanghai"
[[override]]
rota = "noc"
from = 2026-11-02T08:00:00
to = 2026-11-02T10:00:00Z
for = "ann"
by = "bob"
why = "dentist"
[[override]]
rota = "noc"
from = 2026-11-02
to = "2026-11-03"
by = "bob"
role = "backup"
[[absence]]
person = "cem"
from = 2026-11-02
to = 2026-11-02
why = "ill"
""",
    )

    assert dict(rules.groups) == {
        "noc": GroupRota(
            "noc", BERLIN, 2, 3, (WorkingHours(frozenset({4, 5, 6, 0}), 1320, 360),), 39_600.0,
            frozenset({date(2026, 12, 24)}), frozenset({date(2026, 12, 26)}), "noc.ics", DutyRole.BACKUP,
        )
    }  # fmt: skip
    assert rules.shifts == (
        Shift(
            "day", "noc", BERLIN, 480, 1200, (("ann",), ("bob", "ann")), DutyRole.BACKUP, DayRule.WORKDAYS,
            frozenset(range(7)), 3, date(2026, 11, 2), -1, date(2026, 11, 1), date(2027, 11, 1),
        ),
        Shift("night", "noc", SHANGHAI, 1200, 1920, (("ann", "bob"),), weekdays=frozenset({5, 6})),
    )  # fmt: skip
    assert rules.overrides == (
        DutyOverride("noc", at("2026-11-02 08:00", BERLIN), at("2026-11-02 10:00", "UTC"), "bob", "ann", why="dentist"),
        DutyOverride(
            "noc", at("2026-11-02 00:00", BERLIN), at("2026-11-04 00:00", BERLIN), "bob", role=DutyRole.BACKUP
        ),
    )
    assert rules.absences == (Absence("cem", at("2026-11-02 00:00"), at("2026-11-03 00:00"), "ill"),)


def test_holidays_come_from_outside_and_own_days_win(tmp_path: Path) -> None:
    def days(country: str) -> tuple[frozenset[date], frozenset[date]]:
        if country != "CN":
            raise ValueError(f"nothing is known of {country!r}; write an ISO 3166 code such as CN")
        return frozenset({date(2026, 10, 1), date(2026, 10, 2)}), frozenset({date(2026, 10, 10)})

    text = '[rota.noc]\nholidays = "CN"\nopen = [2026-10-02]\nclosed = [2026-10-10]\n'
    rules = load(tmp_path, text, days)

    assert rules.groups["noc"].free_days == {date(2026, 10, 1), date(2026, 10, 10)}
    assert rules.groups["noc"].work_days == {date(2026, 10, 2)}
    assert complaints(tmp_path, text.replace("CN", "XX"), days) == [
        "rota.toml:2: rota.noc.holidays: nothing is known of 'XX'; write an ISO 3166 code such as CN"
    ]
    assert complaints(tmp_path, text) == [
        "rota.toml:2: rota.noc.holidays: holidays of countries are not known here; write closed = [dates]"
    ]


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[rota.nox]
[rota.noc]
least = 3
most = 2
closed = [2026-12-24]
open = [2026-12-24]
[shift.a]
rota = "nok"
from = "8"
to = "16:00"
people = ["ann", ["bib", "cem"]]
rotate = "monthly"
[shift.b]
rota = "noc"
from = "08:00"
to = "16:00"
people = ["ann", ["bib", "cem"]]
[shift.c]
rota = "noc"
from = "08:00"
to = "16:00"
people = ["ann", []]
rotate = "daily"
[shift.d]
rota = "noc"
from = "08:00"
to = "16:00"
people = ["ann"]
since = 2026-11-02
until = 2026-11-01
[shift.e]
rota = "noc"
from = "08:00"
people = []
days = "weekend"
[[override]]
rota = "tech"
from = 2026-11-03
to = 2026-11-02
by = "ann"
for = "ann"
[[override]]
rota = "noc"
from = "tomorrow"
to = 2026-11-02
by = "eve"
[[absence]]
person = "eve"
from = 5
to = 2026-11-02
until = 2026-11-02
[extra]
"""
    assert complaints(tmp_path, text) == [
        "rota.toml:1: rota.nox: no group 'nox'; did you mean 'noc'?",
        "rota.toml:4: rota.noc.most: 2 is fewer than least = 3; nothing can be right",
        "rota.toml:6: rota.noc.open: 2026-12-24 is both closed and open; keep one",
        'rota.toml:9: shift.a.from: \'8\' is no time of day; write "08:00", up to "24:00"',
        "rota.toml:17: shift.b.people[1][0]: no person 'bib'; did you mean 'bob'?",
        "rota.toml:17: shift.b.people[1][1]: 'cem' is not in group 'noc'; write groups = { noc = 1 } at the person",
        "rota.toml:18: shift.c: a crew is empty; write people, or leave it out",
        "rota.toml:24: shift.d: ends on 2026-11-01, before it begins on 2026-11-02",
        "rota.toml:31: shift.e.to: is missing; write it",
        "rota.toml:34: shift.e.people: is empty; write at least one",
        'rota.toml:35: shift.e.days: \'weekend\' is no day; write "daily", or a list of mon, tue, wed, thu, fri, sat, sun and "mon-fri", or "workdays", or "free-days"',
        "rota.toml:37: override[0].rota: no rota 'tech'; known: noc, nox; or write [rota.tech]",
        "rota.toml:39: override[0].to: is not after 'from'; write the later one here",
        "rota.toml:40: override[0].by: 'ann' is not in group 'tech'; write groups = { tech = 1 } at the person",
        "rota.toml:41: override[0].for: 'ann' stands in for the same person; name two",
        "rota.toml:44: override[1].from: 'tomorrow' is no date; write 2026-10-01, or 2026-10-01T18:00:00",
        "rota.toml:49: absence[0].from: 5 is no date; write 2026-10-01, or 2026-10-01T18:00:00",
        "rota.toml:51: absence[0].until: unknown key; known: from, person, to, why",
        "rota.toml:52: extra: unknown table; known: absence, override, rota, shift",
    ]


@pytest.mark.parametrize("text", ["override = 1", "[override]", "shift = 2", "[[shift]]"])
def test_what_is_no_table_is_told(tmp_path: Path, text: str) -> None:
    assert complaints(tmp_path, text)
