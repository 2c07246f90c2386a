"""NTP: does the time server know the time, and does it agree with this machine's clock (RFC 5905).

 0                   1                   2                   3
|LI | VN  |Mode |    Stratum     |     Poll      |  Precision   |
|                         Root Delay (16.16)                    |
|                       Root Dispersion (16.16)                 |
|                          Reference ID                         |
|  reference, origin, receive, transmit: four timestamps (32.32, seconds since 1900)
"""

import struct
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds, Seconds, UnixSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Connected, DatagramDialogue, Event, Send, printable

NTP_PORT: Final = 123
UNIX_EPOCH: Final = 2_208_988_800
_HEADER: Final = struct.Struct("!BBbbII4sQQQQ")
_MODE_CLIENT: Final = 3
_MODE_SERVER: Final = 4
_VERSION: Final = 4
_LEAP_ALARM: Final = 3
_UNSYNCHRONISED: Final = 16
_ERA: Final = 1 << 32
_KISSES: Final = {
    "DENY": "it denies access", "RSTR": "it denies access by its policy", "RATE": "it is asked too often",
    "INIT": "it has just started and knows no time yet", "STEP": "its clock was just set",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    """An NTP packet. receive, transmit: seconds since 1970 by the server's clock. origin: as sent back."""

    leap: int
    version: int
    mode: int
    stratum: int
    root_delay: Seconds
    root_dispersion: Seconds
    reference: bytes
    origin: int
    receive: UnixSeconds
    transmit: UnixSeconds


def encode_request(token: int) -> bytes:
    """Return a client request; the token (64 bits of chance) stands for its time, which is nobody's business."""
    return _HEADER.pack(_VERSION << 3 | _MODE_CLIENT, 0, 0, 0, 0, 0, bytes(4), 0, 0, 0, token)


def _seconds(timestamp: int, near: UnixSeconds) -> UnixSeconds:
    """Return a timestamp since 1970, in the era that is nearest to a time (eras are 136 years long)."""
    found = (timestamp >> 32) - UNIX_EPOCH + (timestamp & 0xFFFF_FFFF) / _ERA
    return found + round((near - found) / _ERA) * _ERA


def decode_packet(data: bytes, near: UnixSeconds) -> Packet:
    """Return the packet in a datagram; raises AnswerError. near: the time now, to know the era."""
    if len(data) < _HEADER.size:
        raise AnswerError(f"{len(data)} octets")
    first, stratum, _, _, delay, dispersion, reference, _, origin, receive, transmit = _HEADER.unpack_from(data)
    return Packet(
        leap=first >> 6,
        version=first >> 3 & 7,
        mode=first & 7,
        stratum=stratum,
        root_delay=delay / 65_536,
        root_dispersion=dispersion / 65_536,
        reference=reference,
        origin=origin,
        receive=_seconds(receive, near),
        transmit=_seconds(transmit, near),
    )


@dataclass(frozen=True, slots=True)
class NtpLimits:
    """What is still good; None: any."""

    stratum: int = 15
    offset_seconds: Seconds | None = 1.0
    root_dispersion_seconds: Seconds | None = 1.0


class NtpDialogue(DatagramDialogue):
    """One request; good when the server is synchronised, within its limits, and its time is this machine's."""

    question = "an NTP request"

    def __init__(self, host: str, port: int, token: int, limits: NtpLimits) -> None:
        super().__init__(host, port or NTP_PORT)
        self._token = token & 0xFFFF_FFFF_FFFF_FFFF or 1
        self._limits = limits
        self._wall_began: UnixSeconds = 0.0
        self._began: MonotonicSeconds = 0.0
        self._sent_at: MonotonicSeconds = 0.0

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        if isinstance(event, Connected):
            self._wall_began, self._began = event.at, now
        return super().handle(event, now)

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._sent_at = now
        return [Send(encode_request(self._token))]

    def _wall(self, now: MonotonicSeconds) -> UnixSeconds:
        return self._wall_began + (now - self._began)

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        try:
            packet = decode_packet(data, self._wall(now))
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak NTP: {error}")
        if packet.mode != _MODE_SERVER or not 1 <= packet.version <= 4:
            why = f"mode {packet.mode} of version {packet.version} is no answer of a server"
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak NTP: {why}")
        if packet.origin != self._token:
            return []  # somebody else's answer, or a forged one
        self._measure(packet, now)
        trouble = self._trouble(packet)
        if trouble:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} {trouble}")
        offset = self._values["offset_seconds"]
        return self._good(f"{self._target} is at stratum {packet.stratum}, {offset:+.6f} s from this machine's clock")

    def _measure(self, packet: Packet, now: MonotonicSeconds) -> None:
        sent, came = self._wall(self._sent_at), self._wall(now)
        there = packet.transmit - packet.receive
        self._values |= {
            "rtt_seconds": max(0.0, came - sent - there) if 0.0 <= there < 60.0 else came - sent,
            "offset_seconds": ((packet.receive - sent) + (packet.transmit - came)) / 2,
            "stratum": packet.stratum,
            "root_delay_seconds": packet.root_delay,
            "root_dispersion_seconds": packet.root_dispersion,
        }
        if packet.stratum in {0, _UNSYNCHRONISED}:
            del self._values["offset_seconds"]  # the times in it mean nothing

    def _trouble(self, packet: Packet) -> str:
        """Return what is not good, empty where all is."""
        if packet.stratum == 0:
            code = printable(packet.reference.rstrip(b"\0").decode("ascii", "replace"), 8)
            return f"sends the kiss code {code}: {_KISSES.get(code, 'it gives no time')}"
        if packet.leap == _LEAP_ALARM or packet.stratum >= _UNSYNCHRONISED:
            return f"is not synchronised (leap indicator {packet.leap}, stratum {packet.stratum})"
        limits, offset = self._limits, self._values["offset_seconds"]
        if packet.stratum > limits.stratum:
            return f"is at stratum {packet.stratum}, allowed are up to {limits.stratum}"
        if limits.root_dispersion_seconds is not None and packet.root_dispersion > limits.root_dispersion_seconds:
            limit = f"allowed are {limits.root_dispersion_seconds:g} s"
            return f"knows the time only to {packet.root_dispersion:.3f} s (root dispersion), {limit}"
        if limits.offset_seconds is not None and abs(offset) > limits.offset_seconds:
            return f"is {offset:+.3f} s from this machine's clock, allowed are {limits.offset_seconds:g} s"
        return ""
