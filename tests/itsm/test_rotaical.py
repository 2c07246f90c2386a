"""Rotas as iCalendar."""

import time
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm import rotaical
from btimd.itsm.rota import Rota
from btimd.itsm.rotaical import read_calendar, write_calendar
from btimd.model.duty import (
    Absence,
    DayRule,
    DutyOverride,
    DutyRole,
    DutySlot,
    GroupRota,
    PersonContact,
    RotaRules,
    Shift,
)
from tests.itsm.duties import BERLIN, MONDAY, SHANGHAI, at, people_of, person, rota_of, shift, told

PEOPLE = people_of(
    replace(person("ann", noc=1), name="Ann Lee", name_zh="李安", contacts=(PersonContact("mail", "Ann@example.org"),)),
    person("bob", noc=1),
    person("cem", tech=1),
)
GROUP = GroupRota("noc", SHANGHAI)
START, END = at("2026-11-02 00:00"), at("2026-11-16 00:00")


def calendar(*events: str, before: str = "") -> str:
    body = "".join(f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT\n" for number, event in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{before}{body}END:VCALENDAR\n".replace("\n", "\r\n")


def read(*events: str, before: str = "", group: GroupRota = GROUP) -> tuple[list[str], tuple[str, ...]]:
    reading = read_calendar(calendar(*events, before=before), group, PEOPLE, START, END)
    return told(list(reading.slots)), reading.problems


ONCE = "DTSTART:20261102T000000Z\nDTEND:20261102T080000Z\n"


@pytest.mark.parametrize(
    "who",
    [
        "SUMMARY:ann",
        "SUMMARY:Ann Lee",
        "SUMMARY:李安",
        "SUMMARY:on call\nATTENDEE:mailto:ann@EXAMPLE.org",
        "SUMMARY:on call\nATTENDEE:mailto:boss@example.org\nATTENDEE:mailto:ann@example.org",
        "SUMMARY:whoever\nX-BTIM-PERSON:ann",
    ],
)
def test_a_person_is_known_by_id_name_or_mail_address(who: str) -> None:
    assert read(ONCE + who) == (["11-02 08:00 - 11-02 16:00 ann"], ())


def test_several_people_in_one_event_are_all_on_duty() -> None:
    both = ["11-02 08:00 - 11-02 16:00 ann", "11-02 08:00 - 11-02 16:00 bob"]

    for summary in ("ann\\, bob", "李安、bob", "Ann Lee and Bob", "ann/bob"):
        assert read(ONCE + f"SUMMARY:{summary}") == (both, ())


def test_roles_come_from_the_event_else_from_the_rota() -> None:
    backup = ["11-02 08:00 - 11-02 16:00 ann backup"]

    assert read(ONCE + "SUMMARY:ann\nCATEGORIES:work,Backup")[0] == backup
    assert read(ONCE + "SUMMARY:ann\nX-BTIM-ROLE:backup")[0] == backup
    assert read(ONCE + "SUMMARY:ann", group=replace(GROUP, calendar_role=DutyRole.BACKUP))[0] == backup
    assert read(ONCE + "SUMMARY:ann\nX-BTIM-ROLE:king")[0] == ["11-02 08:00 - 11-02 16:00 ann"]


def test_recurring_events_exceptions_and_moved_occurrences_are_followed() -> None:
    series = (
        "DTSTART;TZID=Asia/Shanghai:20261026T090000\nDTEND;TZID=Asia/Shanghai:20261026T180000\nSUMMARY:ann\n"
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TU\nEXDATE;TZID=Asia/Shanghai:20261103T090000"
    )
    moved = (
        "END:VEVENT\nBEGIN:VEVENT\nUID:0\nRECURRENCE-ID;TZID=Asia/Shanghai:20261109T090000\nSUMMARY:bob\n"
        "DTSTART;TZID=Asia/Shanghai:20261109T100000\nDTEND;TZID=Asia/Shanghai:20261109T120000"
    )

    assert read(f"{series}\n{moved}") == (
        [
            "11-02 09:00 - 11-02 18:00 ann",
            "11-09 10:00 - 11-09 12:00 bob",
            "11-10 09:00 - 11-10 18:00 ann",
        ],
        (),
    )


def test_whole_days_and_times_without_a_zone_are_of_the_rotas_zone() -> None:
    assert read("DTSTART;VALUE=DATE:20261103\nDTEND;VALUE=DATE:20261105\nSUMMARY:ann") == (
        ["11-03 00:00 - 11-05 00:00 ann"], (),
    )  # fmt: skip
    assert read("DTSTART:20261103T080000\nDURATION:PT8H\nSUMMARY:ann") == (["11-03 08:00 - 11-03 16:00 ann"], ())


def test_what_lies_outside_is_cut_and_what_is_cancelled_is_no_duty() -> None:
    long = "DTSTART:20261001T000000Z\nDTEND:20261102T000000Z\nSUMMARY:ann"

    assert read(long, ONCE + "SUMMARY:bob\nSTATUS:CANCELLED") == (["11-02 00:00 - 11-02 08:00 ann"], ())


def test_a_bad_event_costs_itself_only_and_says_which_and_why() -> None:
    slots, problems = read(
        ONCE + "SUMMARY:ann",
        ONCE + "SUMMARY:nobody known",
        ONCE + "SUMMARY:cem",
        ONCE,
        "DTSTART:20261102T080000Z\nDTEND:20261102T000000Z\nSUMMARY:bob",
        "DTSTART:rubbish\nSUMMARY:bob",
        "SUMMARY:bob",
        "DTSTART:20261102T080000Z\nDTEND:20291102T000000Z\nSUMMARY:bob",
        ONCE + "SUMMARY:bob\nRRULE:FREQ=SECONDLY",
        ONCE + "SUMMARY:bob\nRRULE:FREQ=DAILY;BYHOUR=1,2,3,4,5;BYMINUTE=1,2,3,4,5",
        ONCE + "SUMMARY:bob\nRRULE:FREQ=DAILY;COUNT=3;BYMONTH=2;BYMONTHDAY=30",
        "DTSTART:00010101T000000Z\nDTEND:00010102T000000Z\nSUMMARY:bob\nRRULE:FREQ=DAILY",
        ONCE + "SUMMARY:bob\nEXRULE:FREQ=DAILY",
    )

    assert slots == ["11-02 08:00 - 11-02 16:00 ann"]
    assert list(problems) == [
        "event 'nobody known': nobody is called 'nobody known'; write a person's id, name or mail address",
        "event 'cem': cem is not in group noc",
        "event '3': nobody is called ''; write a person's id, name or mail address",
        "event 'bob': ends before it begins",
        "event 'bob': says no DTSTART that can be read",
        "event 'bob': says no DTSTART that can be read",
        "event 'bob': is longer than 400 days",
        "event 'bob': repeats SECONDLY; write DAILY, WEEKLY, MONTHLY, YEARLY",
        "event 'bob': repeats 25 times a day; at most 24 are read",
        "event 'bob': repeats DAILY with BYMONTHDAY, which is not read; write it in another way",
        "event 'bob': repeats since 0001-01-01; let it begin within the last ten years",
        "event 'bob': has an EXRULE, which is not read; write EXDATE",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "rubbish", "BEGIN:VCALENDAR", "BEGIN:VEVENT\nEND:VCALENDAR", "\x00" * 100, calendar("BEGIN:VEVENT")],
)
def test_what_is_no_calendar_is_refused_with_a_reason(text: str) -> None:
    reading = read_calendar(text, GROUP, PEOPLE, START, END)

    assert reading.slots == ()
    assert reading.refused == len(reading.problems) > 0


