from dataclasses import replace

import pytest

from btimd.model.service import Need, Node, NodeKind, Provenance, Rollup
from btimd.rca.strength import need_strength

CLUSTER = Node("pool", NodeKind.APPLICATION, "Pool", needs=("a", "b", "c"))


@pytest.mark.parametrize(
    ("node", "need", "strength"),
    [
        (CLUSTER, "a", 1.0),
        (replace(CLUSTER, rollup=Rollup.DEGRADE), "a", 0.6),
        (replace(CLUSTER, rollup=Rollup.BEST), "a", 0.3),
        (replace(CLUSTER, rollup=Rollup.BEST, needs=("a",)), "a", 1.0),
        (replace(CLUSTER, rollup=Rollup.BEST, needs=("a", "b")), "a", 0.45),
        (replace(CLUSTER, rollup=Rollup.BEST, needs=("a", "b"), standby=("b",)), "b", 0.05),
        (replace(CLUSTER, rollup=Rollup.QUORUM, quorum=3), "a", 1.0),
        (replace(CLUSTER, rollup=Rollup.QUORUM, quorum=2), "a", 0.45),
        (replace(CLUSTER, rollup=Rollup.WEIGHTED, weights={"a": 2.0}), "a", 1.0),
        (replace(CLUSTER, rollup=Rollup.WEIGHTED, weights={"a": 2.0}), "b", 0.6),
        (replace(CLUSTER, rollup=Rollup.WEIGHTED, weights={"a": 9.0}), "b", 1 / 11),
        (replace(CLUSTER, ignore=("a",)), "a", 0.0),
        (replace(CLUSTER, need_facts=(Need("a", strength=0.3),)), "a", 0.3),
        (replace(CLUSTER, need_facts=(Need("a", Provenance.FLOWS, confidence=0.8),)), "a", 0.8),
    ],
)
def test_redundancy_and_doubt_make_a_need_matter_less(node: Node, need: str, strength: float) -> None:
    assert need_strength(node, need) == pytest.approx(strength)
