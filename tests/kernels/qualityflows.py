"""Flows in a dictionary around the kernels for quality: what the flow table does, packet by packet and obvious."""

from typing import Any, Final, NamedTuple

import numpy as np

from btimd.kernels._jit import kernel
from btimd.kernels.dnsquality import note_dns
from btimd.kernels.headers import (
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_PORT,
    H_PROTOCOL,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_PORT,
    LINK_ETHERNET,
    PORTS,
)
from btimd.kernels.packetlayout import QUALITY_COUNTERS
from btimd.kernels.packets import PACKET_SIZE, parse_packet
from btimd.kernels.qualitylayout import M_KIND, M_NANOSECONDS, MOST_SAMPLES, QUALITY_WORDS, SAMPLE_ROWS
from btimd.kernels.tcpquality import begins_anew, client_is_reverse, has_ended, note_segment, take_counters
from btimd.model.quality import COUNTERS, SAMPLE_KINDS

TCP: Final = 6


@kernel
def parse(slab: Any, at: int, end: int, link: int, packet: Any) -> Any:
    return parse_packet(slab, at, end, link, packet)


@kernel
def anew(slab: Any, packet: Any, time: int, slot: int, reverse: int, quality: Any) -> Any:
    return begins_anew(slab, packet, time, slot, reverse, quality)


@kernel
def note(slab: Any, packet: Any, end: int, time: int, slot: int, reverse: int, quality: Any, samples: Any) -> Any:
    if packet[H_PROTOCOL] == TCP:
        return note_segment(slab, packet, end, time, slot, reverse, quality, samples, 0)
    return note_dns(slab, packet, end, time, slot, reverse, quality, samples, 0)


@kernel
def take(slot: int, quality: Any, now: int, final: int, counters: Any) -> Any:
    return take_counters(slot, quality, now, final, counters, 0)


@kernel
def ended(slot: int, quality: Any) -> Any:
    return has_ended(slot, quality)


@kernel
def client(slot: int, quality: Any) -> Any:
    return client_is_reverse(slot, quality)


Sample = tuple[str, int]


class Noted(NamedTuple):
    """What a packet brought: its flow's number, whether who was seen second sent it, counters not 0, durations."""

    flow: int
    reverse: int
    counters: dict[str, int]
    samples: list[Sample]


class Flows:
    """Flows by addresses, ports and protocol, each with its row."""

    def __init__(self, rows: int = 64) -> None:
        self.quality = np.zeros((rows, QUALITY_WORDS), np.int64)
        self.samples = np.zeros((SAMPLE_ROWS, MOST_SAMPLES), np.int64)
        self.counters = np.zeros((QUALITY_COUNTERS, 1), np.int64)
        self.packet = np.zeros(PACKET_SIZE, np.int64)
        self.known: dict[tuple[int, ...], tuple[int, int]] = {}
        self.flows = 0

    def note(self, frame: bytes, time: int, *, link: int = LINK_ETHERNET, octets: int = 0) -> Noted | None:
        """Take a frame of `octets` on the wire; None where it has no ports, or is neither TCP nor DNS."""
        found = self.find(frame, link)
        if found is None:
            return None
        slab, key, reverse = found
        row, flow = self.known[key]
        final: dict[str, int] = {}
        if self.packet[H_PROTOCOL] == TCP and anew(slab, self.packet, time, row, reverse, self.quality):
            final = self.take(row, time, final=True)
            self.quality[row] = 0
            del self.known[key]
            found = self.find(frame, link)
            assert found is not None
            slab, key, reverse = found
            row, flow = self.known[key]
        taken = note(
            slab, self.packet, max(octets, len(frame)), time, row, reverse, self.quality, self.samples
        )  # fmt: skip
        samples = [
            (SAMPLE_KINDS[int(self.samples[M_KIND, k])], int(self.samples[M_NANOSECONDS, k])) for k in range(taken)
        ]
        counters = self.take(row, time)
        for name, count in final.items():
            counters[name] = counters.get(name, 0) + count
        return Noted(flow, reverse, counters, samples)

    def find(self, frame: bytes, link: int) -> tuple[Any, tuple[int, ...], int] | None:
        """Return slab, key and direction of a frame's flow, which is known from then on."""
        slab = np.frombuffer(frame, np.uint8)
        status = parse(slab, 0, len(frame), link, self.packet)
        wanted = int(self.packet[H_PROTOCOL]), 53 in (self.packet[H_SOURCE_PORT], self.packet[H_DESTINATION_PORT])
        if status != PORTS or not (wanted[0] == TCP or wanted == (17, True)):
            return None
        columns = H_SOURCE_HI, H_SOURCE_LO, H_SOURCE_PORT, H_DESTINATION_HI, H_DESTINATION_LO, H_DESTINATION_PORT
        ends = tuple(int(self.packet[column]) for column in columns)
        key, back = (*ends, wanted[0]), (*ends[3:], *ends[:3], wanted[0])
        if key not in self.known and back not in self.known:
            if self.flows >= len(self.quality):
                self.quality = np.vstack([self.quality, np.zeros_like(self.quality)])
            self.known[key] = self.flows, self.flows
            self.flows += 1
        return (slab, key, 0) if key in self.known else (slab, back, 1)

    def take(self, row: int, now: int, *, final: bool = False) -> dict[str, int]:
        """Return the counters of a row that are not 0."""
        if not take(row, self.quality, now, int(final), self.counters):
            return {}
        return {name: int(count) for name, count in zip(COUNTERS, self.counters[:, 0], strict=True) if count}

    def ended(self, row: int = 0) -> bool:
        return bool(ended(row, self.quality))

    def client_is_reverse(self, row: int = 0) -> bool:
        return bool(client(row, self.quality))
