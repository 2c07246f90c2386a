from dataclasses import replace

from btimd.flows.persons import Accounted
from btimd.flows.radius import Accounting, AccountingStatus, build_request
from btimd.flows.radiusdesk import RadiusDesk
from btimd.model.address import Prefix
from tests.flows.radiuspackets import SECRET, attribute, start

NOW = 1_795_000_000.0
NEWS = Accounting(AccountingStatus.START, "4:c6336401", "s1", "p-anna", (Prefix.parse("10.77.0.5"),), NOW)


def desk(*clients: str, most_waiting: int = 100) -> RadiusDesk:
    return RadiusDesk("radius", SECRET, [Prefix.parse(one) for one in clients], lambda name: f"p-{name}", most_waiting)


def test_a_packet_is_answered_and_what_it_tells_is_kept_under_the_pseudonym() -> None:
    found = desk()
    answer = found.answer(start("anna", "s1", "10.77.0.5"), "192.0.2.1", NOW)
    assert answer is not None
    assert answer[:2] == b"\x05\x01"
    assert found.take() == [Accounted("radius", NEWS)]
    assert (found.take(), found.accepted, found.refused.total()) == ([], 1, 0)


def test_news_without_a_name_stay_without() -> None:
    found = desk()
    found.answer(start("", "s1", "10.77.0.5", status=2), "192.0.2.1", NOW)
    assert found.take() == [Accounted("radius", replace(NEWS, status=AccountingStatus.STOP, person=""))]


def test_who_may_not_send_or_knows_no_secret_gets_no_answer_and_is_counted() -> None:
    found = desk("192.0.2.0/24", "2001:db8::/32")
    packet = start("anna", "s1", "10.77.0.5")
    assert found.answer(packet, "198.51.100.9", NOW) is None
    assert found.answer(packet, "nonsense", NOW) is None
    assert found.answer(build_request(1, packet[20:], b"guess"), "192.0.2.1", NOW) is None
    assert found.answer(packet, "2001:db8::1%eth0", NOW) is not None
    assert (found.accepted, dict(found.refused)) == (1, {"client": 2, "authenticator": 1})


def test_what_cannot_be_kept_is_not_answered() -> None:
    found = desk(most_waiting=1)
    assert found.answer(start("anna", "s1", "10.77.0.5"), "192.0.2.1", NOW) is not None
    assert found.answer(start("anna", "s2", "10.77.0.6"), "192.0.2.1", NOW) is None
    assert dict(found.refused) == {"room": 1}


def test_clocks_that_are_not_believed_are_counted() -> None:
    found = desk()
    found.answer(start("anna", "s1", "10.77.0.5", more=attribute(55, bytes(4))), "192.0.2.1", NOW)
    assert (found.take(), found.times_adjusted) == ([Accounted("radius", NEWS)], 1)
