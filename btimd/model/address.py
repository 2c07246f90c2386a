"""Addresses and prefixes as two unsigned 64-bit halves: IPv6 as it is, IPv4 as ::ffff:a.b.c.d.

One number space for both families lets one sorted table and one kernel serve both (RFC 4291 section 2.5.5.2).
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from typing_extensions import override

IPV4_MAPPED_LO: Final = 0xFFFF_0000_0000
HALF_MASK: Final = 0xFFFF_FFFF_FFFF_FFFF
_IPV4_BITS: Final = 32
_IPV6_BITS: Final = 128


def address_halves(address: IPv4Address | IPv6Address | str) -> tuple[int, int]:
    """Return (hi, lo) of an address; raises ValueError for text that is no address."""
    parsed = ip_address(address) if isinstance(address, str) else address
    if parsed.version == _IPV4_BITS // 8:
        return 0, IPV4_MAPPED_LO | int(parsed)
    number = int(parsed)
    return number >> 64, number & HALF_MASK


def address_text(hi: int, lo: int) -> str:
    """Return the usual text of an address given as halves; mapped IPv4 is written as IPv4."""
    if hi == 0 and lo >> 32 == IPV4_MAPPED_LO >> 32:
        return str(IPv4Address(lo & 0xFFFF_FFFF))
    return str(IPv6Address((hi << 64) | lo))


@dataclass(frozen=True, slots=True, order=True)
class Prefix:
    """A network prefix in the 128-bit space: `length` counts from the top of 128 bits, so 10.0.0.0/8 has 104."""

    hi: int
    lo: int
    length: int

    @classmethod
    def parse(cls, text: str) -> "Prefix":
        """Return the prefix that `text` (CIDR or a single address) names; raises ValueError, also for host bits."""
        network: IPv4Network | IPv6Network = ip_network(text, strict=True)
        hi, lo = address_halves(network.network_address)
        extra = _IPV6_BITS - _IPV4_BITS if isinstance(network, IPv4Network) else 0
        return cls(hi, lo, network.prefixlen + extra)

    @property
    def first(self) -> int:
        """First address as a 128-bit number."""
        return (self.hi << 64) | self.lo

    @property
    def last(self) -> int:
        """Last address as a 128-bit number."""
        return self.first | ((1 << (_IPV6_BITS - self.length)) - 1)

    def contains(self, hi: int, lo: int) -> bool:
        """Tell whether an address lies in this prefix."""
        return self.first <= ((hi << 64) | lo) <= self.last

    @override
    def __str__(self) -> str:
        if self.hi == 0 and self.lo >> 32 == IPV4_MAPPED_LO >> 32 and self.length >= _IPV6_BITS - _IPV4_BITS:
            return f"{IPv4Address(self.lo & 0xFFFF_FFFF)}/{self.length - (_IPV6_BITS - _IPV4_BITS)}"
        return f"{IPv6Address(self.first)}/{self.length}"
