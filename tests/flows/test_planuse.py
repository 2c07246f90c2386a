"""Utilisation of prefixes against an oracle of obvious Python."""

from collections import defaultdict
from dataclasses import replace
from ipaddress import ip_address, ip_network

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.plan import PlanEntry
from btimd.flows.planuse import PlanLines, distinct_addresses, ordered_use, prefix_use
from btimd.model.planuse import PrefixUse
from tests.flows.planclients import clients, entries

NOW = 1_700_000_000_000
PLAN = (
    "10.0.0.0/8,all,,",
    "10.1.0.0/16,north,,",
    "10.1.1.0/24,,sales,",
    "10.1.1.7/32,,,Li Wei",
    "::/0,outside,,",
    "2001:db8:1::/48,south,,",
)


def use(*rows: tuple[str, str, int, int], plan: tuple[str, ...] = PLAN, lately: int = 60_000) -> list[PrefixUse]:
    return prefix_use(PlanLines(entries(*plan)), clients(*rows, now=NOW), now=NOW, lately_milliseconds=lately)


def test_a_line_counts_its_own_clients_and_with_nested_lines_all_of_them() -> None:
    rows = use(
        ("10.1.1.7", "erp", 10, 100), ("10.1.1.7", "hr", 90, 50), ("10.1.1.8", "hr", 90, 500),
        ("10.2.0.1", "", 5, 7000), ("192.0.2.1", "erp", 1, 1),
    )  # fmt: skip

    by_prefix = {row.prefix: row for row in rows}
    assert by_prefix["10.0.0.0/8"] == PrefixUse(
        prefix="10.0.0.0/8", line=2, region="all", segment="", person="", host_bits=24, nested=3,
        seen=3, active=2, octets=7650, own_seen=1, own_active=1, own_octets=7000, servers=0,
        last_seen_milliseconds=NOW - 5000, busiest_business="hr", busiest_octets=550,
    )  # fmt: skip
    assert by_prefix["10.1.1.7/32"] == PrefixUse(
        prefix="10.1.1.7/32", line=5, region="north", segment="sales", person="Li Wei", host_bits=0, nested=0,
        seen=1, active=1, octets=150, own_seen=1, own_active=1, own_octets=150, servers=0,
        last_seen_milliseconds=NOW - 10_000, busiest_business="erp", busiest_octets=100,
    )  # fmt: skip
    assert (by_prefix["10.1.1.0/24"].own_seen, by_prefix["10.1.1.0/24"].seen) == (1, 2)
    assert (by_prefix["10.1.0.0/16"].own_seen, by_prefix["10.1.0.0/16"].nested) == (0, 2)


def test_an_ipv6_line_around_everything_says_nothing_of_ipv4() -> None:
    rows = {row.prefix: row for row in use(("10.1.1.7", "erp", 1, 5), ("2001:db8:1::9", "erp", 1, 7))}

    assert (rows["::/0"].seen, rows["::/0"].nested, rows["::/0"].host_bits) == (1, 1, 128)
    assert (rows["2001:db8:1::/48"].octets, rows["2001:db8:1::/48"].host_bits) == (7, 80)


def test_servers_are_counted_beside_clients() -> None:
    plan = PlanLines(entries(*PLAN))
    servers = distinct_addresses(*(column.copy() for column in clients(("10.1.1.9", "", 0, 0), now=NOW).pair()))

    rows = prefix_use(plan, clients(now=NOW).columns, now=NOW, lately_milliseconds=1, servers=servers)

    assert {row.prefix: row.servers for row in rows if row.servers} == {
        "10.0.0.0/8": 1, "10.1.0.0/16": 1, "10.1.1.0/24": 1,
    }  # fmt: skip
    assert [row.prefix for row in ordered_use(rows, "empty")] == ["::/0", "2001:db8:1::/48", "10.1.1.7/32"]


