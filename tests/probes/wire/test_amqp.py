import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.amqp import AmqpDialogue
from btimd.probes.wire.amqpframe import (
    BLOCKED,
    CHANNEL_CLOSE,
    CHANNEL_OPEN,
    CHANNEL_OPEN_OK,
    CLOSE,
    DECLARE_OK,
    OPEN,
    OPEN_OK,
    PROTOCOL_HEADER,
    START,
    START_OK,
    TUNE,
    TUNE_OK,
    frame,
    long,
    short,
    table,
)
from btimd.probes.wire.dialogue import Connect, Line, Secure, Secured, Send
from btimd.probes.wire.script import Account, Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told

PROBE = Account("probe", "secret", "erp", Tls.OFF)
HELLO = frame(
    0, START, b"\0\x09" + table({"product": "RabbitMQ", "version": "3.10.8"}) + long(b"PLAIN AMQPLAIN") + long(b"en_US")
)
LIMITS = frame(0, TUNE, struct.pack("!HIH", 2047, 131072, 60))
OPENED = frame(0, OPEN_OK, short(""))
CHANNEL = frame(1, CHANNEL_OPEN_OK, bytes(4))
HEARTBEAT = b"\x08\0\0\0\0\0\0\xce"


def depth(messages: int, readers: int = 1) -> bytes:
    return frame(1, DECLARE_OK, short("orders") + struct.pack("!II", messages, readers))


def dialogue(account: Account = PROBE, queue: str = "orders", most: float | None = 100.0) -> AmqpDialogue:
    return AmqpDialogue("10.2.0.50", 0, account, queue=queue, most_messages=most, least_readers=1.0)


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert begin(speaking) == [Send(PROTOCOL_HEADER)]
    logon = sent(speak(speaking, HELLO))
    assert logon[7:11] == struct.pack("!HH", *START_OK)
    assert logon.endswith(short("PLAIN") + long(b"\0probe\0secret") + short("en_US") + b"\xce")
    assert sent(speak(speaking, LIMITS)) == (
        frame(0, TUNE_OK, struct.pack("!HIH", 2047, 131072, 0)) + frame(0, OPEN, short("erp") + short("") + b"\0")
    )
    assert sent(speak(speaking, HEARTBEAT, OPENED)) == frame(1, CHANNEL_OPEN, short(""))
    assert b"orders\x01" in sent(speak(speaking, CHANNEL))
    actions = speak(speaking, depth(42), at=1.5)
    assert told(actions) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.50:5672 is RabbitMQ 3.10.8; queue 'orders' holds 42 messages and has 1 consumers",
    )
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "answer_seconds": 1.0,
        "logon_seconds": 1.0,
        "query_seconds": 0.5,
        "message_count": 42,
        "consumer_count": 1,
    }


def test_without_a_password_the_greeting_is_enough() -> None:
    assert told(speak(begun(dialogue(Account(), "")), HELLO)) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.50:5672 is RabbitMQ 3.10.8",
    )


def begun(speaking: AmqpDialogue) -> AmqpDialogue:
    begin(speaking)
    return speaking


def test_tls_has_its_own_port() -> None:
    speaking = dialogue(Account(tls=Tls.VERIFIED), "")
    assert speaking.start(0.0) == [Connect(Line.TCP, "10.2.0.50", 5671)]
    assert begin(speaking) == [Secure("10.2.0.50", verify=True)]
    assert speak(speaking, Secured()) == [Send(PROTOCOL_HEADER)]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [HELLO, LIMITS, OPENED, CHANNEL, depth(101)],
            (
                Health.BAD,
                ErrorClass.EXCEEDED,
                "queue 'orders' holds 101 messages and has 1 consumers; more than 100 messages are too many",
            ),
        ),
        (
            [HELLO, LIMITS, OPENED, CHANNEL, depth(1, 0)],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "queue 'orders' holds 1 messages and has 0 consumers; fewer than 1 consumers are too few",
            ),
        ),
        (
            [HELLO, frame(0, CLOSE, b"\x01\x93" + short("ACCESS_REFUSED") + bytes(4))],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "says 403: ACCESS_REFUSED; check the probe's user, password, virtual host and rights",
            ),
        ),
        (
            [
                HELLO,
                LIMITS,
                OPENED,
                CHANNEL,
                frame(1, CHANNEL_CLOSE, b"\x01\x94" + short("NOT_FOUND - no queue") + bytes(4)),
            ],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "says 404: NOT_FOUND - no queue"),
        ),
        (
            [HELLO, LIMITS, OPENED, frame(0, BLOCKED, short("low on memory"))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "takes no messages: low on memory"),
        ),
        (
            [b"AMQP\x00\x01\x00\x00"],
            (Health.BAD, ErrorClass.PROTOCOL_ERROR, "does not speak AMQP 0-9-1: it wants AMQP version 0.1.0.0"),
        ),
        (
            [b"HTTP/1.1 400 Bad Request\r\n\r\n"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak AMQP 0-9-1: a frame that begins with b'HTTP/1.1 40'",
            ),
        ),
        (
            [HELLO, OPENED],
            (Health.BAD, ErrorClass.PROTOCOL_ERROR, "does not speak AMQP 0-9-1: method 10.41 out of turn"),
        ),
        (
            [HELLO.replace(b"PLAIN AMQPLAIN", b"EXTERNAL-ONLY!")],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "is RabbitMQ 3.10.8 and offers EXTERNAL-ONLY!; only PLAIN is spoken here",
            ),
        ),
    ],
)
def test_what_else_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.50:5672 {expected[2]}")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, HELLO, LIMITS, OPENED, CHANNEL, depth(42))


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", HELLO, HELLO + LIMITS]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
