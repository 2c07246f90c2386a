"""A walk over the datagrams of a block: where it stands, and what it needs of the block."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.templates import NETFLOW_V9
from btimd.kernels import flowlayout as fl
from btimd.model.address import HALF_MASK
from btimd.model.datagrams import DatagramBlock
from btimd.model.units import UnixMillis


@dataclass(slots=True)
class Run:
    """One walk over one block."""

    slab: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]
    source_hi: npt.NDArray[np.int64]
    source_lo: npt.NDArray[np.int64]
    source_port: npt.NDArray[np.uint16]
    arrival: npt.NDArray[np.int64]
    cursor: npt.NDArray[np.int64]
    stream: bool
    screened: bool = False  # senders that may not export are taken out already

    @classmethod
    def over(cls, block: DatagramBlock, *, replay: bool) -> "Run":
        """Return a walk that begins at the first datagram.

        Arrays of another memory layout would compile the kernel anew, in the middle of the traffic: they are copied.
        """
        cursor = np.zeros(fl.CURSOR_SIZE, np.int64)
        cursor[fl.AT_POSITION] = -1
        cursor[fl.AT_REPLAY] = int(replay)
        cursor[fl.AT_STREAM] = int(block.stream)
        plain: tuple[Literal["C", "W"], ...] = ("C", "W")
        return cls(
            slab=np.require(block.slab, np.uint8, plain),
            offsets=np.require(block.offsets, np.int64, plain),
            source_hi=np.require(block.source_hi, np.uint64, plain).view(np.int64),
            source_lo=np.require(block.source_lo, np.uint64, plain).view(np.int64),
            source_port=np.require(block.source_port, np.uint16, plain),
            arrival=np.require(block.arrival_milliseconds, np.int64, plain),
            cursor=cursor,
            stream=block.stream,
        )

    @property
    def datagram(self) -> int:
        """The datagram the walk stopped at."""
        return int(self.cursor[fl.AT_DATAGRAM])

    @property
    def sender(self) -> tuple[int, int]:
        """The address it came from, as unsigned halves."""
        index = self.datagram
        return int(self.source_hi[index]) & HALF_MASK, int(self.source_lo[index]) & HALF_MASK

    @property
    def agent(self) -> tuple[int, int]:
        """Who an sFlow datagram says it is from, as unsigned halves."""
        return int(self.cursor[fl.AT_AGENT_HI]) & HALF_MASK, int(self.cursor[fl.AT_AGENT_LO]) & HALF_MASK

    @property
    def port(self) -> int:
        """The port it came from."""
        return int(self.source_port[self.datagram])

    @property
    def arrived(self) -> UnixMillis:
        """When it came."""
        return int(self.arrival[self.datagram])

    @property
    def octets(self) -> int:
        """How long it is."""
        return int(self.offsets[self.datagram + 1] - self.offsets[self.datagram])

    def keep(self, kept: npt.NDArray[np.bool_]) -> None:
        """Go on with those of the datagrams from the one at the cursor on that `kept` marks."""
        index = self.datagram
        sizes = np.diff(self.offsets[index:])
        self.slab = self.slab[self.offsets[index] : self.offsets[-1]][np.repeat(kept, sizes)]
        self.offsets = np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes[kept], dtype=np.int64)))
        self.source_hi, self.source_lo = self.source_hi[index:][kept], self.source_lo[index:][kept]
        self.source_port, self.arrival = self.source_port[index:][kept], self.arrival[index:][kept]
        self.cursor[fl.AT_DATAGRAM] = 0


@dataclass(frozen=True, slots=True)
class Suspect:
    """A port whose template another port replaced by a different one: if it still sends, there are two exporters."""

    hi: int
    lo: int
    port: int
    version: int
    domain: int
    since: UnixMillis

    def in_block(self, run: Run, begin: int) -> bool:
        """Tell whether it sent a datagram of the observation domain, from number `begin` on."""
        found = (run.source_port[begin:] == self.port) & (run.arrival[begin:] >= self.since)
        if not found.any():
            return False
        place = 16 if self.version == NETFLOW_V9 else 12
        for index in np.flatnonzero(found) + begin:
            at, end = int(run.offsets[index]), int(run.offsets[index + 1])
            head = run.slab[at : min(at + 20, end)].tobytes()
            if (
                len(head) >= place + 4
                and int.from_bytes(head[:2], "big") == self.version
                and int.from_bytes(head[place : place + 4], "big") == self.domain
                and (int(run.source_hi[index]) & HALF_MASK, int(run.source_lo[index]) & HALF_MASK) == (self.hi, self.lo)
            ):
                return True
        return False


def part(block: DatagramBlock, begin: int, end: int) -> DatagramBlock:
    """Return the datagrams begin..end-1 of a block."""
    offsets = block.offsets[begin : end + 1]
    return replace(
        block,
        slab=block.slab[offsets[0] :],
        offsets=offsets - offsets[0],
        source_hi=block.source_hi[begin:end],
        source_lo=block.source_lo[begin:end],
        source_port=block.source_port[begin:end],
        arrival_milliseconds=block.arrival_milliseconds[begin:end],
    )
