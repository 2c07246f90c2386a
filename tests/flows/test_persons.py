"""The table of persons: who wins, what ends, what is remembered; and the lookup against an obvious one."""

from dataclasses import replace
from ipaddress import ip_address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.persons import (
    Accounted,
    Binding,
    Bound,
    PersonLimits,
    Persons,
    PersonTable,
    Replaced,
    Unbound,
    compile_lookup,
)
from btimd.flows.radius import Accounting, AccountingStatus
from btimd.model.address import Prefix, address_halves
from btimd.model.persons import PersonSourceKind

NOW = 1_000_000.0
DHCP, LIST, RADIUS = PersonSourceKind.DHCP, PersonSourceKind.LIST, PersonSourceKind.RADIUS


def who(table: PersonTable, *addresses: str) -> list[str | None]:
    halves = [address_halves(address) for address in addresses]
    found = table.find(np.array([hi for hi, _ in halves], np.uint64), np.array([lo for _, lo in halves], np.uint64))
    return [None if number < 0 else table.persons[number] for number in found.tolist()]


def binding(prefix: str, person: str, kind: PersonSourceKind = DHCP, **more: float | None) -> Binding:
    return Binding(kind.value, kind, Prefix.parse(prefix), person, **more)  # type: ignore[arg-type]  # a test's shorthand


def news(
    status: AccountingStatus, person: str, session: str, *prefixes: str, at: float = NOW, nas: str = "n"
) -> Accounted:
    return Accounted("radius", Accounting(status, nas, session, person, tuple(map(Prefix.parse, prefixes)), at))


def table(persons: Persons, now: float = NOW) -> PersonTable:
    return compile_lookup(persons.bindings(), now)


START, STOP, INTERIM, ON = AccountingStatus.START, AccountingStatus.STOP, AccountingStatus.INTERIM, AccountingStatus.ON


def test_nobody_is_known_where_nobody_was_told_of() -> None:
    assert who(compile_lookup((), NOW), "10.0.0.1", "2001:db8::1") == [None, None]


def test_a_session_goes_before_the_list_and_the_list_before_a_lease() -> None:
    persons = Persons()
    persons.handle(Bound(binding("10.0.0.1", "lease")), NOW)
    assert who(table(persons), "10.0.0.1") == ["lease"]
    persons.handle(Replaced("list", (binding("10.0.0.0/24", "list", LIST),)), NOW)
    assert who(table(persons), "10.0.0.1", "10.0.0.2") == ["list", "list"]
    persons.handle(news(START, "session", "s", "10.0.0.1"), NOW)
    assert who(table(persons), "10.0.0.1", "10.0.0.2", "10.0.1.0") == ["session", "list", None]
    persons.handle(news(STOP, "session", "s", at=NOW + 1), NOW)
    persons.handle(Replaced("list", ()), NOW)
    assert who(table(persons), "10.0.0.1") == ["lease"]


def test_of_one_kind_the_longer_prefix_wins_and_then_who_came_later() -> None:
    found = compile_lookup(
        [
            binding("10.0.0.0/8", "wide", LIST),
            binding("10.0.0.0/24", "narrow", LIST),
            replace(binding("10.0.0.0/24", "later", LIST, since=5.0), source="second"),
        ],
        NOW,
    )
    assert who(found, "10.0.0.0", "10.0.0.255", "10.0.1.0", "11.0.0.0") == ["later", "later", "wide", None]
    assert found.in_force.tolist() == [True, False, True]


def test_an_ipv6_prefix_says_nothing_of_ipv4() -> None:
    found = compile_lookup([binding("::/32", "six", LIST), binding("2001:db8:1::/56", "delegated", RADIUS)], NOW)
    assert who(found, "10.0.0.1", "::1", "2001:db8:1:ff::1", "2001:db8:1:100::") == [None, "six", "delegated", None]


def test_a_lease_begins_and_ends_when_the_source_says() -> None:
    bindings = [binding("10.0.0.1", "anna", LIST, until=NOW + 10), binding("10.0.0.1", "bert", LIST, since=NOW + 10)]
    persons = Persons()
    persons.handle(Replaced("list", bindings), NOW)
    assert (who(table(persons), "10.0.0.1"), table(persons).changes_at) == (["anna"], NOW + 10)
    assert who(table(persons, NOW + 10), "10.0.0.1") == ["bert"]
    assert (persons.expire(NOW + 10), len(persons)) == (1, 1)


