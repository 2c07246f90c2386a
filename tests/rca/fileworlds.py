"""A small world as text, for the tests of what reads, runs and scores worlds."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from btimd.rca.simulate import Ask, Outcomes
from btimd.rca.truthfile import parse_incidents
from btimd.rca.world import Incident, IntArray, World
from btimd.rca.worldfile import parse_world


def shop() -> dict[str, Any]:
    """Return a shop: business -> web -> two applications (redundant) and a database, each on a host of its own."""
    names = {"shop": "business", "web": "service", "app-1": "application", "app-2": "application", "db": "database"}
    hosts = ("host-1", "host-2", "host-3")
    nodes = [{"id": name, "kind": kind} for name, kind in names.items()] + [
        {"id": host, "kind": "host"} for host in (*hosts, "gate")
    ]
    edges: list[dict[str, Any]] = [
        {"from": "shop", "to": "web", "weight": 0.95},
        {"from": "web", "to": "app-1", "weight": 0.5},
        {"from": "web", "to": "app-2", "weight": 0.5},
        {"from": "app-1", "to": "db", "weight": 0.95},
        {"from": "app-2", "to": "db", "weight": 0.95},
    ]
    for process, host in zip(("app-1", "app-2", "db"), hosts, strict=True):
        edges.append({"from": process, "to": host, "weight": 0.95, "physical": True})
    probes: list[dict[str, Any]] = [{"id": "web/http", "node": "web", "check": "http", "cost": 4, "end_to_end": True}]
    for process in ("app-1", "app-2"):
        probes.append({"id": f"{process}/http", "node": process, "check": "http", "cost": 4, "end_to_end": True})
        probes.append({"id": f"{process}/tcp", "node": process, "check": "tcp", "cost": 1.5, "detects": 0.6})
    probes.append({"id": "db/sql", "node": "db", "check": "sql", "cost": 6, "end_to_end": True})
    probes += [{"id": f"{host}/icmp", "node": host, "check": "icmp"} for host in (*hosts, "gate")]
    indicators = [{"id": "shop@north", "needs": ["shop", "gate"]}, {"id": "shop@south", "needs": ["shop"]}]
    return {"nodes": nodes, "edges": edges, "probes": probes, "indicators": indicators}


def world_of(model: dict[str, Any] | None = None) -> World:
    """Return the world of a model, the shop by default."""
    return parse_world(json.dumps(shop() if model is None else model))


def incident(
    world: World, *causes: str, symptoms: Sequence[str] = ("shop@north", "shop@south"), **outcomes: str
) -> Incident:
    """Return an incident; outcomes: probe id -> bad or unknown."""
    entry = {"id": 1, "symptoms": list(symptoms), "outcomes": outcomes, "causes": list(causes)}
    return parse_incidents(json.dumps([entry]), world)[0]


DATABASE_DOWN = {"web/http": "bad", "app-1/http": "bad", "app-2/http": "bad", "db/sql": "bad"}
"""Outcomes when the database is at fault and all else is well."""


def ticking(step: float = 0.25) -> Callable[[], float]:
    """Return a clock that goes on by a step at every look."""
    times = iter(range(1_000_000))
    return lambda: next(times) * step


def noted(outcomes: Outcomes) -> tuple[Ask, list[list[int]]]:
    """Return a way to ask, and the rounds that it was asked."""
    rounds: list[list[int]] = []

    def ask(probes: Sequence[int] | IntArray) -> Outcomes:
        rounds.append([int(probe) for probe in probes])
        return outcomes[np.asarray(probes, np.int64)]

    return ask, rounds
