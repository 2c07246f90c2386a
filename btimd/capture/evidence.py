"""PacketRecorder: the latest packets of each business, and frozen copies of them as pcapng."""

import asyncio
import heapq
import struct
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.pcapng import (
    LINK_TYPES,
    interface_block,
    packet_block,
    section_block,
    with_tag,
)
from btimd.kernels import packetring as pr
from btimd.kernels.headers import LINK_ETHERNET
from btimd.kernels.packets import PACKET_SIZE
from btimd.model.packets import PacketBlock
from btimd.runtime.metrics import Metrics

NO_RING: Final = -1
FREEZE_SECONDS: Final = 2.0
"""So long a capture thread is waited for; it answers with its next batch or tick."""
_WORD: Final = 8
_HEAD: Final = struct.Struct("=qqq")
_TICK_NANOSECONDS: Final = 1_000_000_000
_MOST_RINGS: Final = 32_767  # tags are int16
_MOST_REQUESTS: Final = 64


@dataclass(frozen=True, slots=True)
class RingLimits:
    """Bounds of what one recorder keeps.

    flows: rows of the flow table. window: ns that packets are kept. ring_octets: memory per business. max_octets:
    memory of all. payload_octets: how much payload may be kept, by the id of the business; others keep headers only.
    """

    flows: int
    window: int = 60_000_000_000
    ring_octets: int = 1 << 20
    max_octets: int = 64 << 20
    payload_octets: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class RecorderCounters:
    """What a recorder did since it was made.

    refused_businesses: those that found no memory. overwritten: packets that others of their business took the room
    of before the window was over.
    """

    rings: int
    packets: int
    overwritten: int
    refused_businesses: int
    freezes: int


@dataclass(frozen=True, slots=True)
class KeptPacket:
    """A packet out of a ring. time: ns since 1970. link: headers.LINK_*. tag: VLAN tag taken off, 0 = none."""

    time: int
    wire_octets: int
    link: int
    tag: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class RingCopy:
    """A ring as it was at a moment: its words and its row of state. `interface`: where its packets were seen."""

    interface: str
    since: int
    words: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]

    def packets(self) -> Iterator[KeptPacket]:
        """Yield its packets from `since` on, in the order in which they were recorded."""
        octets = self.words.tobytes()
        at, lap = int(self.state[pr.R_TAIL]), int(self.state[pr.R_LAP])
        for _ in range(int(self.state[pr.R_PACKETS])):
            time, lengths, tag = _HEAD.unpack_from(octets, at * _WORD)
            kept = lengths >> pr.KEPT_SHIFT & pr.KEPT_MASK
            begin = (at + pr.PACKET_WORDS) * _WORD
            if time >= self.since:
                yield KeptPacket(
                    time, lengths >> pr.WIRE_SHIFT, lengths & pr.LINK_MASK, tag, octets[begin : begin + kept]
                )
            at += pr.PACKET_WORDS + (kept + 7) // _WORD
            if at == lap:
                at = 0


