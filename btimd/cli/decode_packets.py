"""Packets of a capture for people: one JSON object per packet, and in words what could not be read."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np

from btimd.capture.packetfile import PacketFile
from btimd.cli.sflow_text import describe_headers
from btimd.kernels import headers as h
from btimd.kernels import packets as p
from btimd.kernels.packetfile import read_packets
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, F_TIME
from btimd.model.address import address_text
from btimd.model.packets import PacketBlock

_HALF: Final = (1 << 64) - 1
_SECOND: Final = 1_000_000_000
_TCP: Final = 6
_AS_VLANS: Final = frozenset({"vlanId", "dot1qCustomerVlanId"})
_FAULTS: Final = {h.CUT_OFF: "cut off", h.MALFORMED: "malformed"}
_LINKS: Final = {
    h.LINK_ETHERNET: "Ethernet", h.LINK_IPV4: "IP", h.LINK_PPP: "PPP", h.LINK_MPLS: "MPLS", h.LINK_LOOPBACK: "loopback",
    h.LINK_FDDI: "FDDI", h.LINK_PPP_OVER_ETHERNET: "PPPoE", h.LINK_WIFI: "802.11", h.LINK_COOKED: "Linux cooked",
    h.LINK_RADIOTAP: "802.11 radiotap", h.LINK_PPP_DIRECTED: "PPP", h.LINK_NFLOG: "NFLOG",
    h.LINK_COOKED_2: "Linux cooked v2", h.LINK_UNKNOWN: "unknown",
}  # fmt: skip


class PacketText:
    """The packets of a file as lines, and a sentence about them when the last one is out."""

    def __init__(self, file: PacketFile) -> None:
        self._file = file
        self._octets = 0
        self._faults: Counter[str] = Counter()

    def lines(self) -> Iterator[str]:
        """Yield a JSON object per packet; raises CaptureFileError."""
        number = 0
        for block in self._file.blocks():
            self._octets += int(block.frames[F_OCTETS].sum())
            for line in describe_packets(block):
                number += 1
                if fault := line.get("fault"):
                    self._faults[fault] += 1
                yield json.dumps({"packet": number, **line}, separators=(",", ":"))

    def summary(self) -> list[str]:
        """Return, in a sentence, what was read and what was not."""
        found = self._file.counters
        said = {
            "of link types that are not read": found.unknown_link,
            "cut off before their headers end": self._faults["cut off"],
            "malformed": self._faults["malformed"],
            "without a time of their own": found.simple_packets,
            "said to be shorter on the wire than in the file": found.short_wire_length,
        }
        lost = {
            "cut off by the end of the file": found.cut_off, "longer than 256 KiB": found.too_long,
            "in broken blocks": found.bad_blocks, "of interfaces that are not described": found.unknown_interface,
            "octets unread, as no block begins there": found.unread_octets,
        }  # fmt: skip
        parts = [f"{found.packets} packets, {self._octets} octets on the wire"]
        for head, counts in (("of them", said), ("left out", lost)):
            if words := ", ".join(f"{count} {what}" for what, count in counts.items() if count):
                parts.append(f"{head}: {words}")
        return ["; ".join(parts)]


def describe_packets(block: PacketBlock) -> Iterator[dict[str, Any]]:
    """Yield every packet of a block: where and when, the innermost packet's headers, and the outer ones of a tunnel."""
    out, statuses = np.zeros((len(block), p.PACKET_SIZE), np.int64), np.zeros(len(block), np.int64)
    read_packets(block.slab, block.frames, out, statuses)
    for frame, row, status in zip(block.frames.T.tolist(), out.tolist(), statuses.tolist(), strict=True):
        line: dict[str, Any] = {
            "time": _time(frame[F_TIME]), "octets": frame[F_OCTETS], "captured": frame[F_END] - frame[F_AT],
            "link": _LINKS.get(frame[F_LINK], str(frame[F_LINK])),
        }  # fmt: skip
        if tags := _tags(row[h.H_TAGS]):
            line["vlans"] = tags
        if row[p.P_DEPTH]:
            line["outer"] = _outer(row)
        line |= {name: value for name, value in describe_headers(row, status).items() if name not in _AS_VLANS}
        if row[h.H_MPLS_DEPTH] > 1:
            line["mplsLabels"] = row[h.H_MPLS_DEPTH]
        if status == h.PORTS and row[h.H_PROTOCOL] == _TCP:
            line |= _segment(block, row, frame[F_END])
        if fault := _FAULTS.get(row[h.H_FAULT]):
            line["fault"] = fault
        yield line


def _time(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, _SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def _tags(tags: int) -> list[int]:
    """Return the VLANs of a frame and of what it tunnels, the outermost first."""
    kept = min(tags >> h.TAG_COUNT_SHIFT, h.MOST_TAGS)
    return [tags >> 12 * place & 0xFFF for place in reversed(range(kept))]


def _outer(row: list[int]) -> dict[str, Any]:
    return {
        "tunnels": row[p.P_DEPTH],
        "sourceAddress": address_text(row[p.P_OUTER_SOURCE_HI] & _HALF, row[p.P_OUTER_SOURCE_LO] & _HALF),
        "destinationAddress": address_text(
            row[p.P_OUTER_DESTINATION_HI] & _HALF, row[p.P_OUTER_DESTINATION_LO] & _HALF
        ),
    }


def _segment(block: PacketBlock, row: list[int], end: int) -> dict[str, Any]:
    """Return the rest of a TCP header (RFC 9293), as far as it was captured."""
    at = row[h.H_TRANSPORT_AT]
    octets = block.slab[at : min(at + 16, end, row[h.H_IP_END])].tobytes()
    shown = {}
    for name, begin, stop in (
        ("tcpSequenceNumber", 4, 8), ("tcpAcknowledgementNumber", 8, 12), ("tcpWindowSize", 14, 16),
    ):  # fmt: skip
        if len(octets) >= stop:
            shown[name] = int.from_bytes(octets[begin:stop], "big")
    if row[h.H_IP_OCTETS] and (lengths := octets[12:13]):
        shown["tcpPayloadOctets"] = row[h.H_IP_AT] + row[h.H_IP_OCTETS] - at - (lengths[0] >> 4) * 4
    return shown