def test_a_rule_that_never_comes_true_and_a_bad_time_zone_cost_no_time() -> None:
    began = time.process_time()
    never = ONCE + "SUMMARY:ann\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    zone = (
        "BEGIN:VTIMEZONE\nTZID:Mine\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
        "RRULE:FREQ=SECONDLY\nEND:STANDARD\nEND:VTIMEZONE\n"
    )

    assert read(never) == (
        [], ("event 'ann': has a rule that does not come true any more; write the event without it",),
    )  # fmt: skip
    assert read(ONCE + "SUMMARY:ann", before=zone) == (
        [], ("time zone with rule 'RRULE:FREQ=SECONDLY'; clocks change by yearly rules of days",),
    )  # fmt: skip
    assert time.process_time() - began < 1.0


def test_calendars_that_repeat_too_much_are_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotaical, "MOST_RULE_DAYS", 59)
    daily = ONCE + "RRULE:FREQ=DAILY;COUNT=1\nSUMMARY:"

    assert read(daily + "ann", daily + "bob", daily + "bob", daily + "bob") == (
        ["11-02 08:00 - 11-02 16:00 ann", "11-02 08:00 - 11-02 16:00 bob", "11-02 08:00 - 11-02 16:00 bob"],
        ("event 'bob': the calendar repeats too much; split it",),
    )


