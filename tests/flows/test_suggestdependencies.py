"""What edges between groups are taken for."""

import numpy as np

from btimd.flows.suggestdependencies import Edge, judge
from btimd.flows.suggestgroups import Group
from btimd.flows.suggestservers import Endpoint
from btimd.model.service import NodeKind
from tests.flows.worlds_discovery import T0

HOUR = 3_600_000


def served(server: int, port: int) -> Group:
    clients = np.array([100, 101], np.int64)
    end = Endpoint(server, 6, port, clients, 50, 50, 5000, T0, T0 + HOUR, 0.9)
    return Group([end], (server,), ((6, port, port),), clients, 50, 5000, T0, T0 + HOUR, 0.9)


def called(client: int, server: int, flows: int = 100) -> Edge:
    return Edge(client, server, 1, flows, flows, 10 * flows, T0, T0 + HOUR)


def test_work_shared_things_and_background_are_told_apart_by_port() -> None:
    groups = [served(1, 443), served(2, 1521), served(3, 53), served(4, 123)]
    found = judge([called(0, 1), called(0, 2), called(0, 3)], groups, HOUR, None)

    assert {(one.edge.server, one.kind, one.background, one.correlation) for one in found} == {
        (1, NodeKind.DATABASE, False, None),
        (2, NodeKind.SHARED, True, None),
    }
    assert max(one.confidence for one in found if one.background) <= 0.75


def test_what_most_servers_call_is_shared_and_not_sure_to_be_needed() -> None:
    groups = [served(number, 443) for number in range(8)] + [served(20, 7777)]
    found = judge([called(number, 8) for number in range(8)], groups, HOUR, None)

    assert {(one.kind, one.background, one.shared_by, one.confidence) for one in found} == {
        (NodeKind.SHARED, True, 8, 0.4)
    }


def test_the_more_calls_the_surer() -> None:
    groups = [served(1, 443), served(2, 1521), served(3, 5432)]
    first, second = judge([called(0, 1, 5), called(0, 2, 5000)], groups, HOUR, None)

    assert (first.edge.server, second.edge.server) == (2, 1)
    assert first.confidence > second.confidence