def test_a_renewed_lease_keeps_its_beginning_and_one_of_somebody_else_does_not() -> None:
    persons = Persons()
    persons.handle(Bound(binding("10.0.0.1", "anna", since=NOW, until=NOW + 100)), NOW)
    persons.handle(Bound(binding("10.0.0.1", "anna", since=NOW + 50, until=NOW + 150)), NOW + 50)
    assert [(one.since, one.until) for one in persons.bindings()] == [(NOW, NOW + 150)]
    persons.handle(Bound(binding("10.0.0.1", "bert", since=NOW + 60, until=NOW + 160)), NOW + 60)
    assert [(one.person, one.since) for one in persons.bindings()] == [("bert", NOW + 60)]
    persons.handle(Unbound("dhcp", Prefix.parse("10.0.0.1")), NOW + 70)
    assert who(table(persons, NOW + 70), "10.0.0.1") == [None]


def test_a_session_that_nobody_tells_of_is_over() -> None:
    persons = Persons(PersonLimits(session=3600.0))
    persons.handle(news(START, "anna", "s", "10.0.0.1"), NOW)
    persons.handle(news(INTERIM, "anna", "s", "10.0.0.1", at=NOW + 600), NOW + 600)
    assert [(one.since, one.until) for one in persons.bindings()] == [(NOW, NOW + 4200)]
    assert who(table(persons, NOW + 4199), "10.0.0.1") == ["anna"]
    assert who(table(persons, NOW + 4200), "10.0.0.1") == [None]
    assert (persons.expire(NOW + 4200), len(persons), persons.sessions) == (1, 0, 0)


def test_an_interim_update_may_be_the_first_to_tell_and_tells_since_when() -> None:
    persons = Persons()
    told = news(INTERIM, "anna", "s", "10.0.0.1")
    persons.handle(Accounted("radius", replace(told.accounting, lasted=500.0)), NOW)
    assert [one.since for one in persons.bindings()] == [NOW - 500]


def test_a_start_without_address_is_completed_by_what_follows_and_new_addresses_replace_old_ones() -> None:
    persons = Persons()
    persons.handle(news(START, "anna", "s"), NOW)
    assert who(table(persons), "10.0.0.1") == [None]
    persons.handle(news(INTERIM, "anna", "s", "10.0.0.1", "2001:db8:0:1::/64", at=NOW + 1), NOW)
    persons.handle(news(INTERIM, "anna", "s", at=NOW + 2), NOW)
    assert who(table(persons, NOW + 2), "10.0.0.1", "2001:db8:0:1::9") == ["anna", "anna"]
    persons.handle(news(INTERIM, "anna", "s", "10.0.0.2", at=NOW + 3), NOW)
    assert who(table(persons, NOW + 3), "10.0.0.1", "2001:db8:0:1::9", "10.0.0.2") == [None, None, "anna"]


def test_the_address_goes_to_the_later_session_also_if_the_stop_of_the_earlier_was_lost_or_late() -> None:
    persons = Persons()
    persons.handle(news(START, "anna", "s1", "10.0.0.1"), NOW)
    persons.handle(news(START, "bert", "s2", "10.0.0.1", at=NOW + 5), NOW + 5)
    persons.handle(news(INTERIM, "anna", "s1", "10.0.0.1", at=NOW + 6), NOW + 6)
    persons.handle(news(STOP, "anna", "s1", at=NOW + 7), NOW + 7)
    assert who(table(persons, NOW + 7), "10.0.0.1") == ["bert"]
    persons.handle(news(STOP, "bert", "s2", at=NOW + 8), NOW + 8)
    assert who(table(persons, NOW + 8), "10.0.0.1") == [None]


def test_late_and_repeated_news_change_nothing_and_are_counted() -> None:
    persons = Persons()
    persons.handle(news(STOP, "anna", "s", at=NOW + 5), NOW + 5)
    persons.handle(news(START, "anna", "s", "10.0.0.1"), NOW + 6)
    assert (who(table(persons), "10.0.0.1"), persons.stale) == ([None], 1)
    persons.handle(news(START, "anna", "t", "10.0.0.1", at=NOW + 7), NOW + 7)
    persons.handle(news(STOP, "anna", "t", at=NOW + 6), NOW + 7)
    assert (who(table(persons, NOW + 7), "10.0.0.1"), persons.stale) == (["anna"], 2)


