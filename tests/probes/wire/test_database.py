import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.database import (
    MAX_CONVERSATION,
    SELECT_ONE,
    SSL_REQUEST,
    TERMINATE,
    MessageReader,
    PostgresDialogue,
    decode_error,
    encode_startup,
)
from btimd.probes.wire.dialogue import (
    Action,
    AnswerError,
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
        *end(ErrorClass.NONE, "10.2.0.20:5432 answers SELECT 1", logon_seconds=0.5, answer_seconds=0.75),
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
        ErrorClass.WRONG_ANSWER, "10.2.0.20:5432 answers SELECT 1 with None", logon_seconds=0.5, answer_seconds=0.5
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


def test_names_with_a_zero_octet_are_refused() -> None:
    for user in ("", "a\0b"):
        with pytest.raises(ValueError, match="zero octet"):
            encode_startup(user, "erp")


def test_a_talkative_server_is_cut_off() -> None:
    reader = MessageReader()
    message = said(b"S", bytes(1000))
    for _ in range(MAX_CONVERSATION // len(message)):
        assert len(list(reader.feed(message))) == 1
    with pytest.raises(AnswerError, match="octets before the answer"):
        list(reader.feed(message))


def test_an_error_without_fields_is_empty() -> None:
    assert decode_error(b"") == ("", "", "")
    assert decode_error(b"SFATAL\0Mwhy\xff\0") == ("FATAL", "", "why\ufffd")


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", b"N", b"N" + LOGON]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    dialogue = PostgresDialogue("10.2.0.20", 0, user="probe", database="erp")
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.0)
    for piece in (start[:1], start[1:], *pieces):
        dialogue.handle(Received(piece), 0.5)
    dialogue.handle(Deadline(), 2.0)
    assert dialogue.handle(Deadline(), 2.0) == []
