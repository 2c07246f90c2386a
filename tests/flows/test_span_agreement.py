"""One capture of a mirror port through file and flow table, against its truth, against what other programs exported for
it, and against its own export; and connections with known figures from a file to quality rows.
"""

import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from btimd.capture.packetfile import PacketFile
from btimd.capture.replay import CaptureFile
from btimd.capture.wire.decoder import FlowDecoder
from btimd.capture.wire.ipfixexport import FlowEncoder
from btimd.flows.attribution import Attribution
from btimd.flows.plan import compile_plan
from btimd.flows.quality import QualityWindows
from btimd.flows.table import FlowTable
from btimd.kernels import headers as h
from btimd.kernels import packets as p
from btimd.kernels.packetlayout import F_AT, F_LINK, F_OCTETS
from btimd.model.address import Prefix, address_halves, address_text
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from btimd.model.packets import PacketBlock
from btimd.model.quality import COUNTERS, SAMPLE_KINDS, QualityRow
from btimd.model.service import ServiceRule
from tests.capture import captures
from tests.capture.conversations import START, Frames, tcp_frame, write_pcapng
from tests.capture.test_span_frames import OTHER_FLOWS, address, parsed, truth_of
from tests.flows.traffic import EAST, ERP, WEST

pytestmark = pytest.mark.timeout(600)  # the first may compile every kernel
SPAN = captures.DATA / "span" / "mix" / "span_dev.pcap"
EXPORTED = captures.DATA / "flows_exported_by_tools"
needs_data = pytest.mark.skipif(
    not SPAN.is_file(), reason=f"the captures are not published with the project: {SPAN} is absent"
)

Key = tuple[int, str, int, str, int]
MILLISECOND = 1_000_000


class Total(NamedTuple):
    packets: int
    octets: int

    def plus(self, other: tuple[int, int]) -> "Total":
        return Total(self.packets + other[0], self.octets + other[1])


Totals = dict[Key, Total]
NOTHING = Total(0, 0)


def totals(flows: FlowBatch, octets: str = "octet_delta_count") -> Totals:
    """Return what records of one direction of a 5-tuple add up to; ports of ICMP are 0."""
    found: Totals = {}
    for at in range(len(flows)):
        source, destination = (
            address_text(int(flows[f"{end}_address_hi"][at]), int(flows[f"{end}_address_lo"][at]))
            for end in ("source", "destination")
        )
        protocol = int(flows["protocol_identifier"][at])
        ports = (
            (0, 0)
            if protocol in {1, 58}
            else (int(flows["source_transport_port"][at]), int(flows["destination_transport_port"][at]))
        )
        key = protocol, source, ports[0], destination, ports[1]
        count = int(flows["packet_delta_count"][at]), int(flows[octets][at])
        found[key] = found.get(key, NOTHING).plus(count)
    return found


def flows_of(path: Path) -> tuple[FlowBatch, FlowTable]:
    """Return the records of a capture, and the table they come from."""
    table = FlowTable()
    for block in PacketFile(path).blocks():
        table.add(block)
    return table.flush().flows, table


@needs_data
def test_the_flows_of_a_capture_are_those_of_its_truth() -> None:
    flows, table = flows_of(SPAN)
    found: Counter[Any] = Counter()
    for (protocol, source, source_port, destination, destination_port), total in totals(
        flows, "layer2_octet_delta_count"
    ).items():
        key = protocol, *sorted(((source, source_port), (destination, destination_port)))
        found[key] += total.packets
        found[*key, "octets"] += total.octets
    truth = truth_of(SPAN)
    for key, (packets, octets) in OTHER_FLOWS["mix/span_dev.pcap"][0].items():
        truth.flows[key] += packets
        truth.flows[*key, "octets"] += octets
    assert found == truth.flows
    assert (table.counters.packets, table.counters.octets) == (truth.packets, truth.octets)
    assert int(flows["packet_delta_count"].sum()) == truth.packets - table.counters.not_ip


class Frame(NamedTuple):
    """What of a frame makes programs count differently. layer2: octets before the IP header that is counted."""

    key: Key
    octets: int
    padding: int
    layer2: int
    tunnelled: bool
    ethernet: bool
    outer: tuple[str, str]


