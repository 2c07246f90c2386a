import pytest

from btimd.probes.wire.ber import SEQUENCE, encode, encode_integer
from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.ldapmessage import (
    MAX_CONVERSATION,
    UNBIND,
    Message,
    MessageReader,
    Result,
    decode_result,
    encode_bind,
)

BIND = bytes.fromhex("300c020101600702010304008000")


def test_an_anonymous_bind_is_fourteen_octets() -> None:
    assert encode_bind(1, "", "") == BIND
    assert bytes.fromhex("30050201034200") == UNBIND


def test_messages_are_cut_out_of_the_octets() -> None:
    reader = MessageReader()
    found = [one for octet in BIND + UNBIND for one in reader.feed(bytes((octet,)))]
    assert found == [Message(1, 0x60, b"\2\1\3\4\0\x80\0"), Message(3, 0x42, b"")]
    assert reader.is_empty


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"220 mail", "a message that begins with b'220 mail'"),
        (b"\x30\x84\x7f\0\0\0\0\0", "a message of"),
        (encode(SEQUENCE, encode_integer(1)), "a message without its parts"),
        (bytes(MAX_CONVERSATION + 1), "octets before the answer"),
    ],
)
def test_what_is_no_message_is_told(octets: bytes, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        list(MessageReader().feed(octets))


def test_results_have_names() -> None:
    assert decode_result(bytes.fromhex("0a013104000403") + b"bad") == Result(49, "bad")
    assert Result(49, "bad").text == "invalidCredentials (49): bad"
    assert Result(99, "").text == "result 99 (99)"
    with pytest.raises(AnswerError, match="a result without its parts"):
        decode_result(b"\x0a\1\0")
