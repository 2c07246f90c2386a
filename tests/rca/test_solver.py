from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.rca.faultmodel import BAD, GOOD, FaultModel, Faults, FloatArray, IntArray, Row
from btimd.rca.solver import Search
from btimd.rca.solver_types import Ending, SearchOptions
from tests.kernels import oracle_noisyor as oracle

PRIOR = [0.02, 0.05, 0.01, 0.03, 0.02, 0.04]
EXACT = SearchOptions(
    group_doubt=0.0, group_shared=0.0, usual_faults=sum(p / (1.0 - p) for p in PRIOR), certain=False
)  # fmt: skip
"""The plain noisy-OR with the priors as they are."""


def model_of(
    probabilities: Sequence[float],
    rows: Sequence[Mapping[int, float]],
    *,
    leak: float = 0.01,
    nodes: Sequence[int] | None = None,
    unmodelled: Sequence[bool] | None = None,
    profiles: FloatArray | None = None,
    profile: int = 0,
) -> FaultModel:
    """Return a model with one fault per node; question i is of node i as far as there is one."""
    count = len(probabilities)
    node = list(range(count)) if nodes is None else list(nodes)

    def make_row(question: int) -> Row:
        row = rows[question]
        return Row.of(list(row), list(row.values()), [profile] * len(row))

    def about(one: int) -> IntArray:
        seen = [question for question, row in enumerate(rows) if any(node[fault] == one for fault in row)]
        return np.array(seen, np.int64)

    return FaultModel(
        Faults.of(max(node) + 1, node, probabilities, unmodelled),
        question_node=[min(question, max(node)) for question in range(len(rows))],
        question_cost=[1.0] * len(rows),
        question_leak=[leak] * len(rows),
        make_row=make_row,
        about=about,
        profiles=profiles,
    )


def marginals(search: Search, count: int) -> list[float]:
    found = {suspect.node: suspect.probability for suspect in search.belief().ranked}
    return [found.get(node, 0.0) for node in range(count)]


ROWS = st.lists(
    st.dictionaries(st.integers(0, 5), st.sampled_from([0.2, 0.5, 0.9]), min_size=1, max_size=6), min_size=2, max_size=7
)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, answers=st.lists(st.booleans(), min_size=7, max_size=7))
def test_probabilities_are_those_of_counting_through_all_sets(
    rows: list[dict[int, float]], answers: list[bool]
) -> None:
    search = Search(model_of(PRIOR, rows), EXACT)
    bad, log_odds = [], {fault: float(np.log(p / (1 - p))) for fault, p in enumerate(PRIOR)}
    for question, row in enumerate(rows):
        search.observe(question, BAD if answers[question] else GOOD)
        if answers[question]:
            bad.append((0.01, row))
        else:
            for fault, detection in row.items():
                log_odds[fault] += float(np.log(1.0 - detection))
    suspects = sorted({fault for _, row in bad for fault in row})
    weights = {
        members: np.exp(oracle.log_posterior(log_odds, bad, members)) for members in oracle.all_sets(suspects, 4)
    }
    total = sum(weights.values())
    expected = [sum(weight for members, weight in weights.items() if node in members) / total for node in range(6)]
    # Sets that are far from the best ones are left out.
    assert marginals(search, 6) == pytest.approx(expected, abs=0.03)


def test_nothing_observed_means_nothing_suspected() -> None:
    belief = Search(model_of([0.1], [{0: 0.9}])).belief()
    assert (belief.ranked, belief.found, belief.leader.nodes, belief.confidence) == ((), (), (), 0.0)


def test_one_cause_explains_away_another() -> None:
    search = Search(model_of([0.01, 0.01, 0.01], [{0: 0.9, 1: 0.9}, {0: 0.9, 2: 0.9}, {0: 0.9}]))
    for question in range(2):
        search.observe(question, BAD, symptom=True)
    assert search.belief().ranked[0].node == 0
    search.observe(2, BAD)
    belief = search.belief()
    assert belief.found == (0,)
    assert belief.raw_confidence > 0.99
    assert belief.unexplained == ()


def test_two_causes_are_both_found() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.9}, {0: 0.95}, {1: 0.9}, {1: 0.95}]))
    for question in range(4):
        search.observe(question, BAD)
    belief = search.belief()
    assert (sorted(belief.found), belief.leader.nodes) == ([0, 1], (0, 1))
    assert belief.found_confidence > 0.9


def test_something_is_at_fault_once_a_diagnosis_was_begun() -> None:
    rows = [{0: 0.3}, {0: 0.95}]
    doubting, certain = (Search(model_of([1e-6], rows), SearchOptions(certain=flag)) for flag in (False, True))
    for search in (doubting, certain):
        search.observe(0, BAD)
        search.observe(1, GOOD)
    assert doubting.belief().leader.nodes == ()
    assert certain.belief().leader.nodes == (0,)


