import base64
import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Action,
    Close,
    Closed,
    Connect,
    Connected,
    Deadline,
    Event,
    Finish,
    Line,
    Outcome,
    Received,
    Secure,
    Secured,
    Send,
)
from btimd.probes.wire.postgres import PostgresDialogue
from btimd.probes.wire.postgresmessage import (
    SSL_REQUEST,
    TERMINATE,
    encode_password,
    encode_query,
    encode_sasl_initial,
    encode_startup,
    md5_answer,
)
from btimd.probes.wire.scram import Scram, nonce_of
from btimd.probes.wire.script import MAX_CONVERSATION, Question, Tls

SELECT_ONE = encode_query("SELECT 1")
STARTUP = encode_startup("probe", "erp")


def said(kind: bytes, content: bytes = b"") -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


LOGON = said(b"R", bytes(4)) + said(b"S", b"server_version\x0015\x00") + said(b"K", bytes(8)) + said(b"Z", b"I")
ROW = said(b"T", bytes(30)) + said(b"D", b"\0\1\0\0\0\0011") + said(b"C", b"SELECT 1\0") + said(b"Z", b"I")
ERROR = said(b"E", b'SFATAL\0VFATAL\0C3D000\0Mdatabase "erp" does not exist\0\0')


def begun() -> PostgresDialogue:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.25)
    assert dialogue.handle(Received(b"N"), 1.25) == [Send(STARTUP)]
    return dialogue


def end(error: ErrorClass, detail: str, **values: float) -> list[Action]:
    health = Health.GOOD if error is ErrorClass.NONE else Health.BAD
    return [Finish(Outcome(health, error, detail, {"connect_seconds": 0.25, **values}))]


def test_a_whole_conversation() -> None:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    assert dialogue.start(1.0) == [Connect(Line.TCP, "10.2.0.20", 5432)]
    assert dialogue.handle(Connected(), 1.25) == [Send(SSL_REQUEST)]
    assert dialogue.handle(Received(b"N"), 1.25) == [Send(STARTUP)]
    assert dialogue.handle(Received(LOGON), 1.5) == [Send(SELECT_ONE)]
    assert dialogue.handle(Received(ROW), 1.75) == [
        Send(TERMINATE),
        Close(),
        *end(
            ErrorClass.NONE,
            "10.2.0.20:5432 answers SELECT 1",
            logon_seconds=0.5,
            query_seconds=0.25,
            answer_seconds=0.75,
        ),
    ]


def test_tls_is_taken_where_the_server_offers_it() -> None:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.25)
    assert dialogue.handle(Received(b"S"), 1.25) == [Secure("10.2.0.20", verify=False)]
    assert dialogue.handle(Secured(), 1.5) == [Send(STARTUP)]
    assert dialogue.handle(Received(LOGON), 1.5) == [Send(SELECT_ONE)]


def test_octets_before_tls_stands_are_nobodys_we_know() -> None:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.25)
    assert dialogue.handle(Received(b"S" + ERROR), 1.5) == end(
        ErrorClass.PROTOCOL_ERROR, "10.2.0.20:5432 sends octets before TLS stands"
    )


@pytest.mark.parametrize(
    ("method", "wants"),
    [
        (3, "a password"),
        (5, "an MD5 password"),
        (10, "SASL (SCRAM)"),
        (77, "authentication 77"),
    ],
)
def test_a_server_that_asks_for_a_password_has_answered(method: int, wants: str) -> None:
    assert begun().handle(Received(said(b"R", struct.pack("!I", method))), 1.5) == end(
        ErrorClass.NONE,
        f"10.2.0.20:5432 answers the handshake and asks for {wants}; SQL was not tried",
        answer_seconds=0.5,
    )


def test_an_error_is_bad_and_carries_its_sqlstate_at_every_point() -> None:
    detail = '10.2.0.20:5432 says FATAL 3D000: database "erp" does not exist'
    assert begun().handle(Received(LOGON[:9] + ERROR), 1.5) == end(ErrorClass.WRONG_ANSWER, detail)
    logged_on = begun()
    logged_on.handle(Received(LOGON), 1.5)
    assert logged_on.handle(Received(ERROR), 1.5) == end(ErrorClass.WRONG_ANSWER, detail, logon_seconds=0.5)
    at_once = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    at_once.start(1.0)
    at_once.handle(Connected(), 1.25)
    assert at_once.handle(Received(ERROR), 1.5) == end(ErrorClass.WRONG_ANSWER, detail)


def test_a_probe_that_is_not_allowed_says_what_to_look_at() -> None:
    refused = said(b"E", b"SFATAL\0C28000\0Mno entry\0\0")
    assert begun().handle(Received(refused), 1.5) == end(
        ErrorClass.WRONG_ANSWER,
        "10.2.0.20:5432 says FATAL 28000: no entry; check the probe's user and database, and pg_hba.conf",
    )


