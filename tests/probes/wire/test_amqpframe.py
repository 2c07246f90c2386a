import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.amqpframe import (
    CHANNEL_OPEN,
    Start,
    decode_close,
    decode_start,
    frame,
    long,
    read_table,
    short,
    table,
)
from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets


def test_frames_and_texts() -> None:
    assert frame(1, CHANNEL_OPEN, short("")).hex() == "01000100000005" + "0014000a00" + "ce"
    assert table({"a": "b", "c": True}) == b"\0\0\0\x0c\x01aS\0\0\0\x01b\x01ct\x01"
    with pytest.raises(ValueError, match="longer than 255"):
        short("x" * 256)


def test_a_start_is_read_with_every_kind_of_field() -> None:
    fields = (
        short("product") + b"S" + long(b"RabbitMQ") + short("version") + b"S" + long(b"3.10.8")
        + short("capabilities") + b"F" + table({"exchange_exchange_bindings": True})
        + short("n") + b"I\0\0\0\x01" + short("v") + b"V" + short("a") + b"A" + long(b"x")
    )  # fmt: skip
    start = b"\0\x09" + long(fields) + long(b"PLAIN AMQPLAIN") + long(b"en_US")
    assert decode_start(Octets(start)) == Start("RabbitMQ", "3.10.8", ("PLAIN", "AMQPLAIN"))
    assert decode_close(Octets(b"\x01\x94" + short("NOT_FOUND") + bytes(4))) == (404, "NOT_FOUND")


@pytest.mark.parametrize("content", [short("a") + b"?", b"\x05a", short("") + b"V"])
def test_broken_tables_are_refused(content: bytes) -> None:
    with pytest.raises(AnswerError):
        read_table(Octets(long(content * 300)))


@given(st.binary(max_size=60))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    for decode in (decode_start, decode_close, read_table):
        try:
            decode(Octets(garbage))
        except AnswerError:
            continue
