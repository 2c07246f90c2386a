"""Packets of an enterprise as a mirror port shows them, and what is true of them.

python -m bench.packets FILE [--packets N] [--flows N] [--full]

TCP connections with handshakes, requests, answers, acknowledgements, FINs, some resets, refusals, SYNs without answer
and retransmissions; DNS over UDP; some connections in a VLAN. Clients by Zipf's law over the plan of `bench.traffic`,
its services, a tenth to nobody's server; packets of all flows interleaved over a minute. The same seed makes the same
octets. Frames are not padded to 60 octets, so that every tool means the same by octets: what the IP header says.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.frames import frame_octets, wire_octets, write_frames
from bench.traffic import ADDRESSES, PREFIXES, RULES, START, Network, make_plan, make_rules
from btimd.flows.plan import PlanEntry
from btimd.model.address import address_halves
from btimd.model.service import ServiceRule

SECONDS, SNAP, PACKETS_PER_FLOW = 60, 96, 50
CLOSED, RESET, REFUSED, UNANSWERED, DNS, OPEN = range(6)
"""Kinds of flows: how a connection ends; OPEN: it does not."""
SHARES = {CLOSED: 0.78, RESET: 0.02, REFUSED: 0.01, UNANSWERED: 0.01, DNS: 0.18, OPEN: 0.0}
_FIXED = np.array([6, 4, 2, 1, 2, 3])
_HAS_BODY = np.array([True, True, False, False, False, True])
RETRANSMITTED, NXDOMAIN, NOBODY, TAGGED = 0.004, 0.03, 0.1, 0.1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
DNS_QUERY, DNS_ANSWER = 34, 50
Ints = npt.NDArray[np.int64]
Place = tuple[str, str, str]
"""Business, region, segment."""


@dataclass(frozen=True, slots=True)
class Flows:
    """A column per fact about a connection, all of one length."""

    kind: Ints
    client: Ints
    rule: Ints
    """-1: nobody's server."""
    client_hi: npt.NDArray[np.uint64]
    client_lo: npt.NDArray[np.uint64]
    server_hi: npt.NDArray[np.uint64]
    server_lo: npt.NDArray[np.uint64]
    client_port: Ints
    server_port: Ints
    tagged: npt.NDArray[np.bool_]
    six: npt.NDArray[np.bool_]
    code: Ints
    """Where its sequence numbers begin, and the id of its DNS query."""
    missing: npt.NDArray[np.bool_]
    """The name that it asks for does not exist."""


@dataclass(frozen=True, slots=True)
class Packets:
    """A column per fact about a packet, all of one length, in the order of time."""

    flows: Flows
    flow: Ints
    microseconds: Ints
    """Since `START`."""
    answer: npt.NDArray[np.bool_]
    """The server sent it."""
    flags: Ints
    payload: Ints
    sequence: Ints
    acknowledged: Ints
    number: Ints
    """Of the packet in its flow; also the identification in the IPv4 header."""
    again: npt.NDArray[np.bool_]
    """Retransmitted."""

    def __len__(self) -> int:
        return len(self.flow)

    def part(self, begin: int, end: int) -> "Packets":
        """Return some of the packets."""
        columns = {each.name: getattr(self, each.name)[begin:end] for each in fields(self)[1:]}
        return Packets(self.flows, **columns)


