import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import Connect, Line, Secure, Secured, Send
from btimd.probes.wire.mysql import MysqlDialogue
from btimd.probes.wire.mysqlmessage import (
    CLEAR,
    NATIVE,
    answer_caching_sha2,
    answer_native,
    encode,
    encode_ssl_request,
)
from btimd.probes.wire.script import Account, Question, Tls
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, outcome, sent, speak, told
from tests.probes.wire.test_mysqlmessage import SCRAMBLE, greeting

PROBE = Account("probe", "secret", "erp", Tls.OFF)
GREETING = encode(0, greeting())
MARIA = encode(0, greeting("5.5.5-10.11.6-MariaDB", NATIVE, 0x80000))
OK = b"\x00\x00\x00\x02\x00\x00\x00"
END = b"\xfe\x00\x00\x02\x00"


def rows(*columns: bytes, first: int = 1) -> bytes:
    names = [b"\x03def"] * len(columns)
    row = b"".join(b"\xfb" if column == b"NULL" else bytes([len(column)]) + column for column in columns)
    contents = [bytes([len(columns)]), *names, END, row, END]
    return b"".join(encode(first + at, content) for at, content in enumerate(contents))


def error(code: int, message: str, sequence: int = 2) -> bytes:
    return encode(sequence, b"\xff" + code.to_bytes(2, "little") + b"#HY000" + message.encode())


def dialogue(account: Account = PROBE, question: Question | None = None) -> MysqlDialogue:
    return MysqlDialogue("10.2.0.30", 0, account, question, token=7)


def test_a_whole_conversation() -> None:
    speaking = dialogue()
    assert speaking.start(0.0) == [Connect(Line.TCP, "10.2.0.30", 3306)]
    assert begin(speaking) == []
    logon = sent(speak(speaking, GREETING))
    assert logon[3] == 1
    proof = answer_caching_sha2(b"secret", SCRAMBLE)
    assert logon[36:] == b"probe\0\x20" + proof + b"erp\0caching_sha2_password\0"
    assert speak(speaking, encode(2, b"\x01\x03")) == []
    assert sent(speak(speaking, encode(3, OK))) == encode(0, b"\x03SELECT 1")
    actions = speak(speaking, rows(b"1"), at=1.5)
    assert sent(actions) == encode(0, b"\x01")
    assert told(actions) == (Health.GOOD, ErrorClass.NONE, "10.2.0.30:3306 is MySQL 8.0.36 and answers SELECT 1")
    assert outcome(actions).values == {
        "connect_seconds": 0.5,
        "greeting_seconds": 1.0,
        "logon_seconds": 1.0,
        "query_seconds": 0.5,
        "answer_seconds": 1.5,
    }


def test_tls_comes_before_the_name_and_then_the_password_may_be_shown() -> None:
    speaking = dialogue(Account("probe", "secret", "", Tls.VERIFIED))
    begin(speaking)
    wish, secure = speak(speaking, GREETING)
    assert wish == Send(encode(1, encode_ssl_request(0x8AA05)))
    assert secure == Secure("10.2.0.30", verify=True)
    logon = sent(speak(speaking, Secured()))
    assert logon[3] == 2
    assert b"probe\0" in logon
    assert sent(speak(speaking, encode(3, b"\x01\x04"))) == encode(4, b"secret\0")


def test_without_tls_the_password_is_encrypted_for_the_servers_key() -> None:
    speaking = dialogue()
    begin(speaking)
    speak(speaking, GREETING)
    assert sent(speak(speaking, encode(2, b"\x01\x04"))) == encode(3, b"\x02")
    assert told(speak(speaking, encode(4, b"\x01no key"))) == (
        Health.BAD,
        ErrorClass.PROTOCOL_ERROR,
        "10.2.0.30:3306 does not speak MySQL: an RSA key that is no PEM",
    )


def test_another_way_of_logging_on_is_taken_where_it_is_known() -> None:
    speaking = dialogue()
    begin(speaking)
    speak(speaking, GREETING)
    other = bytes(range(40, 60))
    switch = encode(2, b"\xfe" + NATIVE.encode() + b"\0" + other + b"\0")
    assert sent(speak(speaking, switch)) == encode(3, answer_native(b"secret", other))
    for plugin, wants in ((CLEAR, "the password in clear, outside TLS"), ("dialog", "'dialog'")):
        speaking = dialogue()
        begin(speaking)
        speak(speaking, GREETING)
        assert told(speak(speaking, encode(2, b"\xfe" + plugin.encode() + b"\0"))) == (
            Health.UNKNOWN,
            ErrorClass.NOT_PERMITTED,
            f"10.2.0.30:3306 is MySQL 8.0.36 and asks for {wants}, which is not done here; SQL was not tried",
        )


