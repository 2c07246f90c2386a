"""What the kernel of the operating system received at once, put side by side; messages in a stream, told apart.

Rows of what recvmmsg fills in (struct mmsghdr, 64-bit ABI of Linux) are looked at as 32-bit words: word 12 are the
flags, word 14 the length.
"""

from typing import Any

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.octets import be2, be4, be8

HEADER_WORDS = 16
NAME_OCTETS = 32  # struct sockaddr_in6 is 28
HOT_OCTETS = 2048
JUMBO_OCTETS = 65_536 - HOT_OCTETS
X_DATAGRAMS, X_OCTETS, X_TRUNCATED = range(3)
STATE_SIZE = 3
F_BEGIN, F_MESSAGES, F_BAD = range(3)
FRAMING_SIZE = 3
MIN_MESSAGE_OCTETS = 16
IPFIX_VERSION = 10

_FLAGS_WORD = 12
_LENGTH_WORD = 14
_MSG_TRUNC = 0x20
_AF_INET = 2
_IPV4_MAPPED = 0xFFFF_0000_0000


@inlined
def _copy(source: Any, count: int, target: Any, at: int) -> None:
    """Copy the first `count` octets of a row to target[at:]."""
    part = target[at : at + count]
    for k in range(count):
        part[k] = source[k]


@kernel
def gather(
    headers: Any, names: Any, hot: Any, jumbo: Any, begin: int, end: int, now: int,
    state: Any, slab: Any, offsets: Any, source_hi: Any, source_lo: Any, source_port: Any, arrival: Any,
) -> Any:  # fmt: skip
    """Append received messages begin to end to a block; return the first that found no room, else `end`.

    headers: int32[n, 16], names: uint8[n, 32] (sockaddr_in or sockaddr_in6), hot: uint8[n, 2048] and jumbo:
    uint8[n, 63488]: the payloads' beginnings and the rest of those that are longer. now: ms since 1970, given to each.
    state: int64[3], datagrams and octets in the block so far, and messages that were cut off. slab: uint8, offsets:
    int64[m + 1], source_hi, source_lo, arrival: int64[m], source_port: uint16[m]. An IPv4 sender becomes
    ::ffff:a.b.c.d; a scope id is left out. The caller gives 0 <= begin <= end <= n and equal lengths m.
    """
    at = state[X_DATAGRAMS]
    used = state[X_OCTETS]
    for row in range(begin, end):
        length = int(headers[row, _LENGTH_WORD])
        if at >= len(source_port) or used + length > len(slab):
            state[X_DATAGRAMS] = at
            state[X_OCTETS] = used
            return row
        if headers[row, _FLAGS_WORD] & _MSG_TRUNC:
            state[X_TRUNCATED] += 1
        near = min(length, HOT_OCTETS)
        _copy(hot[row], near, slab, used)
        if length > near:
            _copy(jumbo[row], length - near, slab, used + near)
        used += length
        name = names[row]
        # The family is a number below 256 in native order: one of the two octets is 0.
        if int(name[0]) + int(name[1]) == _AF_INET:
            source_hi[at] = 0
            source_lo[at] = _IPV4_MAPPED | be4(name, 4)
        else:
            source_hi[at] = be8(name, 8)
            source_lo[at] = be8(name, 16)
        source_port[at] = be2(name, 2)
        arrival[at] = now
        at += 1
        offsets[at] = used
    state[X_DATAGRAMS] = at
    state[X_OCTETS] = used
    return end


@kernel
def find_messages(buffer: Any, end: int, framing: Any, offsets: Any) -> Any:
    """Find the whole IPFIX messages in what a stream brought; return the octet behind the last (RFC 7011 section 3.1).

    buffer: uint8; octets framing[F_BEGIN] to `end` are looked at. framing: int64[3]; F_MESSAGES becomes their number,
    F_BAD 1 where something begins that is no IPFIX message. offsets: int64[m + 1], filled up to the number of messages
    + 1; looking ends where it is full. The caller gives 0 <= framing[F_BEGIN] <= end <= len(buffer), m >= 1.
    """
    at = framing[F_BEGIN]
    count = 0
    offsets[0] = at
    framing[F_BAD] = 0
    while count < len(offsets) - 1 and end - at >= 4:
        length = be2(buffer, at + 2)
        if be2(buffer, at) != IPFIX_VERSION or length < MIN_MESSAGE_OCTETS:
            framing[F_BAD] = 1
            break
        if end - at < length:
            break
        at += length
        count += 1
        offsets[count] = at
    framing[F_MESSAGES] = count
    return at
