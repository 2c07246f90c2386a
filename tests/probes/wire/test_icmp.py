import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    AnswerError,
    Connect,
    Connected,
    Deadline,
    Elapsed,
    Finish,
    Line,
    Outcome,
    Received,
    Send,
    Unreachable,
    Wait,
)
from btimd.probes.wire.icmp import (
    Burst,
    Echo,
    IcmpDialogue,
    decode_echo,
    encode_echo,
    internet_checksum,
    without_ipv4_header,
)

TOKEN = 0x0102_0304_0506_0708
DATA = b"btimd echo \x01\x02\x03\x04\x05\x06\x07\x08"
REQUEST_V4 = bytes.fromhex("0800 ba0c 0708 0506") + DATA
REQUEST_V6 = bytes.fromhex("8000 0000 0708 0506") + DATA


def test_an_echo_is_answered_by_its_own_data_alone() -> None:
    dialogue = IcmpDialogue("10.0.0.1", TOKEN)
    assert dialogue.start(1.0) == [Connect(Line.ICMP, "10.0.0.1", 0)]
    assert dialogue.handle(Connected(), 1.0) == [Send(REQUEST_V4)]
    assert dialogue.handle(Received(REQUEST_V4), 1.1) == [], "our own request, as a raw socket on loopback sees it"
    assert dialogue.handle(Received(encode_echo(Echo(0, 9, 0x0506, DATA[:-1] + b"!"))), 1.2) == [], "a stranger's"
    assert dialogue.handle(Received(encode_echo(Echo(0, 9, 0x0507, DATA))), 1.2) == [], "of another sequence"
    assert dialogue.handle(Received(b"\x03\x01"), 1.2) == [], "no echo at all"
    assert dialogue.handle(Received(encode_echo(Echo(0, 9, 0x0506, DATA))), 1.25) == [
        Finish(Outcome(Health.GOOD, ErrorClass.NONE, "10.0.0.1 answers echo requests", {"rtt_seconds": 0.25}))
    ]


def test_ipv6_has_its_own_types_and_leaves_the_checksum_to_the_kernel() -> None:
    dialogue = IcmpDialogue("::1", TOKEN)
    assert dialogue.start(0.0) == [Connect(Line.ICMP, "::1", 0)]
    assert dialogue.handle(Connected(), 0.0) == [Send(REQUEST_V6)]
    assert dialogue.handle(Received(encode_echo(Echo(0, 1, 0x0506, DATA))), 0.5) == [], "an IPv4 reply"
    assert dialogue.handle(Received(encode_echo(Echo(129, 1, 0x0506, DATA))), 0.5) == [
        Finish(Outcome(Health.GOOD, ErrorClass.NONE, "::1 answers echo requests", {"rtt_seconds": 0.5}))
    ]


def test_silence_is_a_timeout_and_no_way_is_unreachable() -> None:
    silent, gone = IcmpDialogue("10.0.0.1", TOKEN), IcmpDialogue("10.0.0.1", TOKEN)
    for dialogue in (silent, gone):
        dialogue.start(0.0)
        dialogue.handle(Connected(), 0.0)
    assert silent.handle(Deadline(), 2.0) == [
        Finish(
            Outcome(Health.BAD, ErrorClass.TIMEOUT, "10.0.0.1 does not answer an echo request within 2.0 s"),
        )
    ]
    assert gone.handle(Unreachable("no route to host"), 1.0) == [
        Finish(Outcome(Health.BAD, ErrorClass.UNREACHABLE, "10.0.0.1 cannot be reached: no route to host"))
    ]


def reply(number: int) -> Received:
    return Received(encode_echo(Echo(0, 1, 0x0506 + number, DATA)))


