import math

import numpy as np
import pytest

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.users import UserLimits, Users
from btimd.flows.windows import WindowLimits, Windows
from btimd.model.address import Prefix
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import OnlineUser
from btimd.model.service import ServiceRule
from btimd.model.users import UserQuery
from tests.flows.traffic import EAST, ERP, NOBODY, SHARED, T0, WEST, attribution, flow


def seen(*flows: FlowBatch, subject: Attribution | None = None, limits: UserLimits | None = None) -> Users:
    subject = subject or attribution()
    users = Users(subject, limits, seed=2**70 + 9)
    add(users, subject, *flows)
    return users


def add(users: Users, subject: Attribution, *flows: FlowBatch, now: int = 0) -> None:
    """Note who used what: windows of their own call the kernel."""
    windows = Windows(subject, users, WindowLimits(future_seconds=700))
    windows.add(subject.attribute(FlowBatch.concat(flows)), T0 + now)


def listed(users: Users, now: int, query: UserQuery = UserQuery("erp"), limit: int = 10) -> list[tuple[str, str]]:  # noqa: B008  it never changes
    return [(user.address, user.state) for user in users.users(query, limit=limit, now=T0 + now)]


def test_a_user_is_who_where_since_when_and_how_much() -> None:
    users = seen(
        flow("10.1.0.1", start=1000, end=5000, octets=7),
        flow("10.1.0.1", start=500, end=600, octets=3, rate=100, answer=True),
        flow("fd00::1", SHARED, octets=5),
    )
    assert users.users(UserQuery("erp"), limit=5, now=T0 + 5000) == [
        OnlineUser("erp", "10.1.0.1", "east", "floor 1", "Wang", "active", T0 + 500, T0 + 5000, 307),
        OnlineUser("erp", "fd00::1", "", "", "", "active", T0, T0, 5),
    ]
    assert [user.address for user in users.users(UserQuery("hr"), limit=5, now=T0)] == ["fd00::1"]


def test_a_silent_user_is_idle_and_then_gone() -> None:
    users = seen(flow("10.1.0.1"))
    assert [listed(users, now)[0][1] for now in (60_000, 60_001, 600_000, 600_001)] == [
        "active",
        "idle",
        "idle",
        "gone",
    ]


def test_users_are_listed_by_region_latest_first_and_up_to_the_limit() -> None:
    users = seen(flow("10.1.0.1", start=1), flow("10.2.0.2", start=3), flow("10.1.0.3", start=2), flow("9.9.9.9"))
    assert [address for address, _ in listed(users, 5)] == ["10.2.0.2", "10.1.0.3", "10.1.0.1", "9.9.9.9"]
    assert [address for address, _ in listed(users, 5, limit=2)] == ["10.2.0.2", "10.1.0.3"]
    assert [address for address, _ in listed(users, 5, UserQuery("erp", "east"))] == ["10.1.0.3", "10.1.0.1"]
    assert [address for address, _ in listed(users, 5, UserQuery("erp", ""))] == ["9.9.9.9"]


@pytest.mark.parametrize(
    ("query", "limit"),
    [(UserQuery("crm"), 5), (UserQuery("erp"), 0), (UserQuery("hr"), 5), (UserQuery("erp", "north"), 5)],
)
def test_nobody_is_listed_where_there_is_nobody(query: UserQuery, limit: int) -> None:
    assert listed(seen(flow("10.1.0.1"), flow("10.1.0.2", NOBODY)), 5, query, limit) == []


def test_a_full_table_refuses_and_forgetting_the_old_makes_room_and_is_counted() -> None:
    subject = attribution()
    users = seen(*(flow(f"10.1.0.{host}", start=host * 1000) for host in range(10)), limits=UserLimits(capacity=8))
    assert (users.capacity, users.pairs, users.refused, users.evicted) == (8, 8, 2, 0)
    users.forget(T0 + 3000)
    assert (users.pairs, users.evicted) == (5, 3)
    users.forget(T0 + 9000)
    assert (users.pairs, users.evicted) == (5, 3)
    add(users, subject, flow("10.1.0.9", start=9000))
    assert (users.pairs, users.refused) == (6, 2)
    assert [address for address, _ in listed(users, 9000)] == [f"10.1.0.{host}" for host in (9, 7, 6, 5, 4, 3)]


