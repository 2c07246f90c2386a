"""The dispatcher as the life cycle asks for it."""

import json
from dataclasses import dataclass, replace

from btimd.itsm.dispatch import decision_from, replayed
from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.dispatchhistory import OutcomeKind
from btimd.itsm.dispatchlevels import LevelDispatcher
from btimd.itsm.moment import OrderLimits
from btimd.itsm.rota import Rota
from btimd.model.duty import PathLevel, People, RotaRules
from btimd.model.incident import Priority
from tests.itsm.duties import at, people_of, person, shift

NOON = at("2026-11-02 12:00")
PEOPLE = people_of(person("ann", noc=1), person("bob", noc=1), person("cem", noc=1), person("dee", tech=2))
RULES = RotaRules(shifts=(shift("day", "08:00", "20:00", ("ann", "bob")), shift("night", "20:00", "08:00", ("cem",))))


@dataclass(frozen=True)
class Choice:
    person: str = ""
    group: str = ""
    explanation: str = ""


@dataclass(frozen=True)
class Trouble:
    id: str = "1"
    priority: Priority = Priority.P3
    category: str = ""
    fingerprint: str = "fp"
    cause: str = "ora1"
    level: int = 1
    assignee: str = "ann"


def desk(people: People = PEOPLE) -> DispatchDesk:
    return DispatchDesk(people, Rota(RULES, people))


def test_one_level_is_asked_at_a_time_and_the_whole_table_is_the_explanation() -> None:
    dispatcher = LevelDispatcher(desk(), Choice)
    choice = dispatcher.decide(Trouble(), 1, frozenset(), NOON)
    stored = decision_from(json.loads(choice.explanation))

    assert (choice.person, choice.group, replayed(stored)) == ("ann", "noc", "ann")
    assert [row.person for row in stored.tables[0].rows] == ["ann", "bob"]
    nobody = dispatcher.decide(Trouble(), 1, frozenset({"ann", "bob"}), NOON)
    assert (nobody.person, nobody.group) == ("", "noc")
    assert dispatcher.decide(Trouble(), 2, frozenset(), NOON).person == "dee"
    assert dispatcher.decide(Trouble(), 3, frozenset(), NOON).person == ""
    assert dispatcher.levels(Trouble(), NOON) == 2


def test_peers_and_duty_are_told() -> None:
    dispatcher = LevelDispatcher(desk(), Choice)

    assert dispatcher.transfer_candidates(Trouble(), NOON) == ["bob"]
    assert [dispatcher.on_duty(name, NOON) for name in ("ann", "cem", "dee", "eve")] == [True, False, True, None]


def test_what_happens_later_does_not_change_a_snapshot() -> None:
    live = desk()
    before = LevelDispatcher(live, Choice)
    for number in range(9):
        live.told(Trouble(id=str(number)), "ann", OutcomeKind.GIVEN, NOON)

    assert before.decide(Trouble(), 1, frozenset(), NOON).person == "ann"
    assert LevelDispatcher(live, Choice).decide(Trouble(), 1, frozenset(), NOON).person == "bob"


def test_what_a_level_says_of_orders_goes_before_its_group_and_what_nobody_says_is_left_open() -> None:
    levels = (
        PathLevel("noc", "noc", accept={Priority.P3: 600.0}, max_candidates=1, forced_to=2),
        PathLevel("tech", "tech"),
    )
    people = people_of(person("ann", noc=1), person("dee", tech=1), levels=levels)
    groups = {
        "noc": replace(people.groups["noc"], accept={Priority.P3: 60.0, Priority.P1: 90.0}, max_candidates=9),
        "tech": replace(people.groups["tech"], renotify=45.0),
    }
    dispatcher = LevelDispatcher(desk(replace(people, groups=groups)), Choice)

    assert dispatcher.limits(Trouble(), 1) == OrderLimits(600.0, 200.0, 1, 2)
    assert dispatcher.limits(Trouble(priority=Priority.P1), 1) == OrderLimits(90.0, 30.0, 1, 2)
    assert dispatcher.limits(Trouble(priority=Priority.P2), 1) == OrderLimits(None, None, 1, 2)
    assert dispatcher.limits(Trouble(), 2) == OrderLimits(None, 45.0, None, 3)  # nobody is left
    assert dispatcher.limits(Trouble(), 3) == OrderLimits()
    assert LevelDispatcher(desk(People()), Choice).limits(Trouble(), 1) == OrderLimits()


def test_without_people_there_are_no_levels() -> None:
    dispatcher = LevelDispatcher(desk(People()), Choice)

    assert dispatcher.levels(Trouble(), NOON) == 0
    assert dispatcher.decide(Trouble(), 1, frozenset(), NOON).person == ""
    assert dispatcher.transfer_candidates(Trouble(), NOON) is None
