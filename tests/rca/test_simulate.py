import numpy as np
import pytest

from btimd.rca.simulate import Answer, Ask, Case, Run, outcomes_of, simulate
from tests.rca.fileworlds import DATABASE_DOWN, incident, ticking, world_of

WORLD = world_of()


class AsksTwice:
    """A policy that asks two rounds, one probe twice."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def run(self, case: Case, ask: Ask) -> Answer:
        self.seen.append(case.symptoms.tolist())
        self.seen.append(ask([0, 5]).tolist())
        self.seen.append(ask([5, 9]).tolist())
        self.seen.append(ask([]).tolist())
        return Answer((4, 1), (4,), 0.9, 0.8)


def test_a_policy_learns_what_it_asks_for_and_pays_for_each_probe_once() -> None:
    policy = AsksTwice()
    one = incident(WORLD, "db", **DATABASE_DOWN, **{"gate/icmp": "unknown"})

    assert list(simulate(WORLD, policy, [one], clock=ticking())) == [
        Run(one, Answer((4, 1), (4,), 0.9, 0.8), probes=(0, 5, 9), rounds=2, step_seconds=(0.25, 0.25, 0.25, 0.25))
    ]
    assert policy.seen == [[0, 1], [1, 1], [1, -1], []]


def test_what_is_not_told_is_good() -> None:
    assert outcomes_of(incident(WORLD, "host-1", **{"host-1/icmp": "bad", "db/sql": "unknown"}), 10).tolist() == [
        0, 0, 0, 0, 0, -1, 1, 0, 0, 0
    ]  # fmt: skip


@pytest.mark.parametrize("probe", [-1, 10])
def test_a_probe_that_does_not_exist_is_a_mistake_of_the_policy(probe: int) -> None:
    class Wrong:
        def run(self, _case: Case, ask: Ask) -> Answer:
            ask(np.array([probe], np.int32))
            raise AssertionError

    with pytest.raises(ValueError, match="no such probe among"):
        list(simulate(WORLD, Wrong(), [incident(WORLD)], clock=ticking()))
