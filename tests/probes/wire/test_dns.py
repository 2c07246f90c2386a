import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Action,
    Close,
    Connect,
    Connected,
    Deadline,
    Finish,
    Line,
    Outcome,
    Received,
    Refused,
    Send,
)
from btimd.probes.wire.dns import DnsDialogue, Lookup, is_expected
from btimd.probes.wire.dnsmessage import encode_query
from tests.probes.wire.test_dnsmessage import message, record

QUERY = encode_query(7, "erp.example", 1)


def asked(expect: str = "", record_type: str = "A") -> DnsDialogue:
    dialogue = DnsDialogue("10.0.0.53", 0, name="erp.example", record=record_type, expect=expect, query_id=7)
    assert dialogue.start(1.0) == [Connect(Line.UDP, "10.0.0.53", 53)]
    dialogue.handle(Connected(), 1.0)
    return dialogue


def end(error: ErrorClass, detail: str, **values: float) -> list[Action]:
    health = Health.GOOD if error is ErrorClass.NONE else Health.BAD
    return [Finish(Outcome(health, error, detail, values))]


def test_a_question_and_its_answer() -> None:
    dialogue = DnsDialogue("10.0.0.53", 5353, name="erp.example", record="A", expect="10.2.0.10", query_id=7)
    assert dialogue.start(1.0) == [Connect(Line.UDP, "10.0.0.53", 5353)]
    assert dialogue.handle(Connected(), 1.0) == [Send(QUERY)]
    assert dialogue.handle(Received(message(record(1, bytes([10, 2, 0, 10])))), 1.25) == end(
        ErrorClass.NONE, "10.0.0.53:5353: erp.example A is 10.2.0.10", answer_seconds=0.25, records=1.0
    )


@pytest.mark.parametrize(
    ("answer", "error", "detail", "values"),
    [
        (message(flags=0x8183), ErrorClass.NAME_ERROR, "10.0.0.53:53 says that erp.example does not exist", {}),
        (message(flags=0x8182), ErrorClass.WRONG_ANSWER, "10.0.0.53:53 answers SERVFAIL for erp.example A", {}),
        (message(flags=0x8185), ErrorClass.WRONG_ANSWER, "10.0.0.53:53 answers REFUSED for erp.example A", {}),
        (message(flags=0x818A), ErrorClass.WRONG_ANSWER, "10.0.0.53:53 answers RCODE 10 for erp.example A", {}),
        (
            message(),
            ErrorClass.NAME_ERROR,
            "10.0.0.53:53 knows the name but no record erp.example A",
            {"records": 0},
        ),
        (
            message(record(1, bytes([10, 9, 9, 9]))),
            ErrorClass.WRONG_ANSWER,
            "10.0.0.53:53: erp.example A is 10.9.9.9, expected 10.2.0.10",
            {"records": 1},
        ),
    ],
)
def test_every_wrong_answer_says_what_is_wrong(
    answer: bytes, error: ErrorClass, detail: str, values: dict[str, float]
) -> None:
    dialogue = asked("10.2.0.10")
    assert dialogue.handle(Received(answer), 1.5) == end(error, detail, answer_seconds=0.5, **values)


def test_silence_refusal_and_babble() -> None:
    assert asked().handle(Deadline(), 3.0) == end(
        ErrorClass.TIMEOUT, "10.0.0.53:53 does not answer a DNS query within 2.0 s"
    )
    assert asked().handle(Refused(), 1.1) == end(
        ErrorClass.REFUSED, "10.0.0.53:53 refuses: the host answers, nobody listens there"
    )
    assert asked().handle(Received(b"hello"), 1.1) == end(
        ErrorClass.PROTOCOL_ERROR, "10.0.0.53:53 does not speak DNS: 5 octets are no DNS message"
    )


def test_a_forged_answer_is_not_listened_to() -> None:
    dialogue = asked()
    good = record(1, bytes([10, 2, 0, 10]))
    assert dialogue.handle(Received(message(good, query_id=8)), 1.1) == []
    assert dialogue.handle(Received(message(good, name=b"\x04evil\x00")), 1.1) == []
    assert dialogue.handle(Received(message(good, kind=28)), 1.1) == []
    assert len(dialogue.handle(Received(message(good, name=b"\x03ERP\x07eXample\x00")), 1.1)) == 1


