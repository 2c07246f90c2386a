"""Ports and servers that belong together, and those that only look alike."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.suggestgroups import aggregated, group, similarity
from btimd.flows.suggestservers import find_servers
from btimd.model.address import Prefix, address_halves, address_text
from tests.flows.worlds_discovery import MINUTE, T0, Records, attribution, traffic, where


def groups_in(out: Records) -> set[tuple[tuple[str, ...], tuple[int, ...]]]:
    """Return servers and first ports of each group."""
    plan = attribution()
    servers = find_servers(traffic(out.batch(), plan), where(plan).row_of)

    def text(at: int) -> str:
        return address_text(int(servers.hi[at]), int(servers.lo[at]))

    return {
        (tuple(text(at) for at in one.servers), tuple(low for _, low, _ in one.ports))
        for one in group(servers, lambda clients: np.array([float(len(clients))]))
    }


def use(
    out: Records, server: str, port: int, clients: Iterable[str], *, octets: int = 5000, at: int = T0
) -> None:  # fmt: skip
    for number, client in enumerate(clients):
        for time in range(3):
            out.both(client, 40_000 + time, server, port, at=at + time * 10 * MINUTE + number, octets=octets)


NORTH, SOUTH = ([f"10.{net}.0.{host}" for host in range(1, 31)] for net in (1, 2))


def test_ports_with_the_same_clients_are_one_service_and_others_are_not() -> None:
    out = Records()
    use(out, "10.20.1.40", 993, NORTH)
    use(out, "10.20.1.40", 25, NORTH[:25])
    use(out, "10.20.1.40", 5432, ["10.20.2.1", "10.20.2.2"])

    assert groups_in(out) == {(("10.20.1.40",), (25, 993)), (("10.20.1.40",), (5432,))}


def test_two_applications_that_everybody_uses_are_two_where_they_call_different_servers() -> None:
    out = Records()
    for server, data in (("10.20.1.10", "10.20.3.10"), ("10.20.1.11", "10.20.3.40")):
        use(out, server, 443, NORTH)
        use(out, data, 1521, [server])

    assert (("10.20.1.10",), (443,)) in groups_in(out)


def test_neighbours_that_share_the_load_and_call_the_same_server_are_a_pool_though_no_client_comes_to_both() -> None:
    out = Records()
    for server, clients in (("10.20.1.10", NORTH[:15]), ("10.20.1.11", NORTH[15:])):
        use(out, server, 443, clients)
        use(out, "10.20.3.10", 1521, [server])

    assert (("10.20.1.10", "10.20.1.11"), (443,)) in groups_in(out)


def test_databases_side_by_side_with_different_clients_hold_different_data() -> None:
    out = Records()
    use(out, "10.20.3.10", 1521, ["10.20.2.1", "10.20.2.2"])
    use(out, "10.20.3.11", 1521, ["10.20.2.8", "10.20.2.9"])

    assert groups_in(out) == {(("10.20.3.10",), (1521,)), (("10.20.3.11",), (1521,))}


def test_shared_things_are_a_pool_wherever_they_stand() -> None:
    out = Records()
    use(out, "10.20.0.53", 53, NORTH)
    use(out, "10.9.0.53", 53, NORTH)

    assert groups_in(out) == {(("10.9.0.53", "10.20.0.53"), (53,))}


def test_similarity_is_the_share_of_clients_of_both() -> None:
    assert similarity(np.array([1, 2, 3]), np.array([2, 3, 4])) == 0.5


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_addresses_become_the_prefixes_that_cover_exactly_them(count: int) -> None:
    addresses = [(int(address_halves(f"10.20.1.{8 + number}")[1])) for number in range(count)]
    texts = [str(Prefix(first >> 64, first & (2**64 - 1), length)) for first, length in aggregated(addresses)]

    assert texts == {
        1: ["10.20.1.8/32"], 2: ["10.20.1.8/31"], 3: ["10.20.1.8/31", "10.20.1.10/32"], 4: ["10.20.1.8/30"],
    }[count]  # fmt: skip


@given(st.sets(st.integers(0, 63), max_size=40))
def test_prefixes_never_cover_what_was_not_given(addresses: set[int]) -> None:
    covered = [first + at for first, length in aggregated(addresses) for at in range(1 << (128 - length))]

    assert covered == sorted(addresses)
