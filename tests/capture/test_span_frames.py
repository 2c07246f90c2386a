"""The frames of captures of mirror ports against their truth: innermost flows, pairs outside and inside, VLAN tags.

The truth counts the packets of a flow in both directions, and ports of ICMP as 0.
"""

import json
from collections import Counter
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from btimd.kernels import headers as h
from btimd.kernels import packets as p
from btimd.kernels._jit import kernel
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS
from btimd.model.packets import PacketBlock
from tests.capture import captures
from tests.capture.spanfiles import frames_of

SPAN = captures.DATA / "span"
FILES = sorted(path for path in SPAN.glob("*/*.pcap*") if path.parent.name != "ground_truth")
pytestmark = [
    pytest.mark.skipif(not SPAN.is_dir(), reason=f"the captures are not published with the project: {SPAN} is absent"),
    pytest.mark.timeout(600),  # the first may compile every kernel
]

Counts = Counter[tuple[Any, ...]]


class Traffic(NamedTuple):
    """Packets and octets by what the truth knows: both are sums over a key, octets under (..., "octets")."""

    packets: int
    octets: int
    flows: Counts
    inner_pairs: Counts
    outer_pairs: Counts
    tags: Counts


@kernel
def read_all(slab: Any, frames: Any, statuses: Any, out: Any) -> None:
    """Parse every frame of a block."""
    for k in range(frames.shape[1]):
        statuses[k] = p.parse_packet(slab, frames[F_AT, k], frames[F_END, k], frames[F_LINK, k], out[k])


def address(hi: int, lo: int) -> str:
    number = IPv6Address((hi % 2**64) << 64 | lo % 2**64)
    return str(number.ipv4_mapped or number)


def parsed(block: PacketBlock) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    statuses = np.zeros(len(block), np.int64)
    out = np.full((len(block), p.PACKET_SIZE), -7, np.int64)
    read_all(block.slab, block.frames, statuses, out)
    return statuses, out


def traffic_of(block: PacketBlock) -> Traffic:
    """Return what parse_packet makes of a block's frames, in the words of the truth."""
    statuses, out = parsed(block)
    found = Traffic(len(block), int(block.frames[F_OCTETS].sum()), *(Counter() for _ in range(4)))
    for status, row, octets in zip(statuses.tolist(), out.tolist(), block.frames[F_OCTETS].tolist(), strict=True):
        count = row[h.H_TAGS] >> h.TAG_COUNT_SHIFT
        if count:
            found.tags[tuple(row[h.H_TAGS] >> 12 * k & 0xFFF for k in reversed(range(count)))] += 1
        if status == h.NO_ADDRESSES:
            continue
        source = address(row[h.H_SOURCE_HI], row[h.H_SOURCE_LO])
        destination = address(row[h.H_DESTINATION_HI], row[h.H_DESTINATION_LO])
        protocol = row[h.H_PROTOCOL]
        ports = (row[h.H_SOURCE_PORT], row[h.H_DESTINATION_PORT]) if protocol not in {1, 58} else (0, 0)
        outer = (source, destination)
        if row[p.P_DEPTH]:
            outer = (
                address(row[p.P_OUTER_SOURCE_HI], row[p.P_OUTER_SOURCE_LO]),
                address(row[p.P_OUTER_DESTINATION_HI], row[p.P_OUTER_DESTINATION_LO]),
            )
        ends = sorted(((source, ports[0]), (destination, ports[1])))
        note(found.flows, (protocol, *ends), octets)
        note(found.inner_pairs, tuple(sorted((source, destination))), octets)
        note(found.outer_pairs, tuple(sorted(outer)), octets)
    return found


def note(counts: Counts, key: tuple[Any, ...], octets: int, packets: int = 1) -> None:
    counts[key] += packets
    counts[(*key, "octets")] += octets


PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}


def truth_of(path: Path) -> Traffic:
    """Return the truth of a capture in the same form; span_dev has no pairs."""
    if path.parent.name == "mix":
        truth = json.loads(path.with_suffix(".json").read_text())
    else:
        truth = json.loads((SPAN / "ground_truth" / f"{path.parent.name}__{path.name}.json").read_text())
    found = Traffic(truth["packets"], truth["bytes"], *(Counter() for _ in range(4)))
    for text, (packets, octets) in truth["inner_5tuples"].items():
        name, source, source_port, destination, destination_port = text.split()
        ends = sorted(((source, int(source_port)), (destination, int(destination_port))))
        protocol = PROTOCOLS.get(name) or int(name.removeprefix("ip"))
        note(found.flows, (protocol, *ends), octets, packets)
    for pairs, where in (("inner_ip_pairs", found.inner_pairs), ("outer_ip_pairs", found.outer_pairs)):
        for text, (packets, octets) in truth.get(pairs, {}).items():
            note(where, tuple(sorted(text.split())), octets, packets)
    for text, packets in truth["vlans"].items():
        found.tags[tuple(int(tag) for tag in text.split("|"))] += packets
    return found


