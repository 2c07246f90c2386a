"""Records that carry the beginning of a packet (RFC 5477; Cisco's layer 2 sections): the flow record is in its headers.

Octets are those of the IP packet, as in other records, where its header says them; the frame's own size is in the
column for layer 2 and stands in where the header says nothing.
"""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.flowcolumns import field
from btimd.kernels.headers import (
    H_CLASS,
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_MAC,
    H_DESTINATION_PORT,
    H_FLAGS,
    H_IP_OCTETS,
    H_MPLS_LABEL,
    H_PROTOCOL,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_MAC,
    H_SOURCE_PORT,
    H_VLAN,
    parse_frame,
)

_ETHERNET: Final = 1  # dataLinkFrameType (RFC 7133); 0 is not told


@inlined
def read_packets(slab: Any, starts: Any, n: Any, layout: Any, link: Any, headers: Any, at: Any, wide: Any, words: Any,
                 octets: Any, extra: Any) -> None:  # fmt: skip
    """Fill in what the records do not say themselves. link: LINK_*. headers: int64[H_SIZE], written."""
    place = np.int64(layout[0, fl.S_FRAME])
    for k in range(n):
        row = at + k
        begin = starts[place >> fl.SEGMENT_SHIFT, k] + (place & ((1 << fl.SEGMENT_SHIFT) - 1))
        length = np.int64(layout[1, fl.S_FRAME])
        valid = field(slab, starts, k, layout, np.int64(fl.S_FRAME_OCTETS))
        if 0 < valid < length:
            length = valid
        if (
            field(slab, starts, k, layout, np.int64(fl.S_FRAME_OFFSET)) != 0
            or field(slab, starts, k, layout, np.int64(fl.S_FRAME_TYPE)) > _ETHERNET
        ):
            length = np.int64(0)  # it begins behind the headers, or is a frame of a kind that is not read here
        parse_frame(slab, begin, begin + length, link, headers)
        wide[fl.W_SOURCE_HI, row] = headers[H_SOURCE_HI]
        wide[fl.W_SOURCE_LO, row] = headers[H_SOURCE_LO]
        wide[fl.W_DESTINATION_HI, row] = headers[H_DESTINATION_HI]
        wide[fl.W_DESTINATION_LO, row] = headers[H_DESTINATION_LO]
        words[fl.P_SOURCE, row] = headers[H_SOURCE_PORT] & 0xFFFF
        words[fl.P_DESTINATION, row] = headers[H_DESTINATION_PORT] & 0xFFFF
        words[fl.P_FLAGS, row] = headers[H_FLAGS] & 0xFFFF
        octets[fl.B_PROTOCOL, row] = headers[H_PROTOCOL] & 0xFF
        octets[fl.B_CLASS, row] = headers[H_CLASS] & 0xFF
        if layout[1, fl.S_VLAN] == 0:
            words[fl.P_VLAN, row] = headers[H_VLAN] & 0xFFFF
        if layout[1, fl.S_PACKETS] == 0:
            wide[fl.W_PACKETS, row] = 1
        if layout[1, fl.S_OCTETS] == 0:
            size = headers[H_IP_OCTETS]
            if size == 0:
                size = extra[fl.X_LAYER2_OCTETS, row]
                words[fl.P_QUALITY, row] |= fl.Q_LAYER2 if size > 0 else fl.Q_NO_COUNTERS
            wide[fl.W_OCTETS, row] = size
        if extra[fl.X_MPLS_LABEL, row] == 0:
            extra[fl.X_MPLS_LABEL, row] = headers[H_MPLS_LABEL]
        if extra[fl.X_SOURCE_MAC, row] == 0:
            extra[fl.X_SOURCE_MAC, row] = headers[H_SOURCE_MAC]
        if extra[fl.X_DESTINATION_MAC, row] == 0:
            extra[fl.X_DESTINATION_MAC, row] = headers[H_DESTINATION_MAC]
