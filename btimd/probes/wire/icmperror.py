"""What routers and hosts say of a packet that did not arrive: ICMP errors (RFC 792, RFC 1812, RFC 4443) in words.

The kernel hands them to unprivileged sockets as struct sock_extended_err, with the address of who said it behind:

     0                   1                   2                   3
     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
    +---------------------------------------------------------------+
    |                     errno (host byte order)                   |
    +---------------+---------------+---------------+---------------+
    |    origin     |   ICMP type   |   ICMP code   |      pad      |
    +---------------+---------------+---------------+---------------+
    |        info (host byte order): MTU of a packet too big        |
    +---------------------------------------------------------------+
    |                             data                              |
    +---------------------------------------------------------------+
    |          sockaddr_in or sockaddr_in6 of who said it           |
    +---------------------------------------------------------------+
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from btimd.probes.wire.dialogue import AnswerError

_FIXED: Final = struct.Struct("=IBBBBII")
_FAMILY: Final = struct.Struct("=H")
_INET, _INET6 = 2, 10  # of Linux
_LOCAL, _ICMP, _ICMP6 = 1, 2, 3
EMSGSIZE: Final = 90


class Told(StrEnum):
    """What an ICMP error means to who sent the packet."""

    EXPIRED = "expired"
    """It had no hops left: a router on the way."""
    PORT = "port"
    """The host is there and nobody listens."""
    PROHIBITED = "prohibited"
    """A filter does not let it pass."""
    UNREACHABLE = "unreachable"
    """There is no way to the host, or it does not answer on its segment."""
    TOO_BIG = "too-big"
    """It is longer than the next link takes."""
    OTHER = "other"


_IPV4: Final = {
    (3, 0): (Told.UNREACHABLE, "network unreachable"),
    (3, 1): (Told.UNREACHABLE, "host unreachable"),
    (3, 2): (Told.PORT, "protocol unreachable"),
    (3, 3): (Told.PORT, "port unreachable"),
    (3, 4): (Told.TOO_BIG, "fragmentation needed"),
    (3, 5): (Told.UNREACHABLE, "source route failed"),
    (3, 6): (Told.UNREACHABLE, "destination network unknown"),
    (3, 7): (Told.UNREACHABLE, "destination host unknown"),
    (3, 8): (Told.UNREACHABLE, "source host isolated"),
    (3, 9): (Told.PROHIBITED, "network administratively prohibited"),
    (3, 10): (Told.PROHIBITED, "host administratively prohibited"),
    (3, 11): (Told.UNREACHABLE, "network unreachable for this type of service"),
    (3, 12): (Told.UNREACHABLE, "host unreachable for this type of service"),
    (3, 13): (Told.PROHIBITED, "communication administratively prohibited"),
    (3, 14): (Told.PROHIBITED, "host precedence violation"),
    (3, 15): (Told.PROHIBITED, "precedence cut off"),
    (11, 0): (Told.EXPIRED, "time to live exceeded"),
}
_IPV6: Final = {
    (1, 0): (Told.UNREACHABLE, "no route to destination"),
    (1, 1): (Told.PROHIBITED, "communication administratively prohibited"),
    (1, 2): (Told.UNREACHABLE, "beyond the scope of the source address"),
    (1, 3): (Told.UNREACHABLE, "address unreachable"),
    (1, 4): (Told.PORT, "port unreachable"),
    (1, 5): (Told.PROHIBITED, "source address failed the policy"),
    (1, 6): (Told.PROHIBITED, "reject route to destination"),
    (2, 0): (Told.TOO_BIG, "packet too big"),
    (3, 0): (Told.EXPIRED, "hop limit exceeded"),
    (4, 1): (Told.PORT, "next header not known"),
}


@dataclass(frozen=True, slots=True)
class IcmpError:
    """An error about a packet of ours. by: who said it, "" = this machine. mtu: of a packet too big, else 0."""

    told: Told
    words: str
    by: str
    type: int
    code: int
    mtu: int
    errno: int

    @property
    def is_local(self) -> bool:
        """Tell whether this machine itself says it."""
        return not self.by


def decode_extended_error(data: bytes) -> IcmpError:
    """Return what the kernel tells in a control message of IP_RECVERR or IPV6_RECVERR; raises AnswerError."""
    if len(data) < _FIXED.size:
        raise AnswerError(f"{len(data)} octets are no extended error")
    errno, origin, kind, code, _, info, _ = _FIXED.unpack_from(data)
    if origin == _LOCAL:
        told = Told.TOO_BIG if errno == EMSGSIZE else Told.OTHER
        return IcmpError(told, "this machine's own link or route", "", 0, 0, info if told is Told.TOO_BIG else 0, errno)
    if origin not in {_ICMP, _ICMP6}:
        raise AnswerError(f"an extended error of origin {origin} is none of the network")
    told, words = (_IPV4 if origin == _ICMP else _IPV6).get((kind, code), (Told.OTHER, f"ICMP type {kind} code {code}"))
    return IcmpError(told, words, _offender(data), kind, code, info if told is Told.TOO_BIG else 0, errno)


def _offender(data: bytes) -> str:
    """Return the address behind the fixed part; raises AnswerError where there is none."""
    rest = data[_FIXED.size :]
    family = _FAMILY.unpack_from(rest)[0] if len(rest) >= _FAMILY.size else 0
    if family == _INET and len(rest) >= 8:
        return str(IPv4Address(rest[4:8]))
    if family == _INET6 and len(rest) >= 24:
        found = IPv6Address(rest[8:24])
        return str(found.ipv4_mapped or found)
    raise AnswerError(f"an extended error without an address: family {family}, {len(rest)} octets")
