import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from btimd.kernels.octets import be2, be4, be8, load

SLAB = np.arange(0x80, 0x90, dtype=np.uint8)


def test_loads_read_the_most_significant_octet_first() -> None:
    assert (be2(SLAB, 1), be4(SLAB, 1)) == (0x8182, 0x81828384)
    assert int(be8(SLAB, 1)) & (1 << 64) - 1 == 0x8182838485868788


@given(st.binary(max_size=8))
def test_load_reads_any_length_up_to_8_octets(octets: bytes) -> None:
    slab = np.frombuffer(b"\xff" + octets + b"\xff", np.uint8)
    assert int(load(slab, 1, len(octets))) & (1 << 64) - 1 == int.from_bytes(octets, "big")


@given(st.binary(min_size=24, max_size=24), st.integers(0, 16))
def test_loads_need_no_alignment(octets: bytes, at: int) -> None:
    slab = np.frombuffer(octets, np.uint8)
    assert int(be2(slab, at)) == int.from_bytes(octets[at : at + 2], "big")
    assert int(be4(slab, at)) == int.from_bytes(octets[at : at + 4], "big")
    assert int(be8(slab, at)) & (1 << 64) - 1 == int.from_bytes(octets[at : at + 8], "big")