def test_the_class_of_an_error_points_to_its_cause() -> None:
    profiles = np.array([[0.5, 0.5], [0.9, 0.1], [0.1, 0.9]])
    faults = Faults.of(2, [0, 1], [0.01, 0.01])
    row = Row.of([0, 1], [0.9, 0.9], [1, 2])
    model = FaultModel(
        faults, question_node=[0], question_cost=[1.0], question_leak=[0.01], make_row=lambda _: row,
        about=lambda _: np.array([0]), profiles=profiles,
    )  # fmt: skip
    search = Search(model)
    search.observe(0, 2 + 1)
    assert search.belief().ranked[0].node == 1
    search.observe(0, 2 + 0)
    assert search.belief().ranked[0].node == 0
    search.observe(0, BAD)
    assert [suspect.probability for suspect in search.belief().ranked] == pytest.approx([0.55, 0.55], abs=0.01)


def test_an_answer_that_is_retracted_is_forgotten() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.9, 1: 0.9}, {0: 0.9}]))
    search.observe(0, BAD)
    before = search.belief()
    search.observe(1, BAD)
    assert search.belief().ranked[0].probability > 0.9
    search.retract(1)
    assert search.belief() == before


def test_a_change_makes_a_node_suspicious_and_maintenance_takes_it_out() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.9, 1: 0.9}]))
    search.observe(0, BAD)
    search.boost(1, 20.0)
    assert search.belief().ranked[0].node == 1
    search.remove(1)
    assert [suspect.node for suspect in search.belief().ranked] == [0]


def test_what_is_unmodelled_is_no_finding() -> None:
    model = model_of([1e-6, 0.01], [{0: 0.9, 1: 0.9}, {0: 0.9}], nodes=[0, 0], unmodelled=[False, True])
    search = Search(model)
    search.observe(0, BAD)
    search.observe(1, GOOD)
    belief = search.belief()
    assert (belief.leader.nodes, belief.leader.unmodelled) == ((0,), (0,))
    assert belief.confidence < 0.01
    assert belief.ranked[0].unmodelled > 0.9
    assert search.done([], asked=1) is Ending.UNKNOWN_NEAR


def test_the_probe_that_tells_most_is_chosen_and_the_next_adds_to_it() -> None:
    rows = [{0: 0.9, 1: 0.9, 2: 0.9, 3: 0.9}, {0: 0.95}, {0: 0.95, 1: 0.95}, {0: 0.95, 2: 0.95}, {0: 0.9, 1: 0.9}]
    search = Search(model_of([0.01] * 4, rows))
    search.observe(0, BAD, symptom=True)
    picks = search.choose(2)
    assert [pick.question for pick in picks] == [2, 3]
    assert all(0.4 < pick.gain_bits < 0.9 for pick in picks)
    assert picks[0].suspects == 4
    assert {0, 1} <= set(picks[0].splits)
    assert [pick.question for pick in search.choose(2, busy=[2])] == [3, 1]
    askable = np.array([False, True, False, False, False])
    assert [pick.question for pick in search.choose(2, askable=askable)] == [1]


def test_a_confirmation_is_the_own_check_that_shows_most() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.5}, {0: 0.9, 1: 0.95}, {1: 0.6}]))
    search.observe(1, BAD)
    pick = search.confirmation(0)
    assert pick is not None
    assert (pick.question, pick.confirms, pick.splits) == (0, 0, (0,))
    search.observe(0, BAD)
    assert search.confirmation(0) is None


def test_reasons_say_which_answer_speaks_for_the_leader() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.9, 1: 0.9}, {0: 0.9}, {1: 0.9}]))
    for question, outcome in enumerate((BAD, BAD, GOOD)):
        search.observe(question, outcome)
    belief = search.belief()
    assert belief.leader.nodes == (0,)
    other = next(number for number, one in enumerate(belief.sets) if one.nodes == (1,)) if (1,) in {
        one.nodes for one in belief.sets} else None  # fmt: skip
    if other is not None:
        assert [reason.question for reason in search.reasons(other)] == [1, 2]
    assert search.reasons(99) == ()


def test_a_search_ends_found_or_as_a_shortlist_or_for_want_of_budget() -> None:
    search = Search(model_of([0.01, 0.01], [{0: 0.9, 1: 0.9}, {0: 0.95}]), SearchOptions(max_probes=5))
    search.observe(0, BAD)
    picks = search.choose(1)
    assert search.done(picks, asked=0) is Ending.OPEN
    assert search.done(picks, asked=5) is Ending.BUDGET
    assert search.done([], asked=1) is Ending.SHORTLIST
    search.observe(1, BAD)
    assert search.done([], asked=2) is Ending.FOUND
