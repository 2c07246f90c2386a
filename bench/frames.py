"""The octets of the packets of `bench.packets` in a pcap file: Ethernet, VLAN tag, IP, TCP or DNS over UDP."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from bench.packets import Packets

Octets = npt.NDArray[np.uint8]
FILE_HEADER = struct.Struct("<IHHiIII")
RECORD: list[tuple[str, str]] = [("seconds", "<u4"), ("microseconds", "<u4"), ("captured", "<u4"), ("wire", "<u4")]
RECORD_OCTETS, VLAN = 16, 20
ETHERNET: list[tuple[str, str]] = [("to", ">u8"), ("from_low", ">u4")]
"""Both addresses: 12 octets, the sender's upper two with the receiver's six."""
TAG: list[tuple[str, str]] = [("tpid", ">u2"), ("tci", ">u2")]
FOUR: list[tuple[str, str]] = [
    ("ethertype", ">u2"), ("version", "u1"), ("class", "u1"), ("total", ">u2"), ("id", ">u2"), ("fragment", ">u2"),
    ("ttl", "u1"), ("protocol", "u1"), ("sum", ">u2"), ("source", ">u4"), ("destination", ">u4"),
]  # fmt: skip
SIX: list[tuple[str, str]] = [
    ("ethertype", ">u2"), ("version", ">u4"), ("total", ">u2"), ("protocol", "u1"), ("ttl", "u1"),
    ("source_hi", ">u8"), ("source", ">u8"), ("destination_hi", ">u8"), ("destination", ">u8"),
]  # fmt: skip
TCP: list[tuple[str, str]] = [
    ("source_port", ">u2"), ("destination_port", ">u2"), ("sequence", ">u4"), ("acknowledged", ">u4"), ("offset", "u1"),
    ("flags", "u1"), ("window", ">u2"), ("tcp_sum", ">u2"), ("urgent", ">u2"),
]  # fmt: skip
UDP: list[tuple[str, str]] = [
    ("source_port", ">u2"), ("destination_port", ">u2"), ("udp_total", ">u2"), ("udp_sum", ">u2"), ("dns_id", ">u2"),
    ("dns_flags", ">u2"), ("questions", ">u2"), ("answers", ">u2"), ("more", ">u4"), ("name", "S18"), ("asked", ">u4"),
]  # fmt: skip
NAME = b"\x04host\x07example\x03net\x00"
ANSWER = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x01"
"""To the question; it does not say the truth, and nobody reads it."""
ETHERTYPES = {False: 0x0800, True: 0x86DD}


def wire_octets(packets: Packets) -> npt.NDArray[np.int64]:
    """Return the octets of each IP packet."""
    flows, flow = packets.flows, packets.flow
    return np.where(flows.six, 40, 20)[flow] + np.where(_is_dns(packets), 8, 20) + packets.payload


def frame_octets(packets: Packets) -> npt.NDArray[np.int64]:
    """Return the octets of each frame on the wire."""
    return wire_octets(packets) + 14 + 4 * packets.flows.tagged[packets.flow]


def _is_dns(packets: Packets) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (packets.flows.server_port == 53)[packets.flow]
    return found


def write_frames(path: Path, parts: Iterable[Packets], start: int, snap: int) -> int:
    """Write a pcap file; start: ms since 1970 of microsecond 0. Returns its octets."""
    with path.open("wb") as file:
        file.write(FILE_HEADER.pack(0xA1B2_C3D4, 2, 4, 0, 0, snap, 1))
        for part in parts:
            file.write(_frames(part, start, snap).data)
        return file.tell()


def _frames(packets: Packets, start: int, snap: int) -> Octets:
    """Return records of a pcap file."""
    flow = packets.flow
    wire = frame_octets(packets)
    captured = np.minimum(wire, snap)
    slab = np.zeros((len(packets), RECORD_OCTETS + int(captured.max())), np.uint8)
    dns, tagged, six = _is_dns(packets), packets.flows.tagged[flow], packets.flows.six[flow]
    for is_dns in (False, True):
        for is_tagged in (False, True):
            for is_six in (False, True):
                rows = np.flatnonzero((dns == is_dns) & (tagged == is_tagged) & (six == is_six))
                if not len(rows):
                    continue
                made = np.zeros(len(rows), np.dtype(
                    RECORD + ETHERNET + TAG * is_tagged + (SIX if is_six else FOUR) + (UDP if is_dns else TCP)
                ))  # fmt: skip
                _record(made, packets, rows, start, captured, wire)
                _link(made, packets, rows, is_six=is_six, is_tagged=is_tagged)
                _transport(made, packets, rows, is_dns=is_dns)
                width = min(made.dtype.itemsize, slab.shape[1])
                slab[rows, :width] = made.view(np.uint8).reshape(len(rows), -1)[:, :width]
                if is_dns:
                    end = min(width + len(ANSWER), slab.shape[1])
                    slab[rows, width:end] = np.frombuffer(ANSWER, np.uint8)[: end - width]
    return slab[np.arange(slab.shape[1]) < (RECORD_OCTETS + captured)[:, None]]


def _record(made: Any, packets: Packets, rows: Any, start: int, captured: Any, wire: Any) -> None:
    at = start * 1000 + packets.microseconds[rows]
    made["seconds"], made["microseconds"] = at // 1_000_000, at % 1_000_000
    made["captured"], made["wire"] = captured[rows], wire[rows]


def _link(made: Any, packets: Packets, rows: Any, *, is_six: bool, is_tagged: bool) -> None:
    flows, flow, answer = packets.flows, packets.flow[rows], packets.answer[rows]
    made["to"], made["from_low"] = (
        np.where(answer, 0x0200_0000_0001_0200, 0x0200_0000_0002_0200),
        np.where(answer, 2, 1),
    )
    if is_tagged:
        made["tpid"], made["tci"] = 0x8100, VLAN
    made["ethertype"] = ETHERTYPES[is_six]
    total = wire_octets(packets)[rows]
    made["ttl"], made["protocol"] = 60, np.where(flows.server_port[flow] == 53, 17, 6)
    low = {"client": flows.client_lo[flow], "server": flows.server_lo[flow]}
    high = {"client": flows.client_hi[flow], "server": flows.server_hi[flow]}
    for end, one, other in (("source", "server", "client"), ("destination", "client", "server")):
        address = np.where(answer, low[one], low[other])
        made[end] = address if is_six else address & np.uint64(0xFFFF_FFFF)
        if is_six:
            made[f"{end}_hi"] = np.where(answer, high[one], high[other])
    if is_six:
        made["version"], made["total"] = 6 << 28, total - 40
        return
    made["version"], made["total"], made["fragment"] = 0x45, total, 0x4000
    made["id"] = (flows.code[flow] + packets.number[rows]) & 0xFFFF
    words = np.zeros(len(rows), np.int64)
    for name, shift in (("version", 8), ("total", 0), ("id", 0), ("fragment", 0), ("ttl", 8), ("protocol", 0)):
        words += made[name].astype(np.int64) << shift
    for end in ("source", "destination"):
        words += (made[end].astype(np.int64) >> 16) + (made[end].astype(np.int64) & 0xFFFF)
    words = (words & 0xFFFF) + (words >> 16)
    made["sum"] = ~((words & 0xFFFF) + (words >> 16)) & 0xFFFF


def _transport(made: Any, packets: Packets, rows: Any, *, is_dns: bool) -> None:
    flows, flow, answer = packets.flows, packets.flow[rows], packets.answer[rows]
    client, server = flows.client_port[flow], flows.server_port[flow]
    made["source_port"], made["destination_port"] = np.where(answer, server, client), np.where(answer, client, server)
    if not is_dns:
        made["sequence"], made["acknowledged"] = packets.sequence[rows], packets.acknowledged[rows]
        made["offset"], made["flags"], made["window"] = 0x50, packets.flags[rows], 0xFFFF
        return
    made["udp_sum"] = np.where(flows.six[flow], 0xFFFF, 0)  # none; IPv6 wants one, which nobody here looks at
    made["udp_total"] = 8 + packets.payload[rows]
    made["dns_id"] = flows.code[flow] & 0xFFFF
    made["dns_flags"] = np.where(answer, np.where(flows.missing[flow], 0x8183, 0x8180), 0x0100)
    made["questions"], made["answers"] = 1, answer & ~flows.missing[flow]
    made["name"], made["asked"] = NAME, 0x0001_0001
