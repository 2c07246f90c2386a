import numpy as np

from btimd.rca.world import Edges, depths
from tests.rca.fileworlds import world_of


def edges_of(nodes: int, *pairs: tuple[int, int]) -> Edges:
    needing, to = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    return Edges.of(nodes, needing, to, np.ones(len(pairs), np.float32), np.zeros(len(pairs), np.bool_))


def test_edges_given_in_any_order_stand_by_who_needs() -> None:
    edges = edges_of(4, (2, 3), (0, 1), (2, 0))

    assert (edges.start.tolist(), edges.to.tolist(), edges.needing.tolist()) == ([0, 1, 1, 3, 3], [1, 3, 0], [0, 2, 2])
    assert len(edges) == 3


def test_depth_is_the_longest_way_down_and_tells_circles() -> None:
    assert depths(edges_of(5, (0, 1), (1, 2), (0, 2), (3, 0))).tolist() == [2, 1, 0, 3, 0]
    assert depths(edges_of(4, (0, 1), (1, 2), (2, 1), (2, 3))).tolist() == [-1, -1, -1, 0]
    assert world_of().depth.tolist() == [4, 3, 2, 2, 1, 0, 0, 0, 0]


def test_rows_are_found_by_id() -> None:
    world = world_of()

    assert (world.node_row["db"], world.probe_row["db/sql"], world.indicator_row["shop@south"]) == (4, 5, 1)
    assert world.indicators.needs_of(0).tolist() == [0, 8]
    assert (len(world), len(world.probes), len(world.indicators)) == (9, 10, 2)
