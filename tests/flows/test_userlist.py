"""Lists and counts of users against what sets and dictionaries say."""

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.userlist import Pairs, UserTimes, counted, listed, trend_of
from btimd.model.address import address_halves
from btimd.model.users import USER_DIMENSIONS, PersonLookup, UserCount, UserQuery
from tests.flows.traffic import T0, attribution

SUBJECT = attribution()
PLACES = {"10.1": ("east", "floor 1", "Wang"), "10.2": ("west", "floor 2", ""), "9.9": ("", "", "")}
TIMES = UserTimes(60.0, 600.0)
Row = tuple[str, int, int, int]
"""Address, business id, seconds of silence, octets."""


class Leases:
    """Who has an address now."""

    def __init__(self, of: dict[str, str]) -> None:
        self.persons = tuple(dict.fromkeys(of.values()))
        self._of = {address_halves(address): self.persons.index(person) for address, person in of.items()}

    def find(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> npt.NDArray[np.int32]:
        found = zip(address_hi.tolist(), address_lo.tolist(), strict=True)
        return np.array([self._of.get(address, -1) for address in found], np.int32)


class NamedLeases(Leases):
    """Leases that say where they are from."""

    def sources(self, address_hi: npt.NDArray[np.uint64], address_lo: npt.NDArray[np.uint64]) -> list[str]:
        return ["dhcp" if number >= 0 else "" for number in self.find(address_hi, address_lo)]


def table(rows: list[Row]) -> Pairs:
    """Return a table of pairs in which those of one address stand together."""
    rows = sorted(rows)
    names = sorted({row[0] for row in rows})
    halves = [address_halves(row[0]) for row in rows]
    plan = [{"10.1": 0, "10.2": 1}.get(row[0].rpartition(".")[0].rpartition(".")[0], -1) for row in rows]
    assert [row.region for row in SUBJECT.plan.rows] == ["east", "west"]
    last = np.array([T0 - row[2] * 1000 for row in rows], np.int64)
    rate = np.array([row[3] / 60 for row in rows], np.float32)
    return Pairs(
        SUBJECT,
        np.array([hi for hi, _ in halves], np.uint64),
        np.array([lo for _, lo in halves], np.uint64),
        np.array([row[1] for row in rows], np.int32),
        np.array(plan, np.int32),
        np.array([names.index(row[0]) for row in rows], np.int32),
        last - 5000,
        last,
        np.array([row[3] for row in rows], np.int64),
        rate,
        rate,
    )


def ask(rows: list[Row], query: UserQuery, *, limit: int = 9, lookup: PersonLookup | None = None) -> list[str]:
    found = listed(table(rows), query, limit=limit, times=TIMES, lookup=lookup, now=T0)
    return [user.address for user in found]


CROWD: list[Row] = [
    ("10.1.0.1", 0, 0, 700), ("10.1.0.1", 1, 90, 100), ("10.1.0.2", 0, 300, 900), ("10.2.0.1", 1, 30, 50),
    ("9.9.9.9", 0, 4000, 8000),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        (UserQuery(), ["10.1.0.1", "10.2.0.1", "10.1.0.1", "10.1.0.2", "9.9.9.9"]),
        (UserQuery(region="east"), ["10.1.0.1", "10.1.0.1", "10.1.0.2"]),
        (UserQuery(region=""), ["9.9.9.9"]),
        (UserQuery(segment="floor 2"), ["10.2.0.1"]),
        (UserQuery(person="Wang"), ["10.1.0.1", "10.1.0.1", "10.1.0.2"]),
        (UserQuery(person=""), ["10.2.0.1", "9.9.9.9"]),
        (UserQuery(person="nobody"), []),
        (UserQuery(state="active"), ["10.1.0.1", "10.2.0.1"]),
        (UserQuery(state="idle", region="east"), ["10.1.0.1", "10.1.0.2"]),
        (UserQuery(state="gone"), ["9.9.9.9"]),
        (UserQuery(address="10.1.0.2"), ["10.1.0.2"]),
        (UserQuery(address="10.0.0.0/8", state="active"), ["10.1.0.1", "10.2.0.1"]),
        (UserQuery(address="::/0", order="octets"), ["9.9.9.9", "10.1.0.2", "10.1.0.1", "10.1.0.1", "10.2.0.1"]),
        (UserQuery(order="traffic", region="east"), ["10.1.0.2", "10.1.0.1", "10.1.0.1"]),
    ],
)
def test_users_are_those_that_every_filter_lets_pass_in_the_order_asked_for(
    query: UserQuery, wanted: list[str]
) -> None:
    assert ask(CROWD, query) == wanted
    assert ask(CROWD, query, limit=2) == wanted[:2]


def test_who_has_the_lease_goes_before_the_plan_and_is_found_by_name() -> None:
    leases = NamedLeases({"10.1.0.2": "Zhang", "10.2.0.1": "Wang"})
    assert ask(CROWD, UserQuery(person="Wang"), lookup=leases) == ["10.1.0.1", "10.2.0.1", "10.1.0.1"]
    assert ask(CROWD, UserQuery(person="Zhang"), lookup=leases) == ["10.1.0.2"]
    found = listed(table(CROWD[2:]), UserQuery(), limit=9, times=TIMES, lookup=leases, now=T0)
    assert [(user.person, user.person_source) for user in found] == [("Wang", "dhcp"), ("Zhang", "dhcp"), ("", "")]
    unsaid = listed(table(CROWD[2:3]), UserQuery(), limit=9, times=TIMES, lookup=Leases({"10.1.0.2": "Zhang"}), now=T0)
    assert [(user.person, user.person_source) for user in unsaid] == [("Zhang", "lookup")]


