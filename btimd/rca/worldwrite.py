"""Writes a world as the text of a model file, piece by piece."""

import json
from collections.abc import Iterator
from typing import Any

from btimd.rca.world import World


def model_text(world: World) -> Iterator[str]:
    """Yield the text of a model file: one line per node, edge, probe and indicator."""
    yield '{"nodes": [\n'
    yield from _lines(_nodes(world))
    yield '],\n"edges": [\n'
    yield from _lines(_edges(world))
    yield '],\n"probes": [\n'
    yield from _lines(_probes(world))
    yield '],\n"indicators": [\n'
    yield from _lines(_indicators(world))
    yield "]}\n"


def truth_text(incidents: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the text of a truth file: one line per incident."""
    yield "[\n"
    yield from _lines(iter(incidents))
    yield "]\n"


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    before = ""
    for row in rows:
        yield f"{before}{json.dumps(row)}"
        before = ",\n"
    yield "\n"


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _nodes(world: World) -> Iterator[dict[str, Any]]:
    for name, kind, prior in zip(world.node_ids, world.kind.tolist(), world.prior.tolist(), strict=True):
        yield {"id": name, "kind": world.kind_names[kind], "prior": _rounded(prior)}


def _edges(world: World) -> Iterator[dict[str, Any]]:
    edges, names = world.edges, world.node_ids
    columns = (edges.needing, edges.to, edges.weight, edges.physical)
    for needing, to, weight, physical in zip(*(column.tolist() for column in columns), strict=True):
        yield {"from": names[needing], "to": names[to], "weight": _rounded(weight), "physical": physical}


def _probes(world: World) -> Iterator[dict[str, Any]]:
    probes = world.probes
    for row, name in enumerate(probes.ids):
        yield {
            "id": name,
            "node": world.node_ids[probes.node[row]],
            "check": probes.check_names[probes.check[row]],
            "cost": _rounded(probes.cost[row]),
            "end_to_end": bool(probes.end_to_end[row]),
            "detects": _rounded(probes.detects[row]),
            "false_positive": _rounded(probes.false_positive[row]),
        }


def _indicators(world: World) -> Iterator[dict[str, Any]]:
    for row, name in enumerate(world.indicators.ids):
        yield {"id": name, "needs": [world.node_ids[need] for need in world.indicators.needs_of(row).tolist()]}