def test_after_a_swap_places_are_the_new_ones_and_users_of_a_lost_business_are_gone() -> None:
    users = seen(flow("10.1.0.1"), flow("10.2.0.1", SHARED), flow("10.1.0.1", NOBODY))
    moved = attribution(PlanEntry("10.1.0.0/16", "north", "", "", 2), WEST, businesses=("erp", "hr"), generation=2)
    changed = users.swap(moved, np.array([0, -1], np.int32))
    assert len(changed) == 3
    assert [(user.address, user.region) for user in users.users(UserQuery("erp"), limit=9, now=T0)] == [
        ("10.1.0.1", "north"),
        ("10.2.0.1", "west"),
    ]
    assert users.users(UserQuery("hr"), limit=9, now=T0) == []
    assert (users.pairs, users.evicted) == (3, 1)


def test_a_cleared_table_knows_nobody_and_counts_whom_it_forgot() -> None:
    users = seen(flow("10.1.0.1"), flow("10.1.0.1", ERP), flow("10.1.0.2", SHARED))
    users.clear()
    assert (users.pairs, users.evicted, listed(users, 0)) == (0, 3, [])


def test_a_growing_table_keeps_who_it_knows_and_refuses_nobody_before_it_is_full() -> None:
    subject = attribution()
    everybody = FlowBatch.concat([flow("10.1.0.1")] * 40_000)
    lo = everybody["source_address_lo"] + np.arange(40_000, dtype=np.uint64) % 30_000
    crowd = FlowBatch({**everybody.columns, "source_address_lo": lo})
    users = Users(subject, UserLimits(capacity=30_000))
    windows = Windows(subject, users)
    for part in (slice(0, 5_000), slice(0, 40_000), slice(35_000, 40_000)):
        windows.add(
            subject.attribute(FlowBatch({name: column[part].copy() for name, column in crowd.columns.items()})), T0
        )
    assert [row.users for row in windows.flush()[0].rows()] == [30_000]
    assert (users.pairs, users.refused, users.evicted) == (30_000, 0, 0)


def test_an_address_with_more_businesses_than_a_node_holds_goes_on_in_another_one() -> None:
    names = tuple(f"business {number}" for number in range(12))
    rules = [
        ServiceRule(name, (name,), Prefix.parse(f"{ERP}/32"), 6, port, port) for port, name in enumerate(names, 443)
    ]
    subject = Attribution(compile_plan([EAST], 1)[0], rules, names, 1)
    base = FlowBatch.concat([flow("10.1.0.1", octets=7)] * 24)
    ports = 443 + np.arange(24, dtype=np.uint16) % 12
    users = seen(FlowBatch({**base.columns, "destination_transport_port": ports}), subject=subject)
    assert [users.users(UserQuery(name), limit=5, now=T0)[0].octets for name in names] == [14] * 12
    assert (users.pairs, users.numbered) == (12, 15)
    users.swap(Attribution(subject.plan, rules[6:], names[6:], 2), np.array([-1] * 6 + list(range(6)), np.int32))
    assert (users.pairs, users.evicted) == (6, 6)
    assert [len(users.users(UserQuery(name), limit=5, now=T0)) for name in names] == [0] * 6 + [1] * 6


def test_octets_beyond_thirty_one_bits_are_kept_and_stop_at_sixty_two() -> None:
    users = seen(flow("10.1.0.1", octets=2**40 + 5), flow("10.1.0.1", octets=2**31 - 1), flow("10.1.0.2"))
    assert users.users(UserQuery("erp"), limit=5, now=T0)[0].octets == 2**40 + 2**31 + 4
    add(users, attribution(), *[flow("10.1.0.1", octets=2**61)] * 3)
    assert users.users(UserQuery("erp"), limit=5, now=T0)[0].octets == 2**62 - 1


def test_times_are_right_after_months_though_they_are_kept_in_thirty_one_bits() -> None:
    subject, day = attribution(), 86_400_000
    users = seen(flow("10.1.0.1", start=7))
    for days in (5, 20, 40):
        add(users, subject, flow("10.1.0.2", start=days * day + 3), now=days * day)
    first, other = users.users(UserQuery("erp"), limit=5, now=T0 + 40 * day)
    assert (first.address, first.last_seen_milliseconds) == ("10.1.0.2", T0 + 40 * day + 3)
    assert (other.address, other.state) == ("10.1.0.1", "gone")


def test_more_businesses_than_keys_are_refused() -> None:
    subject = attribution(businesses=tuple(f"{'erp' if not at else 'hr' if at == 1 else at}" for at in range(131_071)))
    with pytest.raises(ValueError, match="131071 businesses are too many; take at most 131070"):
        Users(subject)


def test_a_table_too_large_for_the_numbers_of_users_is_refused() -> None:
    with pytest.raises(ValueError, match="a table of 16777224 users is too large; take at most 16777216"):
        Users(attribution(), UserLimits(capacity=(1 << 24) + 1))