def draw_flows(network: Network, count: int, chance: np.random.Generator, *, only_open: bool = False) -> Flows:
    """Return connections; every (address, port) of clients is one connection only, up to 60,000 of an address."""
    kinds = np.array(list(SHARES))
    kind = np.full(count, OPEN) if only_open else chance.choice(kinds, count, p=np.array(list(SHARES.values())))
    client = np.searchsorted(network.popularity, chance.random(count), side="right")
    rule = network.habits[client, chance.integers(0, network.habits.shape[1], count)]
    is_dns = kind == DNS
    nobody = is_dns | (chance.random(count) < NOBODY)
    six = network.client_hi[client] != 0
    # Clients of nested prefixes may share an address, and then its ports too.
    _, address_of = np.unique(np.stack([network.client_hi, network.client_lo]), axis=1, return_inverse=True)
    address = address_of.ravel()[client]
    order = np.argsort(address, kind="stable")
    edges = np.flatnonzero(np.diff(address[order], prepend=-1))
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count) - np.repeat(edges, np.diff(edges, append=count))
    ends = []
    for half in range(2):
        web, names = ([address_halves(text)[half] for text in pair] for pair in (
            ("192.0.2.1", "2001:db8:ffff::1"), ("192.0.2.53", "2001:db8:ffff::53")
        ))  # fmt: skip
        other = np.where(is_dns, *(np.where(six, *np.array(pair[::-1], np.uint64)) for pair in (names, web)))
        ends.append(np.where(nobody, other, (network.server_hi, network.server_lo)[half][rule]))
    server_port = np.where(is_dns, 53, np.where(nobody, 443, network.port[rule].astype(np.int64)))
    return Flows(
        kind.astype(np.int64), client.astype(np.int64), np.where(nobody, -1, rule), network.client_hi[client],
        network.client_lo[client], ends[0], ends[1], 5_000 + rank % 60_000, server_port,
        chance.random(count) < TAGGED, six, chance.integers(0, 1 << 32, count), chance.random(count) < NXDOMAIN,
    )  # fmt: skip


def _within(flow: Ints, first: Ints, values: Ints) -> Ints:
    """Return the sum of what stands before in the same flow."""
    before = np.cumsum(values) - values
    return before - before[first][flow]


