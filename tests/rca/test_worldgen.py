import numpy as np
import pytest

from btimd.rca.reach import Reach
from btimd.rca.world import World
from btimd.rca.worldgen import KINDS, REGIONS, Family, draw_world, drawn_family


def standard(nodes: int = 1000, seed: int = 1) -> World:
    return draw_world(nodes, Family(), np.random.default_rng(seed))


def test_an_enterprise_has_the_wanted_size_and_every_kind() -> None:
    for nodes in (300, 777, 1000, 3000):
        world = standard(nodes)
        assert len(world) == nodes
        assert set(world.kind.tolist()) == set(range(len(KINDS)))
        assert (world.depth >= 0).all(), "a circle"
        assert len(set(world.node_ids)) == nodes


def test_the_same_seed_gives_the_same_enterprise() -> None:
    one, two, other = standard(), standard(), standard(seed=2)

    assert one.edges.to.tolist() == two.edges.to.tolist()
    assert one.prior.tolist() == two.prior.tolist()
    assert one.probes.ids == two.probes.ids
    assert one.edges.to.tolist() != other.edges.to.tolist()


def test_every_business_is_seen_from_every_region() -> None:
    world = standard()
    businesses = [name for name in world.node_ids if name.startswith("biz-")]

    assert world.indicators.ids == [f"{business}@{region}" for business in businesses for region in REGIONS]
    kinds = {world.kind_names[kind] for kind in world.kind[world.indicators.need]}
    assert kinds == {"business", "access-switch"}


@pytest.mark.slow
def test_sizes_are_those_of_the_published_world() -> None:
    world = standard(10_000)
    reach = Reach(world)
    rng = np.random.default_rng(1)
    probes = rng.choice(len(world.probes), 300, replace=False).tolist()
    flows = rng.choice(len(world.indicators), 40, replace=False).tolist()

    assert 2.1 < len(world.probes) / len(world) < 2.3
    assert 14 < np.mean([len(reach.of_probe(probe)) for probe in probes]) < 22
    assert 180 < np.median([len(reach.of_indicator(flow)) for flow in flows]) < 290


def test_other_families_have_other_shapes() -> None:
    worlds = [
        draw_world(1000, drawn_family(np.random.default_rng(seed)), np.random.default_rng(1)) for seed in range(12)
    ]

    assert {len(world) for world in worlds} == {1000}
    assert all((world.depth >= 0).all() for world in worlds)
    assert len({len(world.edges) for world in worlds}) == len(worlds)
    density = [len(world.probes) / 1000 for world in worlds]
    assert max(density) - min(density) > 0.4


def test_a_world_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 300 nodes, not 299"):
        standard(299)
