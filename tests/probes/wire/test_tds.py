import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.script import Script, Talk
from btimd.probes.wire.tds import (
    MAX_REPLY,
    TdsMessage,
    decode_error,
    decode_extended_error,
    encode_packets,
    read_message,
    read_tokens,
)
from tests.probes.wire.scripts import converse


class Reader(Script):
    protocol = "TDS"
    content = b""

    @override
    def _conversation(self) -> Talk[str]:
        self.content = yield from read_message()
        return "done"


def test_a_message_is_cut_into_packets_and_joined_again() -> None:
    packets = encode_packets(4, b"abcde", largest=10)
    assert packets == b"\4\0\0\x0a\0\0\1\0ab" + b"\4\0\0\x0a\0\0\2\0cd" + b"\4\1\0\x09\0\0\3\0e"
    reader = Reader("10.0.0.1", 1)
    assert converse(reader, packets).error is ErrorClass.NONE
    assert reader.content == b"abcde"
    assert encode_packets(1, b"") == b"\1\1\0\x08\0\0\1\0"


def test_a_message_without_end_is_cut_off() -> None:
    piece = encode_packets(4, bytes(60_000), largest=65_535)
    found = converse(Reader("10.0.0.1", 1), piece[:1] + b"\0" + piece[2:], piece)
    assert found.detail.endswith(f"an answer of more than {MAX_REPLY} octets")


def test_tokens_are_told_apart() -> None:
    content = b"\xe3\2\0ab" + b"\xfd" + bytes(8) + b"\x79\1\0\0\0" + b"\x20\1\0\0\0x" + b"\x81rest"
    assert list(read_tokens(content)) == [
        (0xE3, b"ab"), (0xFD, bytes(8)), (0x79, b"\1\0\0\0"), (0x20, b"x"), (0x81, b"rest"),
    ]  # fmt: skip
    with pytest.raises(AnswerError):
        list(read_tokens(b"\xaa\xff\xff"))


def test_errors_are_read() -> None:
    new = b"\x18\x48\0\0" + b"\1\x0e" + b"\2\0" + "no".encode("utf-16-le")
    assert decode_error(new) == TdsMessage(18456, 14, "no")
    old = b"\xa2\x0f\0\0" + b"\1\x0e" + b"\5ZZZZZ" + b"\0\0\0" + b"\3\0no\n"
    assert decode_extended_error(old) == TdsMessage(4002, 14, "no")


@given(st.binary(max_size=60))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    for decode in (decode_error, decode_extended_error, lambda data: list(read_tokens(data))):
        try:
            decode(garbage)
        except AnswerError:
            continue
