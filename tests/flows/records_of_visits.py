"""Flow records of visits to the servers of traffic.py, both directions of each, as an exporter tells them."""

import numpy as np

from btimd.model.address import address_halves
from btimd.model.flowbatch import FlowBatch
from tests.flows.traffic import ERP, PORTS, T0

SYN, RST, PSH, ACK = 0x02, 0x04, 0x08, 0x10


def records(
    client_address: str,
    server_address: str = ERP,
    *,
    client: int,
    server: int | None,
    at: int = 0,
    lasted: int = 50,
    octets: int = 5000,
    rate: int = 1,
) -> FlowBatch:
    """Return a connection. client, server: TCP flags each side set, server None = it said nothing. at: ms after T0."""
    near, far = (*address_halves(client_address), 40_000), (*address_halves(server_address), PORTS[server_address])
    ways = [(near, far, client), *([(far, near, server)] if server is not None else [])]
    sizes = [octets if flags & PSH else 40 for _, _, flags in ways]
    return FlowBatch.of(
        flow_start_milliseconds=[T0 + at] * len(ways),
        flow_end_milliseconds=[T0 + at + lasted] * len(ways),
        source_address_hi=np.array([way[0][0] for way in ways], np.uint64),
        source_address_lo=np.array([way[0][1] for way in ways], np.uint64),
        source_transport_port=[way[0][2] for way in ways],
        destination_address_hi=np.array([way[1][0] for way in ways], np.uint64),
        destination_address_lo=np.array([way[1][1] for way in ways], np.uint64),
        destination_transport_port=[way[1][2] for way in ways],
        protocol_identifier=[6] * len(ways),
        tcp_control_bits=[way[2] for way in ways],
        octet_delta_count=sizes,
        packet_delta_count=[10 if size > 40 else 1 for size in sizes],
        sampling_rate=[rate] * len(ways),
    )
