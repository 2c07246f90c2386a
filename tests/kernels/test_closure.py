import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.kernels.closure import effects, expand_rows, merged, order_by_needs, turned
from tests.kernels import oracle_noisyor as oracle

pytestmark = pytest.mark.bounds

Edge = tuple[int, int, float, bool]
"""Who needs what, how much, and whether it is physical."""

EDGES = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 6), st.sampled_from([0.2, 0.5, 0.95, 1.0]), st.booleans()), max_size=14
).map(
    lambda edges: list(
        {(max(a, b), min(a, b)): (max(a, b), min(a, b), w, p) for a, b, w, p in edges if a != b}.values()
    )
)


def grouped(nodes: int, edges: list[Edge], by: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return edges by where they start (by = 0) or end (by = 1): starts, other ends, weights, physical."""
    ordered = sorted(edges, key=lambda edge: edge[by])
    starts = np.zeros(nodes + 1, np.int64)
    for edge in ordered:
        starts[edge[by] + 1 :] += 1
    return (
        starts,
        np.array([edge[1 - by] for edge in ordered], np.int32),
        np.array([edge[2] for edge in ordered], np.float64),
        np.array([edge[3] for edge in ordered], np.bool_),
    )


def ranks(nodes: int, edges: list[Edge]) -> np.ndarray:
    starts, to, _, _ = grouped(nodes, edges, 0)
    rank = np.full(nodes, -7, np.int32)
    order_by_needs(starts, to, np.zeros(nodes, np.int8), np.empty(nodes, np.int32), np.empty(nodes, np.int64), rank)
    return rank


def run(
    nodes: int, edges: list[Edge], *, physical_only: bool = False, cut: float = 0.0, blend: float = 0.5, room: int = 64
) -> tuple[list[dict[int, float]], int]:
    """Return who is hit by each fault, and how many faults fitted."""
    rank = ranks(nodes, edges)
    starts, node, values = np.zeros(nodes + 1, np.int64), np.zeros(room, np.int32), np.zeros(room, np.float32)
    spared, most = np.zeros(nodes), np.zeros(nodes)
    done = effects(
        0, physical_only, *grouped(nodes, edges, 1), rank, np.argsort(rank).astype(np.int32), cut, blend,
        spared, most, np.zeros(nodes, np.int32), starts, node, values,
    )  # fmt: skip
    assert not spared.any()
    assert not most.any()
    rows = [slice(int(starts[cause]), int(starts[cause + 1])) for cause in range(done)]
    return [dict(zip(node[row].tolist(), values[row].tolist(), strict=True)) for row in rows], done


def test_what_is_needed_has_the_lower_rank() -> None:
    assert ranks(4, [(0, 1, 1.0, True), (1, 3, 1.0, True), (0, 2, 1.0, True)]).tolist() == [3, 1, 2, 0]


def test_a_circle_of_needs_ends() -> None:
    assert sorted(ranks(3, [(0, 1, 1.0, True), (1, 2, 1.0, True), (2, 0, 1.0, True)]).tolist()) == [0, 1, 2]


def test_two_ways_to_a_fault_count_for_more_than_one() -> None:
    edges = [(3, 1, 0.5, True), (3, 2, 0.5, True), (1, 0, 1.0, True), (2, 0, 1.0, True)]
    assert run(4, edges, blend=1.0)[0][0] == pytest.approx({0: 1.0, 1: 1.0, 2: 1.0, 3: 0.75}, abs=1e-4)
    assert run(4, edges, blend=0.0)[0][0] == pytest.approx({0: 1.0, 1: 1.0, 2: 1.0, 3: 0.5}, abs=1e-4)


def test_what_has_no_room_is_said() -> None:
    found, done = run(3, [(1, 0, 1.0, True), (2, 1, 1.0, True)], room=4)
    assert done == 1
    assert found == [pytest.approx({0: 1.0, 1: 1.0, 2: 1.0}, abs=1e-5)]


@settings(deadline=None, max_examples=60)
@given(edges=EDGES, physical_only=st.booleans(), blend=st.sampled_from([0.0, 0.5, 1.0]))
def test_damage_spreads_as_the_oracle_says(edges: list[Edge], *, physical_only: bool, blend: float) -> None:
    needs: dict[int, list[tuple[int, float, bool]]] = {}
    for node, below, weight, physical in edges:
        needs.setdefault(node, []).append((below, weight, physical))
    found, done = run(7, edges, physical_only=physical_only, blend=blend)
    assert done == 7
    for cause in range(7):
        expected = {}
        for node in range(7):
            all_ways, surest = oracle.damage(needs, cause, node, physical_only=physical_only)
            if surest > 0.0:
                expected[node] = blend * all_ways + (1.0 - blend) * surest
        assert found[cause] == pytest.approx(expected, abs=1e-4)


def test_rows_are_turned() -> None:
    starts, nodes = np.array([0, 2, 3, 3], np.int64), np.array([0, 2, 1], np.int32)
    values = np.array([1.0, 0.5, 1.0], np.float32)
    out_starts, out_node, out_value = np.zeros(4, np.int64), np.zeros(3, np.int32), np.zeros(3, np.float32)
    assert turned(starts, nodes, values, out_starts, out_node, out_value) == 3
    assert (out_starts.tolist(), out_node.tolist(), out_value.tolist()) == ([0, 1, 2, 3], [0, 1, 0], [1.0, 1.0, 0.5])


def test_a_question_on_two_nodes_is_hit_if_either_is() -> None:
    starts, nodes = np.array([0, 2, 4], np.int64), np.array([0, 1, 1, 0], np.int32)
    values = np.array([1.0, 0.5, 1.0, 0.5], np.float32)
    needs = (np.array([0, 2, 3], np.int64), np.array([0, 1, 1], np.int32))
    rows, node, value = np.zeros(3, np.int64), np.zeros(4, np.int32), np.zeros(4, np.float32)
    scratch = (np.zeros(2), np.zeros(2, np.int32))
    assert merged(0, *needs, starts, nodes, values, *scratch, rows, node, value) == 2
    assert [rows.tolist(), node.tolist(), value.tolist()] == [[0, 2, 4], [0, 1, 1, 0], [1.0, 1.0, 1.0, 0.5]]
    assert merged(0, *needs, starts, nodes, values, *scratch, rows, node[:3], value[:3]) == 1


def test_a_node_has_several_faults_and_a_local_check_does_not_see_what_is_unmodelled() -> None:
    starts, nodes, values = np.array([0, 2], np.int64), np.array([0, 1], np.int32), np.array([1.0, 0.5], np.float32)
    first, gain = np.array([0, 2, 4], np.int64), np.array([1.0, 1.0, 0.6, 1.0])
    vague, wanted = np.array([False, True, False, False]), np.array([0, 1, 2, -1], np.int32)
    for physical_only, expected in ((False, ([0, 1, 2], [0.95, 0.95, 0.3])), (True, ([0, 2], [0.95, 0.3]))):
        out_starts, fault, detection = np.zeros(2, np.int64), np.zeros(4, np.int32), np.zeros(4)
        looked_at = np.array([True, True])
        done = expand_rows(
            0, np.zeros(1, np.int64), np.zeros(1, np.int64), starts, nodes, values, np.zeros(1, np.int32),
            np.array([physical_only]), np.array([0.95]), first, gain, vague, wanted, looked_at, 0.96,
            out_starts, fault, detection,
        )  # fmt: skip
        count = len(expected[0])
        assert (done, out_starts.tolist()) == (1, [0, count])
        assert (fault[:count].tolist(), detection[:count].tolist()) == (expected[0], pytest.approx(expected[1]))
