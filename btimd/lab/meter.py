"""Metering: what a connection put on the wire, counted by the kernel, as two flow records.

Where the figures come from (Linux 4.19 or later, `struct tcp_info` of include/uapi/linux/tcp.h):

- packets: tcpi_segs_out and tcpi_segs_in, which count every segment, SYN, FIN and bare ACK included.
- payload sent: tcpi_bytes_sent, retransmissions included. Payload received: tcpi_bytes_received, less one when the
  peer's FIN came, because the kernel counts the sequence number that FIN takes.
- headers: IPv4 20 + TCP 20 octets a segment, and 12 for time stamps where tcpi_options says they were agreed on;
  the SYN carries maximum segment size, SACK and window scale besides.

Read after shutdown() of our side, when the peer has closed before, the sums are those of a capture on the interface,
octet by octet. What they cannot know: SACK blocks in bare ACKs (8 octets each, only after loss or reordering), segments
after the reading when we leave first (the peer's FIN, our last ACK), and how a network card would have cut the up to
64 KiB large segments that loopback carries whole.
"""

import socket
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from btimd.model.units import Octets, UnixMillis

PROTOCOL_TCP: Final = 6
PROTOCOL_UDP: Final = 17
FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

_IPV4_AND_TCP: Final = 40
_IPV4_AND_UDP: Final = 28
_TIMESTAMPS: Final = 1
_SACK: Final = 2
_WINDOW_SCALE: Final = 4
STATE_SYN_SENT: Final = 2
_INFO_OCTETS: Final = 256
_INFO_NEEDED: Final = 208


@dataclass(frozen=True, slots=True)
class FlowRecord:
    """One direction of a conversation, as an exporter reports it. `business` is the truth, not part of the report."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    protocol: int
    tcp_control_bits: int
    start_milliseconds: UnixMillis
    end_milliseconds: UnixMillis
    octets: Octets
    packets: int
    business: str


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """The part of the kernel's TCP_INFO that metering needs."""

    state: int
    options: int
    bytes_sent: Octets
    bytes_received: Octets
    segments_out: int
    segments_in: int


def decode_tcp_info(raw: bytes) -> TcpInfo:
    """Return the fields of a `struct tcp_info`; raises ValueError where the kernel is too old to fill them."""
    if len(raw) < _INFO_NEEDED:
        raise ValueError(f"TCP_INFO of {len(raw)} octets lacks tcpi_bytes_sent; the laboratory needs Linux 4.19")
    (received, segments_out, segments_in) = struct.unpack_from("=QII", raw, 128)
    (sent,) = struct.unpack_from("=Q", raw, 200)
    return TcpInfo(raw[0], raw[5], sent, received, segments_out, segments_in)


def read_tcp_info(sock: socket.socket) -> TcpInfo:
    """Ask the kernel about a connection that is still open on our side."""
    return decode_tcp_info(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_OCTETS))


def _syn_octets(options: int) -> int:
    """Length of a SYN: maximum segment size 4, time stamps with SACK 12 or SACK alone 4, window scale 4."""
    stamps = 12 if options & _TIMESTAMPS else 4 if options & _SACK else 0
    return _IPV4_AND_TCP + 4 + stamps + (4 if options & _WINDOW_SCALE else 0)


OFFERED_SYN_OCTETS: Final = _syn_octets(_TIMESTAMPS | _SACK | _WINDOW_SCALE)
"""Length of the SYN that Linux sends, before anything is agreed on."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who spoke with whom and when; the client first. Milliseconds are wall clock."""

    client: str
    client_port: int
    server: str
    server_port: int
    start_milliseconds: UnixMillis
    end_milliseconds: UnixMillis
    business: str

    def record(self, protocol: int, flags: int, octets: Octets, packets: int) -> FlowRecord:
        """Return the record of what the client sent."""
        return FlowRecord(
            self.client, self.client_port, self.server, self.server_port, protocol, flags,
            self.start_milliseconds, self.end_milliseconds, octets, packets, self.business,
        )  # fmt: skip

    def record_back(self, protocol: int, flags: int, octets: Octets, packets: int) -> FlowRecord:
        """Return the record of what the server sent."""
        return FlowRecord(
            self.server, self.server_port, self.client, self.client_port, protocol, flags,
            self.start_milliseconds, self.end_milliseconds, octets, packets, self.business,
        )  # fmt: skip


class End(StrEnum):
    """How a connection ended, seen from the client."""

    PEER_CLOSED = "peer-closed"
    """The end of the stream was read, so the server's FIN came."""
    PEER_RESET = "peer-reset"
    LEFT = "left"
    """The client had enough."""
    REFUSED = "refused"


def connection_flows(conversation: Conversation, info: TcpInfo, end: End) -> tuple[FlowRecord, ...]:
    """Return both directions of a TCP connection, or those in which anything passed.

    Of a refused connection the kernel keeps no figures: it is one SYN, answered by one RST.
    """
    if end is End.REFUSED:
        return (
            conversation.record(PROTOCOL_TCP, SYN, OFFERED_SYN_OCTETS, 1),
            conversation.record_back(PROTOCOL_TCP, RST | ACK, _IPV4_AND_TCP, 1),
        )
    if not info.segments_out:
        return ()
    if not info.segments_in:
        octets = info.segments_out * OFFERED_SYN_OCTETS
        return (conversation.record(PROTOCOL_TCP, SYN, octets, info.segments_out),)
    header = _IPV4_AND_TCP + (12 if info.options & _TIMESTAMPS else 0)
    syn = _syn_octets(info.options)
    payload_in = info.bytes_received - (1 if end is End.PEER_CLOSED and info.bytes_received else 0)
    octets_out = info.bytes_sent + syn + (info.segments_out - 1) * header
    octets_in = payload_in + syn + (info.segments_in - 1) * header
    flags_out = SYN | ACK | (0 if end is End.PEER_RESET else FIN) | (PSH if info.bytes_sent else 0)
    flags_in = SYN | ACK | (PSH if payload_in else 0) | _LAST_FLAG[end]
    return (
        conversation.record(PROTOCOL_TCP, flags_out, octets_out, info.segments_out),
        conversation.record_back(PROTOCOL_TCP, flags_in, octets_in, info.segments_in),
    )


_LAST_FLAG: Final = {End.PEER_CLOSED: FIN, End.PEER_RESET: RST, End.LEFT: 0}


def datagram_flows(
    conversation: Conversation, *, sent: int, sent_octets: Octets, received: int, received_octets: Octets
) -> tuple[FlowRecord, ...]:
    """Return the directions of a UDP exchange in which anything passed. Octets are payload."""
    flows = []
    if sent:
        flows.append(conversation.record(PROTOCOL_UDP, 0, sent_octets + sent * _IPV4_AND_UDP, sent))
    if received:
        flows.append(conversation.record_back(PROTOCOL_UDP, 0, received_octets + received * _IPV4_AND_UDP, received))
    return tuple(flows)
