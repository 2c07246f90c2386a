"""Calendars read from files, gaps of the coming week, and the duty desk that takes them."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.daemon.rotawatch import Duty, RotaWatch, inside
from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.rota import Rota
from btimd.model.duty import DutyRole, DutySlot, GroupRota, RotaRules
from btimd.model.rotaview import RotaCalendar
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.itsm.duties import SHANGHAI, at, people_of, person, shift

NOW = at("2026-11-02 00:00")
PEOPLE = people_of(person("ann", noc=1), person("bob", noc=1))
RULES = RotaRules(
    groups={"noc": GroupRota("noc", SHANGHAI, calendar="noc.ics")},
    shifts=(shift("day", "08:00", "20:00", ("ann",)),),
)
NIGHTS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:1
SUMMARY:bob
DTSTART;TZID=Asia/Shanghai:20261102T200000
DTEND;TZID=Asia/Shanghai:20261103T080000
RRULE:FREQ=DAILY;COUNT=60
END:VEVENT
END:VCALENDAR
"""


class Desk:
    """A duty desk that counts how often calendars changed."""

    def __init__(self) -> None:
        self.desk = DispatchDesk(PEOPLE, Rota(RULES, PEOPLE))
        self.changes = 0

    @property
    def rota(self) -> Rota:
        return self.desk.rota

    def imported(self, slots: Sequence[DutySlot]) -> None:
        self.changes += 1
        self.desk.imported(slots)


class Watched:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.desk = Desk()
        self.clock = ManualClock(now=NOW)
        self.metrics = Metrics()
        duty: Duty = self.desk
        self.watch = RotaWatch(duty, folder, metrics=self.metrics, clock=self.clock, log=Log("rota"))

    @property
    def gap_hours(self) -> float:
        return self.metrics.value("btimd_duty_gap_seconds", {"group": "noc"}) / 3600


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_a_calendar_fills_the_gaps_of_the_coming_week(watched: Watched) -> None:
    (watched.folder / "noc.ics").write_text(NIGHTS)
    await watched.watch.start()

    assert watched.watch.calendars() == [RotaCalendar("noc", "noc.ics", NOW, 60, 0, ())]
    assert watched.gap_hours == 8  # the first morning; the calendar begins in the evening
    assert watched.watch.gaps() == [
        "rota noc: 2026-11-01 16:00 to 2026-11-02 00:00 UTC (8 h): nobody on duty, 1 wanted"
    ]
    assert watched.desk.rota.on_duty("noc", at("2026-11-02 23:00")) == {"bob": DutyRole.PRIMARY}
    assert watched.watch.health().level is HealthLevel.WARNING
    watched.clock.advance(8 * 3600)
    await watched.watch.look()
    assert (watched.watch.health().level, watched.gap_hours, watched.desk.changes) == (HealthLevel.OK, 0.0, 1)


async def test_a_calendar_that_cannot_be_read_any_more_stays_in_force_and_is_told(watched: Watched) -> None:
    file = watched.folder / "noc.ics"
    file.write_text(NIGHTS)
    await watched.watch.start()
    file.unlink()
    await watched.watch.look()
    (told,) = watched.watch.calendars()

    assert (told.read_at, told.slots, told.refused) == (NOW, 60, 1)
    assert "cannot read noc.ics: there is no such file in " in told.problems[0]
    assert watched.metrics.value("btimd_duty_calendar_problems", {"group": "noc"}) == 1
    assert watched.desk.rota.on_duty("noc", at("2026-11-02 23:00")) == {"bob": DutyRole.PRIMARY}
    file.write_text(NIGHTS.replace("bob", "ann"))
    await watched.watch.look()
    assert watched.desk.rota.on_duty("noc", at("2026-11-02 23:00")) == {"ann": DutyRole.PRIMARY}
    assert watched.watch.calendars()[0].problems == ()


async def test_other_people_and_another_directory_are_read_at_a_reload(watched: Watched, tmp_path: Path) -> None:
    await watched.watch.start()
    assert watched.gap_hours == 7 * 12
    other = tmp_path / "other"
    other.mkdir()
    (other / "noc.ics").write_text(NIGHTS)
    watched.desk.desk.reload(PEOPLE, Rota(replace(RULES, shifts=()), PEOPLE))
    await watched.watch.reload(other)

    assert watched.gap_hours == 7 * 12 + 8
    assert watched.watch.calendars()[0].slots == 60


async def test_a_calendar_is_written_for_others_and_read_back(watched: Watched) -> None:
    (watched.folder / "noc.ics").write_text(NIGHTS)
    await watched.watch.start()
    text = watched.watch.export("noc", None, 7)

    assert text.startswith("BEGIN:VCALENDAR")
    assert "X-BTIM-PERSON:ann" in text
    assert "X-BTIM-PERSON:bob" in text
    with pytest.raises(KeyError):
        watched.watch.export("nope", None, 7)


def test_only_files_of_the_directory_are_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out.ics").write_text(NIGHTS)
    (tmp_path / "in" / "link.ics").symlink_to(tmp_path / "out.ics")

    assert inside(tmp_path / "in", "noc.ics") == (tmp_path / "in" / "noc.ics").resolve()
    for name, words in (
        ("../out.ics", "lies outside of"),
        (str(tmp_path / "out.ics"), "lies outside of"),
        ("link.ics", "lies outside of"),
        ("https://example.com/noc.ics", "is an address; btimd reads files only"),
    ):
        with pytest.raises(ValueError, match=words):
            inside(tmp_path / "in", name)


async def test_what_is_no_regular_file_is_not_waited_for(watched: Watched) -> None:
    os.mkfifo(watched.folder / "noc.ics")
    await watched.watch.start()

    assert watched.watch.calendars()[0].refused == 1
