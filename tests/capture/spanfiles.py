"""The frames of a capture file as a PacketBlock, in slow and obvious Python."""

import struct
from pathlib import Path

import numpy as np

from btimd.kernels.headers import link_of_linktype
from btimd.kernels.packetlayout import F_AT, F_END, F_LINK, F_OCTETS, FRAME_ROWS
from btimd.model.packets import PacketBlock

PCAP = {b"\xd4\xc3\xb2\xa1": "<", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\xa1\xb2\x3c\x4d": ">"}


def frames_of(path: Path) -> PacketBlock:
    """Return the frames of a pcap or pcapng file, without their times: the slab is the file."""
    data = path.read_bytes()
    rows = pcap(data, PCAP[data[:4]]) if data[:4] in PCAP else pcapng(data)
    frames = np.zeros((FRAME_ROWS, len(rows)), np.int64)
    for k, (at, captured, octets, linktype) in enumerate(rows):
        frames[F_AT, k], frames[F_END, k], frames[F_OCTETS, k] = at, at + captured, octets
        frames[F_LINK, k] = link_of_linktype(linktype)
    return PacketBlock(np.frombuffer(data, np.uint8), frames)


def pcap(data: bytes, order: str) -> list[tuple[int, int, int, int]]:
    """Return where each frame begins, its octets here and on the wire, and its link type."""
    linktype = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF
    rows, at = [], 24
    while at + 16 <= len(data):
        captured, octets = struct.unpack_from(order + "II", data, at + 8)
        at += 16
        rows.append((at, min(captured, len(data) - at), octets, linktype))
        at += captured
    return rows


def pcapng(data: bytes) -> list[tuple[int, int, int, int]]:
    """Return the same of the enhanced and simple packets of a pcapng file."""
    rows: list[tuple[int, int, int, int]] = []
    interfaces: list[tuple[int, int]] = []
    at, order = 0, "<"
    while at + 12 <= len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == 1:
            interfaces.append(struct.unpack_from(order + "HxxI", data, at + 8))
        elif kind == 6:
            interface, _, _, captured, octets = struct.unpack_from(order + "5I", data, at + 8)
            rows.append((at + 28, captured, octets, interfaces[interface][0]))
        elif kind == 3:
            octets = struct.unpack_from(order + "I", data, at + 8)[0]
            linktype, snap = interfaces[0]
            rows.append((at + 12, min(octets, snap or octets, length - 16), octets, linktype))
        at += length
    return rows