def test_a_business_may_have_times_of_its_own_and_others_after_a_reload() -> None:
    users = seen(flow("10.1.0.1", SHARED))
    users.thresholds = {"hr": (5.0, 20.0)}
    states = [(user.business, user.state) for user in users.users(UserQuery(), limit=9, now=T0 + 10_000)]
    assert states == [("erp", "active"), ("hr", "idle")]
    users.thresholds = {}
    assert users.users(UserQuery("hr"), limit=9, now=T0 + 10_000)[0].state == "active"
    assert users.thresholds == {}


def test_unattributed_clients_are_listed_only_where_they_are_asked_for() -> None:
    users = seen(flow("10.1.0.1"), flow("10.1.0.2", NOBODY))
    assert listed(users, 0, UserQuery()) == [("10.1.0.1", "active")]
    assert listed(users, 0, UserQuery("")) == [("10.1.0.2", "active")]


def test_columns_are_all_pairs_with_the_row_of_the_plan() -> None:
    columns = seen(flow("10.1.0.1", SHARED, octets=9), flow("10.2.0.2", NOBODY, start=3, octets=7)).columns()
    lines = zip(
        columns.address_lo.tolist(), columns.business_id.tolist(), columns.plan_row.tolist(), columns.octets.tolist(),
        columns.last_seen.tolist(), strict=True,
    )  # fmt: skip
    assert (columns.businesses, len(columns)) == (("erp", "hr"), 3)
    assert sorted(lines) == [
        (0xFFFF0A010001, 0, 0, 9, T0), (0xFFFF0A010001, 1, 0, 9, T0), (0xFFFF0A020002, -1, 1, 7, T0 + 3),
    ]  # fmt: skip


def test_a_user_that_takes_more_than_it_used_to_rises_and_one_that_stops_falls() -> None:
    subject = attribution()
    users = seen(flow("10.1.0.1", octets=60_000), flow("10.1.0.2", octets=600_000))
    assert users.users(UserQuery("erp"), limit=1, now=T0)[0].octets_per_second is None
    steady = None
    for minute in range(4):
        users.note_rates(T0 + minute * 60_000)
        users.note_rates(T0 + minute * 60_000 + 30_000)  # too early for the next
        add(users, subject, flow("10.1.0.1", start=minute * 60_000, octets=60_000 * (1 + 9 * (minute == 2))),
            *[flow("10.1.0.2", octets=600_000)] * (minute < 2), now=minute * 60_000)  # fmt: skip
        if minute == 1:
            steady = users.users(UserQuery("erp", address="10.1.0.1"), limit=1, now=T0)[0]
    assert steady is not None
    found = {user.address: user for user in users.users(UserQuery("erp", order="traffic"), limit=9, now=T0)}
    assert (steady.octets_per_second, steady.octets_per_second_before, steady.trend) == (2000.0, 0.0, "rising")
    rising, falling = found["10.1.0.1"], found["10.1.0.2"]
    assert (rising.octets_per_second, rising.trend) == (10_000.0, "rising")
    assert rising.octets_per_second_before == pytest.approx(2000 - 1000 * (1 - math.exp(-60 / 900)))
    assert (falling.octets_per_second, falling.trend) == (0.0, "falling")
    assert [*found] == ["10.1.0.1", "10.1.0.2"]


def test_who_gets_the_number_of_a_forgotten_user_does_not_get_its_rates() -> None:
    subject = attribution()
    users = seen(*(flow(f"10.1.0.{host}", octets=10_000) for host in range(8)), limits=UserLimits(capacity=8))
    for minute in range(3):
        users.note_rates(T0 + minute * 60_000)
    users.forget(T0 + 1)
    add(users, subject, *(flow(f"10.1.1.{host}", start=10, octets=10_000) for host in range(8)))
    assert {user.octets_per_second for user in users.users(UserQuery("erp"), limit=9, now=T0)} == {None}
    users.note_rates(T0 + 180_000)
    users.clear()
    assert not users.octets_before.any()


def test_a_copy_begins_anew_where_the_table_was_built_anew_in_between() -> None:
    users = seen(
        *(flow(f"10.1.0.{host}") for host in range(6)), flow("10.1.0.7", SHARED), limits=UserLimits(capacity=16)
    )
    reading = users.read("erp")
    assert reading.step(3)
    users.swap(attribution(businesses=("hr", "erp"), generation=2), np.array([1, 0], np.int32))
    pairs = reading.all()
    assert sorted(pairs.address_lo.tolist()) == [0xFFFF0A010000 + host for host in (*range(6), 7)]
    assert [pairs.attribution.businesses[number] for number in set(pairs.business_id.tolist())] == ["erp"]
