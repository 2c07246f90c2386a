"""Who is found and made is tested through collect; here is what becomes of the table between two batches."""

from itertools import groupby, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels import users
from btimd.kernels.users import rebuild
from tests.kernels import oracle
from tests.kernels.test_collect import Tables

pytestmark = pytest.mark.bounds


def known(tables: Tables) -> dict[tuple[int, int], tuple[int, int, int]]:
    """Return first seen, last seen and octets by address and key."""
    found = {}
    for node in range(int(tables.state[users.S_NODES])):
        for place in range(users.PLACES):
            entry = int(tables.nodes[node, users.ENTRIES + place])
            if tables.plain[node, users.KIND] != users.FREE and entry:
                first, last, low = (
                    int(tables.plain[node, at + place]) for at in (users.FIRST, users.LAST, users.OCTETS)
                )
                octets = int(tables.more[node, place]) << users.OCTETS_BITS | low
                found[int(tables.nodes[node, users.HI]), entry >> users.KEY_SHIFT] = first, last, octets
    return found


def forget(tables: Tables, before: int) -> int:
    return rebuild(
        tables.index, tables.nodes, tables.plain, tables.more, tables.free, tables.state, before, tables.seed
    )


SHARES = st.lists(
    st.builds(
        lambda cell, user, end, length, octets: oracle.Share(cell, user, end - length, end, octets, 1, 2, to_server=True),
        st.integers(0, 3), st.integers(0, 5), st.integers(300_000, 1_190_000), st.integers(0, 50_000),
        st.sampled_from([0, 1, 2**30, 2**31, 2**40]),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(st.tuples(SHARES, st.integers(300_000, 1_190_000)), max_size=4))
def test_pairs_are_what_a_dictionary_holds_through_every_rebuild(batches: list[tuple[list[oracle.Share], int]]) -> None:
    tables = Tables()
    wanted: dict[tuple[int, int], tuple[int, int, int]] = {}
    for shares, before in batches:
        tables.add(shares)
        for share in shares:
            key = share.user, share.cell + 1
            first, last, octets = wanted.get(key, (2**31, 0, 0))
            first, last = min(first, max(share.start, 300_000)), max(last, share.end)
            wanted[key] = first, last, octets + 2 * share.octets
        assert known(tables) == wanted
        kept = {key: line for key, line in wanted.items() if line[1] >= before}
        assert forget(tables, before) == len(wanted) - len(kept)
        wanted = kept
        assert known(tables) == wanted
        assert tables.state[users.S_PAIRS] == len(wanted)
        assert tables.state[users.S_NOBODY] == sum(key == users.KEY_OF_NOBODY for _, key in wanted)


def test_rebuilding_an_empty_table_forgets_nobody() -> None:
    assert forget(Tables(), 0) == 0


def test_rebuilding_gives_the_room_of_the_forgotten_to_new_addresses() -> None:
    tables = Tables(capacity=8)
    for user in range(8):
        end = 400_000 if user < 5 else 900_000
        tables.add([oracle.Share(1, user, end, end, 1, 1, 1, to_server=True)])
    assert forget(tables, 500_000) == 5
    tables.add([oracle.Share(1, user, 900_000, 900_000, 1, 1, 1, to_server=True) for user in range(5, 13)])
    assert sorted(user for user, _ in known(tables)) == list(range(5, 13))
    assert (tables.state[users.S_NODES], tables.state[users.S_REFUSED]) == (8, 0)


def listed(tables: Tables, key: int, parts: tuple[int, ...] = (0, 1 << 20)) -> list[tuple[int, ...]]:
    """Return address, business, octets and times of the pairs, copied part by part."""
    room = 64
    halves, octets = np.zeros((2, room), np.int64), np.zeros(room, np.int64)
    names, times, speeds = np.zeros((3, room), np.int32), np.zeros((2, room), np.int32), np.zeros((2, room), np.float32)
    before, rates = np.zeros((users.PLACES, 1024), np.int64), np.zeros((2, users.PLACES, 1024), np.float32)
    done = 0
    for first, end in pairwise(parts):
        done = users.list_pairs(
            first, min(end, int(tables.state[users.S_NODES])), key, tables.nodes, tables.plain, tables.more, before, rates,
            done, halves, names, times, octets, speeds,
        )  # fmt: skip
    assert np.isnan(speeds[:, :done]).all()
    assert (halves[1] == ~halves[0])[:done].all()
    clients = names[2, :done].tolist()
    assert [one for one, _ in groupby(clients)] == [*dict.fromkeys(clients)]  # those of an address stand together
    return list(zip(*(row[:done].tolist() for row in (halves[0], names[0], octets, times[0], times[1])), strict=True))


@settings(max_examples=60)
@given(SHARES, st.integers(0, 8))
def test_pairs_are_listed_by_business_or_all_of_them_in_parts_or_at_once(shares: list[oracle.Share], cut: int) -> None:
    tables = Tables()
    tables.add(shares)
    wanted = {(user, key - 2, octets, first, last) for (user, key), (first, last, octets) in known(tables).items()}
    attributed = {row for row in wanted if row[1] >= 0}
    for key, rows in ((-1, wanted), (0, attributed), (3, {row for row in wanted if row[1] == 1}), (99, set())):
        assert sorted(listed(tables, key)) == sorted(listed(tables, key, (0, cut, 1 << 20))) == sorted(rows)


@settings(max_examples=60)
@given(st.lists(st.tuples(SHARES, st.integers(0, 1_190_000)), min_size=1, max_size=4))
def test_rates_are_what_came_since_the_last_time_and_what_was_usual_before(
    minutes: list[tuple[list[oracle.Share], int]],
) -> None:
    tables = Tables()
    before, rates = np.zeros((users.PLACES, 1024), np.int64), np.zeros((2, users.PLACES, 1024), np.float32)
    wanted: dict[tuple[int, int], tuple[int, float, float]] = {}
    for shares, keep in minutes:
        tables.add(shares)
        now = known(tables)
        pairs = users.note_rates(
            int(tables.state[users.S_NODES]), tables.nodes, tables.plain, tables.more, 60.0, 0.25, before, rates
        )
        assert pairs == len(now)
        after = {}
        for key, (_, _, octets) in now.items():
            total, rate, usual = wanted.get(key, (0, 0.0, 0.0))
            usual = rate if usual == 0.0 else usual + 0.25 * (rate - usual)
            after[key] = (octets, (octets - total) / 60.0, usual) if octets else (0, 0.0, 0.0)
        wanted = after
        for node in range(int(tables.state[users.S_NODES])):
            for place in range(users.PLACES):
                entry = int(tables.nodes[node, users.ENTRIES + place])
                found = int(before[place, node]), float(rates[0, place, node]), float(rates[1, place, node])
                key = int(tables.nodes[node, users.HI]), entry >> users.KEY_SHIFT
                assert found == pytest.approx(wanted[key] if entry else (0, 0.0, 0.0), rel=1e-6)
        forget(tables, keep)
        wanted = {key: line for key, line in wanted.items() if key in known(tables)}
        unused = (tables.nodes[:, users.ENTRIES : users.ENTRIES + users.PLACES] == 0).T
        before[unused], rates[:, unused] = 0, 0.0  # as the caller does, since the numbers go to others
