"""An IPFIX encoder (RFC 7011) for the flow records of the lab, as pure functions.

    message: version 2 = 10 | length 2 | export time 4 | sequence 4 | observation domain 4 | sets
    set:     id 2 (2 = templates, 256.. = data) | length 2 | records

The sequence number counts the data records sent before, not the messages.
"""

import struct
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from btimd.lab.meter import FlowRecord

VERSION: Final = 10
TEMPLATE_SET: Final = 2
TEMPLATE_ID: Final = 256
FIELDS: Final = (
    (8, 4),  # sourceIPv4Address
    (12, 4),  # destinationIPv4Address
    (7, 2),  # sourceTransportPort
    (11, 2),  # destinationTransportPort
    (4, 1),  # protocolIdentifier
    (5, 1),  # ipClassOfService
    (6, 2),  # tcpControlBits
    (1, 8),  # octetDeltaCount
    (2, 8),  # packetDeltaCount
    (152, 8),  # flowStartMilliseconds
    (153, 8),  # flowEndMilliseconds
    (10, 4),  # ingressInterface
    (14, 4),  # egressInterface
    (61, 1),  # flowDirection
    (136, 1),  # flowEndReason
)
_RECORD: Final = struct.Struct("!4s4sHHBBHQQQQIIBB")
_HEADER: Final = struct.Struct("!HHIII")
_SET_HEADER: Final = struct.Struct("!HH")
_MAX_MESSAGE_OCTETS: Final = 1400
_END_OF_FLOW: Final = 3
_SERVER_INTERFACE: Final = 1
_SEQUENCE_MASK: Final = 0xFFFF_FFFF


def template_set() -> bytes:
    """Return the set that says what a record looks like."""
    fields = b"".join(struct.pack("!HH", element, length) for element, length in FIELDS)
    body = struct.pack("!HH", TEMPLATE_ID, len(FIELDS)) + fields
    return _SET_HEADER.pack(TEMPLATE_SET, _SET_HEADER.size + len(body)) + body


RECORDS_PER_MESSAGE: Final = (
    _MAX_MESSAGE_OCTETS - _HEADER.size - _SET_HEADER.size - len(template_set())
) // _RECORD.size
"""As many as fit into one frame together with the template."""


def _interface(address: str) -> int:
    """Return the router's interface towards an address: the second octet names the region."""
    return _SERVER_INTERFACE if address.startswith("127.20.") else int(address.split(".")[1])


def _record(flow: FlowRecord) -> bytes:
    return _RECORD.pack(
        IPv4Address(flow.source).packed,
        IPv4Address(flow.destination).packed,
        flow.source_port,
        flow.destination_port,
        flow.protocol,
        0,
        flow.tcp_control_bits,
        flow.octets,
        flow.packets,
        flow.start_milliseconds,
        flow.end_milliseconds,
        _interface(flow.source),
        _interface(flow.destination),
        0,
        _END_OF_FLOW,
    )


def encode_message(
    flows: Sequence[FlowRecord], *, export_seconds: int, sequence: int, domain: int, with_template: bool
) -> bytes:
    """Return one message; raises ValueError for more flows than fit or for none at all without template."""
    if len(flows) > RECORDS_PER_MESSAGE or not (flows or with_template):
        raise ValueError(f"{len(flows)} flows do not make one message; it takes up to {RECORDS_PER_MESSAGE}")
    sets = template_set() if with_template else b""
    if flows:
        data = b"".join(_record(flow) for flow in flows)
        sets += _SET_HEADER.pack(TEMPLATE_ID, _SET_HEADER.size + len(data)) + data
    length = _HEADER.size + len(sets)
    return _HEADER.pack(VERSION, length, export_seconds, sequence & _SEQUENCE_MASK, domain) + sets
