"""ServiceNow's tables, as its documents describe them: the other end is a double."""

from dataclasses import replace

import pytest

from btimd.itsm.emit.exchange import HaltError, Work
from btimd.itsm.emit.facts import facts_of
from btimd.itsm.emit.servicenow import ServiceNow
from btimd.itsm.emit.tickets import Change, States
from btimd.itsm.outbox import OutcomeKind
from btimd.itsm.targetsettings import _SERVICENOW_STATES
from btimd.model.delivery import ExternalReference, UpdateKind
from tests.itsm.doubles import ServiceNowDouble
from tests.itsm.messages import lines, message, play
from tests.itsm.posts import REPORT, T0

ADAPTER = ServiceNow(States(_SERVICENOW_STATES, {}, {}), "btimd", "Network")


def tell(there: ServiceNowDouble, *numbers: int, uncertain: bool = False) -> ExternalReference | None:
    reference: ExternalReference | None = None
    for number in numbers:
        work = Work(replace(message(number), uncertain=uncertain), reference, T0)
        reference = play(ADAPTER.deliver(work), there)[0].reference
    return reference


def test_a_life_is_one_record_with_its_notes_and_its_states() -> None:
    there = ServiceNowDouble()
    reference = tell(there, 1, 2, 3, 4, 5, 6)

    (record,) = there.records
    assert reference == ExternalReference("desk", "INC-1", record["sys_id"], 6, is_open=False)
    assert {name: record[name] for name in ("state", "correlation_id", "correlation_display", "impact", "close_notes")} == {
        "state": "7", "correlation_id": "INC-1", "correlation_display": "btimd 6", "impact": "1", "close_notes": REPORT,
    }  # fmt: skip
    assert [one["value"][:15] for one in there.journal] == [f"[btimd INC-1.{n}]" for n in (2, 3, 4, 5, 6)]


def test_a_repeat_is_looked_up_by_the_correlation_id_and_changes_nothing() -> None:
    there = ServiceNowDouble()
    reference = tell(there, 1, 2)
    again = Work(replace(message(2), uncertain=True), reference, T0)
    _, asked = play(ADAPTER.deliver(again), there)

    assert [line.partition("?")[0] for line in lines(asked)] == [
        "GET api/now/table/incident",
        f"GET api/now/table/incident/{there.records[0]['sys_id']}",
    ]
    assert len(there.journal) == 1


def test_a_hibernating_instance_has_taken_nothing() -> None:
    with pytest.raises(HaltError) as halted:
        tell(ServiceNowDouble(hibernates=True), 1)
    assert halted.value.outcome.kind is OutcomeKind.SERVER_ERROR


def test_what_people_do_is_told_and_what_btimd_does_is_not() -> None:
    there = ServiceNowDouble()
    tell(there, 1, 2)
    there.user, there.now = "ann", "2023-11-14 23:00:00"
    there.note(there.records[0]["sys_id"], "ann", "a new card is on its way")
    play(ADAPTER.write(there.records[0]["sys_id"], Change(facts_of(message(1).body), None, status="3")), there)
    changes, _ = play(ADAPTER.changes("2023-11-14T22:00:00.000Z"), there)

    assert changes.cursor == "2023-11-14T23:00:00Z"
    assert [(one.kind, one.value, one.actor, one.key) for one in changes.found] == [
        (UpdateKind.STATUS, "3", "ann", "INC-1"),
        (UpdateKind.COMMENT, "a new card is on its way", "ann", "INC-1"),
    ]
