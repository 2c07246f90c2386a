import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.pop3 import Pop3Dialogue
from btimd.probes.wire.tls import TlsMode, TlsOptions
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

HELLO = b"+OK ready\r\n"
CAPA = b"+OK\r\nSTLS\r\nUSER\r\n.\r\n"
OK = b"+OK\r\n"
LATER = TlsOptions(TlsMode.LATER, verify=False)


def dialogue(tls: TlsOptions = TlsOptions(), logon: Logon = Logon()) -> Pop3Dialogue:  # noqa: B008
    return Pop3Dialogue("10.2.0.25", 0, tls=tls, logon=logon)


def test_a_whole_talk_in_tls_with_a_logon() -> None:
    talk = [HELLO, CAPA, OK, CAPA, OK, OK, b"+OK 2 320\r\n"]
    sent, end = play(dialogue(LATER, Logon("me", "secret")), talk)
    assert sent == [
        b"CAPA\r\n", b"STLS\r\n", "TLS", b"CAPA\r\n", b"USER me\r\n", b"PASS secret\r\n", b"STAT\r\n", b"QUIT\r\n",
    ]  # fmt: skip
    assert told(end) == (ErrorClass.NONE, "10.2.0.25:110 logs on and has 2 messages; it is 'ready'")
    assert end is not None
    assert (end.values["messages"], end.values["octets"], end.values["pass_seconds"]) == (2, 320, 0.125)
    survives_cuts(lambda: dialogue(LATER, Logon("me", "secret")), talk)
    survives_changes(lambda: dialogue(LATER, Logon("me", "secret")), talk)


def test_a_server_from_before_capa_is_good() -> None:
    assert told(ends(dialogue, [HELLO, b"-ERR what\r\n"])) == (
        ErrorClass.NONE,
        "10.2.0.25:110 answers CAPA; it is 'ready'",
    )


@pytest.mark.parametrize(
    ("tls", "pieces", "error", "detail"),
    [
        (TlsOptions(), [b"-ERR busy\r\n"], ErrorClass.WRONG_ANSWER, " answers banner: -ERR busy"),
        (LATER, [HELLO, b"+OK\r\nUSER\r\n.\r\n"], ErrorClass.WRONG_ANSWER, " offers no STARTTLS"),
        (
            TlsOptions(),
            [HELLO, CAPA, OK, b"-ERR [AUTH] no secret\r\n"],
            ErrorClass.WRONG_ANSWER,
            " answers PASS: -ERR [AUTH] no ***",
        ),
        (
            TlsOptions(),
            [HELLO, CAPA, OK, OK, b"+OK many\r\n"],
            ErrorClass.PROTOCOL_ERROR,
            " does not speak POP3: the mailbox 'many'",
        ),
        (TlsOptions(), [b"220 x\r\n"], ErrorClass.PROTOCOL_ERROR, " does not speak POP3: the line '220 x'"),
    ],
)
def test_every_other_end_says_where(tls: TlsOptions, pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(tls, Logon("me", "secret")), pieces)) == (error, f"10.2.0.25:110{detail}")
