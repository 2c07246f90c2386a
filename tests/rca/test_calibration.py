import pytest

from btimd.rca.calibration import IDENTITY, Calibration, fit


def test_without_cases_nothing_is_changed() -> None:
    assert fit([], []) == IDENTITY
    assert IDENTITY(0.3) == pytest.approx(0.3)


def test_values_that_go_down_are_pooled() -> None:
    found = fit([0.1, 0.2, 0.3, 0.4], [False, True, False, True])
    assert found == Calibration((0.0, 0.1, 0.25, 0.4, 1.0), (0.0, 0.0, 0.5, 1.0, 1.0))
    assert found(0.25) == 0.5


def test_the_order_of_cases_does_not_matter() -> None:
    assert fit([0.9, 0.2], [True, False]) == fit([0.2, 0.9], [False, True])