def differences(path: Path) -> dict[str, dict[Any, tuple[int, int]]]:
    """Return what differs as (found, truth), by field."""
    found, truth = traffic_of(frames_of(path)), truth_of(path)
    differ: dict[str, dict[Any, tuple[int, int]]] = {}
    for name in ("packets", "octets"):
        if getattr(found, name) != getattr(truth, name):
            differ[name] = {(): (getattr(found, name), getattr(truth, name))}
    for name in ("flows", "inner_pairs", "outer_pairs", "tags"):
        mine, theirs = getattr(found, name), getattr(truth, name)
        if path.parent.name == "mix" and name.endswith("pairs"):
            continue
        keys = {key: (mine[key], theirs[key]) for key in mine | theirs if mine[key] != theirs[key]}
        if keys:
            differ[name] = keys
    return differ


_OPTION = (
    "the truth ends where an option is longer than its extension header has room for; the header's own length (RFC "
    "8200, 4.3 and 4.6), which is what a host skips it by, leads on to the next header"
)
_MOBILE = ("2001:4f8:4:7:2e0:81ff:fe52:9a6b", "2001:4f8:4:7:2e0:81ff:fe52:ffff")
_TEREDO = ("2001:0:4137:9e50:8000:f12a:b9c8:2815", "fe80::708d:fe83:4114:a512")
_DNS = "2001:470:765b::a25:53"
# file: what differs in the flows, as {(protocol, (address, port), (address, port)): packets found - packets in truth}
# and their octets, and why. Nothing else differs.
MOBILITY = {
    (17, (_MOBILE[0], 13_000), (_MOBILE[1], 30_000)): (1, 90),
    (17, (_MOBILE[0], 0), (_MOBILE[1], 0)): (1, 106),
    (60, (_MOBILE[0], 0), (_MOBILE[1], 0)): (-2, -196),
}
BUBBLE = {
    (59, (_TEREDO[0], 0), (_TEREDO[1], 0)): (1, 90),
    (17, (_TEREDO[0], 3797), (_TEREDO[1], 3544)): (-1, -90),
}
OTHER_FLOWS: dict[str, tuple[dict[Any, tuple[int, int]], str]] = {
    "ipv6-frag/ndpi-dns_fragmented.pcap": (
        {
            (protocol, *sorted(((_DNS, 0), (other, 0)))): (sign, sign * octets)
            for other, octets in (
                ("2001:470:1f0b:16b0:20c:29ff:fe7c:a4cb", 368),
                ("2a00:1450:4013:c03::10a", 123),
                ("2a00:1450:4013:c06::105", 112),
            )
            for protocol, sign in ((17, 1), (44, -1))
        },
        "the truth gives them the IPv6 header's next header, 44; that of the fragment header is 17 (RFC 8200, 4.5)",
    ),
    "ipv6-frag/zeek-ipv6-mobility-dst-opts.pcap": (MOBILITY, _OPTION),
    "malformed/tcpdump-ipv6-too-long-jumbo.pcap": (
        {
            (protocol, ("1:6:1a28:312:d7cb:b318:34e5:d3ea", 0), ("2b7f:cd1f:ec3c:fb9c:e731:d16b:a8fe:ba8c", 0)): (
                sign, sign * 490,
            )
            for protocol, sign in ((12, 1), (0, -1))
        },
        _OPTION,
    ),
    "tunnel/zeek-tunnels_Teredo.pcap": (
        BUBBLE,
        "a bubble (RFC 4380, 2.8): 59, nothing follows; the truth joins its addresses and the ports of UDP outside",
    ),
    "mix/span_dev.pcap": (MOBILITY | BUBBLE, "contains two of the captures above"),
}  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_capture_holds_what_its_truth_says(path: Path) -> None:
    flows, _why = OTHER_FLOWS.get(f"{path.parent.name}/{path.name}", ({}, ""))
    wanted = {key: count for key, (count, _) in flows.items()}
    wanted |= {(*key, "octets"): octets for key, (_, octets) in flows.items()}
    differ = differences(path)
    assert {key: found - truth for key, (found, truth) in differ.pop("flows", {}).items()} == wanted
    assert differ == {}
