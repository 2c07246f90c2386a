"""The arrays a kernel writes flow records into, and the FlowBatch that they become."""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.model.flowbatch import OPTIONAL_COLUMNS, FlowBatch

LARGEST_SET: Final = 2 * 8192  # records of 8 octets in a full datagram, with their other direction


class OutputChunk:
    """Room for `room` records; `used` are written. One array per width, one line of it per column."""

    def __init__(self, room: int) -> None:
        self.used = 0
        self.wide = np.empty((8, room), np.int64)
        self.ids = np.empty((3, room), np.uint32)
        self.small = np.empty((2, room), np.int32)
        self.words = np.empty((5, room), np.uint16)
        self.extra = np.empty((fl.EXTRAS, 0), np.int64)
        self.octets = np.empty((3, room), np.uint8)

    def add_extra(self) -> None:
        """Make room for the extra columns; rows written before, and those that do not fill them, have 0."""
        self.extra = np.zeros((fl.EXTRAS, self.wide.shape[1]), np.int64)

    @staticmethod
    def room_for(records: int) -> int:
        """Return a room that holds about `records` and in any case the largest set."""
        return records + records // 4 + LARGEST_SET

    def batch(self) -> FlowBatch:
        """Return what was written, without copying."""
        n = self.used
        wide, ids, small, words, octets = self.wide, self.ids, self.small, self.words, self.octets
        unsigned = wide.view(np.uint64)
        columns: dict[str, Any] = {
            "flow_start_milliseconds": wide[fl.W_START, :n],
            "flow_end_milliseconds": wide[fl.W_END, :n],
            "source_address_hi": unsigned[fl.W_SOURCE_HI, :n],
            "source_address_lo": unsigned[fl.W_SOURCE_LO, :n],
            "destination_address_hi": unsigned[fl.W_DESTINATION_HI, :n],
            "destination_address_lo": unsigned[fl.W_DESTINATION_LO, :n],
            "source_transport_port": words[fl.P_SOURCE, :n],
            "destination_transport_port": words[fl.P_DESTINATION, :n],
            "protocol_identifier": octets[fl.B_PROTOCOL, :n],
            "ip_class_of_service": octets[fl.B_CLASS, :n],
            "tcp_control_bits": words[fl.P_FLAGS, :n],
            "ingress_interface": ids[fl.I_INGRESS, :n],
            "egress_interface": ids[fl.I_EGRESS, :n],
            "vlan_id": words[fl.P_VLAN, :n],
            "flow_direction": octets[fl.B_DIRECTION, :n],
            "octet_delta_count": wide[fl.W_OCTETS, :n],
            "packet_delta_count": wide[fl.W_PACKETS, :n],
            "observation_domain_id": ids[fl.I_DOMAIN, :n],
            "sampling_rate": small[fl.M_RATE, :n],
            "exporter_id": small[fl.M_EXPORTER, :n],
            "record_quality": words[fl.P_QUALITY, :n],
        }
        if self.extra.shape[1]:
            columns |= {column.name: self.extra[row, :n] for row, column in enumerate(OPTIONAL_COLUMNS)}
        return FlowBatch(columns)
