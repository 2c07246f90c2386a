"""Alerts of JSM Operations, as their documents describe them: the other end is a double."""

from dataclasses import replace

from btimd.itsm.emit.exchange import Work
from btimd.itsm.emit.jsmalerts import JsmAlerts
from btimd.model.delivery import ExternalReference
from tests.itsm.doubles import JsmDouble
from tests.itsm.messages import lines, message, play
from tests.itsm.posts import T0

ADAPTER = JsmAlerts("btimd", ("network",))


def test_a_life_is_one_alert_with_its_notes() -> None:
    there = JsmDouble()
    for number in (1, 2, 3):
        play(ADAPTER.deliver(Work(message(number), None, T0)), there)
    done, asked = play(ADAPTER.deliver(Work(message(5), None, T0)), there)

    (alert,) = there.alerts.values()
    assert (alert["status"], alert["priority"], alert["count"]) == ("closed", "P2", 1)
    assert [note[:15] for note in alert["notes"]] == [f"[btimd INC-1.{n}]" for n in (2, 3, 5)]
    assert lines(asked) == [
        "POST jsm/ops/integration/v2/alerts/INC-1/notes?identifierType=alias",
        "POST jsm/ops/integration/v2/alerts/INC-1/close?identifierType=alias",
    ]
    assert done.reference == ExternalReference("desk", "INC-1", "INC-1", 5, is_open=False)


def test_a_note_that_may_be_there_is_looked_for_first() -> None:
    there = JsmDouble()
    for number in (1, 3):
        play(ADAPTER.deliver(Work(message(number), None, T0)), there)
    for number in (3, 5):
        play(ADAPTER.deliver(Work(replace(message(number), uncertain=True), None, T0)), there)

    (alert,) = there.alerts.values()
    assert [note[:15] for note in alert["notes"]] == ["[btimd INC-1.3]", "[btimd INC-1.5]"]
    assert alert["status"] == "closed"
