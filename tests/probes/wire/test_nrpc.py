"""Messages in the frame that public scanners describe; no Domino was had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.nrpc import NrpcDialogue, encode
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent

NAMED = encode(bytes(16) + b"CN=mail01/O=Corp" + bytes(8))


def dialogue(expect: str = "") -> NrpcDialogue:
    return NrpcDialogue("10.2.0.98", 0, expect=expect)


@pytest.mark.parametrize(
    ("expect", "answer", "expected"),
    [
        ("", NAMED, (Health.GOOD, ErrorClass.NONE, "is Domino 'CN=mail01/O=Corp'")),
        ("mail01", NAMED, (Health.GOOD, ErrorClass.NONE, "is Domino 'CN=mail01/O=Corp'")),
        (
            "mail02",
            NAMED,
            (Health.BAD, ErrorClass.WRONG_ANSWER, "is 'CN=mail01/O=Corp', expected 'mail02'"),
        ),
        ("", encode(bytes(20)), (Health.GOOD, ErrorClass.NONE, "answers the greeting of Notes RPC")),
        (
            "",
            b"HTTP/1.1 400 Bad",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak NRPC (Domino): a message that begins with b'HTTP/1.1 400'",
            ),
        ),
    ],
)
def test_what_may_come(expect: str, answer: bytes, expected: tuple[Health, ErrorClass, str]) -> None:
    assert sent(begin(dialogue()))[:2] == b"\x28\0"
    found = converse(dialogue(expect), answer)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.98:1352 {expected[2]}")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, NAMED)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", NAMED[:20]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
