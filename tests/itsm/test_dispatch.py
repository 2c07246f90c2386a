"""Whom an incident is given to."""

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.itsm.dispatch import (
    Decision,
    DispatchOrder,
    assign,
    decide,
    decision_document,
    decision_from,
    replayed,
    transfer_candidates,
)
from btimd.itsm.dispatchhistory import History, Outcome, OutcomeKind, fold
from btimd.itsm.dispatchscore import LEAST_SCORE
from btimd.itsm.workload import OpenOrder, Workload, workload_of
from btimd.model.duty import CENTRE, PathLevel, People, Presence, WorkClass
from btimd.model.incident import Priority
from tests.itsm.duties import people_of, person

DB = WorkClass("db", "path")
PEOPLE = people_of(
    person("ann", {"db": 0.9}, noc=1),
    person("bob", {"db": 0.5}, noc=1),
    person("cem", {"db": 0.5}, noc=1),
    person("dee", {"db": 1.0}, tech=2),
    classes=(DB,),
)
ALL = {"noc": dict.fromkeys(("ann", "bob", "cem"), Presence.ON_SHIFT), "tech": {"dee": Presence.ON_SHIFT}}
P3 = DispatchOrder("1", "db", Priority.P3)
DAY = 86_400.0


def there(presences: Mapping[str, Mapping[str, Presence]]) -> Callable[[str, float], Mapping[str, Presence]]:
    return lambda group, _at: presences.get(group, {})


def decided(
    order: DispatchOrder = P3,
    presences: Mapping[str, Mapping[str, Presence]] = MappingProxyType(ALL),
    workload: Workload = Workload(),  # noqa: B008  never changes
    history: History = History(),  # noqa: B008  never changes
    people: People = PEOPLE,
    now: float = DAY,
) -> Decision:
    return decide(order, people=people, presence=there(presences), workload=workload, history=history, now=now)


def test_the_best_of_those_on_duty_is_chosen_and_all_are_in_the_table() -> None:
    decision = decided(presences={"noc": {"ann": Presence.ON_SHIFT, "bob": Presence.ON_SHIFT}})

    assert (decision.chosen, decision.level, decision.group, decision.work_class) == ("ann", 1, "noc", "db")
    table = decision.tables[0]
    assert ([row.person for row in table.rows], table.off, table.excluded) == (["ann", "bob"], ("cem",), ())
    assert decision.row is not None
    assert decision.row.facts.declared == 0.9


def test_the_on_shift_beginner_comes_before_the_expert_at_home_and_before_the_one_who_comes_within_the_hour() -> None:
    presences = {"noc": {"bob": Presence.BACKUP, "cem": Presence.ON_SHIFT, "ann": Presence.SOON}}

    assert [row.person for row in decided(presences=presences).tables[0].rows] == ["cem", "bob", "ann"]


def test_skill_decides_grave_orders_and_the_time_since_the_last_one_mild_ones() -> None:
    history = fold(History(), [Outcome(DAY - 600, "ann", "db", OutcomeKind.GIVEN)])

    assert decided(DispatchOrder("1", "db", Priority.P1), history=history).chosen == "ann"
    assert decided(DispatchOrder("1", "db", Priority.P5), history=history).chosen == "bob"


def test_who_has_enough_to_do_is_passed_over() -> None:
    workload = workload_of([OpenOrder(str(number), "ann", Priority.P1, 60.0, 0.0) for number in range(2)])

    assert decided(workload=workload).chosen == "bob"


def test_who_dealt_with_the_cause_before_is_preferred_for_ninety_days() -> None:
    history = fold(History(), [Outcome(0.0, "cem", "net", OutcomeKind.RESOLVED_IN_TIME, ("ora1",))])
    order = DispatchOrder("1", "db", Priority.P3, causes=("fp", "ora1"), excluded=frozenset({"ann"}))

    assert decided(order, history=history, now=90 * DAY).chosen == "cem"
    assert decided(order, history=history, now=91 * DAY).chosen == "bob"


def test_outcomes_outweigh_what_was_declared() -> None:
    bad = [Outcome(1.0, "ann", "db", OutcomeKind.TIMEOUT)] * 8
    good = [Outcome(1.0, "cem", "db", OutcomeKind.RESOLVED_IN_TIME)] * 8

    assert decided(history=fold(History(), [*bad, *good])).chosen == "cem"


def test_where_nobody_of_a_level_suits_the_next_one_is_asked() -> None:
    busy = workload_of(
        [OpenOrder(f"{who}{n}", who, Priority.P1, 60.0, 0.0) for who in ("ann", "bob", "cem") for n in range(5)]
    )
    asked = DispatchOrder("1", "db", Priority.P3, excluded=frozenset({"ann", "bob", "cem"}))

    for decision in (decided(workload=busy), decided(asked), decided(presences={"tech": ALL["tech"]})):
        assert (decision.chosen, decision.level, decision.group, len(decision.tables)) == ("dee", 2, "tech", 2)
    assert decided(DispatchOrder("1", "db", Priority.P3, level=2)).tables[0].level == 2


def test_where_all_levels_are_exhausted_nobody_is_chosen_and_the_centre_is_asked() -> None:
    nobody = decided(presences={})

    assert (nobody.chosen, nobody.level, len(nobody.tables), nobody.row) == ("", CENTRE, 2, None)
    assert decided(DispatchOrder("1", "db", Priority.P3, level=3)).tables == ()
    assert decided(people=People()).chosen == ""


def test_of_equals_the_longest_idle_is_chosen_then_the_first_by_id() -> None:
    order = DispatchOrder("1", "db", Priority.P3, excluded=frozenset({"ann"}))
    never = fold(History(), [Outcome(1.0, "bob", "db", OutcomeKind.GIVEN)])

    assert decided(order).chosen == "bob"
    assert decided(order, history=never).chosen == "cem"


