import numpy as np
import pytest

from btimd.flows.lines import zero_lines


@pytest.mark.parametrize("rows", [0, 1, 1000, 1 << 16])
@pytest.mark.parametrize("lines", [1, 2])
def test_every_row_begins_a_line_and_is_zero(rows: int, lines: int) -> None:
    table = zero_lines(rows, lines)
    assert table.shape == (rows, 8 * lines)
    assert table.dtype == np.int64
    assert table.flags.c_contiguous
    assert table.flags.writeable
    assert not table.any()
    assert len(table) == 0 or table.ctypes.data % (64 * lines) == 0
