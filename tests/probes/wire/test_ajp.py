import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.ajp import CPING, AjpDialogue, encode_forward, text
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told

CPONG = b"AB\0\1\x09"


def packet(content: bytes) -> bytes:
    return b"AB" + struct.pack("!H", len(content)) + content


def answer(status: int, reason: str, body: bytes = b"hello") -> bytes:
    head = b"\4" + struct.pack("!H", status) + text(reason) + b"\0\0"
    chunk = b"\3" + struct.pack("!H", len(body)) + body + b"\0"
    return packet(head) + packet(chunk) + packet(b"\5\1")


def dialogue(path: str = "/erp?x=1") -> AjpDialogue:
    return AjpDialogue("10.2.0.96", 0, path=path, secret="secret")


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert sent(begin(speaking)) == CPING
    request = sent(speak(speaking, CPONG))
    assert request == encode_forward("10.2.0.96", 80, "/erp?x=1", "secret")
    assert request[4:6] == b"\2\2"
    assert request.endswith(b"\5\0\3x=1\0" + b"\x0c\0\6secret\0" + b"\xff")
    actions = speak(speaking, answer(200, "OK"), at=1.5)
    assert told(actions) == (Health.GOOD, ErrorClass.NONE, "10.2.0.96:8009 answers /erp?x=1 with 200 OK")
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "query_seconds": 0.5,
        "answer_seconds": 1.5,
        "status": 200,
        "body_octets": 5,
    }


@pytest.mark.parametrize(
    ("path", "answers", "expected"),
    [
        ("", [CPONG], (Health.GOOD, ErrorClass.NONE, "answers CPING")),
        (
            "/erp",
            [CPONG, answer(403, "")],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "answers /erp with 403 (a wrong or missing secret is answered so too), expected 2xx,3xx",
            ),
        ),
        (
            "",
            [packet(b"\5\1")],
            (Health.BAD, ErrorClass.PROTOCOL_ERROR, "does not speak AJP 1.3: a packet of type 5 in answer to CPING"),
        ),
        (
            "/erp",
            [CPONG, CPONG],
            (Health.BAD, ErrorClass.PROTOCOL_ERROR, "does not speak AJP 1.3: a packet of type 9 in an answer"),
        ),
        (
            "",
            [b"HTTP/1.1 400 Bad"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak AJP 1.3: a packet that begins with b'HTTP/1.1 400'",
            ),
        ),
    ],
)
def test_what_may_come(path: str, answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(path), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.96:8009 {expected[2]}")


def test_paths_that_are_none_are_refused() -> None:
    for path in ("erp", "/a b", "/\r\n", "/\u00fc"):
        with pytest.raises(ValueError, match="must begin with /"):
            dialogue(path)


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, CPONG, answer(200, "OK"))


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", CPONG, CPONG + answer(200, "OK")[:8]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
