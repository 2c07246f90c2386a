"""The connect message and its answer as public scanners describe them; no Informix was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.informix import InformixDialogue, encode_connect
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent


def answer(content: bytes) -> bytes:
    return struct.pack("!H", len(content) + 2) + content


VERSION = b"IBM Informix Dynamic Server Version 11.50.UC4"
KNOWN = answer(
    b"\x02\x3c\0\0" + bytes(8) + b"\0\4ABCD" + b"\0\x6c" + bytes(12) + b"\0\x2e" + VERSION + b"\0" + bytes(40)
)


def dialogue(instance: str = "btimd") -> InformixDialogue:
    return InformixDialogue("10.2.0.97", 0, instance=instance)


def test_the_connect_message() -> None:
    message = sent(begin(dialogue("ol_erp")))
    assert message == encode_connect("ol_erp")
    assert int.from_bytes(message[:2]) == len(message)
    assert b"IEEEM\0\0\x6csqlexec\0\0\0\0\0\0\x069.280\0\0\x0cRDS#R000000\0\0\5sqli\0\0\0\1\x33" in message
    assert b"\0\7ol_erp\0" in message
    assert message.endswith(b"\0\x7f")
    with pytest.raises(ValueError, match="is no name of a server"):
        dialogue("")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            KNOWN,
            (Health.GOOD, ErrorClass.NONE, "is Informix Dynamic Server Version 11.50.UC4; SQL was not tried"),
        ),
        (
            answer(b"\0\x6c" + bytes(20)),
            (Health.GOOD, ErrorClass.NONE, "answers the connect; SQL was not tried"),
        ),
        (
            answer(bytes(20)),
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak SQLI (Informix): an answer that begins with " + repr(b"\0\x16" + bytes(10)),
            ),
        ),
        (
            b"HTTP/1.1 400 Bad",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak SQLI (Informix): an answer that begins with b'HTTP/1.1 400'",
            ),
        ),
    ],
)
def test_what_may_come(found: bytes, expected: tuple[Health, ErrorClass, str]) -> None:
    ended = converse(dialogue(), found)
    detail = ended.detail.replace("IBM ", "")
    assert (ended.health, ended.error, detail) == (*expected[:2], f"10.2.0.97:9088 {expected[2]}")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, KNOWN)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", KNOWN[:20]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