def test_an_answer_that_was_cut_is_asked_for_again_over_tcp() -> None:
    dialogue = asked()
    whole = message(record(1, bytes([10, 2, 0, 10])))
    framed = struct.pack("!H", len(whole)) + whole
    assert dialogue.handle(Received(message(flags=0x8380)), 1.25) == [Close(), Connect(Line.TCP, "10.0.0.53", 53)]
    assert dialogue.handle(Connected(), 1.5) == [Send(struct.pack("!H", len(QUERY)) + QUERY)]
    for octet in framed[:-1]:
        assert dialogue.handle(Received(bytes([octet])), 1.5) == []
    assert dialogue.handle(Received(framed[-1:]), 2.0) == end(
        ErrorClass.NONE, "10.0.0.53:53: erp.example A is 10.2.0.10", connect_seconds=0.25, answer_seconds=1.0, records=1
    )


def test_over_tcp_silence_is_no_answer_and_a_strange_answer_is_an_error() -> None:
    for last, error in (
        (Deadline(), ErrorClass.NO_ANSWER),
        (Received(b"\x00\x00"), ErrorClass.PROTOCOL_ERROR),
        (Received(struct.pack("!H", len(message(query_id=9))) + message(query_id=9)), ErrorClass.PROTOCOL_ERROR),
    ):
        dialogue = asked()
        dialogue.handle(Received(message(flags=0x8380)), 1.1)
        dialogue.handle(Connected(), 1.2)
        finish = dialogue.handle(last, 3.0)[0]
        assert isinstance(finish, Finish)
        assert finish.outcome.error is error


def test_what_is_expected_is_compared_by_meaning() -> None:
    assert is_expected("2001:db8::1", "2001:DB8:0::1")
    assert is_expected("10 mail.corp", "10 mail.corp.")
    assert is_expected("10 mail.corp", "MAIL.corp")
    assert not is_expected("10.0.0.1", "10.0.0.2")
    assert not is_expected("10 mail.corp", "corp")


def test_options_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="record 'B' is not known; write one of A, NS"):
        DnsDialogue("10.0.0.53", 0, name="erp.example", record="B", expect="", query_id=7)
    with pytest.raises(ValueError, match="empty label"):
        DnsDialogue("10.0.0.53", 0, name="erp..example", record="A", expect="", query_id=7)


def test_a_lookup_asks_for_ipv6_where_there_is_no_ipv4() -> None:
    lookup = Lookup(("10.0.0.53", 53), "erp.example", 7)
    assert lookup.query == QUERY
    assert lookup.settle(b"hel") is None
    assert lookup.failure == "it does not speak DNS: 3 octets are no DNS message"
    lookup = Lookup(("10.0.0.53", 53), "erp.example", 7)
    assert lookup.settle(message(query_id=99)) is None
    assert (lookup.addresses, lookup.failure) == ((), "")
    assert lookup.settle(message()) == encode_query(8, "erp.example", 28)
    assert lookup.settle(message(record(28, bytes(15) + b"\1"), kind=28, query_id=8)) is None
    assert (lookup.addresses, lookup.failure) == (("::1",), "")


def test_a_lookup_says_why_there_is_no_address() -> None:
    failures = []
    for answers in ([message(flags=0x8183)], [message(flags=0x8182)], [message(), message(kind=28, query_id=8)]):
        lookup = Lookup(("10.0.0.53", 53), "erp.example", 7)
        for answer in answers:
            lookup.settle(answer)
        failures.append(lookup.failure)
    assert failures == [
        "it says that the name does not exist",
        "it answers SERVFAIL",
        "it knows the name but no address of it",
    ]


@given(st.lists(st.binary(max_size=100), max_size=4))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes]) -> None:
    udp, tcp = asked(), asked()
    tcp.handle(Received(message(flags=0x8380)), 1.1)
    tcp.handle(Connected(), 1.1)
    for dialogue in (udp, tcp):
        for piece in pieces:
            dialogue.handle(Received(piece), 1.2)
        dialogue.handle(Deadline(), 3.0)
        assert dialogue.handle(Deadline(), 3.0) == [], "it ended"
