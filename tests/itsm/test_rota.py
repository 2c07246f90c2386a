"""Who is on duty when."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.rota import Rota, hours_between, instant, presence, week_start
from btimd.model.duty import (
    Absence,
    DayRule,
    DutyOverride,
    DutyRole,
    DutySlot,
    GroupRota,
    Presence,
    RotaRules,
    WorkingHours,
)
from tests.itsm.duties import BERLIN, MONDAY, SHANGHAI, at, local, people_of, person, rota_of, shift, told

THREE = (
    shift("early", "08:00", "16:00", ("ann",), ("bob",), ("cem",), rotate_days=7),
    shift("late", "16:00", "24:00", ("ann",), ("bob",), ("cem",), rotate_days=7, offset=1),
    shift("night", "00:00", "08:00", ("ann",), ("bob",), ("cem",), rotate_days=7, offset=2),
)


def test_three_shifts_turn_by_the_week() -> None:
    rota = rota_of(*THREE)

    assert told(rota.slots("noc", at("2026-11-08 00:00"), at("2026-11-10 00:00"))) == [
        "11-08 00:00 - 11-08 08:00 cem",
        "11-08 08:00 - 11-08 16:00 ann",
        "11-08 16:00 - 11-09 00:00 bob",
        "11-09 00:00 - 11-09 08:00 ann",
        "11-09 08:00 - 11-09 16:00 bob",
        "11-09 16:00 - 11-10 00:00 cem",
    ]


def test_four_crews_in_three_shifts_turn_every_second_day() -> None:
    crews = (("a",), ("b",), ("c",), ("d",))
    rota = rota_of(
        shift("early", "08:00", "16:00", *crews, rotate_days=2),
        shift("late", "16:00", "24:00", *crews, rotate_days=2, offset=-1),
        shift("night", "00:00", "08:00", *crews, rotate_days=2, offset=-2),
    )
    days = [MONDAY + timedelta(days=day) for day in range(8)]
    zone = ZoneInfo(SHANGHAI)

    def of(minute: int) -> str:
        return "".join(next(iter(rota.on_duty("noc", instant(day, minute, zone)))) for day in days)

    assert (of(600), of(1000), of(100)) == ("aabbccdd", "ddaabbcc", "ccddaabb")


def test_the_night_shift_begins_on_the_day_before_it_ends() -> None:
    rota = rota_of(shift("night", "22:00", "06:00", ("ann",), ("bob",), rotate_days=1))

    assert told(rota.slots("noc", at("2026-11-02 00:00"), at("2026-11-03 12:00"))) == [
        "11-02 00:00 - 11-02 06:00 bob",
        "11-02 22:00 - 11-03 06:00 ann",
    ]


def test_an_override_cuts_a_shift_and_gives_its_part_to_another() -> None:
    stands_in = DutyOverride("noc", at("2026-11-02 10:00"), at("2026-11-02 12:00"), "cem", "ann", why="dentist")
    rota = rota_of(*THREE, overrides=(stands_in,))

    assert told(rota.slots("noc", at("2026-11-02 08:00"), at("2026-11-02 16:00"))) == [
        "11-02 08:00 - 11-02 10:00 ann",
        "11-02 10:00 - 11-02 12:00 cem (dentist)",
        "11-02 12:00 - 11-02 16:00 ann",
    ]


def test_an_override_for_nobody_adds_a_person_and_of_two_the_later_wins() -> None:
    low, high = at("2026-11-02 08:00"), at("2026-11-02 16:00")
    overrides = (
        DutyOverride("noc", low, high, "bob", "ann"),
        DutyOverride("noc", low, high, "cem", "bob"),
        DutyOverride("noc", low, high, "ann", role=DutyRole.BACKUP, why="fair"),
    )
    rota = rota_of(*THREE, overrides=overrides)

    assert told(rota.slots("noc", low, high)) == [
        "11-02 08:00 - 11-02 16:00 cem (override)",
        "11-02 08:00 - 11-02 16:00 ann backup (fair)",
    ]


def test_who_is_away_is_on_no_duty_not_even_for_another() -> None:
    away = Absence("cem", at("2026-11-02 09:00"), at("2026-11-02 18:00"))
    stands_in = DutyOverride("noc", at("2026-11-02 08:00"), at("2026-11-02 16:00"), "cem", "ann")
    rota = rota_of(*THREE, overrides=(stands_in,), absences=(away,))

    assert told(rota.slots("noc", at("2026-11-02 08:00"), at("2026-11-02 20:00"))) == [
        "11-02 08:00 - 11-02 09:00 cem (override)",
        "11-02 16:00 - 11-02 20:00 bob",
    ]
    assert rota.on_duty("noc", at("2026-11-02 10:00")) == {}


def test_presence_knows_primaries_backups_who_comes_within_the_hour_and_all_others() -> None:
    rota = rota_of(*THREE, shift("second", "00:00", "24:00", ("dee",), role=DutyRole.BACKUP))
    moment = at("2026-11-02 15:00")

    assert {one: presence(rota, one, "noc", moment) for one in ("ann", "bob", "cem", "dee")} == {
        "ann": Presence.ON_SHIFT,
        "bob": Presence.SOON,
        "cem": Presence.OFF,
        "dee": Presence.BACKUP,
    }
    assert presence(rota, "bob", "noc", moment - 1) is Presence.OFF
    assert presence(rota, "ann", "another group", moment) is Presence.OFF


def test_who_comes_soon_is_seen_over_the_end_of_a_week_too() -> None:
    rota = rota_of(shift("only", "00:00", "08:00", ("ann",), zone="UTC"))
    thursday = at("2026-11-12 00:00", "UTC")  # weeks are counted from 1970, a Thursday

    assert rota.presences("noc", thursday - 600) == {"ann": Presence.SOON}
    assert rota.presences("noc", thursday - 4000) == {}


def test_the_next_change_is_when_others_are_there_not_when_a_shift_of_the_same_person_follows() -> None:
    rota = rota_of(
        shift("morning", "08:00", "12:00", ("ann",)), shift("noon", "12:00", "18:00", ("ann",)),
    )  # fmt: skip

    assert local(rota.next_change("noc", at("2026-11-02 09:00")) or 0) == "11-02 18:00"
    assert local(rota.next_change("noc", at("2026-11-02 18:00")) or 0) == "11-03 08:00"
    assert local(rota.next_change_of_any(at("2026-11-02 19:00")) or 0) == "11-03 08:00"
    assert rota_of(shift("ever", "00:00", "24:00", ("ann",))).next_change("noc", at("2026-11-02 09:00")) is None


def test_the_sun_is_followed_by_shifts_in_their_own_time_zones() -> None:
    rota = rota_of(
        shift("asia", "08:00", "16:00", ("ann",), zone=SHANGHAI),
        shift("europe", "09:00", "17:00", ("bob",), zone=BERLIN),
        shift("america", "11:00", "19:00", ("cem",), zone="America/New_York"),
    )

    assert told(rota.slots("noc", at("2026-11-02 08:00"), at("2026-11-03 08:00"))) == [
        "11-02 08:00 - 11-02 16:00 ann",
        "11-02 16:00 - 11-03 00:00 bob",
        "11-03 00:00 - 11-03 08:00 cem",
    ]


def test_on_the_days_when_clocks_change_shifts_still_meet_exactly() -> None:
    rota = rota_of(
        shift("night", "22:00", "06:00", ("ann",), zone=BERLIN), shift("day", "06:00", "22:00", ("bob",), zone=BERLIN)
    )
    spring = rota.slots("noc", at("2026-03-28 12:00", BERLIN), at("2026-03-29 12:00", BERLIN))
    autumn = rota.slots("noc", at("2026-10-24 12:00", BERLIN), at("2026-10-25 12:00", BERLIN))

    assert [(slot.person, (slot.end_at - slot.start_at) / 3600) for slot in spring] == [
        ("bob", 10.0), ("ann", 7.0), ("bob", 6.0),
    ]  # fmt: skip
    assert [(slot.person, (slot.end_at - slot.start_at) / 3600) for slot in autumn] == [
        ("bob", 10.0), ("ann", 9.0), ("bob", 6.0),
    ]  # fmt: skip


def test_a_local_time_that_a_clock_skips_is_when_it_is_put_forward_and_of_two_the_first_counts() -> None:
    zone = ZoneInfo(BERLIN)
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    forward = at("2026-03-29 03:00", BERLIN)

    assert [instant(spring, minute, zone) - forward for minute in (119, 120, 150, 179, 180, 181)] == [
        -60, 0, 0, 0, 0, 60,
    ]  # fmt: skip
    assert instant(autumn, 180, zone) - instant(autumn, 150, zone) == 30 * 60 + 3600
    assert instant(autumn, 150, zone) - instant(autumn, 120, zone) == 30 * 60


@given(
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Shanghai", "UTC"]),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(0, 2880),
    st.integers(0, 2880),
)
def test_a_later_local_time_is_never_an_earlier_moment(zone: str, day: date, one: int, other: int) -> None:
    low, high = sorted((one, other))

    assert instant(day, low, ZoneInfo(zone)) <= instant(day, high, ZoneInfo(zone))


@given(
    st.lists(st.integers(1, 1439), min_size=1, max_size=5, unique=True),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", SHANGHAI]),
    st.integers(0, 800),
    st.integers(1, 9),
)
def test_shifts_that_share_out_a_day_leave_neither_gap_nor_overlap(
    cuts: list[int], zone: str, days: int, rotate: int
) -> None:
    edges = [0, *sorted(cuts), 1440]
    shifts = [
        replace(
            shift(f"s{low}", "00:00", "24:00", ("a",), ("b",), rotate_days=rotate, zone=zone),
            from_minute=low,
            to_minute=high,
        )
        for low, high in itertools.pairwise(edges)
    ]
    rota = rota_of(*shifts)
    start = at("2025-01-01 00:00", zone) + days * 86_400
    slots = rota.slots("noc", start, start + 3 * 86_400)

    assert slots[0].start_at == start
    assert slots[-1].end_at == start + 3 * 86_400
    assert all(before.end_at == after.start_at for before, after in itertools.pairwise(slots))


@given(st.integers(0, 3_000_000), st.integers(0, 400_000))
def test_who_is_on_duty_at_a_moment_is_who_has_a_slot_over_it(offset: int, length: int) -> None:
    away = Absence("ann", at("2026-11-04 03:00"), at("2026-11-05 11:00"))
    stands_in = DutyOverride("noc", at("2026-11-03 10:00"), at("2026-11-20 12:00"), "dee", "bob")
    rota = rota_of(
        *THREE,
        shift("second", "09:00", "08:30", ("bob",), ("dee",), rotate_days=1, role=DutyRole.BACKUP),
        overrides=(stands_in,),
        absences=(away,),
    )
    moment = at("2026-11-01 00:00") + offset
    over = [slot for slot in rota.slots("noc", moment, moment + 1 + length) if slot.start_at <= moment < slot.end_at]
    expected = {slot.person: slot.role for slot in sorted(over, key=lambda slot: slot.role != "primary", reverse=True)}

    assert rota.on_duty("noc", moment) == expected


def test_workdays_and_free_days_follow_the_holidays_of_the_rota() -> None:
    group = GroupRota(
        "noc", SHANGHAI, free_days=frozenset({date(2026, 11, 4)}), work_days=frozenset({date(2026, 11, 7)})
    )
    office = replace(shift("office", "09:00", "17:00", ("ann",)), days=DayRule.WORKDAYS)
    rest = replace(shift("rest", "10:00", "12:00", ("bob",)), days=DayRule.FREE_DAYS)
    rota = rota_of(office, rest, groups=(group,))
    slots = rota.slots("noc", at("2026-11-02 00:00"), at("2026-11-09 00:00"))

    assert [(local(slot.start_at)[:5], slot.person) for slot in slots] == [
        ("11-02", "ann"), ("11-03", "ann"), ("11-04", "bob"), ("11-05", "ann"),
        ("11-06", "ann"), ("11-07", "ann"), ("11-08", "bob"),
    ]  # fmt: skip


def test_a_rule_holds_from_its_first_to_its_last_day() -> None:
    rule = replace(shift("x", "09:00", "17:00", ("ann",)), since=date(2026, 11, 3), until=date(2026, 11, 4))

    assert told(rota_of(rule).slots("noc", at("2026-11-01 00:00"), at("2026-11-09 00:00"))) == [
        "11-03 09:00 - 11-03 17:00 ann",
        "11-04 09:00 - 11-04 17:00 ann",
    ]


def test_a_group_without_a_rota_follows_its_peoples_working_hours_and_without_those_is_always_there() -> None:
    hours = (WorkingHours(frozenset({0, 1, 2, 3, 4}), 540, 1050), WorkingHours(frozenset({4}), 1320, 120))
    ann = replace(person("ann", db=1), hours=hours)
    rota = Rota(RotaRules(), people_of(ann, person("bob", db=1)))

    assert dict(rota.on_duty("db", at("2026-11-02 12:00"))) == {"ann": DutyRole.PRIMARY, "bob": DutyRole.PRIMARY}
    assert set(rota.on_duty("db", at("2026-11-02 18:00"))) == {"bob"}
    assert set(rota.on_duty("db", at("2026-11-07 01:59"))) == {"ann", "bob"}  # Friday night
    assert set(rota.on_duty("db", at("2026-11-07 02:00"))) == {"bob"}


def test_slots_of_calendars_count_like_shifts_and_can_be_replaced() -> None:
    people = people_of(person("ann", noc=1), person("bob", noc=1))
    low, high = at("2026-11-02 08:00"), at("2026-11-02 16:00")
    rota = Rota(RotaRules(), people, [DutySlot(low, high, "noc", "ann", DutyRole.PRIMARY, "calendar")])

    assert set(rota.on_duty("noc", low)) == {"ann"}
    assert set(rota.on_duty("noc", high)) == set()
    other = rota.with_imported([DutySlot(low, high, "noc", "bob", DutyRole.BACKUP, "calendar")])
    assert dict(other.on_duty("noc", low)) == {"bob": DutyRole.BACKUP}


def test_weekly_hours_are_cut_out_of_a_span() -> None:
    nights = WorkingHours(frozenset({4}), 1320, 360)
    found = list(hours_between(nights, ZoneInfo(SHANGHAI), at("2026-11-07 01:00"), at("2026-11-14 01:00")))

    assert [(local(low), local(high)) for low, high in found] == [
        ("11-07 01:00", "11-07 06:00"),
        ("11-13 22:00", "11-14 01:00"),
    ]
    assert local(week_start(at("2026-11-08 23:59"), ZoneInfo(SHANGHAI))) == "11-02 00:00"


def test_what_was_worked_out_is_kept_for_a_bounded_number_of_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.itsm.rota._MOST_CHUNKS", 8)
    rota = rota_of(*THREE)
    for week in range(20):
        rota.on_duty("noc", at("2026-11-02 08:00") + week * 7 * 86_400)

    assert len(rota._chunks) == 8
    assert rota.on_duty("noc", at("2026-11-02 08:00")) == {"ann": DutyRole.PRIMARY}


@pytest.mark.parametrize("group", ["noc", "nobody"])
def test_a_group_nobody_knows_has_nobody_on_duty(group: str) -> None:
    rota = Rota(RotaRules(), people_of())

    assert (rota.on_duty(group, 0.0), rota.next_change(group, 0.0), rota.next_change_of_any(0.0)) == ({}, None, None)
