"""ServiceNow's event collector, as its documents describe it: the other end is a double."""

from btimd.itsm.emit.exchange import Work
from btimd.itsm.emit.servicenowevents import ServiceNowEvents
from tests.itsm.doubles import ServiceNowEventsDouble
from tests.itsm.messages import message, play
from tests.itsm.posts import T0


def test_one_alert_follows_the_incident_to_its_end() -> None:
    there = ServiceNowEventsDouble()
    seen = []
    for number in (1, 1, 4, 5):
        play(ServiceNowEvents("btimd").deliver(Work(message(number), None, T0)), there)
        record = there.alerts["INC-1"]
        seen.append((record["severity"], record["resolution_state"], record["time_of_event"]))

    assert seen == [
        ("2", "New", "2023-11-14 22:14:20"),
        ("2", "New", "2023-11-14 22:14:20"),
        ("1", "New", "2023-11-14 22:17:20"),
        ("0", "Closing", "2023-11-14 22:18:20"),
    ]
    assert len(there.alerts) == 1
