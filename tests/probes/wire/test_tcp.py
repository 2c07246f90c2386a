from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Connect, Connected, Finish, Line, Outcome, Received
from btimd.probes.wire.tcp import TcpDialogue


def test_a_connection_is_all_that_is_asked_for() -> None:
    dialogue = TcpDialogue("::1", 443)
    assert dialogue.start(1.0) == [Connect(Line.TCP, "::1", 443)]
    assert dialogue.handle(Received(b"early"), 1.25) == []
    assert dialogue.handle(Connected(), 1.5) == [
        Finish(Outcome(Health.GOOD, ErrorClass.NONE, "[::1]:443 accepts connections", {"connect_seconds": 0.5}))
    ]
