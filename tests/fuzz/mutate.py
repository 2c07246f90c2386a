"""Mutations for where no coverage-guided fuzzer is installed: octets, lengths, and whole datagrams."""

import struct
from random import Random
from typing import Final

INTERESTING: Final = (
    0,
    1,
    2,
    3,
    4,
    5,
    8,
    9,
    10,
    16,
    20,
    24,
    48,
    127,
    128,
    255,
    256,
    257,
    1023,
    32767,
    32768,
    65534,
    65535,
)
MAX_OCTETS: Final = 8192


def mutated(random: Random, corpus: list[bytes]) -> bytes:
    """Return an input a few changes away from one of the corpus."""
    octets = bytearray(random.choice(corpus))
    for _ in range(random.choice((1, 1, 2, 3, 5, 8))):
        _change(random, octets, corpus)
    return bytes(octets[:MAX_OCTETS])


def _change(random: Random, octets: bytearray, corpus: list[bytes]) -> None:
    at = random.randrange(len(octets)) if octets else 0
    kind = random.randrange(8)
    if kind == 0 and octets:
        octets[at] ^= 1 << random.randrange(8)
    elif kind == 1 and octets:
        octets[at] = random.randrange(256)
    elif kind in {2, 3} and at + 2 <= len(octets):
        struct.pack_into(">H", octets, at, random.choice(INTERESTING))
    elif kind == 4 and at + 4 <= len(octets):
        struct.pack_into(">I", octets, at, random.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 1 << 16, 29305, 4096)))
    elif kind == 5:
        del octets[at : at + random.randrange(1, 16)]
    elif kind == 6:
        other = random.choice(corpus)
        begin = random.randrange(len(other)) if other else 0
        octets[at:at] = other[begin : begin + random.randrange(1, 64)]
    else:
        octets += random.choice(corpus)
