"""One fuzz input <-> a sequence of datagrams with their senders and times.

An input is a chain of items: control octet, length (2 octets, big-endian), payload. The last payload may be shorter than
its length says. Chains let templates meet data, exporters meet each other, and time pass.

Control octet: bits 0-1 sender, bits 2-4 framing (0: as it is; 1 to 6: the version of NetFlow v1, v5, v7, v9, IPFIX,
sFlow v5 is written over the first octets; 7: version and length of an IPFIX message), bit 5 a new block begins,
bit 6 time passes, bit 7 another UDP port.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from btimd.model.address import address_halves
from btimd.model.datagrams import DatagramBlock

MAX_DATAGRAMS: Final = 64
STARTED_AT: Final = 1_700_000_000_000
SENDERS: Final = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "198.51.100.7")
NEW_BLOCK: Final = 0x20
LATER: Final = 0x40
OTHER_PORT: Final = 0x80
_PASSES_MILLISECONDS: Final = 400_000
_HEADS: Final = (b"", b"\0\1", b"\0\5", b"\0\7", b"\0\x09", b"\0\x0a", b"\0\0\0\5", b"\0\x0a")


class Datagram(NamedTuple):
    """A datagram, its sender and time; begins_block: it does not share a block with the one before."""

    payload: bytes
    sender: str
    port: int
    arrival_milliseconds: int
    begins_block: bool


def split(octets: bytes) -> list[Datagram]:
    """Return the datagrams of an input: any octets are one."""
    found: list[Datagram] = []
    at, now = 0, STARTED_AT
    while at + 3 <= len(octets) and len(found) < MAX_DATAGRAMS:
        control, length = struct.unpack_from(">BH", octets, at)
        payload = octets[at + 3 : at + 3 + length]
        at += 3 + length
        framing = control >> 2 & 7
        if framing:
            payload = _HEADS[framing] + payload[len(_HEADS[framing]) :]
        if framing == 7 and len(payload) >= 4:
            payload = payload[:2] + struct.pack(">H", len(payload) & 0xFFFF) + payload[4:]
        now += _PASSES_MILLISECONDS if control & LATER else 10
        port = 2056 if control & OTHER_PORT else 2055
        found.append(Datagram(payload, SENDERS[control & 3], port, now, bool(control & NEW_BLOCK)))
    return found


def join(payloads: Sequence[bytes], *, controls: Sequence[int] = ()) -> bytes:
    """Return the input that splits into payloads; controls: one octet for each, or none."""
    given = controls or [0] * len(payloads)
    pairs = zip(payloads, given, strict=True)
    return b"".join(struct.pack(">BH", control, len(payload)) + payload for payload, control in pairs)


def blocks(datagrams: Sequence[Datagram], *, one_by_one: bool = False, tcp: bool = False) -> list[DatagramBlock]:
    """Return datagrams in the blocks they ask for, or each in one of its own; as the messages of TCP connections."""
    groups: list[list[Datagram]] = []
    for datagram in datagrams:
        if not groups or datagram.begins_block or one_by_one:
            groups.append([])
        groups[-1].append(datagram)
    return [_block(group, tcp=tcp) for group in groups]


def _block(group: Sequence[Datagram], *, tcp: bool) -> DatagramBlock:
    halves = [address_halves(datagram.sender) for datagram in group]
    return DatagramBlock(
        slab=np.frombuffer(b"".join(datagram.payload for datagram in group), np.uint8),
        offsets=np.cumsum([0, *(len(datagram.payload) for datagram in group)], dtype=np.int64),
        source_hi=np.array([hi for hi, _ in halves], np.uint64),
        source_lo=np.array([lo for _, lo in halves], np.uint64),
        source_port=np.array([datagram.port for datagram in group], np.uint16),
        arrival_milliseconds=np.array([datagram.arrival_milliseconds for datagram in group], np.int64),
        stream=tcp,
    )
