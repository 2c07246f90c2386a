"""The innermost packet of a frame: what a tunnel carries counts, and the outermost pair of addresses is kept."""

from typing import Any, Final

import numpy as np

from btimd.kernels._jit import inlined
from btimd.kernels.headers import (
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_INNER_AT,
    H_INNER_LINK,
    H_IP_END,
    H_SIZE,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_VLAN,
    MAX_TUNNELS,
    NO_ADDRESSES,
    find_inner,
    parse_frame,
)

# Behind the H_* of the innermost packet: how many tunnels were opened, and the outermost packet's addresses and VLAN.
(P_DEPTH, P_OUTER_SOURCE_HI, P_OUTER_SOURCE_LO, P_OUTER_DESTINATION_HI, P_OUTER_DESTINATION_LO,
 P_OUTER_VLAN) = range(H_SIZE, H_SIZE + 6)  # fmt: skip
PACKET_SIZE: Final = H_SIZE + 6


@inlined
def parse_packet(slab: Any, at: Any, end: Any, link: Any, out: Any) -> Any:
    """Read the innermost packet of the frame slab[at:end] into `out`; return as headers.parse_frame does.

    out: int64[PACKET_SIZE], all of it written: H_* of the innermost packet that has addresses, then P_*.
    """
    status = parse_frame(slab, at, end, link, out)
    out[P_DEPTH] = 0
    out[P_OUTER_SOURCE_HI] = out[H_SOURCE_HI]
    out[P_OUTER_SOURCE_LO] = out[H_SOURCE_LO]
    out[P_OUTER_DESTINATION_HI] = out[H_DESTINATION_HI]
    out[P_OUTER_DESTINATION_LO] = out[H_DESTINATION_LO]
    out[P_OUTER_VLAN] = out[H_VLAN]
    while status != NO_ADDRESSES and out[P_DEPTH] < MAX_TUNNELS and find_inner(slab, out) != 0:
        inner_at = np.int64(out[H_INNER_AT])
        inner_end = np.int64(out[H_IP_END])
        inner_link = np.int64(out[H_INNER_LINK])
        status = parse_frame(slab, inner_at, inner_end, inner_link, out)
        out[P_DEPTH] += 1
    return status