def test_another_row_is_a_wrong_answer() -> None:
    dialogue = begun()
    dialogue.handle(Received(LOGON), 1.5)
    assert dialogue.handle(Received(said(b"Z", b"I")), 1.5) == end(
        ErrorClass.WRONG_ANSWER,
        "10.2.0.20:5432 answers SELECT 1 with None",
        logon_seconds=0.5,
        query_seconds=0.0,
        answer_seconds=0.5,
    )


@pytest.mark.parametrize(
    ("so_far", "event", "error", "detail"),
    [
        ([], Deadline(), ErrorClass.NO_ANSWER, "10.2.0.20:5432 does not finish the logon within 2.0 s"),
        (
            [],
            Closed(),
            ErrorClass.NO_ANSWER,
            "10.2.0.20:5432 accepts the connection and closes it without an answer",
        ),
        (
            [],
            Received(b"HTTP/1.1 400 Bad Request\r\n"),
            ErrorClass.PROTOCOL_ERROR,
            "10.2.0.20:5432 does not speak PostgreSQL: a message that begins with b'HTTP/1.1'",
        ),
    ],
)
def test_silence_and_babble_after_the_start(so_far: list[Event], event: Event, error: ErrorClass, detail: str) -> None:
    dialogue = begun()
    for earlier in so_far:
        dialogue.handle(earlier, 1.5)
    assert dialogue.handle(event, 3.0) == end(error, detail)


def test_a_query_that_hangs_is_told_from_a_server_that_never_answers() -> None:
    hanging = begun()
    hanging.handle(Received(LOGON), 1.5)
    assert hanging.handle(Deadline(), 3.0) == end(
        ErrorClass.NO_ANSWER, "10.2.0.20:5432 does not answer SELECT 1 within 2.0 s", logon_seconds=0.5
    )
    silent = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    silent.start(1.0)
    silent.handle(Connected(), 1.25)
    assert silent.handle(Deadline(), 3.0) == end(
        ErrorClass.NO_ANSWER, "10.2.0.20:5432 accepts the connection and never answers (2.0 s waited)"
    )


def test_the_conversation_cut_anywhere_waits_on() -> None:
    for end_at in range(len(LOGON)):
        assert begun().handle(Received(LOGON[:end_at]), 1.5) == []
    for octets in (LOGON, ERROR):
        dialogue, actions = begun(), list[Action]()
        for octet in octets:
            actions += dialogue.handle(Received(bytes([octet])), 1.5)
        assert len(actions) == 1


def test_a_talkative_server_is_cut_off() -> None:
    dialogue = begun()
    message = said(b"S", bytes(1000))
    for _ in range((MAX_CONVERSATION - 1) // len(message)):
        assert dialogue.handle(Received(message), 1.5) == []
    assert dialogue.handle(Received(message), 1.5) == end(
        ErrorClass.PROTOCOL_ERROR,
        f"10.2.0.20:5432 does not speak PostgreSQL: over {MAX_CONVERSATION} octets before the answer",
    )


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", b"N", b"N" + LOGON]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.0)
    for piece in (start[:1], start[1:], *pieces):
        dialogue.handle(Received(piece), 0.5)
    dialogue.handle(Deadline(), 2.0)
    assert dialogue.handle(Deadline(), 2.0) == []


def asked(method: int, data: bytes = b"") -> Received:
    return Received(said(b"R", struct.pack("!I", method) + data))


def logging_on(
    word: str = "secret", tls: Tls = Tls.OFF, question: Question | None = None, user: str = "probe"
) -> PostgresDialogue:
    dialogue = PostgresDialogue(
        "10.2.0.20", 0, user=user, database="erp", password=word, tls=tls, question=question, token=7
    )
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.25)
    return dialogue


def test_an_md5_password_is_sent_hashed_with_the_salt() -> None:
    assert logging_on().handle(asked(5, b"\x01\x02\x03\x04"), 1.5) == [
        Send(encode_password(md5_answer("probe", "secret", b"\x01\x02\x03\x04")))
    ]
    inner = hashlib.md5(b"secretprobe", usedforsecurity=False).hexdigest().encode()
    outer = hashlib.md5(inner + b"salt", usedforsecurity=False).hexdigest().encode()
    assert md5_answer("probe", "secret", b"salt") == b"md5" + outer


