"""Packets as network analysers and the documents of Oracle's messages show them; no Oracle server was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.oracle import (
    ACCEPT,
    DATA,
    REDIRECT,
    REFUSE,
    RESEND,
    OracleDialogue,
    encode_connect,
    encode_packet,
    version_text,
)
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent, speak


def refuse(text: str) -> bytes:
    return encode_packet(REFUSE, b"\x22\x00" + struct.pack("!H", len(text)) + text.encode())


UNKNOWN = refuse(
    "(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514)(EMFI=4))(ERROR=(CODE=12514))))"
)
ACCEPTED = encode_packet(ACCEPT, struct.pack("!HHHHHHHH", 314, 0, 8192, 32767, 256, 0, 32, 0x4141))


def dialogue(service: str = "ERP.corp", sid: str = "") -> OracleDialogue:
    return OracleDialogue("10.2.0.80", 0, service=service, sid=sid)


def test_the_connect_carries_its_text_at_octet_58() -> None:
    packet = sent(begin(dialogue()))
    text = b"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=ERP.corp)(CID=(PROGRAM=btimd)(HOST=btimd)(USER=btimd))))"
    assert packet[58:] == text
    assert packet[:12] == struct.pack("!HHBBHHH", 58 + len(text), 0, 1, 0, 0, 0x136, 0x12C)
    assert packet[24:28] == struct.pack("!HH", len(text), 58)
    assert b"(SID=ERP)" in sent(begin(dialogue("", "ERP")))
    assert b"(COMMAND=VERSION)" in sent(begin(dialogue("")))


def test_a_long_text_goes_in_a_packet_of_its_own() -> None:
    packets = encode_connect("x" * 300)
    assert packets[:2] == b"\0\x3a"
    assert packets[58:] == encode_packet(DATA, b"\0\0" + b"x" * 300)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([ACCEPTED], (Health.GOOD, ErrorClass.NONE, "knows 'ERP.corp' and accepts")),
        ([encode_packet(RESEND, b""), ACCEPTED], (Health.GOOD, ErrorClass.NONE, "knows 'ERP.corp' and accepts")),
        (
            [encode_packet(RESEND, b"")] * 3,
            (Health.BAD, ErrorClass.WRONG_ANSWER, "asks 3 times to send the connect again"),
        ),
        (
            [UNKNOWN],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "refuses 'ERP.corp': ORA-12514, the listener does not know the service",
            ),
        ),
        (
            [refuse("(DESCRIPTION=(ERR=12528))")],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "refuses 'ERP.corp': ORA-12528, the instances take no new connections: they start or shut down",
            ),
        ),
        (
            [refuse("(DESCRIPTION=(ERR=12529))")],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "refuses 'ERP.corp': ORA-12529, the listener turns this host away by its rules",
            ),
        ),
        (
            [refuse("nonsense")],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "refuses 'ERP.corp': ORA-00000, the listener says nonsense"),
        ),
        (
            [encode_packet(REDIRECT, b"\0\x0b(PORT=1600)")],
            (Health.GOOD, ErrorClass.NONE, "knows 'ERP.corp' and sends us on to (PORT=1600)"),
        ),
        (
            [encode_packet(12, b"\1\0\2")],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak Oracle Net (TNS): a packet of type 12 in answer to CONNECT",
            ),
        ),
        (
            [b"HTTP/1.0 400 Bad"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak Oracle Net (TNS): a packet that begins with b'HTTP/1.0'",
            ),
        ),
    ],
)
def test_what_a_listener_may_answer(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.80:1521 {expected[2]}")


def test_without_a_service_any_answer_of_the_protocol_is_good() -> None:
    answer = refuse("(DESCRIPTION=(TMP=)(VSNNUM=186647296)(ERR=1189)(ERROR_STACK=(ERROR=(CODE=1189)(EMFI=4))))")
    assert converse(dialogue(""), answer).detail == "10.2.0.80:1521 is listener of version 11.2.0.3.0"
    assert converse(dialogue(""), ACCEPTED).detail == "10.2.0.80:1521 accepts"


def test_versions_are_written_as_people_do() -> None:
    assert version_text(186647296) == "11.2.0.3.0"
    assert version_text(318767104) == "19.0.0.0.0"


def test_names_that_would_break_out_are_refused() -> None:
    with pytest.raises(ValueError, match="is no name of a service"):
        dialogue("ERP)(COMMAND=STOP")
    with pytest.raises(ValueError, match="not both"):
        dialogue("ERP", "ERP")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, encode_packet(RESEND, b""), UNKNOWN)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", UNKNOWN[:20], ACCEPTED[:9]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
    speak(dialogue(), b"")
