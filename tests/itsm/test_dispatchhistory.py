"""How orders ended."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.dispatchhistory import (
    HALF_LIFE_SECONDS,
    MOST_CAUSES,
    MOST_CLASSES,
    MOST_PERSONS,
    History,
    Outcome,
    OutcomeKind,
    PersonRecord,
    fold,
    history_document,
    history_from,
)

OUTCOMES = st.builds(
    Outcome,
    at=st.floats(0, 1e9),
    person=st.sampled_from(["ann", "bob"]),
    work_class=st.sampled_from(["db", "net"]),
    kind=st.sampled_from(list(OutcomeKind)),
    causes=st.sampled_from([(), ("ora1",), ("fp", "ora1"), ("", "")]),
)


def outcome(kind: OutcomeKind, at: float = 0.0, person: str = "ann", causes: tuple[str, ...] = ()) -> Outcome:
    return Outcome(at, person, "db", kind, causes)


def test_only_an_order_that_was_solved_in_time_counts_for_and_a_recalled_one_not_at_all() -> None:
    history = fold(History(), [outcome(kind) for kind in OutcomeKind])
    tally = history.record("ann").tallies["db"]

    assert (tally.good, tally.bad) == (1.0, 4.0)


def test_after_half_a_year_an_outcome_counts_half() -> None:
    history = fold(History(), [outcome(OutcomeKind.RESOLVED_IN_TIME), outcome(OutcomeKind.TIMEOUT, HALF_LIFE_SECONDS)])

    assert history.record("ann").tallies["db"].as_of(HALF_LIFE_SECONDS) == (0.5, 1.0)
    assert history.record("ann").tallies["db"].as_of(2 * HALF_LIFE_SECONDS) == (0.25, 0.5)
    assert history.record("ann").tallies["db"].as_of(0.0) == (0.5, 1.0)


def test_who_solved_something_knows_its_causes_and_was_busy_then() -> None:
    history = fold(
        History(),
        [
            outcome(OutcomeKind.GIVEN, 10.0, causes=("fp", "ora1")),
            outcome(OutcomeKind.RESOLVED_LATE, 20.0, causes=("fp", "ora1")),
            outcome(OutcomeKind.TIMEOUT, 30.0, causes=("other",)),
        ],
    )

    assert dict(history.record("ann").causes) == {"fp": 20.0, "ora1": 20.0}
    assert history.record("ann").busy_at == 20.0
    assert history.record("bob") == PersonRecord()


def test_a_late_report_of_an_early_end_turns_no_time_back() -> None:
    history = fold(History(), [outcome(OutcomeKind.RESOLVED_IN_TIME, 20.0), outcome(OutcomeKind.RETURNED, 10.0)])

    assert (history.record("ann").tallies["db"].at, history.record("ann").busy_at) == (20.0, 20.0)


def test_memory_is_bounded_and_the_oldest_is_forgotten() -> None:
    history = History()
    for number in range(MOST_CLASSES + 10):
        history = history.folded(
            Outcome(float(number), "ann", f"c{number}", OutcomeKind.RESOLVED_IN_TIME, (f"cause{number}",))
        )

    record = history.record("ann")
    assert (len(record.tallies), len(record.causes)) == (MOST_CLASSES, MOST_CAUSES)
    assert ("c9" in record.tallies, "c10" in record.tallies) == (False, True)


def test_the_number_of_persons_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.itsm.dispatchhistory.MOST_PERSONS", 2)
    history = fold(History(), [outcome(OutcomeKind.GIVEN, person=name) for name in ("ann", "bob", "ann", "cem")])

    assert sorted(history.persons) == ["ann", "cem"]
    assert MOST_PERSONS == 5000


@given(st.lists(OUTCOMES, max_size=12), st.lists(OUTCOMES, max_size=12))
def test_a_document_goes_on_where_the_history_was(first: list[Outcome], then: list[Outcome]) -> None:
    history = fold(History(), first)
    again = history_from(json.loads(json.dumps(history_document(history), sort_keys=True)))

    assert again == history
    assert history_document(fold(again, then)) == history_document(fold(history, then))
    assert history_document(fold(history, then)) == history_document(fold(History(), [*first, *then]))
