import numpy as np
import pytest

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry
from btimd.flows.users import UserLimits, Users
from btimd.model.flowbatch import FlowBatch
from btimd.model.ports import OnlineUser
from tests.flows.traffic import ERP, NOBODY, SHARED, T0, WEST, attribution, flow


def seen(*flows: FlowBatch, subject: Attribution | None = None, limits: UserLimits | None = None) -> Users:
    subject = subject or attribution()
    users = Users(subject, limits, seed=2**70 + 9)
    add(users, subject, *flows)
    return users


def add(users: Users, subject: Attribution, *flows: FlowBatch) -> None:
    users.add(subject.attribute(FlowBatch.concat(flows)), earliest=T0 - 900_000, latest=T0 + 700_000)


def listed(users: Users, now: int, **wanted: str | int | None) -> list[tuple[str, str]]:
    found = users.users(**{"business": "erp", "region": None, "limit": 10, **wanted}, now=T0 + now)  # type: ignore[arg-type]  # defaults first
    return [(user.address, user.state) for user in found]


def test_a_user_is_who_where_since_when_and_how_much() -> None:
    users = seen(
        flow("10.1.0.1", start=1000, end=5000, octets=7),
        flow("10.1.0.1", start=500, end=600, octets=3, rate=100, answer=True),
        flow("fd00::1", SHARED, octets=5),
    )
    assert users.users(business="erp", region=None, limit=5, now=T0 + 5000) == [
        OnlineUser("erp", "10.1.0.1", "east", "floor 1", "Wang", "active", T0 + 500, T0 + 5000, 307),
        OnlineUser("erp", "fd00::1", "", "", "", "active", T0, T0, 5),
    ]
    assert [user.address for user in users.users(business="hr", region=None, limit=5, now=T0)] == ["fd00::1"]


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
    assert [address for address, _ in listed(users, 5, region="east")] == ["10.1.0.3", "10.1.0.1"]
    assert [address for address, _ in listed(users, 5, region="")] == ["9.9.9.9"]


@pytest.mark.parametrize("wanted", [{"business": "crm"}, {"limit": 0}, {"business": "hr"}, {"region": "north"}])
def test_nobody_is_listed_where_there_is_nobody(wanted: dict[str, str | int | None]) -> None:
    assert listed(seen(flow("10.1.0.1"), flow("10.1.0.2", NOBODY)), 5, **wanted) == []


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
    assert [(user.address, user.region) for user in users.users(business="erp", region=None, limit=9, now=T0)] == [
        ("10.1.0.1", "north"),
        ("10.2.0.1", "west"),
    ]
    assert users.users(business="hr", region=None, limit=9, now=T0) == []
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
    for part in (slice(0, 5_000), slice(0, 40_000), slice(35_000, 40_000)):
        batch = subject.attribute(FlowBatch({name: column[part].copy() for name, column in crowd.columns.items()}))
        shares = users.add(batch, earliest=T0 - 900_000, latest=T0 + 700_000)
        assert shares.pair.tolist() == [number % 30_000 for number in range(part.start, part.stop)]
    assert (users.pairs, users.refused, users.evicted) == (30_000, 0, 0)


def test_a_table_too_large_for_the_numbers_of_users_is_refused() -> None:
    with pytest.raises(ValueError, match="a table of 16777224 users is too large; take at most 16777216"):
        Users(attribution(), UserLimits(capacity=(1 << 24) + 1))
