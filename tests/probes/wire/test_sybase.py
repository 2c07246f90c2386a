"""Messages as the TDS 5.0 functional specification shows them; no ASE was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Secure
from btimd.probes.wire.script import Account, Question, Tls
from btimd.probes.wire.sybase import LOGIN, NORMAL, SybaseDialogue, encode_login
from btimd.probes.wire.tds import encode_packets
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent, speak, told

PROBE = Account("probe", "secret", "", Tls.OFF)
DONE = b"\xfd\0\0\0\0\0\0\0\0"


def reply(*tokens: bytes) -> bytes:
    return encode_packets(4, b"".join(tokens) + DONE)


def ack(status: int) -> bytes:
    content = bytes([status]) + b"\5\0\0\0" + b"\x0aASE Server" + b"\x10\0\3\0"
    return b"\xad" + struct.pack("<H", len(content)) + content


def error(number: int, text: str, level: int = 14) -> bytes:
    content = struct.pack("<iBB", number, 1, level) + b"\5ZZZZZ\0\0\0"
    content += struct.pack("<H", len(text)) + text.encode() + b"\0\0\1\0"
    return b"\xe5" + struct.pack("<H", len(content)) + content


def dialogue(account: Account = PROBE, question: Question | None = None) -> SybaseDialogue:
    return SybaseDialogue("10.2.0.91", 0, account, question)


def test_a_login_record_has_fields_of_fixed_size() -> None:
    record = encode_login(PROBE)
    assert len(record) == 568 + 27
    assert (record[31:36], record[61]) == (b"probe", 5)
    assert (record[62:68], record[92]) == (b"secret", 6)
    assert record[458:462] == b"\5\0\0\0", "the version"
    with pytest.raises(ValueError, match="at most 30 octets"):
        encode_login(Account("x" * 31))


def test_a_whole_conversation() -> None:
    speaking = dialogue(question=Question("select 2", "2"))
    assert sent(begin(speaking)) == encode_packets(LOGIN, encode_login(PROBE), 512)
    asked = sent(speak(speaking, reply(ack(5))))
    assert asked[0] == NORMAL
    assert b"convert(varchar(255), (select 2)) if @btimd is null or @btimd != '2' raiserror 20001" in asked
    assert told(speak(speaking, reply())) == (
        Health.GOOD,
        ErrorClass.NONE,
        "10.2.0.91:5000 is ASE Server 16.0.3 and answers the query",
    )


@pytest.mark.parametrize(
    ("account", "answers", "expected"),
    [
        (
            Account(),
            [reply(error(4002, "Login failed.\n"), ack(6))],
            (
                Health.GOOD,
                ErrorClass.NONE,
                "is ASE Server 16.0.3 and lets nobody in without an account; SQL was not tried",
            ),
        ),
        (
            PROBE,
            [reply(error(4002, "Login failed.\n"), ack(6))],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "is ASE Server 16.0.3 and says 4002 (level 14): Login failed.; check the probe's user and password",
            ),
        ),
        (
            PROBE,
            [reply(error(1601, "There are not enough 'user connections' available", 17), ack(6))],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is ASE Server 16.0.3 and says 1601 (level 17): There are not enough 'user connections' available",
            ),
        ),
        (
            PROBE,
            [reply(ack(7))],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "is ASE Server 16.0.3 and says 10330 (level 14): the server wants the password encrypted, which is not spoken here; check the probe's user and password",
            ),
        ),
        (
            PROBE,
            [reply(ack(5)), reply(error(12205, "Could not acquire a lock within the specified wait period", 17))],
            (
                Health.BAD,
                ErrorClass.NO_ANSWER,
                "says 12205 (level 17): Could not acquire a lock within the specified wait period",
            ),
        ),
        (
            PROBE,
            [reply(ack(5)), reply(error(20001, "btimd: another value", 16))],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "answers the query with another value than ''"),
        ),
        (
            PROBE,
            [reply()],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak TDS 5 (Sybase ASE): neither LOGINACK nor an error in answer to the login",
            ),
        ),
    ],
)
def test_what_else_may_come(account: Account, answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(account), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.91:5000 {expected[2]}")


def test_tls_comes_first() -> None:
    assert begin(dialogue(Account(tls=Tls.UNVERIFIED))) == [Secure("10.2.0.91", verify=False)]


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, reply(ack(5)), reply())


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", reply(ack(5)), reply(ack(5))[:20]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