def draw(
    network: Network, packets: int, count: int | None = None, seed: int = 11, *, only_open: bool = False,
    seconds: int = SECONDS,
) -> Packets:  # fmt: skip
    """Return exactly so many packets of so many connections."""
    chance = np.random.default_rng(seed)
    count = count or max(1, packets // PACKETS_PER_FLOW)
    flows = draw_flows(network, count, chance, only_open=only_open)
    repeated = 0 if only_open else int(packets * RETRANSMITTED)
    has_body = _HAS_BODY[flows.kind]
    rest = packets - repeated - int(_FIXED[flows.kind].sum())
    if rest < 0 or not has_body.any():
        raise SystemExit(f"{packets} packets are too few for {count} connections")
    weight = np.where(has_body, chance.lognormal(0.0, 1.5, count), 0.0)
    body = (weight / weight.sum() * rest).astype(np.int64)
    body[np.flatnonzero(has_body)[:1]] += rest - body.sum()
    size = _FIXED[flows.kind] + body
    first = np.cumsum(size) - size
    flow = np.repeat(np.arange(count), size)
    at = np.arange(len(flow)) - first[flow]
    answer, flags, payload = _roles(flows.kind[flow], at, size[flow] - at, chance)
    payload[flows.missing[flow] & (flows.kind[flow] == DNS)] = DNS_QUERY  # an answer without an address
    spent = payload + (flags & SYN > 0) + (flags & FIN > 0)
    is_tcp = flows.kind[flow] != DNS
    spent = np.where(is_tcp, spent, 0)
    by_client, by_server = (_within(flow, first, np.where(side, spent, 0)) for side in (~answer, answer))
    begin = flows.code[flow]
    sequence = np.where(answer, begin + 7_777 + by_server, begin + by_client) & 0xFFFF_FFFF
    acknowledged = np.where(answer, begin + by_client, begin + 7_777 + by_server) & 0xFFFF_FFFF
    acknowledged = np.where(flags & ACK, acknowledged, 0)
    data = np.flatnonzero(is_tcp & (payload > 0))
    copies = np.ones(len(flow), np.int64)
    copies[chance.choice(data, repeated, replace=False)] = 2
    rows = np.repeat(np.arange(len(flow)), copies)
    again = np.diff(rows, prepend=-1) == 0
    flow, first = flow[rows], np.searchsorted(flow[rows], np.arange(count))
    microseconds = _times(flow, first, again, chance, seconds)
    order = np.argsort(microseconds, kind="stable")
    number = (np.arange(len(flow)) - first[flow])[order]
    rows = rows[order]
    return Packets(
        flows, flow[order], microseconds[order], answer[rows], flags[rows], payload[rows], sequence[rows],
        acknowledged[rows], number, again[order],
    )  # fmt: skip


def _roles(kind: Ints, at: Ints, left: Ints, chance: np.random.Generator) -> tuple[npt.NDArray[np.bool_], Ints, Ints]:
    """Return who sends each packet, its TCP flags and its payload. at: its number; left: packets to the end, it too."""
    count = len(at)
    step = (at - 3) % 6  # request, answer, answer, ACK, end of the answer, ACK
    ending = ((kind == CLOSED) & (left <= 3)) | ((kind == RESET) & (left == 1))
    body = (at >= 3) & ~ending & (kind != DNS)
    handshake = (at < 3) & (kind != DNS)
    dns = kind == DNS
    refusal = (kind == REFUSED) & (at == 1)
    answer = np.where(body, (step == 1) | (step == 2) | (step == 4), at == 1)
    answer = np.where(ending, (kind == RESET) | (left == 2), answer)
    flags = np.full(count, ACK)
    flags[handshake & (at == 0)] = SYN
    flags[handshake & (at == 1)] = SYN | ACK
    flags[refusal | (ending & (kind == RESET))] = RST | ACK
    flags[ending & (kind == CLOSED) & (left >= 2)] = FIN | ACK
    size = chance.integers(50, 1_200, count)
    payload = np.where(body & ((step == 1) | (step == 2)), 1_400, np.where(body & ((step == 0) | (step == 4)), size, 0))
    flags[body & ((step == 0) | (step == 4))] |= PSH
    flags[dns] = 0
    return answer, flags, np.where(dns, np.where(answer, DNS_ANSWER, DNS_QUERY), payload)


def _times(flow: Ints, first: Ints, again: npt.NDArray[np.bool_], chance: np.random.Generator, seconds: int) -> Ints:
    """Return when each packet passes, in us: a retransmission 0.2 s after the original, others after some ms."""
    gap = 20.0 + chance.exponential(8_000, len(flow))
    gap[again] = 200_000
    gap[first] = 0
    total = np.cumsum(gap)
    since = total - total[first][flow]
    last = np.append(first[1:], len(flow)) - 1
    lasts = since[last]
    scale = np.minimum(1.0, 0.95 * seconds * 1e6 / np.maximum(lasts, 1.0))
    start = chance.random(len(first)) * (seconds * 1e6 - lasts * scale)
    found: Ints = (start[flow] + since * scale[flow]).astype(np.int64)
    return found


@dataclass(frozen=True, slots=True)
class Truth:
    """What is in a capture, from what the generator knows. octets: by the IP header.

    cells: octets to the server, to the client, and packets of each (business, region, segment) over all the time; a
    rule with two owners counts for both. quality: of all TCP and DNS, by the names of model.quality.COUNTERS.
    """

    packets: int
    octets: int
    frame_octets: int
    flows: int
    packets_of_six: int
    tcp_packets: int
    udp_packets: int
    cells: dict[Place, tuple[int, int, int]]
    quality: dict[str, int]

    @classmethod
    def of(
        cls, packets: Packets, network: Network, entries: Sequence[PlanEntry], rules: Sequence[ServiceRule]
    ) -> "Truth":
        """Add up packets."""
        flows, flow = packets.flows, packets.flow
        octets = wire_octets(packets)
        names = sorted({business for rule in rules for business in rule.businesses} | {""})
        of_client = network.places(entries)
        places = sorted(set(of_client))
        numbers = {place: number for number, place in enumerate(places)}
        place = np.array([numbers[each] for each in of_client])[flows.client]
        cells: dict[Place, tuple[int, int, int]] = {}
        for owner in range(max(len(rule.businesses) for rule in rules)):
            # The last one is of nobody's server: the business without a name.
            owned = [rule.businesses[owner] if owner < len(rule.businesses) else None for rule in rules]
            of_rule = np.array([-1 if name is None else names.index(name) for name in [*owned, None if owner else ""]])
            business = of_rule[flows.rule]
            chosen = business[flow] >= 0
            cell = (business * len(places) + place)[flow][chosen]
            size, down = octets[chosen], packets.answer[chosen]
            columns = [
                np.bincount(cell, weights, len(names) * len(places)).astype(np.int64)
                for weights in (np.where(down, 0, size), np.where(down, size, 0), None)
            ]
            for each in np.flatnonzero(columns[2]).tolist():
                key = (names[each // len(places)], *places[each % len(places)])
                before = cells.get(key, (0, 0, 0))
                up, to_client, passed = (int(column[each]) + old for column, old in zip(columns, before, strict=True))
                cells[key] = (up, to_client, passed)
        is_tcp = flows.kind[flow] != DNS
        return cls(
            len(packets), int(octets.sum()), int(frame_octets(packets).sum()), len(flows.kind),
            int(flows.six[flow].sum()), int(is_tcp.sum()), int((~is_tcp).sum()), cells, _quality(packets),
        )  # fmt: skip


def _quality(packets: Packets) -> dict[str, int]:
    kind, down = packets.flows.kind, packets.answer
    is_tcp = kind[packets.flow] != DNS
    dns = int((kind == DNS).sum())
    missing = int(packets.flows.missing[kind == DNS].sum())
    counts = is_tcp & ((packets.payload > 0) | (packets.flags & (SYN | FIN) > 0))  # what has sequence numbers
    sums = {
        "connections_attempted": kind != DNS,
        "connections_established": (kind == CLOSED) | (kind == RESET) | (kind == OPEN),
        "connections_refused": kind == REFUSED,
        "connections_unanswered": kind == UNANSWERED,
        "connections_reset_by_server": kind == RESET,
        "segments_to_server": counts & ~down,
        "segments_to_client": counts & down,
        "segments_retransmitted_to_server": packets.again & ~down,
        "segments_retransmitted_to_client": packets.again & down,
    }
    return {name: int(each.sum()) for name, each in sums.items()} | {
        "dns_queries": dns, "dns_answers": dns, "dns_nxdomain": missing
    }  # fmt: skip


def enterprise() -> tuple[list[PlanEntry], list[ServiceRule], Network]:
    """Return the plan, the services and the clients that all benches use."""
    entries, rules = make_plan(PREFIXES), make_rules(RULES)
    return entries, rules, Network.of(entries, rules, ADDRESSES)


def write_capture(path: Path, packets: Packets, snap: int = SNAP) -> int:
    """Write a pcap file of microseconds, each frame cut off after `snap` octets; return its size."""
    return write_frames(path, _parts(packets, 200_000 if snap <= SNAP else 20_000), START, snap)


def _parts(packets: Packets, size: int) -> Iterator[Any]:
    for begin in range(0, len(packets), size):
        yield packets.part(begin, begin + size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--packets", type=int, default=5_000_000)
    parser.add_argument("--flows", type=int)
    parser.add_argument("--full", action="store_true", help="whole frames, not 96 octets of each")
    arguments = parser.parse_args()
    began = time.monotonic()
    entries, rules, network = enterprise()
    packets = draw(network, arguments.packets, arguments.flows)
    truth = Truth.of(packets, network, entries, rules)
    size = write_capture(arguments.path, packets, 65_535 if arguments.full else SNAP)
    print(f"{truth.packets:,} packets of {truth.flows:,} flows, {truth.octets:,} octets, "
          f"{truth.packets_of_six / truth.packets:.0%} IPv6, {len(truth.cells):,} cells, {truth.quality}; "
          f"{size:,} octets of file in {time.monotonic() - began:.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
