"""Counters in packed words: each by itself, and none above its most."""

from typing import Any

import numpy as np
import pytest

from btimd.kernels import qualitylayout as ql
from btimd.kernels._jit import kernel

pytestmark = pytest.mark.bounds


@kernel
def count(quality: Any, which: int, times: int) -> Any:
    for _ in range(times):
        ql.count_event(0, quality, ql.Q_EVENTS, which)
    return ql.events(0, quality, ql.Q_EVENTS, which)


def test_each_counter_has_bits_of_its_own_and_stays_at_its_most() -> None:
    quality = np.zeros((1, ql.QUALITY_WORDS), np.int64)
    most = (1 << ql.EVENT_BITS) - 1
    for which in range(9):
        quality[0, ql.Q_EVENTS + which // 3] |= (most - 1 - which % 2) << (which % 3 * ql.EVENT_BITS)
    assert [int(count(quality, which, 1)) for which in range(9)] == [most - which % 2 for which in range(9)]
    assert [int(count(quality, which, 3)) for which in range(9)] == [most] * 9
    assert quality[0, ql.Q_STATE] == ql.S_CHANGED
