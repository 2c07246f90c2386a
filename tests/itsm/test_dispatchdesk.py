"""The dispatcher."""

import json
from dataclasses import dataclass

import pytest

from btimd.itsm.dispatchdesk import DispatchDesk
from btimd.itsm.dispatchhistory import OutcomeKind
from btimd.itsm.rota import Rota
from btimd.model.duty import DutyRole, DutySlot, LevelLimits, RotaRules, WorkClass
from btimd.model.incident import Priority
from tests.itsm.duties import at, people_of, person, shift

NOON = at("2026-11-02 12:00")


@dataclass(frozen=True)
class Trouble:
    id: str
    priority: Priority = Priority.P3
    category: str = "db"
    fingerprint: str = "fp"
    cause: str = "ora1"


PEOPLE = people_of(
    person("ann", {"db": 0.9}, noc=1),
    person("bob", {"db": 0.6}, noc=1),
    person("cem", {"db": 0.6}, noc=1),
    person("dee", {"db": 1.0}, tech=2),
    classes=(WorkClass("db", "path", effort_minutes=90.0),),
)
RULES = RotaRules(
    shifts=(shift("day", "08:00", "20:00", ("ann", "bob")), shift("night", "20:00", "08:00", ("cem",))),
)


def desk() -> DispatchDesk:
    return DispatchDesk(PEOPLE, Rota(RULES, PEOPLE))


def test_an_order_that_times_out_is_given_to_the_next_and_then_to_the_next_level() -> None:
    dispatch, trouble, asked = desk(), Trouble("1"), list[str]()
    for minute in range(0, 90, 30):
        now = NOON + minute * 60
        chosen = dispatch.decide(trouble, 1, frozenset(asked), now).chosen
        asked.append(chosen)
        dispatch.told(trouble, chosen, OutcomeKind.GIVEN, now)
        dispatch.told(trouble, chosen, OutcomeKind.TIMEOUT, now + 1700)

    assert asked == ["ann", "bob", "dee"]
    assert dispatch.decide(trouble, 1, frozenset(asked), NOON).chosen == ""
    assert dispatch.workload.load_of("dee", NOON) == 0.0


def test_at_night_the_night_shift_is_asked() -> None:
    assert desk().decide(Trouble("1"), 1, frozenset(), at("2026-11-02 23:00")).chosen == "cem"


def test_orders_add_up_to_a_load_and_their_end_takes_it_away() -> None:
    dispatch = desk()
    dispatch.told(Trouble("1"), "ann", OutcomeKind.GIVEN, NOON)
    dispatch.told(Trouble("2", Priority.P1), "ann", OutcomeKind.GIVEN, NOON)
    loads = [dispatch.workload.load_of("ann", NOON)]
    dispatch.told(Trouble("1"), "ann", OutcomeKind.ACCEPTED, NOON)
    loads.append(dispatch.workload.load_of("ann", NOON + 1800))
    dispatch.put_off("1", waiting=True)
    dispatch.prioritised("2", Priority.P3)
    loads.append(dispatch.workload.load_of("ann", NOON + 1800))
    dispatch.told(Trouble("1"), "ann", OutcomeKind.RESOLVED_IN_TIME, NOON + 3600)
    dispatch.dropped("2")
    loads.append(dispatch.workload.load_of("ann", NOON))

    assert loads == [pytest.approx(load) for load in (4.5, 4.0, 1.7, 0.0)]
    assert dispatch.history.record("ann").tallies["db"].good == 1.0


def test_a_timeout_told_after_the_order_went_on_leaves_the_next_one_alone() -> None:
    dispatch = desk()
    dispatch.told(Trouble("1"), "ann", OutcomeKind.GIVEN, NOON)
    dispatch.told(Trouble("1"), "bob", OutcomeKind.GIVEN, NOON + 1)
    dispatch.told(Trouble("1"), "ann", OutcomeKind.TIMEOUT, NOON + 1)

    assert dispatch.workload.where == {"1": "bob"}


def test_the_state_goes_through_a_document_and_decides_the_same() -> None:
    dispatch, again = desk(), desk()
    for number, kind in enumerate((OutcomeKind.GIVEN, OutcomeKind.RETURNED, OutcomeKind.GIVEN, OutcomeKind.ACCEPTED)):
        dispatch.told(Trouble("1"), "ann" if number < 2 else "bob", kind, NOON + number)
    again.restore(json.loads(json.dumps(dispatch.document())))

    assert (again.workload, again.history) == (dispatch.workload, dispatch.history)
    assert again.decide(Trouble("2"), 1, frozenset(), NOON + 60) == dispatch.decide(
        Trouble("2"), 1, frozenset(), NOON + 60
    )
    with pytest.raises(ValueError, match="state of dispatch has format 7, not 1"):
        again.restore({"format": 7})


def test_orders_can_be_handed_over_within_the_level() -> None:
    rows = desk().transfer_candidates(Trouble("1"), 1, "ann", NOON)

    assert [row.person for row in rows] == ["bob"]
    assert desk().transfer_candidates(Trouble("1"), 1, "ann", NOON, excluded=frozenset({"bob"})) == ()


def test_the_centre_assigns_with_a_reason_where_somebody_is_off_duty() -> None:
    dispatch = desk()

    assert dispatch.assign(Trouble("1"), 1, "ann", "", NOON).chosen == "ann"
    assert dispatch.assign(Trouble("1"), 1, "cem", "lives next door", NOON).group == "noc"
    assert dispatch.assign(Trouble("1"), 1, "dee", "", NOON).group == "tech"
    with pytest.raises(ValueError, match="cem is off duty in group noc"):
        dispatch.assign(Trouble("1"), 1, "cem", "", NOON)
    with pytest.raises(ValueError, match="there is no person 'eve'"):
        dispatch.assign(Trouble("1"), 1, "eve", "", NOON)


def test_limits_and_standard_hours_are_told() -> None:
    assert desk().limits(Trouble("1"), 1) == LevelLimits(1800.0, 600.0, 3, 0)
    assert desk().limits(Trouble("1"), 3) is None
    assert (desk().effort_minutes("db.oracle"), desk().effort_minutes("net")) == (90.0, 60.0)


def test_a_reload_and_a_calendar_change_who_is_there_but_not_what_is_open() -> None:
    dispatch = desk()
    dispatch.told(Trouble("1"), "ann", OutcomeKind.GIVEN, NOON)
    dispatch.reload(PEOPLE, Rota(RotaRules(), PEOPLE))
    assert dispatch.decide(Trouble("2"), 1, frozenset({"ann", "bob"}), NOON).chosen == "cem"
    dispatch.imported([DutySlot(NOON, NOON + 3600, "noc", "bob", DutyRole.PRIMARY, "calendar")])

    assert dispatch.decide(Trouble("2"), 1, frozenset(), NOON).chosen == "bob"
    assert dispatch.workload.where == {"1": "ann"}
    assert dispatch.explain(dispatch.decide(Trouble("2"), 1, frozenset(), NOON), "en").startswith(
        "Bob (bob) (Group noc, level 1) was chosen, the only one on duty who can be asked: on shift, skill 0.60"
    )