def test_orders_are_those_that_are_told() -> None:
    rows = use(("10.1.1.7", "erp", 1, 5), ("2001:db8:1::9", "erp", 1, 7), ("2001:db8:1::8", "erp", 1, 7))

    assert ordered_use(rows, "octets")[0].prefix == "::/0"
    assert ordered_use(rows, "seen")[0].seen == 2
    assert ordered_use(rows, "plan") == rows
    with pytest.raises(ValueError, match="'size' is no order of prefixes; known: plan, octets, seen, empty"):
        ordered_use(rows, "size")


def test_a_plan_without_lines_has_no_use() -> None:
    assert prefix_use(PlanLines(()), clients(now=NOW).columns, now=NOW, lately_milliseconds=1) == []


ADDRESS = st.one_of(
    st.integers(0, 255).map(lambda low: f"10.0.{low % 3}.{low}"),
    st.integers(0, 40).map(lambda low: f"2001:db8::{low % 4:x}:{low:x}"),
)
PREFIX = st.one_of(
    st.tuples(st.integers(8, 32), st.integers(0, 1023)).map(
        lambda drawn: str(ip_network((ip_address("10.0.0.0") + drawn[1], drawn[0]), strict=False))
    ),
    st.tuples(st.integers(0, 128), st.integers(0, 64)).map(
        lambda drawn: str(ip_network((ip_address("2001:db8::") + drawn[1], drawn[0]), strict=False))
    ),
)


@given(
    prefixes=st.lists(PREFIX, max_size=12, unique=True),
    rows=st.lists(st.tuples(ADDRESS, st.sampled_from(["erp", "hr", ""]), st.integers(0, 90), st.integers(0, 1 << 40))),
)
def test_use_is_that_of_an_oracle(prefixes: list[str], rows: list[tuple[str, str, int, int]]) -> None:
    merged = {(address, business): (age, octets) for address, business, age, octets in rows}
    plan = [PlanEntry(prefix, f"r{number}", "", "", number) for number, prefix in enumerate(prefixes)]
    given_rows = [(address, business, *rest) for (address, business), rest in merged.items()]

    found = prefix_use(PlanLines(plan), clients(*given_rows, now=NOW).columns, now=NOW, lately_milliseconds=60_000)

    for row in found:
        network = ip_network(row.prefix)
        inside = [one for one in given_rows if ip_address(one[0]) in network]
        deeper = [
            ip_network(other)
            for other in prefixes
            if other != row.prefix
            and ip_network(other).version == network.version
            and ip_network(other).subnet_of(network)  # type: ignore[arg-type]  # of one version
        ]
        own = [one for one in inside if not any(ip_address(one[0]) in other for other in deeper)]
        by_business: dict[str, int] = defaultdict(int)
        for _, business, _, octets in inside:
            by_business[business] += octets
        by_business.pop("", None)
        best = min(by_business.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
        assert (row.seen, row.own_seen, row.nested) == (
            len({one[0] for one in inside}), len({one[0] for one in own}), len(deeper),
        )  # fmt: skip
        assert row.active == len({one[0] for one in inside if one[2] <= 60})
        assert (row.octets, row.own_octets) == (sum(one[3] for one in inside), sum(one[3] for one in own))
        assert row.last_seen_milliseconds == max((NOW - one[2] * 1000 for one in inside), default=None)
        assert (row.busiest_business, row.busiest_octets) == best


def test_a_repeated_prefix_counts_once() -> None:
    plan = [*entries("10.0.0.0/8,a,,"), replace(entries("10.0.0.0/8,b,,")[0], line=9), PlanEntry("x", "", "", "", 10)]

    assert [line.entry.line for line in PlanLines(plan).lines] == [2]


def test_distinct_addresses_are_in_order() -> None:
    hi, lo = np.array([2, 0, 2], np.uint64), np.array([1, 1 << 63, 1], np.uint64)

    found = distinct_addresses(hi, lo)

    assert (found[0].tolist(), found[1].tolist()) == ([0, 2], [1 << 63, 1])
