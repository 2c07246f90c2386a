"""Segments as network analysers describe them; no IBM MQ was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Secure
from btimd.probes.wire.mq import MqDialogue, encode_initial
from btimd.probes.wire.script import Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak

CHANNEL = "ERP.SVRCONN"


def segment(kind: int, content: bytes, *, little: bool = False, charset: int = 819, flags: int = 0x30) -> bytes:
    order, mark = ("<", 2) if little else (">", 1)
    head = b"TSH " + struct.pack("!IBBBB", 28 + len(content), mark, kind, flags, 0) + bytes(8)
    return head + struct.pack(f"{order}IHH", 0x111, charset, 0) + content


def initial(manager: str = "QM1", *, errors: int = 0, encoding: str = "latin-1", **how: bool | int) -> bytes:
    content = "ID  ".encode(encoding) + struct.pack("!BBBB", 13, 0x26, 0, errors) + bytes(16)
    content += CHANNEL.ljust(20).encode(encoding) + bytes(4) + manager.ljust(48).encode(encoding) + bytes(6)
    return segment(1, content, **how)  # type: ignore[arg-type]


def status(code: int, *, little: bool = False) -> bytes:
    return segment(5, struct.pack(f"{'<' if little else '>'}III", 12, code, 0), little=little, flags=0x0A)


def dialogue(channel: str = CHANNEL, manager: str = "", tls: Tls = Tls.OFF) -> MqDialogue:
    return MqDialogue("10.2.0.93", 0, channel=channel, manager=manager, tls=tls)


def test_the_initial_data_name_channel_and_queue_manager() -> None:
    found = sent(begin(dialogue(manager="QM1")))
    assert found == encode_initial(CHANNEL, "QM1")
    assert found[:10] == b"TSH " + struct.pack("!I", len(found)) + b"\1\1"
    assert (found[28:33], found[52:72], found[76:124].rstrip()) == (b"ID  \4", CHANNEL.encode().ljust(20), b"QM1")
    assert begin(dialogue(tls=Tls.VERIFIED)) == [Secure("10.2.0.93", verify=True)]


@pytest.mark.parametrize(
    ("channel", "answer", "expected"),
    [
        (
            CHANNEL,
            initial(),
            (Health.GOOD, ErrorClass.NONE, "is queue manager 'QM1', FAP level 13, channel 'ERP.SVRCONN'"),
        ),
        (
            CHANNEL,
            initial(encoding="cp500", charset=500, errors=8),
            (
                Health.GOOD,
                ErrorClass.NONE,
                "is queue manager 'QM1', FAP level 13, channel 'ERP.SVRCONN', wants other terms (error flags 0x8)",
            ),
        ),
        (
            CHANNEL,
            status(1),
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "refuses channel 'ERP.SVRCONN': the channel is not known (status 1)",
            ),
        ),
        (
            CHANNEL,
            status(5, little=True),
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "refuses channel 'ERP.SVRCONN': the queue manager shuts down (status 5)",
            ),
        ),
        (
            "",
            status(1),
            (
                Health.GOOD,
                ErrorClass.NONE,
                "is a queue manager: it says of a channel of another name that the channel is not known",
            ),
        ),
        (
            "",
            status(3),
            (Health.BAD, ErrorClass.WRONG_ANSWER, "refuses channel '': the queue manager is not available (status 3)"),
        ),
        (
            CHANNEL,
            segment(9, b""),
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak IBM MQ: a segment of type 0x9 in answer to the initial data",
            ),
        ),
        (
            CHANNEL,
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak IBM MQ: a segment that begins with b'HTTP/1.1 400'",
            ),
        ),
    ],
)
def test_what_may_come(channel: str, answer: bytes, expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(channel), answer)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.93:1414 {expected[2]}")


def test_the_queue_manager_may_be_expected() -> None:
    assert (
        converse(dialogue(manager="QM2"), initial()).detail == "10.2.0.93:1414 is queue manager 'QM1', expected 'QM2'"
    )
    speaking = dialogue()
    begin(speaking)
    assert outcome(speak(speaking, initial())).values["fap_level"] == 13
    with pytest.raises(ValueError, match="channel 'xxxxxxxxxxxxxxxxxxxxx' is no name in MQ"):
        dialogue("x" * 21)


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, initial())


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", initial()[:30], status(1)[:28]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
