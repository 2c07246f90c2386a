from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scapy.layers.dns import DNS
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Packet
from scapy.utils import PcapReader

from bench.frames import frame_octets, wire_octets
from bench.packetpeers import Load, label_truth, pmacctd_sums, run_peer, softflowd_totals, write_pmacctd
from bench.packets import ACK, OPEN, SYN, Packets, Truth, draw, write_capture
from bench.traffic import Network, make_plan, make_rules
from tests.programs import need

ENTRIES, SERVICE_RULES = make_plan(60), make_rules(20, 5)
NETWORK = Network.of(ENTRIES, SERVICE_RULES, 300)
PACKETS = draw(NETWORK, 3_000, 120)
TRUTH = Truth.of(PACKETS, NETWORK, ENTRIES, SERVICE_RULES)


def frames(path: Path, packets: Packets, snap: int) -> list[Packet]:
    write_capture(path, packets, snap)
    with PcapReader(str(path)) as file:
        return list(file)


def test_the_same_seed_makes_the_same_octets(tmp_path: Path) -> None:
    for name in ("one", "other"):
        write_capture(tmp_path / name, draw(NETWORK, 3_000, 120))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_the_truth_holds_every_packet() -> None:
    octets = wire_octets(PACKETS)
    assert (TRUTH.packets, TRUTH.flows, len(PACKETS)) == (3_000, 120, 3_000)
    assert TRUTH.octets == int(octets.sum())
    assert TRUTH.frame_octets == int(frame_octets(PACKETS).sum())
    only_owned = [rule for rule in SERVICE_RULES if len(rule.businesses) == 1]
    once = Truth.of(PACKETS, NETWORK, ENTRIES, [*only_owned, *([only_owned[0]] * 2)])  # no rule counts for two
    assert sum(cell[2] for cell in once.cells.values()) == 3_000
    assert sum(cell[0] + cell[1] for cell in once.cells.values()) == TRUTH.octets


def test_scapy_reads_what_the_truth_says(tmp_path: Path) -> None:
    found = frames(tmp_path / "full.pcap", PACKETS, 65_535)
    assert [len(frame) for frame in found] == frame_octets(PACKETS).tolist()
    assert [frame.wirelen for frame in found] == frame_octets(PACKETS).tolist()
    seen = Counter[str]()
    for number, frame in enumerate(found):
        flow = PACKETS.flow[number]
        seen["tagged"] += Dot1Q in frame
        assert (IPv6 in frame) == PACKETS.flows.six[flow]
        if IP in frame:
            assert Ether(bytes(frame))[IP].len == wire_octets(PACKETS)[number]
            remade = frame[IP].copy()
            del remade.chksum
            assert IP(bytes(remade)).chksum == frame[IP].chksum
        if TCP in frame:
            assert (frame[TCP].flags, frame[TCP].seq) == (PACKETS.flags[number], PACKETS.sequence[number])
            seen["SYN"] += frame[TCP].flags == SYN
        elif UDP in frame:
            assert frame[DNS].qd[0].qname == b"host.example.net."
            seen["answers"] += frame[DNS].qr
            seen["nxdomain"] += frame[DNS].rcode == 3
            assert frame[DNS].ancount == (frame[DNS].qr and frame[DNS].rcode == 0)
    assert seen["SYN"] == TRUTH.quality["connections_attempted"]
    assert (seen["answers"], seen["nxdomain"]) == (TRUTH.quality["dns_answers"], TRUTH.quality["dns_nxdomain"])
    assert seen["tagged"] == int(PACKETS.flows.tagged[PACKETS.flow].sum())


def test_each_end_goes_on_where_it_was_and_acknowledges_what_came() -> None:
    """Walk each connection with a dictionary of what either end has sent."""
    next_of: dict[tuple[int, bool], int] = {}
    again = 0
    for row in np.flatnonzero(PACKETS.flags).tolist():
        flow, answer = int(PACKETS.flow[row]), bool(PACKETS.answer[row])
        sequence, flags = int(PACKETS.sequence[row]), int(PACKETS.flags[row])
        before = next_of.get((flow, answer))
        after = (sequence + int(PACKETS.payload[row]) + bool(flags & 2) + bool(flags & 1)) % (1 << 32)
        if PACKETS.again[row]:
            assert after == before
            again += 1
        elif before is not None:
            assert sequence == before
        next_of[flow, answer] = after
        if flags & ACK and (flow, not answer) in next_of:
            assert int(PACKETS.acknowledged[row]) == next_of[flow, not answer]
    quality = TRUTH.quality
    assert again == quality["segments_retransmitted_to_server"] + quality["segments_retransmitted_to_client"] == 12


def test_connections_that_do_not_end() -> None:
    packets = draw(NETWORK, 300, 100, only_open=True)
    assert set(packets.flows.kind.tolist()) == {OPEN}
    flows = packets.flows
    ends = set(zip(flows.client_hi.tolist(), flows.client_lo.tolist(), flows.client_port.tolist(), strict=True))
    assert len(ends) == 100


def test_captures_are_cut_off_and_in_order(tmp_path: Path) -> None:
    found = frames(tmp_path / "short.pcap", PACKETS, 96)
    assert [len(frame) for frame in found] == np.minimum(frame_octets(PACKETS), 96).tolist()
    assert (np.diff(PACKETS.microseconds) >= 0).all()


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    path = tmp_path_factory.mktemp("load") / "load.pcap"
    write_capture(path, PACKETS)
    labels = label_truth(PACKETS, NETWORK, ENTRIES, SERVICE_RULES)
    return Load(path, TRUTH.packets, TRUTH.octets, labels, ENTRIES, SERVICE_RULES)


def test_labels_hold_every_packet_once(load: Load) -> None:
    octets, packets = (sum(row[number] for row in load.labels.values()) for number in range(2))
    assert (octets, packets) == (TRUTH.octets, TRUTH.packets)


@pytest.mark.slow
@pytest.mark.real_server
@pytest.mark.parametrize("tool", ["softflowd", "nfpcapd", "pmacctd labels"])
def test_the_peers_find_the_same_sums(tool: str, load: Load, tmp_path: Path) -> None:
    need(tool.split(maxsplit=1)[0])
    need("nfdump")
    run_peer(tool, load, tmp_path / "peer")  # ends the test at a difference


@pytest.mark.slow
@pytest.mark.real_server
def test_a_difference_ends_the_bench(load: Load, tmp_path: Path) -> None:
    need("softflowd")
    more = Load(load.path, load.packets + 1, load.octets, load.labels, ENTRIES, SERVICE_RULES)
    with pytest.raises(SystemExit, match=r"softflowd found .*, but there are 3001 packets"):
        run_peer("softflowd", more, tmp_path / "peer")


def test_what_tools_are_told_and_what_they_say(tmp_path: Path) -> None:
    assert softflowd_totals("Packets processed: 5\n   tcp (6):  70  5\n   udp (17):  30  1\n").octets == 100
    with pytest.raises(SystemExit, match="softflowd said no totals"):
        softflowd_totals("")
    config = write_pmacctd(tmp_path, ENTRIES, SERVICE_RULES, labels=True, interface="eth9")
    lines = config.read_text().splitlines()
    assert {"pcap_interface: eth9", "pmacctd_as: file", "aggregate: src_as, dst_as, src_port, dst_port"} <= set(lines)
    assert not [line for line in lines if line.startswith(("nfacctd_", "pcap_savefile"))]
    assert pmacctd_sums(tmp_path) == {}
