from itertools import chain

import numpy as np
import pytest

from btimd.rca.policies_search import Adaptive, Everything, PrePlanned, RandomProbes, model_of
from btimd.rca.simulate import Answer, Case, SimulationOptions, outcomes_of
from btimd.rca.world import Incident
from tests.rca.fileworlds import DATABASE_DOWN, incident, noted, world_of

WORLD = world_of()
ALL = set(range(len(WORLD.probes)))
Way = type[Adaptive | Everything | RandomProbes | PrePlanned]


def asked(way: Way, one: Incident, **options: int) -> tuple[Answer, list[list[int]]]:
    policy = way(WORLD, SimulationOptions(**options), np.random.default_rng(1))
    ask, rounds = noted(outcomes_of(one, len(WORLD.probes)))
    changes = np.empty(0, np.int32) if one.changes is None else one.changes
    return policy.run(Case(one.symptoms, changes), ask), rounds


@pytest.mark.parametrize("way", [Adaptive, Everything, RandomProbes, PrePlanned])
def test_every_way_that_weighs_evidence_finds_the_database(way: Way) -> None:
    answer, rounds = asked(way, incident(WORLD, "db", **DATABASE_DOWN))
    probes = [probe for one in rounds for probe in one]

    assert [WORLD.node_ids[node] for node in answer.found] == ["db"]
    assert answer.ranked[0] == answer.found[0]
    assert 0.3 < answer.confidence <= 1.0
    assert len(set(probes)) == len(probes)


def test_everything_is_asked_in_one_round() -> None:
    assert asked(Everything, incident(WORLD, "db", **DATABASE_DOWN))[1] == [sorted(ALL)]


def test_what_is_planned_is_asked_in_one_round() -> None:
    _, rounds = asked(PrePlanned, incident(WORLD, "db", **DATABASE_DOWN))

    assert len(rounds) == 1


def test_random_probes_come_in_batches_up_to_the_limit() -> None:
    _, rounds = asked(RandomProbes, incident(WORLD, "shop"), max_probes=5, batch=2)

    assert [len(one) for one in rounds] in ([2, 2, 1], [2, 2], [2])
    assert set(chain.from_iterable(rounds)) <= ALL


def test_the_adaptive_way_keeps_to_its_limits() -> None:
    _, rounds = asked(Adaptive, incident(WORLD, "db", **DATABASE_DOWN), max_probes=3, batch=2)

    assert 0 < sum(map(len, rounds)) <= 3
    assert max(map(len, rounds)) <= 2


def test_no_answer_is_no_evidence() -> None:
    silent = incident(WORLD, "db", **dict.fromkeys(WORLD.probes.ids, "unknown"))
    everything, _ = asked(Everything, silent)
    nothing, _ = asked(RandomProbes, silent, max_probes=1)

    assert everything == nothing


def test_the_model_has_a_question_for_every_probe_and_indicator() -> None:
    model = model_of(WORLD)

    assert (model.node_count, model.probe_count, model.question_count) == (9, 10, 12)
