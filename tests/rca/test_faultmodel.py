import numpy as np
import pytest

from btimd.rca.faultmodel import FaultModel, Faults, IntArray, Row


def model(made: list[int]) -> FaultModel:
    def make_row(question: int) -> Row:
        made.append(question)
        return Row.of([1, 0], [0.5, 0.9], [2, 1])

    def about(_: int) -> IntArray:
        return np.array([0])

    return FaultModel(
        Faults.of(2, [0, 1], [0.1, 0.2]), question_node=[0, 1], question_cost=[1.0, 2.0], question_leak=[0.01, 0.02],
        make_row=make_row, about=about,
    )  # fmt: skip


def test_a_row_is_made_once_and_is_in_order() -> None:
    made: list[int] = []
    one = model(made)
    assert one.row(0) is one.row(0)
    assert made == [0]
    assert (one.row(0).faults.tolist(), one.row(0).detection.tolist(), one.row(0).profile.tolist()) == (
        [0, 1], [0.9, 0.5], [1, 2],
    )  # fmt: skip


def test_rows_stand_one_behind_the_other() -> None:
    rows = model([]).rows([0, 1])
    assert (rows.starts.tolist(), rows.faults.tolist(), rows.leak.tolist()) == ([0, 2, 4], [0, 1, 0, 1], [0.01, 0.02])
    assert model([]).rows([]).starts.tolist() == [0]


def test_rows_can_be_narrowed_and_renamed() -> None:
    rows = model([]).rows_among(np.array([0, 1]), np.array([-1, 7], np.int32))
    assert (rows.starts.tolist(), rows.faults.tolist(), rows.detection.tolist()) == ([0, 1, 2], [7, 7], [0.5, 0.5])


def test_an_added_question_has_its_row_and_its_id_is_used_again() -> None:
    made: list[int] = []
    one = model(made)
    sign = one.add_question(1, 0.0, 0.005, Row.of([0], [0.7]))
    assert (sign, one.is_added(sign), one.row(sign).detection.tolist(), made) == (2, True, [0.7], [])
    assert (one.is_added(3), len(one.question_leak)) == (False, one.question_count)
    one.drop_question(sign)
    assert not one.is_added(sign)
    assert one.add_question(0, 0.0, 0.01, Row.of([1], [0.6])) == sign
    assert (one.row(sign).faults.tolist(), one.question_leak[sign]) == ([1], 0.01)


def test_faults_stand_by_their_nodes() -> None:
    assert list(model([]).faults_of(1)) == [1]
    with pytest.raises(ValueError, match="sort them by node"):
        FaultModel(
            Faults.of(2, [1, 0], [0.1, 0.1]), question_node=[], question_cost=[], question_leak=[],
            make_row=lambda _: Row.of([], []), about=lambda _: np.array([], np.int64),
        )  # fmt: skip
