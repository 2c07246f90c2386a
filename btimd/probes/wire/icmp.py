"""ICMP echo for IPv4 (RFC 792) and IPv6 (RFC 4443): is the host there.

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +---------------+---------------+-------------------------------+
    |     type      |     code      |           checksum            |
    +---------------+---------------+-------------------------------+
    |          identifier           |        sequence number        |
    +-------------------------------+-------------------------------+
    |  data ...                                                     |
    +---------------------------------------------------------------+

The kernel replaces the identifier on unprivileged ping sockets, so a reply is known by its data, not by it.
"""

import struct
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Dialogue, Line, Send, Stage

ECHO_REQUEST_V4: Final = 8
ECHO_REPLY_V4: Final = 0
ECHO_REQUEST_V6: Final = 128
ECHO_REPLY_V6: Final = 129
_HEADER: Final = struct.Struct("!BBHHH")
_IPV4_MIN_HEADER: Final = 20


@dataclass(frozen=True, slots=True)
class Echo:
    """An echo request or reply."""

    type: int
    identifier: int
    sequence: int
    data: bytes


def internet_checksum(data: bytes) -> int:
    """Return the ones' complement checksum (RFC 1071); over data with its right checksum it is 0."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def encode_echo(echo: Echo) -> bytes:
    """Return the message; an IPv6 one has checksum 0, because the kernel fills it in (RFC 3542 section 3.1)."""
    blank = _HEADER.pack(echo.type, 0, 0, echo.identifier, echo.sequence) + echo.data
    if echo.type in {ECHO_REQUEST_V6, ECHO_REPLY_V6}:
        return blank
    return _HEADER.pack(echo.type, 0, internet_checksum(blank), echo.identifier, echo.sequence) + echo.data


def decode_echo(data: bytes) -> Echo:
    """Return the echo in an ICMP message; raises AnswerError for anything else."""
    if len(data) < _HEADER.size:
        raise AnswerError(f"{len(data)} octets are no ICMP message")
    kind, code, _, identifier, sequence = _HEADER.unpack_from(data)
    if kind not in {ECHO_REQUEST_V4, ECHO_REPLY_V4, ECHO_REQUEST_V6, ECHO_REPLY_V6} or code:
        raise AnswerError(f"ICMP type {kind} code {code} is no echo")
    return Echo(kind, identifier, sequence, data[_HEADER.size :])


def without_ipv4_header(packet: bytes) -> bytes:
    """Return what an IPv4 packet carries; raw sockets deliver the header too. Raises AnswerError."""
    if len(packet) < _IPV4_MIN_HEADER or packet[0] >> 4 != 4:
        raise AnswerError(f"{len(packet)} octets are no IPv4 packet")
    length = (packet[0] & 0x0F) * 4
    if not _IPV4_MIN_HEADER <= length <= len(packet):
        raise AnswerError(f"an IPv4 header of {length} octets in a packet of {len(packet)}")
    return packet[length:]


class IcmpDialogue(Dialogue):
    """One echo request; good when its own data comes back. `token` (64 bits) tells it from every other echo."""

    line = Line.ICMP

    def __init__(self, host: str, token: int) -> None:
        super().__init__(host, 0)
        self._identifier = token & 0xFFFF
        self._sequence = token >> 16 & 0xFFFF
        self._data = b"btimd echo " + (token & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)
        self._reply = ECHO_REPLY_V4

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        is_v6 = ":" in self._address
        self._reply = ECHO_REPLY_V6 if is_v6 else ECHO_REPLY_V4
        request = ECHO_REQUEST_V6 if is_v6 else ECHO_REQUEST_V4
        return [Send(encode_echo(Echo(request, self._identifier, self._sequence, self._data)))]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        try:
            echo = decode_echo(data)
        except AnswerError:
            return []  # a raw socket sees all ICMP of the host; what is not ours is not about us
        if (echo.type, echo.sequence, echo.data) != (self._reply, self._sequence, self._data):
            return []
        self._values["rtt_seconds"] = now - self._stage_began
        return self._good(f"{self._target} answers echo requests")

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer an echo request within {waited:.1f} s")