def test_a_level_can_ask_some_of_a_groups_lines_and_another_groups_rota() -> None:
    people = people_of(
        person("ann", noc=1), person("bob", noc=2), levels=(PathLevel("noc", "night", frozenset({2})),)
    )  # fmt: skip
    decision = decided(DispatchOrder("1", "", Priority.P3), {"night": {"bob": Presence.ON_SHIFT}}, people=people)

    assert (decision.chosen, decision.tables[0].rota, decision.tables[0].off) == ("bob", "night", ())


def test_a_skill_for_a_class_is_one_for_its_parts_too() -> None:
    people = people_of(person("ann", {"db": 0.9}, noc=1), person("bob", {"default": 0.4}, noc=1), classes=(DB,))
    rows = decided(DispatchOrder("1", "db.oracle", Priority.P3), people=people).tables[0].rows

    assert {row.person: row.facts.declared for row in rows} == {"ann": 0.9, "bob": 0.4}


def test_an_order_can_be_handed_over_to_the_fit_and_free_of_the_same_level() -> None:
    full = workload_of([OpenOrder(str(number), "bob", Priority.P3, 60.0, 0.0) for number in range(3)])
    common: dict[str, Any] = {"people": PEOPLE, "presence": there(ALL), "history": History(), "now": DAY}

    assert [row.person for row in transfer_candidates(P3, "ann", workload=Workload(), **common)] == ["bob", "cem"]
    assert [row.person for row in transfer_candidates(P3, "ann", workload=full, **common)] == ["cem"]
    assert [row.person for row in transfer_candidates(P3, "ann", workload=Workload(), limit=1, **common)] == ["bob"]
    assert transfer_candidates(DispatchOrder("1", "db", Priority.P3, level=9), "ann", workload=full, **common) == ()


def test_the_centre_may_send_somebody_off_duty_but_must_say_why() -> None:
    common: dict[str, Any] = {
        "people": PEOPLE, "presence": there({}), "workload": Workload(), "history": History(), "now": DAY,
    }  # fmt: skip
    with pytest.raises(ValueError, match="ann is off duty in group noc; say why all the same"):
        assign(P3, PEOPLE.persons["ann"], "noc", " ", **common)
    decision = assign(P3, PEOPLE.persons["ann"], "noc", "knows the vendor", **common)

    assert (decision.chosen, decision.manual, decision.reason) == ("ann", True, "knows the vendor")
    assert decision.row is not None
    assert decision.row.facts.presence is Presence.OFF
    assert replayed(decision) == ""  # the rules would not have sent anybody


NAMES = [f"p{number}" for number in range(6)]
CASES = st.fixed_dictionaries(
    {
        "skills": st.lists(st.none() | st.floats(0, 1), min_size=6, max_size=6),
        "groups": st.lists(st.sampled_from(["noc", "tech"]), min_size=6, max_size=6),
        "presences": st.dictionaries(
            st.sampled_from(["noc", "tech"]),
            st.dictionaries(st.sampled_from(NAMES), st.sampled_from(list(Presence))),
        ),
        "orders": st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(list(Priority)), st.floats(0, 600)), max_size=12
        ),
        "outcomes": st.lists(
            st.builds(
                Outcome,
                at=st.floats(0, 1e7),
                person=st.sampled_from(NAMES),
                work_class=st.sampled_from(["db", "default"]),
                kind=st.sampled_from(list(OutcomeKind)),
                causes=st.sampled_from([(), ("fp",)]),
            ),
            max_size=20,
        ),
        "priority": st.sampled_from(list(Priority)),
        "category": st.sampled_from(["db", "db.x", "", "net"]),
        "excluded": st.frozensets(st.sampled_from(NAMES)),
        "level": st.integers(1, 3),
        "now": st.floats(0, 2e7),
    }
)


def decided_of(case: dict[str, Any]) -> Decision:
    people = people_of(
        *(
            person(name, {} if skill is None else {"db": skill}, **{group: 1})
            for name, skill, group in zip(NAMES, case["skills"], case["groups"], strict=True)
        ),
        classes=(DB,),
    )
    return decide(
        DispatchOrder("1", case["category"], case["priority"], ("fp",), "", case["level"], case["excluded"]),
        people=people,
        presence=there(case["presences"]),
        workload=workload_of(
            OpenOrder(str(number), who, priority, minutes, 0.0)
            for number, (who, priority, minutes) in enumerate(case["orders"])
        ),
        history=fold(History(), case["outcomes"]),
        now=case["now"],
    )


@given(CASES)
def test_nobody_off_duty_or_excluded_or_unfit_is_ever_chosen(case: dict[str, Any]) -> None:
    decision = decided_of(case)

    if decision.chosen:
        presence = case["presences"].get(decision.group, {}).get(decision.chosen, Presence.OFF)
        assert presence is not Presence.OFF
        assert decision.chosen not in case["excluded"]
        assert decision.level >= case["level"]
        assert decision.row is not None
        assert decision.row.score >= LEAST_SCORE
        assert decision.row.score == max(row.score for row in decision.tables[-1].rows)
    else:
        assert all(row.score < LEAST_SCORE for table in decision.tables for row in table.rows)


@given(CASES)
def test_deciding_twice_gives_the_same_and_the_stored_table_gives_the_same_choice_again(case: dict[str, Any]) -> None:
    decision = decided_of(case)
    stored = decision_from(json.loads(json.dumps(decision_document(decision))))

    assert decided_of(case) == decision
    assert stored == decision
    assert replayed(stored) == decision.chosen
