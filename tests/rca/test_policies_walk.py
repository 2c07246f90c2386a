import numpy as np

from btimd.rca.policies_walk import Bisection, TopDown
from btimd.rca.simulate import Answer, Case, SimulationOptions, outcomes_of
from btimd.rca.world import Incident
from tests.rca.fileworlds import DATABASE_DOWN, incident, noted, world_of

WORLD = world_of()
NAMES = WORLD.node_ids
BOTH = ("shop@north", "shop@south")


def walked(way: type[TopDown | Bisection], one: Incident, **options: int) -> tuple[Answer, list[list[str]]]:
    """Return the answer, and the rounds in names."""
    policy = way(WORLD, SimulationOptions(**options), np.random.default_rng(1))
    ask, rounds = noted(outcomes_of(one, len(WORLD.probes)))
    answer = policy.run(Case(one.symptoms, np.empty(0, np.int32)), ask)
    return answer, [[WORLD.probes.ids[probe] for probe in asked] for asked in rounds]


def names(nodes: tuple[int, ...]) -> list[str]:
    return [NAMES[node] for node in nodes]


def test_the_walk_goes_down_what_is_bad_and_ends_where_all_needs_are_good() -> None:
    answer, rounds = walked(TopDown, incident(WORLD, "db", **DATABASE_DOWN))

    assert rounds == [
        ["web/http"],
        ["app-1/http", "app-1/tcp", "app-2/http", "app-2/tcp"],
        ["db/sql", "host-1/icmp", "host-2/icmp"],
        ["host-3/icmp"],
    ]
    assert (names(answer.found), names(answer.ranked)) == (["db"], ["db", "app-1", "app-2", "web"])
    assert (answer.confidence, answer.sure) == (1.0, 1.0)


def test_the_walk_looks_one_step_past_what_is_good_because_it_is_redundant() -> None:
    answer, rounds = walked(TopDown, incident(WORLD, "app-1", **{"app-1/http": "bad", "app-1/tcp": "bad"}))

    assert rounds[:2] == [["web/http"], ["app-1/http", "app-1/tcp", "app-2/http", "app-2/tcp"]]
    assert names(answer.found) == ["app-1"]


def test_the_walk_begins_where_the_indicators_are_mostly_bad() -> None:
    answer, rounds = walked(TopDown, incident(WORLD, "gate", symptoms=["shop@north"], **{"gate/icmp": "bad"}))

    assert (rounds, names(answer.found), answer.confidence) == ([["gate/icmp"]], ["gate"], 1.0)


def test_a_walk_that_may_ask_no_more_names_where_it_stands() -> None:
    answer, rounds = walked(TopDown, incident(WORLD, "db", **DATABASE_DOWN), max_probes=3, batch=2)

    assert rounds == [["web/http"], ["app-1/http", "app-1/tcp"]]
    assert names(answer.ranked)[:1] == ["app-1"]


def test_halving_strikes_out_what_an_answer_clears() -> None:
    answer, rounds = walked(Bisection, incident(WORLD, "db", **DATABASE_DOWN))

    assert rounds == [["app-1/http"], ["app-1/tcp"], ["host-3/icmp"]]
    assert (names(answer.found), names(answer.ranked)) == (["db"], ["db"])
    assert answer.confidence == 1.0


def test_halving_asks_again_elsewhere_where_no_answer_comes() -> None:
    one = incident(WORLD, "db", **{**DATABASE_DOWN, "app-1/http": "unknown"})
    answer, rounds = walked(Bisection, one)

    assert (rounds[0], names(answer.found)) == (["app-1/http"], ["db"])


def test_halving_keeps_to_its_limit() -> None:
    answer, rounds = walked(Bisection, incident(WORLD, "db", **DATABASE_DOWN), max_probes=1)

    assert (len(rounds), names(answer.found)[0] in {"app-1", "db", "host-1", "host-3"}) == (1, True)
    assert 0.0 < answer.confidence < 1.0
