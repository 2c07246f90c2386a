"""Decisions as sentences."""
# ruff: noqa: RUF001

from dataclasses import replace

from btimd.itsm.dispatch import DispatchOrder, assign, decide
from btimd.itsm.dispatchhistory import History, Outcome, OutcomeKind, fold
from btimd.itsm.dispatchscore import WEIGHTS, Facts, judge
from btimd.itsm.dispatchtext import deciding_factor, row_text, sentence
from btimd.itsm.workload import OpenOrder, Workload, workload_of
from btimd.model.duty import People, Presence, WorkClass
from btimd.model.incident import Priority
from tests.itsm.duties import people_of, person

DAY = 86_400.0
PEOPLE = people_of(
    replace(person("ann", {"db": 0.9}, noc=1), name="Li Na", name_zh="李娜"),
    replace(person("bob", {"db": 0.5}, noc=1), name="Wang Wei", name_zh="王伟"),
    person("cem", noc=1),
    person("dee", tech=2),
    classes=(WorkClass("db", "path"),),
)
ON = {"noc": dict.fromkeys(("ann", "bob"), Presence.ON_SHIFT), "tech": {"dee": Presence.BACKUP}}
HISTORY = fold(
    History(),
    [
        *([Outcome(DAY - 1.0, "ann", "db", OutcomeKind.RESOLVED_IN_TIME, ("fp",))] * 3),
        Outcome(DAY - 2700, "bob", "db", OutcomeKind.GIVEN),
    ],
)


def text(
    language: str,
    order: DispatchOrder = DispatchOrder("1", "db", Priority.P2, causes=("fp",)),  # noqa: B008  a constant
    *,
    history: History = HISTORY,
    workload: Workload = Workload(),  # noqa: B008  never changes
    people: People = PEOPLE,
) -> str:
    decision = decide(
        order,
        people=people,
        presence=lambda group, _at: ON.get(group, {}),
        workload=workload,
        history=history,
        now=DAY + 3600,
    )
    return sentence(decision, people, language)


def test_why_her_is_told_with_the_runner_up_and_what_made_the_difference() -> None:
    workload = workload_of([OpenOrder("7", "ann", Priority.P3, 30.0, 0.0)])

    assert text("en", workload=workload) == (
        "Li Na (ann) (Group noc, level 1) was chosen out of 2 on duty: on shift, skill 0.93 (3 of 3 orders of class db "
        "solved in time), 0.5 of 3.0 orders open, last order 60 min ago, has dealt with this cause. Score 0.80. "
        "Next is Wang Wei (bob) with 0.37, behind by skill (0.50 against 0.93)."
    )
    assert text("zh", workload=workload) == (
        "在 2 名在岗人员中选派 李娜 (ann)（Group noc，第 1 级）：当班，能力 0.93（db 类 3 单中按时解决 3 单），"
        "在手 0.5 单，容量 3.0 单，距上次派单 60 分钟，处理过同一原因。得分 0.80。"
        "其次为 王伟 (bob)，得分 0.37，主要差在能力（0.50 对 0.93）。"
    )


def test_levels_that_were_passed_over_are_told_with_the_reason() -> None:
    order = DispatchOrder("1", "db", Priority.P3, excluded=frozenset({"ann"}))
    busy = workload_of([OpenOrder(str(number), "bob", Priority.P1, 60.0, 0.0) for number in range(4)])

    assert text("en", order, workload=busy, history=History()) == (
        "Dee (dee) (Group tech, level 2) was chosen, the only one on duty who can be asked: back-up, skill 0.30 "
        "(nothing is known of class db), 0.0 of 3.0 orders open, no order yet. Score 0.21. "
        "Before: level 1 (Group noc): 1 on duty but overloaded or unfit, the best Wang Wei (bob) with 0.00, 1 off duty, "
        "1 asked before or excluded."
    )


def test_why_nobody_can_be_asked_is_told_level_by_level() -> None:
    order = DispatchOrder("1", "db", Priority.P3, excluded=frozenset({"ann", "bob", "dee"}))

    assert text("en", order) == (
        "Nobody can be asked: level 1 (Group noc): 1 off duty, 2 asked before or excluded; "
        "level 2 (Group tech): 1 asked before or excluded."
    )
    assert text("zh", order) == (
        "无人可派：第 1 级（Group noc）1 人不在岗，2 人已派过或被排除；第 2 级（Group tech）1 人已派过或被排除。"
    )
    assert text("en", people=People()) == "Nobody can be asked: no escalation path is set for class default."


def test_a_tie_and_a_manual_choice_are_told_as_such() -> None:
    people = people_of(person("ann", noc=1), person("bob", noc=1))

    assert text("en", people=people, history=History()).endswith(
        "Score 0.21. Bob (bob) has the same score, and comes later by time since the last order, then by id."
    )
    decision = assign(
        DispatchOrder("1", "db", Priority.P3),
        PEOPLE.persons["cem"],
        "noc",
        "on site",
        people=PEOPLE,
        presence=lambda _group, _at: {},
        workload=Workload(),
        history=fold(History(), [Outcome(0.0, "cem", "db", OutcomeKind.GIVEN)]),
        now=3 * DAY,
    )
    assert sentence(decision, PEOPLE, "en") == (
        "Cem (cem) (Group noc) was chosen by the centre (on site): off duty, skill 0.30 (nothing is known of class db), "
        "0.0 of 3.0 orders open, last order 3 d ago. Score 0.00."
    )


def test_a_reader_of_another_language_is_told_in_english() -> None:
    assert text("fr") == text("en")


def test_a_person_to_hand_over_to_is_told_with_the_facts() -> None:
    row = judge(Facts("ann", Presence.SOON, 0.9, 0.2, 0.0, 1.0, 3.0, 7200.0, knows=False), WEIGHTS[Priority.P3])

    assert row_text(row, PEOPLE, "db", "en") == (
        "Li Na (ann): shift begins within the hour, skill 0.90 (as declared), 1.0 of 3.0 orders open, last order 2 h ago"
    )
    assert row_text(row, People(), "db", "en").startswith("ann: ")


def test_the_deciding_factor_is_the_one_with_the_greatest_weighted_lead() -> None:
    facts = Facts("ann", Presence.ON_SHIFT, 0.9, 0.0, 0.0, 0.0, 3.0, None, knows=True)
    other = replace(facts, person="bob", declared=0.8, presence=Presence.BACKUP)
    weights = WEIGHTS[Priority.P3]

    assert deciding_factor(judge(facts, weights), judge(other, weights), weights) == "duty"
