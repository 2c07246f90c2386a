import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Connect, Connected, Deadline, Finish, Line, Outcome, Received, Refused, Send
from btimd.probes.wire.udp import UdpDialogue


def asked(*, expect: bytes = b"", silence_is_good: bool = False) -> UdpDialogue:
    dialogue = UdpDialogue("10.0.0.1", 9, payload=b"hi", expect=expect, silence_is_good=silence_is_good)
    assert dialogue.start(1.0) == [Connect(Line.UDP, "10.0.0.1", 9)]
    assert dialogue.handle(Connected(), 1.0) == [Send(b"hi")]
    return dialogue


def test_an_answer_is_good_when_the_expected_is_in_it() -> None:
    values = {"answer_seconds": 0.5, "answer_octets": 5}
    assert asked(expect=b"ell").handle(Received(b"hello"), 1.5) == [
        Finish(Outcome(Health.GOOD, ErrorClass.NONE, "10.0.0.1:9 answers with 5 octets", values))
    ]
    assert asked(expect=b"bye").handle(Received(b"hell\0"), 1.5) == [
        Finish(Outcome(Health.BAD, ErrorClass.WRONG_ANSWER, "10.0.0.1:9 answers 'hell?', expected 'bye' in it", values))
    ]


@pytest.mark.parametrize(
    ("good", "outcome"),
    [
        (False, Outcome(Health.BAD, ErrorClass.TIMEOUT, "10.0.0.1:9 does not answer a datagram within 2.0 s: lost, or ignored")),
        (True, Outcome(Health.GOOD, ErrorClass.NONE, "10.0.0.1:9 says nothing within 2.0 s, and nobody says that the port is closed")),
    ],
)  # fmt: skip
def test_silence_is_what_the_operator_says_it_is(good: bool, outcome: Outcome) -> None:
    assert asked(silence_is_good=good).handle(Deadline(), 3.0) == [Finish(outcome)]


def test_a_closed_port_is_refused_also_where_silence_is_good() -> None:
    (finish,) = asked(silence_is_good=True).handle(Refused(), 1.1)
    assert isinstance(finish, Finish)
    assert finish.outcome.error is ErrorClass.REFUSED


@given(st.binary(max_size=200))
def test_any_datagram_is_an_answer(data: bytes) -> None:
    (finish,) = asked(expect=b"\xff\x00 never").handle(Received(data), 1.1)
    assert isinstance(finish, Finish)
    assert finish.outcome.error is ErrorClass.WRONG_ANSWER
    assert finish.outcome.detail.isprintable()
