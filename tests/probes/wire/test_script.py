import pytest
from typing_extensions import override

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    AnswerError,
    Close,
    Closed,
    Connected,
    Deadline,
    Finish,
    Received,
    Reset,
    Secure,
    Secured,
    Send,
)
from btimd.probes.wire.script import Account, Halt, Question, Script, Talk, Tls, Want, WantLine, WantSome
from tests.probes.wire.scripts import begin, speak, told


class Small(Script):
    protocol = "SMALL"
    max_octets = 100

    @override
    def _conversation(self) -> Talk[str]:
        yield Send(b"hello")
        line = yield WantLine(8)
        if line == b"tls":
            yield Secure(self._host, verify=True)
            yield Send(b"again")
        self._doing = "say a number"
        nothing = yield Want(0)
        assert nothing == b""
        size = yield Want(1)
        if size == b"x":
            raise AnswerError("an x")
        if size == b"n":
            raise Halt(ErrorClass.NOT_PERMITTED, "does not let us")
        if size == b"w":
            raise Halt(ErrorClass.WRONG_ANSWER, "is wrong")
        self._goodbye = b"bye"
        some = yield WantSome()
        self._elapsed("answer_seconds")
        return f"says {size + some!r}"


def small() -> Small:
    return Small("10.0.0.1", 7)


def test_a_script_speaks_in_its_order() -> None:
    dialogue = small()
    assert begin(dialogue) == [Send(b"hello")]
    assert speak(dialogue, b"pl", b"ain\r") == []
    assert speak(dialogue, b"\n1") == []
    actions = speak(dialogue, b"23")
    assert actions[:2] == [Send(b"bye"), Close()]
    assert told(actions) == (Health.GOOD, ErrorClass.NONE, "10.0.0.1:7 says b'123'")
    assert isinstance(actions[-1], Finish)
    assert actions[-1].outcome.values == {"connect_seconds": 0.5, "answer_seconds": 1.0}


def test_tls_is_waited_for_and_octets_before_it_are_a_strangers() -> None:
    dialogue = small()
    begin(dialogue)
    assert speak(dialogue, b"tls\n") == [Secure("10.0.0.1", verify=True)]
    assert speak(dialogue, Secured()) == [Send(b"again")]
    early = (Health.BAD, ErrorClass.PROTOCOL_ERROR, "10.0.0.1:7 sends octets before TLS stands")
    for events in ([b"tls\nx"], [b"tls\n", b"x"]):
        dialogue = small()
        begin(dialogue)
        assert told(speak(dialogue, *events)) == early


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([b"\nx"], (Health.BAD, ErrorClass.PROTOCOL_ERROR, "10.0.0.1:7 does not speak SMALL: an x")),
        ([b"\nn"], (Health.UNKNOWN, ErrorClass.NOT_PERMITTED, "10.0.0.1:7 does not let us")),
        ([b"\nw"], (Health.BAD, ErrorClass.WRONG_ANSWER, "10.0.0.1:7 is wrong")),
        (
            [b"12345678"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "10.0.0.1:7 does not speak SMALL: a line that begins with b'12345678' and does not end",
            ),
        ),
        (
            [b"\n" + bytes(100)],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "10.0.0.1:7 does not speak SMALL: over 100 octets before the answer",
            ),
        ),
        ([b"ab\n", Deadline()], (Health.BAD, ErrorClass.NO_ANSWER, "10.0.0.1:7 does not say a number within 1.0 s")),
        (
            [b"ab\n", Closed()],
            (Health.BAD, ErrorClass.NO_ANSWER, "10.0.0.1:7 closes the connection and does not say a number"),
        ),
        (
            [Deadline()],
            (
                Health.BAD,
                ErrorClass.NO_ANSWER,
                "10.0.0.1:7 accepts the connection and never answers (1.0 s waited)",
            ),
        ),
        (
            [Closed()],
            (
                Health.BAD,
                ErrorClass.NO_ANSWER,
                "10.0.0.1:7 accepts the connection and closes it without an answer",
            ),
        ),
        (
            [Reset()],
            (Health.BAD, ErrorClass.RESET, "10.0.0.1:7 resets the connection without a full answer"),
        ),
    ],
)
def test_how_a_script_ends(events: list[bytes | Closed], expected: tuple[Health, ErrorClass, str]) -> None:
    dialogue = small()
    begin(dialogue)
    assert told(speak(dialogue, *events)) == expected


def test_octets_before_the_connection_wait() -> None:
    dialogue = small()
    dialogue.start(0.0)
    assert dialogue.handle(Received(b"\n12"), 0.0) == []
    assert [type(action) for action in dialogue.handle(Connected(), 0.0)] == [Send, Send, Close, Finish]


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(Account("probe", "secret"))


def test_the_expected_value() -> None:
    Question().judge(None)
    Question(expect="1").judge("1")
    for value, found in (("2", "'2'"), (None, "no value")):
        with pytest.raises(Halt, match=f"answers the query with {found}, expected '1'"):
            Question(expect="1").judge(value)


def test_words_for_tls() -> None:
    assert [(tls.value, tls.is_needed, tls.is_verified) for tls in Tls] == [
        ("", False, False),
        ("false", False, False),
        ("unverified", True, False),
        ("true", True, True),
    ]