def test_scram_is_spoken_to_its_end() -> None:
    dialogue = logging_on("pencil")
    mine = nonce_of(7)
    assert dialogue.handle(asked(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), 1.5) == [
        Send(encode_sasl_initial("SCRAM-SHA-256", f"n,,n=,r={mine}".encode()))
    ]
    server = Scram("SCRAM-SHA-256", "", "pencil", mine)
    challenge = f"r={mine}theirs,s=QSXCR+Q6sek8bf92,i=4096".encode()
    answer = server.answer(challenge)
    assert dialogue.handle(asked(11, challenge), 1.5) == [Send(said(b"p", answer))]
    assert dialogue.handle(asked(12, b"v=" + base64.b64encode(server._signature)), 1.5) == []
    assert dialogue.handle(Received(LOGON), 1.5) == [Send(SELECT_ONE)]


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (asked(12, b"v=AAAA"), "its SCRAM signature is wrong: it does not know the password itself"),
        (asked(11, b"r=other,s=AAAA,i=1"), "its SCRAM nonce does not continue ours"),
    ],
)
def test_a_server_that_does_not_prove_itself_is_no_server_of_ours(event: Received, detail: str) -> None:
    dialogue = logging_on()
    dialogue.handle(asked(10, b"SCRAM-SHA-256\0\0"), 1.5)
    assert dialogue.handle(event, 1.5) == end(
        ErrorClass.PROTOCOL_ERROR, f"10.2.0.20:5432 does not speak PostgreSQL: {detail}"
    )


def test_a_password_in_clear_needs_tls_or_the_operators_word() -> None:
    assert logging_on(tls=Tls.OFF).handle(asked(3), 1.5) == [Send(encode_password(b"secret"))]
    plain = logging_on(tls=Tls.OFFERED)
    plain.handle(Received(b"N"), 1.5)
    finish = plain.handle(asked(3), 1.5)[0]
    assert isinstance(finish, Finish)
    assert (finish.outcome.health, finish.outcome.error, finish.outcome.detail) == (
        Health.UNKNOWN,
        ErrorClass.NOT_PERMITTED,
        '10.2.0.20:5432 asks for the password in clear outside TLS; it was not sent (tls = "false" allows it)',
    )


def test_tls_that_is_asked_for_is_not_done_without() -> None:
    assert logging_on(tls=Tls.VERIFIED).handle(Received(b"N"), 1.5) == end(
        ErrorClass.PROTOCOL_ERROR, "10.2.0.20:5432 does not offer TLS, which the check asks for"
    )


def test_a_wrong_password_says_nothing_about_the_server() -> None:
    dialogue = logging_on()
    finish = dialogue.handle(Received(said(b"E", b"SFATAL\0C28P01\0Mpassword authentication failed\0\0")), 1.5)[0]
    assert isinstance(finish, Finish)
    assert (finish.outcome.health, finish.outcome.error, finish.outcome.detail) == (
        Health.UNKNOWN,
        ErrorClass.NOT_PERMITTED,
        "10.2.0.20:5432 says FATAL 28P01: password authentication failed; check the probe's user and database, and pg_hba.conf",
    )


READY = said(b"Z", b"T")


def value(*columns: bytes) -> bytes:
    content = b"".join(struct.pack("!I", len(column)) + column for column in columns)
    return said(b"D", struct.pack("!H", len(columns)) + content) + READY


def test_a_query_runs_in_a_transaction_with_its_time() -> None:
    dialogue = logging_on(question=Question("SELECT now()", expect="today", statement_seconds=1.5))
    assert dialogue.handle(Received(LOGON), 1.5) == [
        Send(encode_query("BEGIN") + encode_query("SET LOCAL statement_timeout = 1500"))
    ]
    assert dialogue.handle(Received(READY), 1.5) == []
    assert dialogue.handle(Received(READY), 1.5) == [Send(encode_query("SELECT now()"))]
    assert dialogue.handle(Received(value(b"tomorrow")), 1.75) == end(
        ErrorClass.WRONG_ANSWER,
        "10.2.0.20:5432 answers the query with 'tomorrow', expected 'today'",
        logon_seconds=0.5,
        query_seconds=0.25,
    )


def test_a_statement_that_waits_too_long_is_no_answer() -> None:
    dialogue = logging_on(question=Question("SELECT 2"))
    dialogue.handle(Received(LOGON + READY + READY), 1.5)
    timeout = said(b"E", b"SERROR\0C57014\0Mcanceling statement due to statement timeout\0\0")
    assert dialogue.handle(Received(timeout), 3.0) == end(
        ErrorClass.NO_ANSWER,
        "10.2.0.20:5432 says ERROR 57014: canceling statement due to statement timeout",
        logon_seconds=0.5,
    )


def test_the_state_is_told_in_values_and_a_long_wait_is_bad() -> None:
    dialogue = logging_on(question=Question(state=True, most_wait_seconds=5.0))
    dialogue.handle(Received(LOGON), 1.5)
    assert [type(action) for action in dialogue.handle(Received(ROW), 1.5)] == [Send]
    assert dialogue.handle(Received(value(b"12", b"100", b"2", b"7.5", b"0")), 1.5) == end(
        ErrorClass.WRONG_ANSWER,
        "10.2.0.20:5432 has a statement that waits 7.5 s for a lock, more than 5 s (2 locks are waited for)",
        logon_seconds=0.5,
        query_seconds=0.0,
        connections_used=12.0,
        connections_max=100.0,
        waiting_locks=2.0,
        longest_lock_wait_seconds=7.5,
        in_recovery=0.0,
    )