def frames(block: PacketBlock) -> Iterator[Frame]:
    """Yield the IP frames of a block."""
    statuses, out = parsed(block)
    for status, row, frame in zip(statuses.tolist(), out.tolist(), block.frames.T.tolist(), strict=True):
        if status == h.NO_ADDRESSES:
            continue
        ends = [address(row[at], row[at + 1]) for at in (h.H_SOURCE_HI, h.H_DESTINATION_HI)]
        outer = [address(row[at], row[at + 1]) for at in (p.P_OUTER_SOURCE_HI, p.P_OUTER_DESTINATION_HI)]
        protocol = row[h.H_PROTOCOL]
        ports = (0, 0) if protocol in {1, 58} else (row[h.H_SOURCE_PORT], row[h.H_DESTINATION_PORT])
        layer2 = row[h.H_IP_AT] - frame[F_AT]
        octets = min(row[h.H_IP_OCTETS], frame[F_OCTETS] - layer2)
        yield Frame(
            key=(protocol, ends[0], ports[0], ends[1], ports[1]),
            octets=octets,
            padding=frame[F_OCTETS] - layer2 - octets,
            layer2=layer2,
            tunnelled=bool(row[p.P_DEPTH]),
            ethernet=frame[F_LINK] == h.LINK_ETHERNET,
            outer=(outer[0], outer[1]),
        )


class Program(NamedTuple):
    """How a program counts. sees: the frames whose innermost packet it takes; others it leaves out, or counts by what
    is outside. pads: whether it counts what fills up short frames. other: what else it counts differently, and why.
    """

    sees: Callable[[Frame], bool]
    pads: bool
    other: dict[Key, tuple[int, int]]


_MOBILE = ("2001:4f8:4:7:2e0:81ff:fe52:ffff", "2001:4f8:4:7:2e0:81ff:fe52:9a6b")
SOFTFLOWD = Program(
    # It knows Ethernet, one VLAN tag, and no label, PPPoE or tunnel.
    sees=lambda frame: frame.ethernet and not frame.tunnelled and frame.layer2 in {14, 18},
    pads=True,
    other={
        # It reads destination options that are longer than their header has room for in another way, see OTHER_FLOWS.
        (17, _MOBILE[0], 0, _MOBILE[1], 0): (-1, -92),
        (17, _MOBILE[0], 30_000, _MOBILE[1], 13_000): (1, 92),
    },
)
PMACCTD = Program(
    # It knows tags, labels and PPPoE besides, but not the Ethernet frames in pseudowires.
    sees=lambda frame: frame.ethernet and not frame.tunnelled and frame.layer2 <= 30,
    pads=False,
    other={
        (17, _MOBILE[0], 0, _MOBILE[1], 0): (-1, -76),
        (17, _MOBILE[0], 30_000, _MOBILE[1], 13_000): (1, 76),
        # It gives later fragments the ports of the first.
        (17, "164.1.123.163", 0, "164.1.123.61", 0): (-2, -272),
        (17, "164.1.123.163", 123, "164.1.123.61", 137): (2, 272),
        (17, "239.114.155.111", 0, "63.94.149.181", 0): (-1, -36),
        (17, "63.94.149.181", 0, "239.114.155.111", 0): (-35, -1260),
        # It believes an IP header that says more than its frame has.
        (6, "192.168.0.2", 1550, "192.168.0.1", 23): (0, 126),
    },
)
EXPORTS = {
    "softflowd-ipfix-dev.pcap": SOFTFLOWD,
    "softflowd-ipfix-micro-dev.pcap": SOFTFLOWD,
    "softflowd-ipfix-nano-bidir-dev.pcap": SOFTFLOWD,
    "softflowd-ipfix-bidir-ether-dev.pcap": SOFTFLOWD,
    "softflowd-v9-dev.pcap": SOFTFLOWD,
    "softflowd-v9-vlan-dev.pcap": SOFTFLOWD,
    "softflowd-v5-dev.pcap": SOFTFLOWD,
    "pmacctd-nfprobe-v10-dev.pcap": PMACCTD,
    "pmacctd-nfprobe-v9-dev.pcap": PMACCTD,
    "pmacctd-nfprobe-v5-dev.pcap": PMACCTD,
}


def as_counted_by(program: Program, path: Path) -> tuple[Totals, set[tuple[str, str]]]:
    """Return our flows of a capture as a program must have them, and the ends of tunnels, whose flows it has instead."""
    found = totals(flows_of(path)[0])
    tunnels: set[tuple[str, str]] = set()
    for frame in (frame for block in PacketFile(path).blocks() for frame in frames(block)):
        if not program.sees(frame):
            found[frame.key] = found[frame.key].plus((-1, -frame.octets))
        elif program.pads:
            found[frame.key] = found[frame.key].plus((0, frame.padding))
        if frame.tunnelled:
            tunnels.add(frame.outer)
    for key, difference in program.other.items():
        found[key] = found[key].plus(difference)
    return {key: total for key, total in found.items() if total != NOTHING}, tunnels


