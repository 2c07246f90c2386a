import numpy as np

from btimd.rca.world import World
from btimd.rca.worldfile import parse_world
from btimd.rca.worldgen import Family, draw_world
from btimd.rca.worldwrite import model_text, truth_text
from tests.rca.fileworlds import world_of


def test_a_model_is_written_one_element_a_line() -> None:
    lines = "".join(model_text(world_of())).splitlines()

    assert lines[:2] == ['{"nodes": [', '{"id": "shop", "kind": "business", "prior": 0.0001},']
    assert '{"from": "web", "to": "app-2", "weight": 0.5, "physical": false},' in lines
    assert lines[-6] == (
        '{"id": "gate/icmp", "node": "gate", "check": "icmp", "cost": 1.0, "end_to_end": false, '
        '"detects": 0.95, "false_positive": 0.01}'
    )
    assert lines[-5:] == [
        "],",
        '"indicators": [',
        '{"id": "shop@north", "needs": ["shop", "gate"]},',
        '{"id": "shop@south", "needs": ["shop"]}',
        "]}",
    ]


def columns(world: World) -> list[object]:
    return [
        list(world.node_ids), [world.kind_names[kind] for kind in world.kind], list(world.probes.ids),
        [world.probes.check_names[check] for check in world.probes.check], list(world.indicators.ids),
        *(column.tolist() for column in (
            world.edges.start, world.edges.to, world.edges.physical, world.probes.node, world.probes.end_to_end,
            world.indicators.start, world.indicators.need
        )),
    ]  # fmt: skip


def test_what_is_written_reads_the_same_to_four_digits() -> None:
    world = draw_world(1000, Family(), np.random.default_rng(1))
    read = parse_world("".join(model_text(world)))

    assert columns(read) == columns(world)
    assert np.allclose(read.prior, world.prior, rtol=1e-3)
    assert np.allclose(read.edges.weight, world.edges.weight, rtol=1e-3)
    assert np.allclose(read.probes.false_positive, world.probes.false_positive, rtol=1e-3)


def test_a_truth_is_written_one_incident_a_line() -> None:
    assert "".join(truth_text([{"id": 1}, {"id": 2}])) == '[\n{"id": 1},\n{"id": 2}\n]\n'
    assert "".join(truth_text([])) == "[\n\n]\n"
