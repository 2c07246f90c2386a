import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Closed, Deadline, Event, Reset
from btimd.probes.wire.tuxedo import TuxedoDialogue
from tests.probes.wire.scripts import begin, speak, told


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            Deadline(),
            (Health.GOOD, ErrorClass.NONE, "10.2.0.99:3050 accepts and waits for its client (0.5 s in silence)"),
        ),
        (
            Closed(),
            (
                Health.BAD,
                ErrorClass.NO_ANSWER,
                "10.2.0.99:3050 accepts the connection and closes it without an answer",
            ),
        ),
        (
            Reset(),
            (Health.BAD, ErrorClass.RESET, "10.2.0.99:3050 resets the connection without a full answer"),
        ),
        (
            b"SSH-2.0-OpenSSH_9.2",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "10.2.0.99:3050 speaks first, which no Tuxedo listener does: b'SSH-2.0-OpenSSH_'",
            ),
        ),
    ],
)
def test_a_listener_waits_in_silence(event: bytes | Event, expected: tuple[Health, ErrorClass, str]) -> None:
    dialogue = TuxedoDialogue("10.2.0.99", 3050)
    assert begin(dialogue) == []
    assert told(speak(dialogue, event)) == expected


def test_a_listener_that_does_not_answer_the_connect_is_a_timeout() -> None:
    dialogue = TuxedoDialogue("10.2.0.99", 3050)
    dialogue.start(0.0)
    assert told(speak(dialogue, Deadline()))[1] is ErrorClass.TIMEOUT
    with pytest.raises(ValueError, match="needs the port"):
        TuxedoDialogue("10.2.0.99", 0)
