"""PacketBlock: captured frames on their way to the flow table; SpanTraffic: what that makes of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import FlowBatch
from btimd.model.quality import QualityBatch


@dataclass(frozen=True, slots=True)
class PacketBlock:
    """n captured frames in one slab of bytes.

    slab: uint8, somebody else's memory: a block of a receive ring, or a mapped file; it must not be used after the
    call that brought it returned. frames: int64[6, n], rows in the order of kernels.packetlayout.F_*: where the
    captured octets begin and end in the slab, octets on the wire, the tag among them that was taken off, time in
    ns since 1970, link type, VLAN tag taken off.
    """

    slab: npt.NDArray[np.uint8]
    frames: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames[0])


@dataclass(frozen=True, slots=True)
class SpanTraffic:
    """What a flow table made of packets since the last time: flow records, and how well the connections did.

    observation_point: number of the exporter in whose name the records stand, also in `flows["exporter_id"]`.
    packets, lost_packets: seen, and lost by the kernel or the ring, since the last time.
    """

    observation_point: int
    flows: FlowBatch
    quality: QualityBatch
    packets: int
    lost_packets: int
