"""Holes in who calls whom are guessed from twins: rows, columns, and strangers."""

from collections.abc import Sequence

import numpy as np
import pytest

from btimd.rca.likelyneeds import likely_needs
from btimd.rca.worldgen import ROOMY, draw_world
from btimd.rca.worldmodel import REGIMES, believed

NODES = ("svc", "app1", "app2", "app3", "db1", "db2", "dns1", "dns2", "san", "os1", "os2")
KINDS = {"svc": 0, "app": 1, "db": 2, "dns": 3, "san": 4, "os": 5}
SHOP = (
    *(("svc", app, 0.5) for app in ("app1", "app2")),
    *((app, need, 0.5) for app in ("app1", "app2") for need in ("db1", "db2", "dns1", "dns2")),
    *((need, "san", 0.9) for need in ("db1", "db2")),
)


def guesses(
    edges: Sequence[tuple[str, str, float]], physical: Sequence[tuple[str, str]] = ()
) -> list[tuple[str, str, str, float, float]]:
    """Return (needing, to, like, weight, chance) of what is likely missing."""
    ends = [(needing, to) for needing, to, _ in edges] + list(physical)
    weight = np.array([weight for *_, weight in edges] + [0.95] * len(physical))
    found = likely_needs(
        np.array([KINDS[name.rstrip("123")] for name in NODES]),
        np.array([NODES.index(needing) for needing, _ in ends], np.int32),
        np.array([NODES.index(to) for _, to in ends], np.int32),
        weight,
        np.arange(len(ends)) >= len(edges),
    )
    return [
        (NODES[needing], NODES[to], NODES[like], round(float(weight), 3), round(float(chance), 3))
        for needing, to, like, weight, chance in zip(
            found.needing, found.to, found.like, found.weight, found.chance, strict=True
        )
    ]


def without(*gone: tuple[str, str]) -> list[tuple[str, str, float]]:
    return [edge for edge in SHOP if edge[:2] not in gone]


def test_a_model_whose_twins_agree_lacks_nothing() -> None:
    assert guesses(SHOP) == []


def test_nothing_is_guessed_where_nobody_calls_anybody() -> None:
    assert guesses([], [("app1", "os1"), ("app2", "os2")]) == []


def test_a_node_needs_what_its_sibling_needs() -> None:
    assert guesses(without(("app2", "db2"))) == [("app2", "db2", "app1", 0.5, 0.95)]


def test_a_member_of_a_pool_without_any_need_has_those_of_its_partner() -> None:
    assert guesses(without(("db2", "san"))) == [("db2", "san", "db1", 0.9, 0.95)]


def test_who_calls_one_member_of_a_pool_calls_the_other() -> None:
    alone = [("app3", "db1", 0.5), ("app3", "dns1", 0.5), ("app3", "dns2", 0.5)]
    assert guesses([*SHOP, *alone]) == [("svc", "app3", "app1", 0.5, 0.95), ("app3", "db2", "db1", 0.5, 0.95)]


def test_what_nobody_calls_but_needs_the_same_is_a_member_of_the_pool() -> None:
    assert guesses(without(("svc", "app2"))) == [("svc", "app2", "app1", 0.5, 0.95)]


def test_a_need_of_full_weight_has_no_partner() -> None:
    alone = [("svc", "app1", 0.93), *without(("svc", "app1"), ("svc", "app2"))]
    assert guesses(alone) == []


def test_what_runs_on_what_is_never_guessed() -> None:
    assert guesses(SHOP, [("app1", "os1")]) == []


@pytest.mark.parametrize("seed", [7, 8])
def test_most_guesses_about_a_drawn_enterprise_are_right(seed: int) -> None:
    building, believing = np.random.default_rng(seed).spawn(2)
    world = draw_world(4000, ROOMY, building)
    model = believed(world, REGIMES["moderate"], believing)
    edges = model.edges
    found = likely_needs(model.kind, edges.needing, edges.to, edges.weight.astype(float), edges.physical)
    true = {*zip(world.edges.needing.tolist(), world.edges.to.tolist(), strict=True)}
    gone = true - {*zip(edges.needing.tolist(), edges.to.tolist(), strict=True)}
    sure = found.chance > 0.9
    likely = {*zip(found.needing[sure].tolist(), found.to[sure].tolist(), strict=True)}
    assert len(likely & gone) > 0.6 * len(gone)
    assert len(likely & gone) > 0.9 * len(likely)
