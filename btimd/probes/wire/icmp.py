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
from statistics import median
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds, Ratio, Seconds
from btimd.probes.wire.dialogue import Action, AnswerError, Dialogue, Line, Send, Stage, Wait

ICMP_FIX: Final = (
    "this process may not send ICMP echoes; run sysctl -w net.ipv4.ping_group_range='0 2147483647' "
    "or give the service CAP_NET_RAW"
)
ECHO_REQUEST_V4: Final = 8
ECHO_REPLY_V4: Final = 0
ECHO_REQUEST_V6: Final = 128
ECHO_REPLY_V6: Final = 129
_HEADER: Final = struct.Struct("!BBHHH")
_IPV4_MIN_HEADER: Final = 20
_LAST_ECHO_SECONDS: Final = 0.5
_ROUNDING: Final = 1e-9


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


@dataclass(frozen=True, slots=True)
class Burst:
    """How many echoes, how far apart, and how many may be lost or how long they may take (median)."""

    count: int = 1
    interval_seconds: Seconds = 0.2
    max_loss: Ratio = 0.0
    max_rtt_seconds: Seconds | None = None


class IcmpDialogue(Dialogue):
    """Echo requests; good when their own data comes back. `token` (64 bits) tells them from every other echo.

    Of a burst the share that is lost and the median round trip decide.
    """

    line = Line.ICMP

    def __init__(self, host: str, token: int, burst: Burst | None = None) -> None:
        super().__init__(host, 0)
        self._identifier = token & 0xFFFF
        self._sequence = token >> 16 & 0xFFFF
        self._data = b"btimd echo " + (token & 0xFFFF_FFFF_FFFF_FFFF).to_bytes(8)
        self._reply = ECHO_REPLY_V4
        self._burst = Burst() if burst is None else burst
        self._sent_at: list[MonotonicSeconds] = []
        self._rtts: dict[int, Seconds] = {}
        self._wait_until: MonotonicSeconds = 0.0

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._reply = ECHO_REPLY_V6 if ":" in self._address else ECHO_REPLY_V4
        return self._send(now)

    def _send(self, now: MonotonicSeconds) -> list[Action]:
        request = ECHO_REQUEST_V6 if ":" in self._address else ECHO_REQUEST_V4
        sequence = self._sequence + len(self._sent_at) & 0xFFFF
        self._sent_at.append(now)
        send = Send(encode_echo(Echo(request, self._identifier, sequence, self._data)))
        if self._burst.count == 1:
            return [send]
        pause = self._burst.interval_seconds
        if len(self._sent_at) == self._burst.count:  # the last ones are waited for as long as others took, and more
            pause = max(_LAST_ECHO_SECONDS, 4.0 * max(self._rtts.values(), default=0.0))
        self._wait_until = now + pause
        return [send, Wait(pause)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        waiting: list[Action] = [] if self._burst.count == 1 else [Wait(self._wait_until - now)]
        try:
            echo = decode_echo(data)
        except AnswerError:
            return waiting  # a raw socket sees all ICMP of the host; what is not ours is not about us
        number = echo.sequence - self._sequence & 0xFFFF
        if (echo.type, echo.data) != (self._reply, self._data) or number >= len(self._sent_at) or number in self._rtts:
            return waiting
        self._rtts[number] = now - self._sent_at[number]
        if len(self._rtts) < self._burst.count:
            return waiting
        return self._judge()

    @override
    def _time_is_up(self, now: MonotonicSeconds) -> list[Action]:
        if len(self._sent_at) < self._burst.count:
            return self._send(now)
        return self._judge() if self._rtts else []  # where nothing came at all, the whole time is waited

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING:
            return super()._silence(now)
        if self._rtts:
            return self._judge()
        waited = now - self._started
        asked = "an echo request" if self._burst.count == 1 else f"{len(self._sent_at)} echo requests"
        if self._burst.count > 1:
            self._values["loss_ratio"] = 1.0
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer {asked} within {waited:.1f} s")

    def _judge(self) -> list[Action]:
        rtt = median(self._rtts.values())
        self._values["rtt_seconds"] = rtt
        most = self._burst.max_rtt_seconds
        if self._burst.count > 1:
            sent, answered = len(self._sent_at), len(self._rtts)
            self._values["loss_ratio"] = 1.0 - answered / sent
            if 1.0 - answered / sent > self._burst.max_loss + _ROUNDING:
                return self._bad(ErrorClass.TIMEOUT, f"{self._target} answers only {answered} of {sent} echo requests")
        if most is not None and rtt > most:
            detail = f"{self._target} takes {1000 * rtt:.1f} ms to answer an echo request, more than {1000 * most:g} ms"
            return self._bad(ErrorClass.SLOW, detail)
        return self._good(f"{self._target} answers echo requests")
