"""Records -> conversations: who is the client, and the archive's sums where the port tells it."""

import numpy as np
import pytest

from btimd.flows.conversations import Traffic, address_ids, build_traffic, joined, traffic_of
from btimd.model.address import address_halves, address_text
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from tests.flows.worlds_discovery import SYN, T0, UDP, Records, attribution, traffic, world


def conversations(records: Records, *, by_evidence: bool = True) -> list[tuple[str, str, int, int, int, int]]:
    """Return client, server, port, flows, octets, answered of each conversation."""
    found = traffic(records.batch(), attribution(), by_evidence=by_evidence).conversations
    return sorted(
        (
            address_text(int(found.client_hi[row]), int(found.client_lo[row])),
            address_text(int(found.server_hi[row]), int(found.server_lo[row])),
            int(found.server_port[row]), int(found.flows[row]), int(found.octets[row]), int(found.answered[row]),
        )
        for row in range(len(found))
    )  # fmt: skip


def test_both_directions_are_one_conversation() -> None:
    out = Records()
    for port in (40_000, 40_001):
        out.both("10.1.0.1", port, "10.20.1.10", 443, at=T0, octets=4000)

    assert conversations(out) == [("10.1.0.1", "10.20.1.10", 443, 2, 10_000, 1)]


def test_a_server_above_the_ports_of_its_clients_is_found_by_who_began() -> None:
    out = Records()
    out.both("10.1.0.1", 33_000, "10.20.1.10", 61_000, at=T0, octets=4000)

    assert conversations(out) == [("10.1.0.1", "10.20.1.10", 61_000, 1, 5000, 1)]
    assert conversations(out, by_evidence=False) == [("10.20.1.10", "10.1.0.1", 33_000, 1, 5000, 1)]


def test_a_scanner_with_one_source_port_is_no_server_of_all_it_scans() -> None:
    out = Records()
    for host in range(1, 40):
        out.both("10.1.0.9", 44_444, f"10.20.1.{host}", 50_000 + host, at=T0 + host, packets=1, octets=80)

    assert {client for client, *_ in conversations(out)} == {"10.1.0.9"}


def test_a_lone_syn_is_the_client_s() -> None:
    out = Records()
    out.one("10.1.0.1", 33_000, "10.20.1.10", 61_000, at=T0, flags=SYN, packets=1, octets=44)

    assert conversations(out) == [("10.1.0.1", "10.20.1.10", 61_000, 1, 44, 0)]


def test_ports_mean_nothing_without_a_protocol_that_has_them_and_equal_ones_make_the_lower_address_the_server() -> None:
    out = Records()
    out.one("10.1.0.1", 0, "10.20.1.10", 2048, at=T0, protocol=1, octets=100)
    out.one("10.1.0.1", 123, "10.0.0.5", 123, at=T0, protocol=UDP, octets=90)

    assert conversations(out, by_evidence=False) == [
        ("10.1.0.1", "10.0.0.5", 123, 1, 90, 0),
        ("10.20.1.10", "10.1.0.1", 0, 0, 100, 0),
    ]


def test_the_sums_of_the_world_are_those_of_plain_python() -> None:
    batch = world(1, 20)
    found = traffic(batch, attribution(), by_evidence=False).conversations
    sums: dict[tuple[int, int, int, int], list[int]] = {}
    for row in batch.rows():
        source, target = row["source_address_lo"], row["destination_address_lo"]
        near, far = (row["source_transport_port"], source), (row["destination_transport_port"], target)
        to_server = far < near
        server, client = (far, near) if to_server else (near, far)
        one = sums.setdefault((client[1], server[1], server[0], row["protocol_identifier"]), [0, 0, 0])
        one[0] += to_server
        one[1] += row["octet_delta_count"]
        one[2] |= 1 if to_server else 2

    assert {
        key: [flows, octets, answered]
        for *columns, flows, octets, answered in zip(
            found.client_lo.tolist(), found.server_lo.tolist(), found.server_port.tolist(), found.protocol.tolist(),
            found.flows.tolist(), found.octets.tolist(), found.answered.tolist(), strict=True,
        )
        for key in [tuple(columns)]
    } == {key: [flows, octets, int(seen == 3)] for key, (flows, octets, seen) in sums.items()}  # fmt: skip


def test_with_few_places_those_with_the_most_flows_are_kept_and_that_is_said() -> None:
    found = attribution()
    out = Records()
    for host in range(1, 11):
        for port in range(host):
            out.both(f"10.1.0.{host}", 40_000 + port, "10.20.1.10", 443, at=T0)
    held = build_traffic([found.attribute(out.batch())], (), 3).conversations

    assert (held.flows.tolist(), held.truncated) == ([10, 9, 8], True)


def test_ipv6_and_ipv4_addresses_are_told_apart() -> None:
    halves = [address_halves(text) for text in ("2001:db8::1", "10.0.0.1", "2001:db8::1", "2001:db9::1")]
    hi, lo = (np.array([half[side] for half in halves], np.uint64) for side in (0, 1))
    ids, first = address_ids(hi, lo)

    assert (ids.tolist(), first.tolist()) == ([1, 0, 1, 2], [1, 0, 3])


def test_times_that_follow_each_other_are_joined() -> None:
    found = attribution()
    one = traffic(world(1, 10), found)
    both = joined(traffic_of(one.conversations), one)

    assert (len(both), both.records, both.oriented) == (2 * len(one), one.records, False)


@pytest.mark.slow
def test_a_million_records_are_all_counted() -> None:
    count = 1 << 20
    chance = np.random.default_rng(1)
    base = address_halves("10.0.0.0")[1]
    batch = FlowBatch.of(
        flow_start_milliseconds=chance.integers(T0, T0 + 3_600_000, count),
        flow_end_milliseconds=np.full(count, T0 + 3_600_000),
        source_address_lo=(base + chance.integers(0, 50_000, count)).astype(np.uint64),
        destination_address_lo=(base + 0x140000 + chance.integers(0, 2000, count)).astype(np.uint64),
        source_transport_port=chance.integers(32_768, 60_000, count),
        destination_transport_port=chance.choice([53, 80, 443, 1521], count),
        protocol_identifier=np.full(count, 6),
        packet_delta_count=np.full(count, 10),
        octet_delta_count=np.full(count, 1000),
    )
    nobody = np.full(count, -1, np.int32)
    found: Traffic = build_traffic([AttributedBatch(batch, nobody, nobody, np.ones(count, np.uint8), 1)], (), 1 << 20)

    assert int(found.conversations.flows.sum()) == count
