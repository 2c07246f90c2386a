import numpy as np
import pytest

from btimd.flows.lines import zero_lines


@pytest.mark.parametrize("shape", [(0,), (1,), (1000,), (3, 5), (1 << 16,)])
def test_every_row_begins_a_line_and_is_zero(shape: tuple[int, ...]) -> None:
    table = zero_lines(*shape)
    assert table.shape == (*shape, 8)
    assert table.dtype == np.int64
    assert table.flags.c_contiguous
    assert table.flags.writeable
    assert not table.any()
    assert len(table) == 0 or table.ctypes.data % 64 == 0