def test_a_nas_that_restarts_ends_its_own_sessions_only() -> None:
    persons = Persons()
    persons.handle(news(START, "anna", "s", "10.0.0.1"), NOW)
    persons.handle(news(START, "bert", "s", "10.0.0.2", nas="other"), NOW)
    persons.handle(news(START, "cleo", "later", "10.0.0.3", at=NOW + 9), NOW + 9)
    persons.handle(news(ON, "", "", at=NOW + 5), NOW + 9)
    assert who(table(persons, NOW + 9), "10.0.0.1", "10.0.0.2", "10.0.0.3") == [None, "bert", "cleo"]
    persons.handle(news(INTERIM, "anna", "s", "10.0.0.1", at=NOW + 4), NOW + 9)
    assert (who(table(persons, NOW + 9), "10.0.0.1"), persons.stale) == ([None], 1)


def test_what_finds_no_room_is_counted_and_what_is_over_makes_room() -> None:
    persons = Persons(PersonLimits(max_bindings=2))
    persons.handle(Bound(binding("10.0.0.1", "a", until=NOW + 10)), NOW)
    persons.handle(news(START, "b", "s", "10.0.0.2"), NOW)
    persons.handle(Bound(binding("10.0.0.3", "c")), NOW)
    persons.handle(news(START, "d", "t", "10.0.0.4"), NOW)
    persons.handle(Replaced("list", (binding("10.0.0.5", "e", LIST),)), NOW)
    assert (len(persons), persons.no_room) == (2, 3)
    persons.handle(Bound(binding("10.0.0.3", "c")), NOW + 10)
    assert (len(persons), persons.no_room) == (2, 3)
    assert who(table(persons, NOW + 10), "10.0.0.1", "10.0.0.2", "10.0.0.3") == [None, "b", "c"]


def test_a_lookup_that_is_held_never_changes() -> None:
    persons = Persons()
    persons.handle(Bound(binding("10.0.0.1", "anna")), NOW)
    held = table(persons)
    persons.handle(Bound(binding("10.0.0.1", "bert")), NOW)
    assert (who(held, "10.0.0.1"), who(table(persons), "10.0.0.1")) == (["anna"], ["bert"])


PREFIXES = st.builds(
    lambda base, bits, at: (
        Prefix((0x20010DB8 << 32), at & (-1 << (128 - bits)) & 0xFF, bits)
        if base
        else Prefix(0, 0xFFFF_0A00_0000 | (at & (-1 << (128 - bits)) & 0xFF), bits)
    ),
    st.booleans(),
    st.integers(120, 128),
    st.integers(0, 255),
)
BINDINGS = st.builds(
    Binding,
    st.sampled_from(["one", "two"]),
    st.sampled_from([DHCP, LIST, RADIUS]),
    PREFIXES,
    st.sampled_from("abcdef"),
    st.one_of(st.none(), st.floats(0, 20)),
    st.one_of(st.none(), st.floats(0, 20)),
)


@given(st.lists(BINDINGS, max_size=12, unique_by=lambda one: (one.prefix, one.kind)))
def test_every_address_is_found_as_by_looking_at_all_bindings(bindings: list[Binding]) -> None:
    now = 10.0
    found = compile_lookup(bindings, now)
    addresses = [str(ip_address(base) + at) for base in ("10.0.0.0", "2001:db8::") for at in (*range(256), 257)]
    assert who(found, *addresses) == [_oracle(bindings, address, now) for address in addresses]


def _oracle(bindings: list[Binding], address: str, now: float) -> str | None:
    hi, lo = address_halves(address)
    holding = [
        one
        for one in bindings
        if one.prefix.contains(hi, lo) and (one.since or 0) <= now and (one.until is None or one.until > now)
    ]
    best = max(holding, key=lambda one: (one.kind.rank, one.prefix.length), default=None)
    return best.person if best else None


EVENTS = st.builds(
    lambda status, person, session, address, at, nas: news(
        AccountingStatus(status), person, session, *([f"10.0.0.{address}"] if address else []), at=at, nas=nas
    ),
    st.sampled_from([1, 2, 3, 7, 8, 15]),
    st.sampled_from(["anna", "bert", ""]),
    st.sampled_from("st"),
    st.integers(0, 3),
    st.floats(0, 50),
    st.sampled_from("nm"),
)


@given(st.lists(EVENTS, max_size=40))
def test_whatever_is_told_of_sessions_they_and_their_addresses_agree(events: list[Accounted]) -> None:
    persons = Persons(PersonLimits(max_bindings=3, session=20.0))
    for at, event in enumerate(events):
        persons.handle(event, float(at))
        held = {prefix: session for session, one in persons._sessions.items() for prefix in one.prefixes}
        assert held == {prefix: one.session for prefix, one in persons._in_session.items()}
        assert set(persons._sessions) == {session for of in persons._of_nas.values() for session in of}
        assert len(persons) <= 3
        assert all(one.prefixes for one in persons._sessions.values())