class PacketRecorder:
    """The rings of one capture thread. That thread alone calls `record` and `tick`; any thread calls the others.

    tags: int16[limits.flows], the ring of the business that a flow belongs to, NO_RING = none; whoever knows the
    business writes it, and NO_RING when the flow ends. The memory of a ring is taken from the system as packets
    come to it, and never more than limits.max_octets.
    """

    def __init__(self, limits: RingLimits, interface: str = "span") -> None:
        if limits.ring_octets < _WORD * 512:
            raise ValueError(f"a ring of {limits.ring_octets} octets is too small; 4096 is the least")
        rings = min(limits.max_octets // limits.ring_octets, _MOST_RINGS)
        self.tags = np.full(limits.flows, NO_RING, np.int16)
        self._interface = interface
        self._window = limits.window
        self._allowed = dict(limits.payload_octets or {})
        self._memory = np.zeros((rings, limits.ring_octets // _WORD), np.int64)  # pages come when they are written
        self._octets = self._memory.view(np.uint8)
        self._state = np.zeros((rings, pr.RING_STATE_SIZE), np.int64)
        self._payload = np.zeros(rings, np.int64)
        self._packet = np.zeros(PACKET_SIZE, np.int64)
        self._rings: dict[tuple[str, ...], int] = {}
        self._refused: set[str] = set()
        self._lock = Lock()
        self._requests: deque[tuple[str, int, Future[tuple[RingCopy, ...]]]] = deque()
        self._tick_at = 0
        self._freezes = 0

    def ring_of(self, *businesses: str) -> int:
        """Return the ring for `tags` of packets that belong to all these businesses, NO_RING without memory for it."""
        with self._lock:
            ring = self._rings.get(businesses)
            if ring is None and len(self._rings) < len(self._state):
                ring = self._rings[businesses] = len(self._rings)
                self._payload[ring] = self._allowed_of(businesses)
            if ring is None:
                self._refused.update(businesses)
        return NO_RING if ring is None else ring

    def _allowed_of(self, businesses: tuple[str, ...]) -> int:
        """Return the payload that may be kept of what several businesses share: what all of them allow."""
        return min(self._allowed.get(business, 0) for business in businesses)

    def allow(self, payload_octets: Mapping[str, int]) -> None:
        """Keep so many octets of payload from now on, by the id of the business; what is in a ring stays there."""
        with self._lock:
            self._allowed = dict(payload_octets)
            for businesses, ring in self._rings.items():
                self._payload[ring] = self._allowed_of(businesses)

    @property
    def refused(self) -> tuple[str, ...]:
        """The businesses that have no ring because the memory is used up, in alphabetical order."""
        with self._lock:
            return tuple(sorted(self._refused))

    @property
    def counters(self) -> RecorderCounters:
        """What was done so far."""
        return RecorderCounters(
            rings=len(self._rings),
            packets=int(self._state[:, pr.R_RECORDED].sum()),
            overwritten=int(self._state[:, pr.R_OVERWRITTEN].sum()),
            refused_businesses=len(self._refused),
            freezes=self._freezes,
        )

    def record(self, block: PacketBlock, slots: npt.NDArray[np.int32], payload_at: npt.NDArray[np.int64]) -> None:
        """Keep the packets of a block whose flows have a ring.

        slots: int32[n], the flow of each packet, a row of `tags`, below 0 = none. payload_at: int64[n], where in the
        slab the transport header of the innermost packet ends; 0 = not known (fragments, ICMP): then the IP header,
        and 8 octets of ICMP, are all that is kept.
        """
        pr.record(
            block.slab, block.frames, slots, payload_at, self.tags, self._payload, self._window, self._memory,
            self._octets, self._state, self._packet,
        )  # fmt: skip
        if self._requests:
            self._answer()

    def tick(self, now: int) -> None:
        """Answer requests for copies and forget what is older than the window. now: ns since 1970."""
        if self._requests:
            self._answer()
        if not 0 <= now - self._tick_at < _TICK_NANOSECONDS:
            self._tick_at = now
            pr.forget_before(now - self._window, self._memory, self._state)

    def _answer(self) -> None:
        while self._requests:
            business, now, future = self._requests.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            since = now - self._window
            rings = [ring for businesses, ring in tuple(self._rings.items()) if business in businesses]
            self._freezes += 1
            future.set_result(
                tuple(
                    RingCopy(self._interface, since, self._memory[ring].copy(), self._state[ring].copy())
                    for ring in rings
                )
            )

    def freeze(self, business: str, now: int) -> "Future[tuple[RingCopy, ...]]":
        """Ask for copies of a business's rings as of `now` (ns); they come with the thread's next batch or tick.

        It has one by itself and one with each set of businesses that it shares a service with. None come for a business
        without a ring, or with too many requests waiting.
        """
        future: Future[tuple[RingCopy, ...]] = Future()
        if len(self._requests) >= _MOST_REQUESTS:
            future.set_result(())
        else:
            self._requests.append((business, now, future))
        return future

    def close(self) -> None:
        """Let nobody wait for copies any more; for after the capture thread's end."""
        while self._requests:
            self._requests.popleft()[2].cancel()


class RecorderMetrics:
    """The metrics of all recorders together."""

    def __init__(self, metrics: Metrics) -> None:
        name = "btimd_capture_evidence_"
        self._packets = metrics.counter(f"{name}packets_total", "Packets of businesses kept for a while")
        self._overwritten = metrics.counter(
            f"{name}overwritten_packets_total",
            "Of those, packets that made room for newer ones before capture.evidence.window was over",
        )
        self._rings = metrics.gauge(f"{name}rings", "Rings of packets, one per business and capture thread")
        self._without = metrics.gauge(
            f"{name}businesses_without_ring",
            "Businesses whose packets are not kept: capture.evidence.max_bytes is used up",
        )
        self._reported = (0, 0)

    def report(self, recorders: Iterable[PacketRecorder]) -> None:
        """Bring the metrics up to date; always with the same recorders."""
        recorders = list(recorders)
        counters = [one.counters for one in recorders]
        totals = (sum(one.packets for one in counters), sum(one.overwritten for one in counters))
        self._packets.inc(totals[0] - self._reported[0])
        self._overwritten.inc(totals[1] - self._reported[1])
        self._reported = totals
        self._rings.set(sum(one.rings for one in counters))
        self._without.set(len({business for one in recorders for business in one.refused}))


def as_pcapng(copies: Sequence[RingCopy], *, hardware: str = "", system: str = "", application: str = "") -> bytes:
    """Return the packets of rings of one business, merged by time, as a capture file; b"" without any packet."""
    interfaces: dict[tuple[str, int], int] = {}
    blocks: list[bytes] = []
    for name, packet in _merged(copies):
        link_type = LINK_TYPES.get(packet.link)
        if link_type is None:
            continue
        number = interfaces.setdefault((name, link_type), len(interfaces))
        tag = packet.tag if packet.link == LINK_ETHERNET else 0
        octets = with_tag(packet.octets, tag)
        blocks.append(packet_block(number, packet.time, octets, packet.wire_octets))
    if not blocks:
        return b""
    head = section_block(hardware=hardware, system=system, application=application)
    return b"".join([head, *(interface_block(name, link_type) for name, link_type in interfaces), *blocks])


async def frozen(
    recorders: Iterable[PacketRecorder], business: str, now: float, *, system: str = "", application: str = ""
) -> bytes:
    """Return what several capture threads kept of a business as one capture file, b"" where there is nothing.

    now: s since 1970. A thread that does not answer in time is left out; raises TimeoutError if none does.
    """
    asked = [asyncio.wrap_future(one.freeze(business, int(now * 1e9))) for one in recorders]
    if not asked:
        return b""
    done, late = await asyncio.wait(asked, timeout=FREEZE_SECONDS)
    for future in late:
        future.cancel()
    if not done:
        raise TimeoutError
    copies = [copy for future in asked if future in done for copy in future.result()]
    return await asyncio.to_thread(as_pcapng, copies, system=system, application=application)


def _merged(copies: Iterable[RingCopy]) -> Iterator[tuple[str, KeptPacket]]:
    """Yield the packets of several rings, with their interfaces, in the order of time."""

    def named(copy: RingCopy) -> Iterator[tuple[str, KeptPacket]]:
        for packet in sorted(copy.packets(), key=lambda one: one.time):
            yield copy.interface, packet

    return heapq.merge(*(named(copy) for copy in copies), key=lambda pair: pair[1].time)


def warm() -> None:
    """Compile or load the kernels; slow once, so it is done before anything is captured."""
    recorder = PacketRecorder(RingLimits(flows=1, ring_octets=4096, max_octets=4096))
    nothing = PacketBlock(np.zeros(0, np.uint8), np.zeros((6, 0), np.int64))
    recorder.record(nothing, np.zeros(0, np.int32), np.zeros(0, np.int64))
    recorder.tick(_TICK_NANOSECONDS)
