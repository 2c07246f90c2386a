import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.segments import signed_halves, sites_of, tree_of
from btimd.kernels.prefix import locate
from btimd.model.address import HALF_MASK, IPV4_MAPPED_LO
from tests.kernels import oracle

pytestmark = pytest.mark.bounds

EDGES4 = [0, 1, 65535, 65536, 65537, 2**31 - 1, 2**31, 2**32 - 65536, 2**32 - 1]
EDGES6 = [0, 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**127 - 1, 2**127, 2**128 - 1]
CROWDED4 = st.one_of(st.integers(2**31 - 300, 2**31 + 300), st.integers(2**31, 2**31 + 200_000))
ADDRESSES4 = st.one_of(st.sampled_from(EDGES4), st.integers(0, 2**32 - 1), CROWDED4)
CROWDED6 = st.integers(2**127 - 2**82, 2**127 + 2**82)
ADDRESSES6 = st.one_of(st.sampled_from(EDGES6), st.integers(0, 2**128 - 1), CROWDED6)


def run(starts4: list[int], starts6: list[int], addresses: list[int]) -> list[int]:
    start4 = np.array(starts4, np.int64)
    halves = np.array([signed_halves(start) for start in starts6], np.int64)
    out = np.full(len(addresses), -7, np.int32)
    count = locate(
        np.array([address >> 64 for address in addresses], np.uint64).view(np.int64),
        np.array([address & HALF_MASK for address in addresses], np.uint64).view(np.int64),
        tree_of(start4),
        start4,
        sites_of(starts6),
        np.ascontiguousarray(halves[:, 0]),
        np.ascontiguousarray(halves[:, 1]),
        out,
    )
    assert count == len(addresses)
    return out.tolist()


def test_no_address_has_no_segment() -> None:
    assert run([0], [0], []) == []


def test_with_one_segment_per_family_every_address_is_in_it() -> None:
    assert run([0], [0], [(IPV4_MAPPED_LO << 0) | 7, 2**128 - 1, 0]) == [0, 1, 1]


@settings(max_examples=60)
@given(
    st.sets(ADDRESSES4, max_size=40),
    st.sets(ADDRESSES6, max_size=40),
    st.lists(ADDRESSES4, max_size=20),
    st.lists(ADDRESSES6, max_size=20),
)
def test_each_address_is_in_the_last_segment_that_starts_at_or_before_it(
    more4: set[int], more6: set[int], asked4: list[int], asked6: list[int]
) -> None:
    starts4, starts6 = sorted({0} | more4), sorted({0} | more6)
    four = [*asked4, *starts4, *(start - 1 for start in starts4[1:])]
    six = [address for address in [*asked6, *starts6] if address >> 32 != IPV4_MAPPED_LO >> 32]
    wanted = [oracle.segment_of(address, starts4) for address in four]
    wanted += [len(starts4) + oracle.segment_of(address, starts6) for address in six]
    assert run(starts4, starts6, [IPV4_MAPPED_LO | address for address in four] + six) == wanted