@needs_data
@pytest.mark.parametrize("name", EXPORTS)
def test_what_other_programs_export_for_a_capture_agrees_flow_by_flow(name: str) -> None:
    wanted, tunnels = as_counted_by(EXPORTS[name], SPAN)
    decoder = FlowDecoder()
    theirs = totals(FlowBatch.concat([decoder.decode(block) for block in CaptureFile(EXPORTED / name).blocks()]))
    if "v5" in name:  # which has no IPv6
        wanted = {key: total for key, total in wanted.items() if ":" not in key[1]}
    outside = {key for key in theirs if (key[1], key[3]) in tunnels and key not in wanted}
    outside |= {key for key, total in theirs.items() if total == NOTHING}  # the empty halves of two-way records
    assert {key: total for key, total in theirs.items() if key not in outside} == wanted
    assert len(wanted) > 500


@needs_data
def test_what_we_export_for_a_capture_comes_back_record_by_record() -> None:
    flows, _ = flows_of(SPAN)
    now = int(flows["flow_end_milliseconds"].max())
    messages = [bytes(message.octets) for message in FlowEncoder().encode(flows, domain=7, now_milliseconds=now)]
    hi, lo = address_halves("192.0.2.1")
    block = DatagramBlock(
        slab=np.frombuffer(b"".join(messages), np.uint8),
        offsets=np.cumsum([0, *map(len, messages)], dtype=np.int64),
        source_hi=np.full(len(messages), hi, np.uint64),
        source_lo=np.full(len(messages), lo, np.uint64),
        source_port=np.full(len(messages), 4739, np.uint16),
        arrival_milliseconds=np.full(len(messages), now, np.int64),
    )
    decoder = FlowDecoder()
    back = decoder.decode(block)
    names = [
        "source_address_hi", "source_address_lo", "destination_address_hi", "destination_address_lo",
        "source_transport_port", "destination_transport_port", "protocol_identifier", "ip_class_of_service",
        "tcp_control_bits", "vlan_id", "octet_delta_count", "packet_delta_count", "flow_start_milliseconds",
        "flow_end_milliseconds",
    ]  # fmt: skip

    def rows(batch: FlowBatch) -> list[tuple[int, ...]]:
        return sorted(zip(*(batch[name].tolist() for name in names), strict=True))

    assert rows(back) == rows(flows)
    assert (decoder.counters.records, decoder.counters.skipped_records) == (len(flows), 0)


NAME_SERVER = "172.16.0.53"


def with_dns() -> Attribution:
    """Return two places, the ERP on port 443 of its server, and DNS."""
    plan, problems = compile_plan((EAST, WEST), 1)
    assert not problems
    rules = (
        ServiceRule("erp", ("erp",), Prefix.parse(f"{ERP}/32"), 6, 443, 443),
        ServiceRule("dns", ("dns",), Prefix.parse(f"{NAME_SERVER}/32"), 17, 53, 53),
    )
    return Attribution(plan, rules, ("erp", "dns"), 1)


class Segment(NamedTuple):
    """When (ms), from whom, flags, and from which octet of the sender's to which its payload is."""

    at: float
    to_server: bool
    flags: str
    begin: int = 0
    end: int = 0


def connection(client: str, port: int, *segments: Segment, at: int) -> Frames:
    """Return a TCP connection with the ERP; both sides acknowledge all that they have seen."""
    frames: Frames = []
    next_octet = {True: 1000, False: 9000}
    for segment in segments:
        first = 1000 if segment.to_server else 9000
        seq = first if "S" in segment.flags else first + 1 + segment.begin
        frame = tcp_frame(
            to_server=segment.to_server, client=client, server=ERP, ports=(port, 443), flags=segment.flags, seq=seq,
            ack=0 if segment.flags == "S" else next_octet[not segment.to_server],
            payload=bytes(segment.end - segment.begin),
        )  # fmt: skip
        frames.append((at + round(segment.at * MILLISECOND), frame))
        reached = seq + segment.end - segment.begin + ("S" in segment.flags)
        next_octet[segment.to_server] = max(next_octet[segment.to_server], reached)
    return frames