def test_size_series_and_slots_are_bounded_and_problems_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotaical, "MOST_SERIES", 3)
    monkeypatch.setattr(rotaical, "_MOST_PROBLEMS", 1)
    reading = read_calendar(calendar(*[ONCE + "SUMMARY:eve"] * 5), GROUP, PEOPLE, START, END)
    assert (len(reading.problems), reading.refused) == (1, 4)
    monkeypatch.setattr(rotaical, "MOST_SLOTS", 2)
    assert len(read(*[ONCE + "SUMMARY:ann"] * 5)[0]) == 2
    monkeypatch.setattr(rotaical, "MOST_CHARACTERS", 10)
    assert read(ONCE)[1] == ("the calendar has 140 characters, at most 10 are read",)


def keys(slots: list[DutySlot]) -> list[tuple[float, float, str, str]]:
    return sorted((slot.start_at, slot.end_at, slot.person, slot.role.value) for slot in slots)


def again(rota: Rota, group: GroupRota, start: float, end: float) -> tuple[list[DutySlot], list[DutySlot], str]:
    """Return what begins in a span by the rota, what is read of its calendar, and the calendar."""
    around = 3 * 86_400.0
    text = write_calendar(rota, "noc", start, end, now=0.0)
    reading = read_calendar(text, group, rota.people, start - around, end + around)
    assert reading.problems == ()
    begins = [slot for slot in rota.slots("noc", start - around, end + around) if start <= slot.start_at < end]
    return begins, list(reading.slots), text


def test_a_rota_goes_through_a_calendar_with_its_overrides_absences_holidays_and_changes_of_clocks() -> None:
    group = GroupRota("noc", BERLIN, free_days=frozenset({date(2026, 10, 28)}))
    rota = rota_of(
        shift("night", "22:00", "06:00", ("ann",), ("bob",), rotate_days=7, zone=BERLIN),
        replace(shift("day", "06:00", "22:00", ("cem",), zone=BERLIN), days=DayRule.WORKDAYS),
        shift("second", "00:00", "24:00", ("dee",), ("eve",), rotate_days=3, role=DutyRole.BACKUP, zone=BERLIN),
        overrides=(DutyOverride("noc", at("2026-10-20 10:00", BERLIN), at("2026-10-20 12:00", BERLIN), "ann", "cem"),),
        absences=(Absence("bob", at("2026-10-21 00:00", BERLIN), at("2026-10-23 00:00", BERLIN)),),
        groups=(group,),
    )
    begins, found, text = again(rota, group, at("2026-10-12 00:00", BERLIN), at("2026-11-12 00:00", BERLIN))

    assert keys(found) == keys(begins)
    assert text.count("BEGIN:VTIMEZONE") == 1
    assert "RRULE:FREQ=WEEKLY;UNTIL=20261111T050000Z;INTERVAL=1;BYDAY=MO,TU,WE,TH,FR;W" in text
    assert "TZID=Europe/Berlin:20261012T060000" in text
    assert text.count("BEGIN:VEVENT") < len(begins) / 2


SHIFTS = st.builds(
    Shift,
    id=st.sampled_from(["s1", "s2"]),
    group=st.just("noc"),
    timezone=st.sampled_from([BERLIN, SHANGHAI, "America/New_York"]),
    from_minute=st.integers(0, 1439),
    to_minute=st.integers(1440, 2000),
    crews=st.lists(
        st.lists(st.sampled_from(["ann", "bob", "cem"]), min_size=1, max_size=2).map(tuple), min_size=1, max_size=4
    ).map(tuple),
    role=st.sampled_from(list(DutyRole)),
    days=st.sampled_from(list(DayRule)),
    weekdays=st.frozensets(st.integers(0, 6), min_size=1),
    rotate_days=st.sampled_from([0, 1, 2, 5, 7, 14]),
    first=st.just(MONDAY),
    offset=st.integers(-3, 3),
    since=st.none() | st.dates(date(2026, 3, 1), date(2026, 4, 1)),
    until=st.none() | st.dates(date(2026, 4, 1), date(2026, 5, 1)),
)


@settings(max_examples=25)
@given(SHIFTS, st.integers(0, 20), st.integers(10, 40))
def test_any_shift_goes_through_a_calendar(rule: Shift, offset: int, days: int) -> None:
    group = GroupRota("noc", BERLIN, free_days=frozenset({date(2026, 3, 27)}), work_days=frozenset({date(2026, 3, 28)}))
    people = people_of(*(person(name, noc=1) for name in ("ann", "bob", "cem")))
    rota = Rota(RotaRules({"noc": group}, (rule,)), people)
    start = at("2026-03-10 00:00", BERLIN) + offset * 86_400
    begins, found, _ = again(rota, group, start, start + days * 86_400)

    assert keys(found) == keys([*{(slot.start_at, slot.end_at, slot.person): slot for slot in begins}.values()])
