from btimd.model.address import Prefix
from btimd.probes.sendergate import SenderGate


def test_only_allowed_senders_come_in_and_none_takes_the_room_of_the_others() -> None:
    gate = SenderGate((Prefix.parse("10.0.0.0/8"),), per_second=4, sender_per_second=1, max_senders=2)
    assert gate.admit("192.0.2.1", 0.0) == "not-allowed"
    assert [gate.admit("10.0.0.1", 0.0) for _ in range(3)] == ["", "", "sender-rate"]
    assert [gate.admit(f"10.0.0.{one}", 0.0) for one in (2, 3, 4, 5)] == ["", "", "", "sender-rate"], (
        "the third and later ones share a limit"
    )
    assert gate.admit("10.0.0.1", 1.0) == ""
    assert gate.dropped == {"not-allowed": 1, "sender-rate": 2}


def test_all_senders_together_are_bounded() -> None:
    gate = SenderGate((), per_second=1, sender_per_second=10, max_senders=9)
    assert [gate.admit(f"10.0.0.{one}", 0.0) for one in range(3)] == ["", "", "total-rate"]
