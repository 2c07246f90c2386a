"""Sequence numbers that wrap around, and the count of segments that does not."""

from typing import Any

import numpy as np
import pytest

from btimd.kernels import qualitylayout as ql
from btimd.kernels._jit import kernel
from btimd.kernels.tcpwords import MOST, beyond, count_segment

pytestmark = pytest.mark.bounds


@kernel
def how_far(a: Any, b: Any) -> Any:
    return beyond(a, b)


@kernel
def count(quality: Any, reverse: int) -> None:
    count_segment(0, quality, reverse)


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [(5, 3, 2), (3, 5, -2), (1, 2**32 - 1, 2), (2**32 - 1, 1, -2), (2**31, 0, -(2**31)), (7, 7, 0)],
)
def test_a_number_is_beyond_another_by_the_shorter_way_around(a: int, b: int, wanted: int) -> None:
    assert how_far(np.int64(a), np.int64(b)) == wanted


def test_the_count_of_segments_stays_at_its_most_in_each_direction() -> None:
    quality = np.zeros((1, ql.QUALITY_WORDS), np.int64)
    quality[0, ql.Q_SEGMENTS] = (MOST - 1) << 32 | (MOST - 1)
    for _ in range(3):
        count(quality, 0)
        count(quality, 1)
    assert quality[0, ql.Q_SEGMENTS] == MOST << 32 | MOST