def test_a_server_that_turns_nobody_away_is_good_without_an_account() -> None:
    found = converse(dialogue(Account()), MARIA, error(1045, "Access denied for user 'btimd'"))
    assert (found.health, found.detail) == (
        Health.GOOD,
        "10.2.0.30:3306 is MariaDB 5.5.5-10.11.6-MariaDB and lets nobody in without an account; SQL was not tried",
    )


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [GREETING, error(1045, "Access denied")],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "10.2.0.30:3306 is MySQL 8.0.36 and says 1045 (HY000): Access denied; check the probe's user, password and host",
            ),
        ),
        (
            [encode(0, b"\xff\x10\x04Too many connections")],
            (Health.BAD, ErrorClass.EXCEEDED, "10.2.0.30:3306 says 1040: Too many connections"),
        ),
        (
            [GREETING, encode(2, OK), error(1205, "Lock wait timeout exceeded", 1)],
            (Health.BAD, ErrorClass.NO_ANSWER, "10.2.0.30:3306 says 1205 (HY000): Lock wait timeout exceeded"),
        ),
        (
            [GREETING, encode(2, OK), error(1142, "SELECT command denied", 1)],
            (
                Health.UNKNOWN,
                ErrorClass.NOT_PERMITTED,
                "10.2.0.30:3306 says 1142 (HY000): SELECT command denied; grant it to the probe's user",
            ),
        ),
        (
            [GREETING, encode(2, OK), rows(b"2")],
            (Health.BAD, ErrorClass.WRONG_ANSWER, "10.2.0.30:3306 answers SELECT 1 with ('2',)"),
        ),
        (
            [GREETING, encode(2, b"\x09")],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "10.2.0.30:3306 does not speak MySQL: a packet of type 0x9 in the logon",
            ),
        ),
        (
            [b"SSH-2.0-OpenSSH_9.2\r\n"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "10.2.0.30:3306 does not speak MySQL: a packet that begins with b'SSH-2.0-'",
            ),
        ),
    ],
)
def test_what_else_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == expected


def test_tls_that_is_asked_for_is_not_done_without() -> None:
    found = converse(dialogue(Account(tls=Tls.VERIFIED)), MARIA)
    assert found.error is ErrorClass.PROTOCOL_ERROR
    assert found.detail.endswith("does not offer TLS, which the check asks for")


def test_a_query_runs_in_its_time_and_its_state_is_told() -> None:
    question = Question("SELECT 2", "2", 1.5, state=True, most_wait_seconds=3.0)
    speaking = dialogue(question=question)
    begin(speaking)
    asked = sent(speak(speaking, MARIA))
    answers = [
        encode(2, OK), encode(1, OK), encode(1, OK), error(1193, "Unknown system variable", 1), rows(b"2"),
        rows(b"Threads_connected", b"5"), rows(b"151", b"0"), rows(b"1", b"4"),
    ]  # fmt: skip
    actions = speak(speaking, *answers)
    asked = sent(actions)
    assert b"autocommit=0, lock_wait_timeout=1" in asked
    assert b"max_statement_time=0.500" in asked
    assert told(actions) == (
        Health.BAD,
        ErrorClass.WRONG_ANSWER,
        "10.2.0.30:3306 has a transaction that waits 4 s for a lock, more than 3 s (1 wait)",
    )
    values = outcome(actions).values
    assert (values["connections_used"], values["connections_max"], values["read_only"]) == (5.0, 151.0, 0.0)


def test_a_state_that_may_not_be_seen_is_left_out() -> None:
    found = converse(
        dialogue(question=Question(state=True)),
        MARIA, encode(2, OK), rows(b"1"), error(1227, "denied", 1), rows(b"151", b"1"), rows(b"0", b"NULL"),
    )  # fmt: skip
    assert found.health is Health.GOOD
    assert found.values.keys() & {"connections_used", "connections_max", "read_only", "longest_lock_wait_seconds"} == {
        "connections_max",
        "read_only",
    }


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, GREETING, encode(2, b"\x01\x03"), encode(3, OK), rows(b"1"))


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", GREETING, MARIA + encode(2, OK)]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
