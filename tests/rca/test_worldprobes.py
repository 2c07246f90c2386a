import numpy as np

from btimd.rca.worldgen import KINDS
from btimd.rca.worldprobes import PROBE_TYPES, draw_probes


def test_every_kind_has_checks_and_they_stand_by_node_and_cost() -> None:
    names = [f"{kind}-{number}" for kind in KINDS for number in range(50)]
    kind = np.repeat(np.arange(len(KINDS), dtype=np.int16), 50)
    probes = draw_probes(names, kind, KINDS, density=1.0, rng=np.random.default_rng(1))

    assert set(PROBE_TYPES) == set(KINDS)
    assert len(set(probes.ids)) == len(probes)
    order = list(zip(probes.node.tolist(), probes.cost.tolist(), strict=True))
    assert order == sorted(order)
    of_databases = {name.partition("/")[2] for name in probes.ids if name.startswith("database")}
    assert of_databases == {"sql", "tcp", "agent"}
    assert 0.004 <= probes.false_positive.min() < probes.false_positive.max() <= 0.02


def test_density_makes_checks_rarer() -> None:
    names, kind = ["os-1"] * 1000, np.full(1000, KINDS.index("os"), np.int16)
    few = draw_probes(names, kind, KINDS, density=0.5, rng=np.random.default_rng(1))

    assert 1250 < len(few) < 1450  # of icmp and agent a half each, of tcp a third
