"""Which of several sockets on one port gets a datagram: a program for the kernel, by the sender's address alone.

Left to itself the kernel spreads by addresses and ports, and an exporter that changes its port would go on at another
socket, whose thread may be ahead or behind. The program is classic BPF (SO_ATTACH_REUSEPORT_CBPF, socket(7)): it
returns the number of the socket in the order of binding.
"""

import struct
from typing import Final, Literal

Family = Literal["ipv4", "ipv6"]

_LOAD_WORD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_MULTIPLY: Final = 0x24  # BPF_ALU | BPF_MUL | BPF_K
_SHIFT_RIGHT: Final = 0x74  # BPF_ALU | BPF_RSH | BPF_K
_MODULO: Final = 0x94  # BPF_ALU | BPF_MOD | BPF_K
_XOR_X: Final = 0xAC  # BPF_ALU | BPF_XOR | BPF_X
_TO_X: Final = 0x07  # BPF_MISC | BPF_TAX
_RETURN: Final = 0x16  # BPF_RET | BPF_A
_NETWORK_HEADER: Final = 0x1_0000_0000 - 0x10_0000  # SKF_NET_OFF: offsets from the IP header on, not from the payload
_SOURCE_WORDS: Final[dict[Family, tuple[int, ...]]] = {"ipv4": (12,), "ipv6": (8, 12, 16, 20)}
_GOLDEN: Final = 0x9E37_79B1  # 2^32 / golden ratio: neighbours are spread evenly (Knuth, volume 3, section 6.4)
_SPREAD_BITS: Final = 16
_WORD_MASK: Final = 0xFFFF_FFFF


def program(family: Family, sockets: int) -> bytes:
    """Return the instructions (struct sock_filter each) that choose among `sockets` by the sender's address."""
    first, *others = _SOURCE_WORDS[family]
    steps = [(_LOAD_WORD, _NETWORK_HEADER + first)]
    for word in others:
        steps += [(_TO_X, 0), (_LOAD_WORD, _NETWORK_HEADER + word), (_XOR_X, 0)]
    steps += [(_MULTIPLY, _GOLDEN), (_SHIFT_RIGHT, _SPREAD_BITS), (_MODULO, sockets), (_RETURN, 0)]
    return b"".join(struct.pack("=HBBI", code, 0, 0, value) for code, value in steps)


def chosen(address: bytes, sockets: int) -> int:
    """Return the socket that the program chooses for a sender: 4 octets of IPv4, 16 of IPv6."""
    folded = 0
    for (word,) in struct.iter_unpack(">I", address):
        folded ^= word
    return ((folded * _GOLDEN & _WORD_MASK) >> _SPREAD_BITS) % sockets
