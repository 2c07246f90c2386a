"""Messages as [MS-TDS] sections 2.2.6 and 4 show them; no SQL Server was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import AnswerError, Secure, Secured
from btimd.probes.wire.mssql import (
    BATCH,
    LOGIN7,
    PRELOGIN,
    MssqlDialogue,
    decode_prelogin,
    encode_login,
    encode_prelogin,
)
from btimd.probes.wire.script import Account, Question, Tls
from btimd.probes.wire.tds import encode_packets
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told

PROBE = Account("probe", "secret", "erp", Tls.OFF)
DONE = b"\xfd\0\0\0\0\0\0\0\0"


def prelogin(encryption: int = 2) -> bytes:
    values = b"\x0f\0\x10\x7f\0\0" + bytes([encryption])
    return encode_packets(4, b"\0\0\x0b\0\6" + b"\1\0\x11\0\1" + b"\xff" + values)


def reply(*tokens: bytes) -> bytes:
    return encode_packets(4, b"".join(tokens) + DONE)


def error(number: int, text: str, level: int = 14) -> bytes:
    content = struct.pack("<iBBH", number, 1, level, len(text)) + text.encode("utf-16-le") + b"\0\0\1\0"
    return b"\xaa" + struct.pack("<H", len(content)) + content


ACK = b"\xad\x0a\0\1\x71\0\0\1\0\x0f\0\x10\x7f"


def dialogue(account: Account = PROBE, question: Question | None = None) -> MssqlDialogue:
    return MssqlDialogue("10.2.0.90", 0, account, question)


def test_a_prelogin_says_that_nothing_is_encrypted() -> None:
    message = encode_prelogin()
    assert message[:21] == b"\0\0\x15\0\6\1\0\x1b\0\1\2\0\x1c\0\1\3\0\x1d\0\4\xff"
    assert message[0x1B] == 2
    assert decode_prelogin(message) == ("0.0.0", 2)
    for broken in (b"", b"\xff", b"\0\0\1\0\6\xff"):
        with pytest.raises(AnswerError):
            decode_prelogin(broken)


def test_a_login_has_its_texts_where_it_says() -> None:
    message = encode_login(PROBE)
    assert int.from_bytes(message[:4], "little") == len(message)
    at, size = struct.unpack_from("<HH", message, 40)
    assert message[at : at + 2 * size].decode("utf-16-le") == "probe"
    at, size = struct.unpack_from("<HH", message, 44)
    assert bytes((o ^ 0xA5) >> 4 | ((o ^ 0xA5) << 4 & 0xF0) for o in message[at : at + 2 * size]) == "secret".encode(
        "utf-16-le"
    )
    at, size = struct.unpack_from("<HH", message, 68)
    assert message[at : at + 2 * size].decode("utf-16-le") == "erp"


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert sent(begin(speaking)) == encode_packets(PRELOGIN, encode_prelogin())
    assert sent(speak(speaking, prelogin())) == encode_packets(LOGIN7, encode_login(PROBE))
    batch = sent(speak(speaking, reply(ACK)))
    assert (batch[0], "SET @btimd = (SELECT 1)" in batch[8:].decode("utf-16-le")) == (BATCH, True)
    actions = speak(speaking, reply(), at=1.5)
    assert told(actions) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.90:1433 is SQL Server 2019 (15.0.4223) and answers SELECT 1",
    )
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "logon_seconds": 1.0,
        "query_seconds": 0.5,
        "answer_seconds": 1.5,
    }


def test_without_a_password_the_version_is_enough() -> None:
    assert converse(dialogue(Account()), prelogin(3)).detail == "10.2.0.90:1433 is SQL Server 2019 (15.0.4223)"


def test_tls_from_the_first_octet() -> None:
    speaking = dialogue(Account("probe", "secret", "", Tls.VERIFIED))
    assert begin(speaking) == [Secure("10.2.0.90", verify=True)]
    assert sent(speak(speaking, Secured())) == encode_packets(PRELOGIN, encode_prelogin())
    assert sent(speak(speaking, prelogin(1)))[0] == LOGIN7


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [prelogin(3)],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "is SQL Server 2019 (15.0.4223) and wants the logon encrypted inside TDS, which is not spoken here",
            ),
        ),
        (
            [prelogin(), reply(error(18456, "Login failed for user 'probe'."))],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "says 18456 (level 14): Login failed for user 'probe'.; check the probe's user, password and database",
            ),
        ),
        (
            [prelogin(), reply(error(17809, "Could not connect because the maximum number is reached", 20))],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "says 17809 (level 20): Could not connect because the maximum number is reached",
            ),
        ),
        (
            [prelogin(), reply(ACK), reply(error(1222, "Lock request time out period exceeded.", 16))],
            (
                Health.BAD,
                ErrorClass.NO_ANSWER,
                "says 1222 (level 16): Lock request time out period exceeded.",
            ),
        ),
        (
            [prelogin(), reply(ACK), reply(error(50000, "btimd: another value", 16))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "answers the query with another value than '7'"),
        ),
        (
            [prelogin(), reply()],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak TDS (SQL Server): neither LOGINACK nor an error in answer to LOGIN7",
            ),
        ),
        (
            [b"HTTP/1.1 400 Bad Request\r\n"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak TDS (SQL Server): a packet that begins with b'HTTP/1.1'",
            ),
        ),
    ],
)
def test_what_else_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(question=Question("SELECT 2", "7")), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.90:1433 {expected[2]}")


def test_an_expected_value_is_compared_by_the_server() -> None:
    speaking = dialogue(question=Question("SELECT 2", "it's"))
    begin(speaking)
    batch = sent(speak(speaking, prelogin(), reply(ACK)))[-400:].decode("utf-16-le", "replace")
    assert "<> N'it''s' RAISERROR" in batch


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, prelogin(), reply(ACK), reply())


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", prelogin(), prelogin() + reply(ACK)]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