def exchange(client: str, port: int, *, server_leg: float, client_leg: float, response: float, at: int) -> Frames:
    """Return a connection with a question of 200 octets and an answer of two segments, the first of them sent again."""
    asked = server_leg + client_leg + 1
    return connection(
        client, port,
        Segment(0, to_server=True, flags="S"),
        Segment(server_leg, to_server=False, flags="SA"),
        Segment(server_leg + client_leg, to_server=True, flags="A"),
        Segment(asked, to_server=True, flags="PA", end=200),
        Segment(asked + response, to_server=False, flags="A", end=1000),
        Segment(asked + response + 1, to_server=False, flags="PA", begin=1000, end=1500),
        Segment(asked + response + 400, to_server=False, flags="A", end=1000),
        Segment(asked + response + 401, to_server=True, flags="A", begin=200, end=200),
        at=at,
    )  # fmt: skip


def question(client: str, number: int, code: int | None, *, took: float, at: int) -> Frames:
    """Return a DNS query, and its answer with this code; None: nothing answers."""
    name = b"\x04host\x07example\x00" + struct.pack(">HH", 1, 1)
    head = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    ask = struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + name
    asked = head / IP(src=client, dst=NAME_SERVER) / UDP(sport=30_000 + number, dport=53) / ask
    if code is None:
        return [(at, bytes(asked))]
    answer = struct.pack(">HHHHHH", number, 0x8180 | code, 1, 0, 0, 0) + name
    answered = head / IP(src=NAME_SERVER, dst=client) / UDP(sport=53, dport=30_000 + number) / answer
    return [(at, bytes(asked)), (at + round(took * MILLISECOND), bytes(answered))]


def figures(row: QualityRow) -> dict[str, Any]:
    """Return what a row counts, and the number, least and greatest (ms) of what it measured; without what is 0."""
    found: dict[str, Any] = {name: getattr(row, name) for name in COUNTERS if getattr(row, name)}
    for kind in SAMPLE_KINDS:
        measured = getattr(row, kind)
        if measured.count:
            least, greatest = measured.least_seconds * 1000, measured.greatest_seconds * 1000
            found[kind] = measured.count, round(least, 6), round(greatest, 6)
    return found


def test_connections_with_known_figures_are_told_so_per_business_region_and_server(tmp_path: Path) -> None:
    east, west = "10.1.0.1", "10.2.0.1"
    file = write_pcapng(
        tmp_path / "span.pcapng",
        exchange(east, 40_001, server_leg=20, client_leg=5, response=100, at=START),
        exchange(east, 40_002, server_leg=22, client_leg=7, response=300, at=START + 1000 * MILLISECOND),
        exchange(west, 40_003, server_leg=20, client_leg=80, response=100, at=START),
        connection(
            west, 40_004, Segment(0, to_server=True, flags="S"), Segment(20, to_server=False, flags="RA"), at=START
        ),
        connection(east, 40_005, Segment(0, to_server=True, flags="S"), at=START),
        question(east, 1, 0, took=4, at=START),
        question(east, 2, 3, took=6, at=START),
        question(west, 3, 2, took=90, at=START),
        question(west, 4, None, took=0, at=START),
    )
    table, windows = FlowTable(), QualityWindows(with_dns())
    for block in PacketFile(file).blocks():
        table.add(block)
    seconds = [START // 10**9 + second for second in range(1, 12)]
    for second in seconds:
        windows.add(table.harvest(second * 10**9), second * 1000)
    windows.add(table.flush(), seconds[-1] * 1000)
    fine = [interval for interval in windows.flush() if interval.interval_milliseconds == 10_000]

    assert [interval.interval_start_milliseconds for interval in fine] == [START // MILLISECOND]
    assert {(row.business, row.region, row.server): figures(row) for row in fine[0].rows} == {
        ("erp", "east", f"{ERP}:443"): {
            "connections_attempted": 3, "connections_established": 2, "connections_unanswered": 1,
            "segments_to_server": 5, "segments_to_client": 8, "segments_retransmitted_to_client": 2, "requests": 2,
            "client_leg": (2, 5, 7), "server_leg": (2, 20, 22), "response": (2, 100, 300),
        },
        ("erp", "west", f"{ERP}:443"): {
            "connections_attempted": 2, "connections_established": 1, "connections_refused": 1,
            "segments_to_server": 3, "segments_to_client": 4, "segments_retransmitted_to_client": 1, "requests": 1,
            "client_leg": (1, 80, 80), "server_leg": (1, 20, 20), "response": (1, 100, 100),
        },
        ("dns", "east", f"{NAME_SERVER}:53"): {
            "dns_queries": 2, "dns_answers": 2, "dns_nxdomain": 1, "dns_response": (2, 4, 6),
        },
        ("dns", "west", f"{NAME_SERVER}:53"): {
            "dns_queries": 2, "dns_answers": 1, "dns_servfail": 1, "dns_unanswered": 1, "dns_response": (1, 90, 90),
        },
    }  # fmt: skip
