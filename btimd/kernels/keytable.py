"""Open-addressing tables from keys to rows, as the flow decoder's kernels read them."""

from typing import Any

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.flowlayout import M31 as _M31


@inlined
def _hash(value: Any) -> Any:
    """Spread 62 bits; products stay below 2^63 so that plain Python gives the same."""
    mixed = ((value & _M31) * 0x2545F491 + ((value >> 31) & _M31) * 0x1B873593) & 0x3FFF_FFFF_FFFF_FFFF
    mixed = (mixed ^ (mixed >> 29)) & _M31
    mixed = (mixed * 0x3C6EF373) & 0x3FFF_FFFF_FFFF_FFFF
    return (mixed ^ (mixed >> 31)) & _M31


@kernel
def find_key(table: Any, key: int) -> Any:
    """Return the slot of `key` in an open-addressing table, or the empty slot where it belongs.

    table: int64[2^k, 2], rows (key, value), key -1 = empty, at least one empty. key: 0 or more.
    """
    mask = len(table) - 1
    slot = _hash(key) & mask
    while table[slot, 0] != key and table[slot, 0] != -1:
        slot = (slot + 1) & mask
    return slot


@kernel
def find_domain(table: Any, hi: int, lo: int, key: int) -> Any:
    """Return the slot of an exporter's observation domain, or the empty slot where it belongs.

    table: int64[2^k, 4], rows (hi, lo, version << 32 | domain, row), key -1 = empty, at least one empty.
    """
    mask = len(table) - 1
    slot = (_hash(hi & 0x3FFF_FFFF_FFFF_FFFF) ^ _hash(lo & 0x3FFF_FFFF_FFFF_FFFF) ^ _hash(key)) & mask
    while table[slot, 2] != -1 and (table[slot, 2] != key or table[slot, 1] != lo or table[slot, 0] != hi):
        slot = (slot + 1) & mask
    return slot
