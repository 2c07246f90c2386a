"""Messages as the OMG's chapter on GIOP shows them; no ORB was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Secure
from btimd.probes.wire.iiop import IiopDialogue, encode_locate, encode_message
from btimd.probes.wire.script import Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent


def located(status: int, number: int = 1, *, little: bool = False) -> bytes:
    if little:
        return b"GIOP\1\0\1\4" + struct.pack("<III", 8, number, status)
    return encode_message(4, struct.pack("!II", number, status))


def dialogue(*, must: bool = False, tls: Tls = Tls.OFF) -> IiopDialogue:
    return IiopDialogue("10.2.0.95", 0, must_be_here=must, tls=tls)


def test_the_question() -> None:
    assert sent(begin(dialogue())) == encode_locate(1, b"NameService")
    assert encode_locate(1, b"ab") == b"GIOP\1\0\0\3\0\0\0\x0a" + b"\0\0\0\1\0\0\0\2ab"
    assert begin(dialogue(tls=Tls.VERIFIED)) == [Secure("10.2.0.95", verify=True)]
    with pytest.raises(ValueError, match="1 to 1024 octets"):
        IiopDialogue("h", 1, key="")


@pytest.mark.parametrize(
    ("must", "answer", "expected"),
    [
        (True, located(1), (Health.GOOD, ErrorClass.NONE, "speaks GIOP 1.0 and knows 'NameService'")),
        (
            True,
            located(2, little=True),
            (Health.GOOD, ErrorClass.NONE, "speaks GIOP 1.0 and knows 'NameService' elsewhere"),
        ),
        (False, located(0), (Health.GOOD, ErrorClass.NONE, "speaks GIOP 1.0; it does not know 'NameService'")),
        (True, located(0), (Health.BAD, ErrorClass.WRONG_ANSWER, "speaks GIOP 1.0 and does not know 'NameService'")),
        (True, located(9), (Health.BAD, ErrorClass.WRONG_ANSWER, "speaks GIOP 1.0 and answers with status 9")),
        (
            True,
            encode_message(5, b""),
            (Health.BAD, ErrorClass.WRONG_ANSWER, "speaks GIOP 1.0 and closes the connection: it shuts down"),
        ),
        (
            True,
            encode_message(6, b""),
            (Health.BAD, ErrorClass.WRONG_ANSWER, "speaks GIOP 1.0 and says that the message is wrong"),
        ),
        (
            True,
            located(1, 7),
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak GIOP: an answer to request 7, which was not asked",
            ),
        ),
        (
            True,
            b"HTTP/1.1 400 Bad",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak GIOP: a message that begins with b'HTTP/1.1 400'",
            ),
        ),
    ],
)
def test_what_may_come(must: bool, answer: bytes, expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(must=must), answer)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.95:2809 {expected[2]}")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, located(1))


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", b"GIOP", located(1)[:12]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
