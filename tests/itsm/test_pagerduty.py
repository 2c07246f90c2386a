"""PagerDuty's Events API, as its documents describe it: the other end is a double."""

import pytest

from btimd.itsm.emit.exchange import HaltError, Work
from btimd.itsm.emit.pagerduty import PagerDuty
from btimd.itsm.outbox import OutcomeKind
from btimd.model.delivery import ExternalReference
from tests.itsm.doubles import PagerDutyDouble
from tests.itsm.messages import message, play, sent
from tests.itsm.posts import STEPS, T0

KEY = "0123456789abcdef0123456789abcdef"


def test_a_life_is_one_alert_however_often_it_is_told() -> None:
    there, adapter = PagerDutyDouble(), PagerDuty(KEY, "noc")
    told, states, references = [], [], []
    for number in (1, 1, 2, 3, 5, 5, 6):
        done, asked = play(adapter.deliver(Work(message(number), None, T0)), there)
        references.append(done.reference)
        told.append(sent(asked[0])["event_action"])
        states.append(there.alerts["INC-1"])

    assert told == ["trigger", "trigger", "acknowledge", "trigger", "resolve", "resolve", "resolve"]
    assert states == ["trigger", "trigger", "acknowledge", "acknowledge", "resolve", "resolve", "resolve"]
    assert there.incidents == 1
    assert references[-1] == ExternalReference("desk", "INC-1", "INC-1", 6, is_open=False)


def test_the_alert_tells_what_was_hit_and_keeps_to_its_limits() -> None:
    there, adapter = PagerDutyDouble(), PagerDuty(KEY, "noc")
    long = (("opened", STEPS[0][1], "system", "x" * 9000),)
    _, asked = play(adapter.deliver(Work(message(1, "I" * 300, long), None, T0)), there)

    event = sent(asked[0])
    assert len(event["dedup_key"]) == 255
    assert {name: event["payload"][name] for name in ("source", "severity", "component", "group")} == {
        "source": "noc", "severity": "error", "component": "ora1", "group": "erp",
    }  # fmt: skip


def test_a_wrong_key_is_refused() -> None:
    with pytest.raises(HaltError) as halted:
        play(PagerDuty("nonsense", "noc").deliver(Work(message(1), None, T0)), PagerDutyDouble())
    assert halted.value.outcome.kind is OutcomeKind.REFUSED
    assert "'routing_key' is invalid" in halted.value.outcome.detail