def test_a_burst_sends_on_while_answers_come_and_measures_both() -> None:
    dialogue = IcmpDialogue("10.0.0.1", TOKEN, Burst(count=3, interval_seconds=0.1, max_loss=0.5))
    dialogue.start(1.0)
    assert dialogue.handle(Connected(), 1.0) == [Send(REQUEST_V4), Wait(0.1)]
    (wait,) = dialogue.handle(reply(0), 1.0625)
    assert isinstance(wait, Wait)
    assert wait.seconds == pytest.approx(0.0375)
    assert dialogue.handle(reply(0), 1.07) != [], "a second answer is none, and waiting goes on"
    send, _ = dialogue.handle(Elapsed(), 1.125)
    assert send == Send(encode_echo(Echo(8, 0x0708, 0x0507, DATA)))
    _, last = dialogue.handle(Elapsed(), 1.25)
    assert last == Wait(0.5)
    dialogue.handle(reply(2), 1.5)
    assert dialogue.handle(Elapsed(), 1.75) == [
        Finish(
            Outcome(
                Health.GOOD,
                ErrorClass.NONE,
                "10.0.0.1 answers echo requests",
                {"rtt_seconds": 0.15625, "loss_ratio": 1.0 - 2 / 3},
            )
        )
    ]


@pytest.mark.parametrize(
    ("burst", "error", "detail"),
    [
        (Burst(count=2, max_loss=0.4), ErrorClass.TIMEOUT, "10.0.0.1 answers only 1 of 2 echo requests"),
        (
            Burst(count=2, max_loss=0.5, max_rtt_seconds=0.05),
            ErrorClass.SLOW,
            "10.0.0.1 takes 62.5 ms to answer an echo request, more than 50 ms",
        ),
        (Burst(count=2, max_loss=0.5), ErrorClass.NONE, "10.0.0.1 answers echo requests"),
    ],
)
def test_a_burst_is_judged_by_its_limits(burst: Burst, error: ErrorClass, detail: str) -> None:
    dialogue = IcmpDialogue("10.0.0.1", TOKEN, burst)
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.0)
    dialogue.handle(reply(0), 1.0625)
    dialogue.handle(Elapsed(), 1.25)
    (finish,) = dialogue.handle(Elapsed(), 2.0)
    assert isinstance(finish, Finish)
    assert (finish.outcome.error, finish.outcome.detail) == (error, detail)


def test_a_burst_without_any_answer_waits_its_whole_time() -> None:
    dialogue = IcmpDialogue("10.0.0.1", TOKEN, Burst(count=2))
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.0)
    dialogue.handle(Elapsed(), 1.25)
    assert dialogue.handle(Elapsed(), 2.0) == []
    (finish,) = dialogue.handle(Deadline(), 3.0)
    assert isinstance(finish, Finish)
    assert finish.outcome.detail == "10.0.0.1 does not answer 2 echo requests within 2.0 s"
    assert finish.outcome.values == {"loss_ratio": 1.0}


def test_the_checksum_of_a_whole_message_is_zero() -> None:
    assert internet_checksum(REQUEST_V4) == 0
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0x220D, "the example of RFC 1071 section 3"
    assert internet_checksum(b"\x01") == 0xFEFF


def test_the_ipv4_header_is_taken_off_with_its_options() -> None:
    plain = bytes([0x45]) + bytes(19)
    with_options = bytes([0x46]) + bytes(23)
    assert without_ipv4_header(plain + b"echo") == b"echo"
    assert without_ipv4_header(with_options + b"echo") == b"echo"
    for broken in (b"", plain[:19], bytes([0x44]) + bytes(19), bytes([0x4F]) + bytes(30), bytes([0x65]) + bytes(40)):
        with pytest.raises(AnswerError):
            without_ipv4_header(broken)


@given(st.binary(max_size=64))
def test_garbage_decodes_or_is_refused_and_never_answers_an_echo(garbage: bytes) -> None:
    for decode in (decode_echo, without_ipv4_header):
        try:
            decode(garbage)
        except AnswerError:
            continue
    dialogue = IcmpDialogue("10.0.0.1", TOKEN)
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.0)
    assert dialogue.handle(Received(garbage), 0.1) == []
