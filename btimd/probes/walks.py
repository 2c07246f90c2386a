"""Walk: which packet of a walk died where. PathErrand, MtuErrand: what there is to find out. No sockets here.

A packet is told by its tag, 16 bits that stand in it together with their complement, so that its checksum is the same
whatever the tag: [tag, ~tag] adds up to ffff.
"""

import struct
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from btimd.model.units import MonotonicSeconds, Octets, Seconds
from btimd.probes.hops import Hop, PathLimits
from btimd.probes.kinds import Errand
from btimd.probes.wire.icmp import (
    ECHO_REPLY_V4,
    ECHO_REPLY_V6,
    ECHO_REQUEST_V4,
    ECHO_REQUEST_V6,
    Echo,
    encode_echo,
)
from btimd.probes.wire.icmperror import IcmpError, Told

_WORDS: Final = struct.Struct("!HH")
_ECHO: Final = struct.Struct("!BBHHH")
_MARK: Final = b"btimd path probe"
_KEPT_ON_TRYING: Final = 2


class WalkMethod(StrEnum):
    """What packets a walk sends."""

    ICMP = "icmp"
    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class PathErrand(Errand):
    """Walk to a host. packets: per hop. ahead: hops that may be silent in a row before the walk slows down."""

    host: str
    port: int
    method: WalkMethod
    token: int
    packets: int = 5
    max_hops: int = 30
    ahead: int = 6
    limits: PathLimits = field(default_factory=PathLimits)


@dataclass(frozen=True, slots=True)
class MtuErrand(Errand):
    """Find the longest packet that passes. least: that must; None = what this machine's route to it says."""

    host: str
    port: int
    method: WalkMethod
    token: int
    least: Octets | None = None


def tagged_payload(tag: int, filler: int = 0) -> bytes:
    """Return the payload of a datagram."""
    return _WORDS.pack(tag, tag ^ 0xFFFF) + _MARK + bytes(filler)


def untagged(payload: bytes) -> int | None:
    """Return the tag of a payload, or of the beginning of one; None where it is cut off or not ours."""
    if len(payload) < _WORDS.size:
        return None
    tag, complement = _WORDS.unpack_from(payload)
    return tag if tag ^ complement == 0xFFFF else None  # noqa: PLR2004  16 bits


def tagged_echo(is_v6: bool, identifier: int, tag: int, filler: int = 0) -> bytes:  # noqa: FBT001  one of two
    """Return an echo request whose sequence number is the tag and whose checksum does not depend on it."""
    kind = ECHO_REQUEST_V6 if is_v6 else ECHO_REQUEST_V4
    return encode_echo(Echo(kind, identifier, tag, struct.pack("!H", tag ^ 0xFFFF) + _MARK + bytes(filler)))


def tag_of_echo(message: bytes, identifier: int | None, *, reply: bool = False) -> int | None:
    """Return the tag of an echo, or of the beginning of one; None where it is not ours.

    identifier None: the kernel gave its own and lets nobody else's through. reply: an answer, else our own, quoted.
    """
    if len(message) < _ECHO.size:
        return None
    kind, code, _, found, tag = _ECHO.unpack_from(message)
    wanted = (ECHO_REPLY_V4, ECHO_REPLY_V6) if reply else (ECHO_REQUEST_V4, ECHO_REQUEST_V6)
    if kind not in wanted or code or (identifier is not None and found != identifier):
        return None
    data = message[_ECHO.size : _ECHO.size + 2]
    if len(data) == 2 and int.from_bytes(data) ^ tag != 0xFFFF:  # noqa: PLR2004  16 bits
        return None
    return int(tag)


class Walk:
    """Keeps the books of a walk: what was sent to die where, and what came back of it."""

    def __init__(self, target: str, max_hops: int) -> None:
        self._target = target
        self._max_hops = max_hops
        self._hops: dict[int, Hop] = {}
        self._outstanding: dict[int, tuple[int, MonotonicSeconds]] = {}
        self._next_tag = 1
        self.length: int | None = None
        self.ended_by: int | None = None
        self.furthest = 0
        self.longest_rtt: Seconds = 0.0
        self._last_router = 0

    @property
    def outstanding(self) -> int:
        """Packets that nothing has come back of."""
        return len(self._outstanding)

    @property
    def last_useful(self) -> int:
        """The hop beyond which packets would find nothing new."""
        ends = [end for end in (self.length, self.ended_by) if end is not None]
        return min(ends, default=self._max_hops)

    def sent(self, number: int, now: MonotonicSeconds) -> int:
        """Note a packet that dies at a hop; return its tag."""
        hop = self._hops.setdefault(number, Hop(number))
        hop.sent += 1
        tag = self._next_tag
        self._next_tag = tag % 0xFFFE + 1
        self._outstanding[tag] = (number, now)
        return tag

    def unsent(self, tag: int) -> None:
        """Take back a packet that this machine could not send."""
        number, _ = self._outstanding.pop(tag)
        self._hops[number].sent -= 1

    def heard(self, tag: int | None, error: IcmpError | None, now: MonotonicSeconds) -> None:
        """Note what came back of a packet; error None = the target itself answered.

        A router that quotes too little for the tag is taken to speak of the oldest packet that nothing came back of.
        """
        if error is not None and error.is_local and error.told is Told.OTHER:
            return
        if tag is None and self._outstanding:
            tag = min(self._outstanding, key=lambda one: self._outstanding[one][1])
        if tag is None or tag not in self._outstanding:
            return
        number, sent_at = self._outstanding.pop(tag)
        hop = self._hops[number]
        hop.rtts.append(max(0.0, now - sent_at))
        self.longest_rtt = max(self.longest_rtt, hop.rtts[-1])
        self.furthest = max(self.furthest, number)
        if error is not None and error.told is Told.EXPIRED:
            self._last_router = max(self._last_router, number)
        by = self._target if error is None else error.by
        if by:
            hop.addresses[by] = hop.addresses.get(by, 0) + 1
        if error is None or error.told is Told.PORT:
            self.length = number if self.length is None else min(self.length, number)
        elif error.told is not Told.EXPIRED:
            hop.error = error
            self.ended_by = number if self.ended_by is None else min(self.ended_by, number)

    def worth_asking(self) -> list[int]:
        """Return the hops to send another packet to: all up to the target, or up to who said that there is no way.

        Of a target that is silent: up to two hops beyond the last that answered, and one packet to the target itself.
        """
        if self.length is not None or self.ended_by is not None:
            return list(range(1, self.last_useful + 1))
        answered = max((number for number, hop in self._hops.items() if hop.rtts), default=0)
        near = list(range(1, min(self._max_hops, answered + _KEPT_ON_TRYING) + 1))
        return near if self._max_hops in near else [*near, self._max_hops]

    def worth_waiting_for(self) -> list[int]:
        """Return the hops to ask again where each silence costs time: not those that let others answer behind them."""
        if self.length is None and self.ended_by is None:
            return [self._max_hops]
        return [number for number in self.worth_asking() if self._hops[number].rtts or number > self._last_router]

    def hops(self) -> list[Hop]:
        """Return the hops in their order; up to the target, or up to the last that answered."""
        last = self.last_useful
        if self.length is None and self.ended_by is None:
            last = max((number for number, hop in self._hops.items() if hop.rtts), default=0)
        return [self._hops.get(number, Hop(number)) for number in range(1, last + 1)]
