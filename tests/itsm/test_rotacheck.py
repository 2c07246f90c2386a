"""What is wrong with a rota."""

from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.rota import Rota
from btimd.itsm.rotacheck import FaultKind, rota_faults
from btimd.model.duty import Absence, DutyOverride, DutyRole, GroupRota, RotaRules, WorkingHours
from tests.itsm.duties import SHANGHAI, at, people_of, person, rota_of, shift

START, END = at("2026-11-02 00:00"), at("2026-11-04 00:00")
DAY = shift("day", "08:00", "20:00", ("ann",))
NIGHT = shift("night", "20:00", "08:00", ("bob",))


def faults(rota: Rota) -> list[str]:
    return [fault.text() for fault in rota_faults(rota, START, END)]


def test_a_rota_without_holes_has_no_faults() -> None:
    assert faults(rota_of(DAY, NIGHT, groups=(GroupRota("noc", SHANGHAI, most=1),))) == []


def test_an_absence_leaves_a_gap_of_its_exact_length() -> None:
    away = Absence("ann", at("2026-11-03 09:30"), at("2026-11-03 11:00"))
    rota = rota_of(DAY, NIGHT, groups=(GroupRota("noc", SHANGHAI),), absences=(away,))

    assert faults(rota) == ["rota noc: 2026-11-03 01:30 to 2026-11-03 03:00 UTC (1.5 h): nobody on duty, 1 wanted"]


def test_only_hours_to_be_covered_can_be_gaps_and_too_few_is_a_gap_too() -> None:
    office = (WorkingHours(frozenset(range(5)), 480, 1200), WorkingHours(frozenset(range(5)), 1200, 1260))
    rota = rota_of(DAY, groups=(GroupRota("noc", SHANGHAI, least=2, covered=office),))

    assert faults(rota) == [
        "rota noc: 2026-11-02 00:00 to 2026-11-02 12:00 UTC (12 h): only ann on duty, 2 wanted",
        "rota noc: 2026-11-02 12:00 to 2026-11-02 13:00 UTC (1 h): nobody on duty, 2 wanted",
        "rota noc: 2026-11-03 00:00 to 2026-11-03 12:00 UTC (12 h): only ann on duty, 2 wanted",
        "rota noc: 2026-11-03 12:00 to 2026-11-03 13:00 UTC (1 h): nobody on duty, 2 wanted",
    ]


def test_too_many_are_told_with_their_names_and_a_backup_is_no_primary() -> None:
    rota = rota_of(
        DAY,
        NIGHT,
        shift("handover", "19:00", "21:00", ("cem",)),
        shift("second", "00:00", "24:00", ("dee",), role=DutyRole.BACKUP),
        groups=(GroupRota("noc", SHANGHAI, most=1),),
    )

    assert faults(rota)[:2] == [
        "rota noc: 2026-11-02 11:00 to 2026-11-02 12:00 UTC (1 h): ann, cem on duty, at most 1 wanted",
        "rota noc: 2026-11-02 12:00 to 2026-11-02 13:00 UTC (1 h): bob, cem on duty, at most 1 wanted",
    ]


def test_a_person_in_two_places_at_once_is_told() -> None:
    people = people_of(person("ann", noc=1, tech=1))
    rota = rota_of(DAY, shift("other", "18:00", "22:00", ("ann",), group="tech"), people=people)

    assert faults(rota)[0] == "ann: 2026-11-02 10:00 to 2026-11-02 12:00 UTC (2 h): on duty twice, in noc and tech"


def test_a_rest_that_is_too_short_is_told() -> None:
    rota = rota_of(
        shift("late", "16:00", "23:00", ("ann",)),
        shift("early", "06:00", "12:00", ("ann",)),
        groups=(GroupRota("noc", SHANGHAI, least=0, rest_seconds=11 * 3600.0),),
    )

    assert faults(rota) == [
        "ann: 2026-11-02 04:00 to 2026-11-02 08:00 UTC: only 4 h between two shifts, 11 wanted (noc)",
        "ann: 2026-11-02 15:00 to 2026-11-02 22:00 UTC: only 7 h between two shifts, 11 wanted (noc)",
        "ann: 2026-11-03 04:00 to 2026-11-03 08:00 UTC: only 4 h between two shifts, 11 wanted (noc)",
    ]


def test_an_override_for_somebody_who_is_not_on_duty_is_told() -> None:
    idle = DutyOverride("noc", at("2026-11-02 21:00"), at("2026-11-02 22:00"), "cem", "ann")
    right = DutyOverride("noc", at("2026-11-02 10:00"), at("2026-11-02 11:00"), "cem", "ann")
    added = DutyOverride("noc", at("2026-11-02 10:00"), at("2026-11-02 11:00"), "cem")
    past = DutyOverride("noc", at("2026-10-02 10:00"), at("2026-10-02 11:00"), "cem", "ann")

    assert faults(rota_of(DAY, NIGHT, overrides=(right, idle, added, past))) == [
        "cem: 2026-11-02 02:00 to 2026-11-02 03:00 UTC (1 h): on duty twice, in noc",
        "rota noc: 2026-11-02 13:00 to 2026-11-02 14:00 UTC: ann is not on duty then, so nobody is stood in for",
    ]


def test_groups_that_follow_working_hours_have_no_faults() -> None:
    people = people_of(person("ann", noc=1, tech=1))

    assert faults(Rota(RotaRules(), people)) == []


@given(
    st.lists(st.tuples(st.integers(0, 47), st.integers(1, 20), st.sampled_from("abc")), max_size=8),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_gaps_are_where_a_count_hour_by_hour_finds_too_few(
    spans: list[tuple[int, int, str]], least: int, most: int
) -> None:
    people = people_of(*(person(name, noc=1) for name in "abc"))
    added = tuple(DutyOverride("noc", START + low * 3600, START + (low + size) * 3600, who) for low, size, who in spans)
    rota = Rota(RotaRules({"noc": GroupRota("noc", SHANGHAI, least=least, most=most)}, overrides=added), people)
    counts = [len({who for low, size, who in spans if low <= hour < low + size}) for hour in range(48)]
    found = rota_faults(rota, START, END)

    def hours(kind: FaultKind) -> set[int]:
        return {
            hour
            for fault in found
            if fault.kind is kind
            for hour in range(int(fault.start_at - START) // 3600, int(fault.end_at - START) // 3600)
        }

    assert hours(FaultKind.GAP) == {hour for hour, count in enumerate(counts) if count < least}
    assert hours(FaultKind.TOO_MANY) == {hour for hour, count in enumerate(counts) if most and count > most}
