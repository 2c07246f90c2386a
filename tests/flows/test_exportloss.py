import numpy as np
import pytest

from btimd.flows.exportloss import ExportLoss


def noted(*counts: tuple[int, list[tuple[int, int]]], grace: int = 10_000) -> ExportLoss:
    loss = ExportLoss(64, grace)
    for interval, pairs in counts:
        loss.note(np.array(pairs, np.int64).reshape(-1, 2), interval)
    return loss


def ratio(loss: ExportLoss, exporters: int, first: int, length: int = 1) -> float | None:
    found = float(loss.ratio(np.array([exporters], np.int64), first, length)[0])
    return None if np.isnan(found) else found


def test_the_ratio_is_of_what_arrived_in_the_interval_and_its_grace() -> None:
    loss = noted((10, [(90, 10)]), (11, [(190, 10)]), (12, [(190, 110)]))
    assert [ratio(loss, 1, first) for first in (8, 9, 10, 11, 12, 13)] == [None, 0.1, 0.05, 0.5, 1.0, None]
    assert ratio(loss, 1, 6, length=6) == pytest.approx(110 / 300)


def test_only_the_exporters_of_the_cell_count_and_those_that_cannot_tell_say_nothing() -> None:
    loss = noted((10, [(100, 0), (50, 50), (70, -1)]))
    assert [ratio(loss, exporters, 10) for exporters in (0b1, 0b10, 0b11, 0b100, 0b110)] == [0, 0.5, 0.25, None, 0.5]


def test_a_new_exporter_counts_from_nothing_and_number_64_is_beside_number_0() -> None:
    loss = noted((10, [(100, 0)]), (12, [(100, 0), *[(0, 0)] * 63, (100, 100)]), grace=0)
    assert (ratio(loss, 1, 10), ratio(loss, 1, 12)) == (0.0, 0.5)
    assert ratio(loss, -(1 << 63), 12) is None


def test_an_estimate_that_sinks_and_rises_again_is_no_new_loss() -> None:
    loss = noted((10, [(100, 20)]), (12, [(200, 10)]), (14, [(300, 20)]), grace=0)
    assert [ratio(loss, 1, first) for first in (10, 12, 14)] == [pytest.approx(1 / 6), 0.0, 0.0]


def test_after_a_restart_of_windows_intervals_are_forgotten_and_counts_are_not() -> None:
    loss = noted((10, [(100, 20)]))
    loss.clear()
    loss.note(np.array([[150, 20]], np.int64), 3)
    assert (ratio(loss, 1, 10), ratio(loss, 1, 3)) == (None, 0.0)