def test_a_business_may_have_times_of_its_own() -> None:
    times = UserTimes(60.0, 600.0, {"hr": (100.0, 200.0)})
    rows: list[Row] = [(f"10.1.0.{at}", business, at, 1) for business in (0, 1) for at in (60, 61, 100, 101, 200, 201)]
    found = listed(table(rows), UserQuery(order="last-seen"), limit=20, times=times, lookup=None, now=T0)
    states = defaultdict(list)
    for user in found:
        states[user.business].append(user.state)
    assert states == {
        "erp": ["active", "idle", "idle", "idle", "idle", "idle"],
        "hr": ["active", "active", "active", "idle", "idle", "gone"],
    }


@pytest.mark.parametrize("wrong", [{"state": "busy"}, {"order": "name"}])
def test_a_state_or_an_order_that_there_is_not_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="take one of"):
        UserQuery(**wrong)


@pytest.mark.parametrize(
    ("rate", "before", "trend"),
    [
        (np.nan, 1.0, "unknown"), (1.0, np.nan, "unknown"), (0.0, 0.0, "steady"), (100.0, 0.0, "steady"),
        (1000.0, 0.0, "rising"), (1500.0, 1000.0, "steady"), (1501.0, 1000.0, "rising"), (0.0, 1000.0, "falling"),
        (1000.0, 1500.0, "steady"), (1000.0, 1501.0, "falling"),
    ],
)  # fmt: skip
def test_a_trend_is_a_change_by_half_and_by_a_kilobit(rate: float, before: float, trend: str) -> None:
    assert trend_of(rate, before) == trend


ROWS = st.dictionaries(
    st.tuples(st.sampled_from([f"{net}.0.{host}" for net in PLACES for host in range(4)]), st.integers(0, 1)),
    st.tuples(st.sampled_from([0, 59, 60, 61, 600, 601, 5000]), st.sampled_from([0, 1, 2**31, 2**53 + 1, 2**60])),
    max_size=16,
).map(lambda found: [(*key, *value) for key, value in found.items()])


def wanted(rows: list[Row], by: tuple[str, ...], within: float | None, persons: dict[str, str]) -> list[UserCount]:
    """Return the counts that sets give."""
    best: dict[tuple[tuple[str, ...], str], int] = {}
    octets: Counter[tuple[str, ...]] = Counter()
    people = defaultdict(set)
    for address, business, silent, amount in rows:
        if within is not None and silent > within:
            continue
        region, segment, plan_person = PLACES[".".join(address.split(".")[:2])]
        person = persons.get(address, plan_person)
        words = {"business": ("erp", "hr")[business], "region": region, "segment": segment, "person": person}
        group = tuple(words[name] for name in by)
        state = 2 if silent <= 60 else 1 if silent <= 600 else 0
        best[group, address] = max(best.get((group, address), 0), state)
        octets[group] += amount
        if state and person:
            people[group].add(person)
    found = []
    for group in octets:
        states = Counter(state for (of, _), state in best.items() if of == group)
        words = dict.fromkeys(USER_DIMENSIONS, "") | dict(zip(by, group, strict=True))
        found.append(UserCount(**words, active=states[2], idle=states[1], gone=states[0], persons=len(people[group]),
                               octets=octets[group], octets_per_second=0.0))  # fmt: skip
    return sorted(found, key=lambda row: (-row.active - row.idle, -row.gone, row.business, row.region, row.segment,
                                          row.person))  # fmt: skip


@settings(max_examples=150)
@given(ROWS, st.lists(st.sampled_from(USER_DIMENSIONS), unique=True), st.sampled_from([None, 60.0, 0.0]), st.booleans())
def test_counts_are_those_of_sets_whatever_they_are_grouped_by(
    rows: list[Row], by: list[str], within: float | None, leased: bool
) -> None:
    persons = {"10.1.0.2": "Zhang", "9.9.0.1": "Wang"} if leased else {}
    found = counted(
        table(rows), by, times=TIMES, lookup=Leases(persons) if leased else None, now=T0, seen_within_seconds=within
    )
    bare = [replace(row, octets_per_second=0.0) for row in found]
    assert bare == wanted(rows, tuple(by), within, persons)
    few = counted(table(rows), by, times=TIMES, lookup=Leases(persons), now=T0, seen_within_seconds=within, limit=2)
    sizes = [[(one.active + one.idle, one.gone) for one in many] for many in (few, found[:2])]
    assert sizes[0] == sizes[1]
    assert all(one in found for one in few)


def test_a_client_of_two_businesses_is_one_user_of_its_region_and_its_traffic_is_that_of_both() -> None:
    found = counted(table(CROWD[:2]), ("region",), times=TIMES, lookup=None, now=T0)
    assert found == [UserCount("", "east", "", "", 1, 0, 0, 1, 800, found[0].octets_per_second)]
    assert found[0].octets_per_second == pytest.approx(800 / 60)
    by_business = counted(table(CROWD[:2]), ("business",), times=TIMES, lookup=None, now=T0)
    assert [(row.business, row.active, row.idle) for row in by_business] == [("erp", 1, 0), ("hr", 0, 1)]


def test_a_name_to_group_by_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="users cannot be grouped by 'floor'; take of business, region, segment"):
        counted(table([]), ("floor",), times=TIMES, lookup=None, now=T0)


def test_groups_beyond_what_a_plain_array_holds_are_counted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    few = counted(table(CROWD), USER_DIMENSIONS, times=TIMES, lookup=None, now=T0)
    monkeypatch.setattr("btimd.flows.userlist._DENSE", 1)
    assert counted(table(CROWD), USER_DIMENSIONS, times=TIMES, lookup=None, now=T0) == few
