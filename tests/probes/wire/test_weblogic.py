"""Greetings as public tools show them; no WebLogic was had."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Secure
from btimd.probes.wire.script import Tls
from btimd.probes.wire.weblogic import HELLO, T3Dialogue
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent

HELO = b"HELO:12.2.1.4.0.false\nAS:2048\nHL:19\nMS:10000000\n\n"


def dialogue(tls: Tls = Tls.OFF) -> T3Dialogue:
    return T3Dialogue("10.2.0.94", 0, tls=tls)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (HELO, (Health.GOOD, ErrorClass.NONE, "is WebLogic 12.2.1.4.0")),
        (
            b"LGIN:Server is not in RUNNING state\n\n",
            (Health.BAD, ErrorClass.WRONG_ANSWER, "does not take T3: LGIN:Server is not in RUNNING state"),
        ),
        (
            b"Connection rejected, filter blocked Socket, weblogic.security.net.FilterException\n",
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "does not take T3: Connection rejected, filter blocked Socket, weblogic.security.net.FilterException",
            ),
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n",
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak T3: a greeting that begins with 'HTTP/1.1 400 Bad Request'",
            ),
        ),
    ],
)
def test_what_may_come(answer: bytes, expected: tuple[Health, ErrorClass, str]) -> None:
    assert sent(begin(dialogue())) == HELLO
    found = converse(dialogue(), answer)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.94:7001 {expected[2]}")


def test_t3s_is_t3_inside_tls() -> None:
    assert begin(dialogue(Tls.UNVERIFIED)) == [Secure("10.2.0.94", verify=False)]


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, HELO)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", b"HELO:", b"LGIN"]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
