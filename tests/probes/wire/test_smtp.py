import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import Closed, Deadline
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.smtp import SmtpDialogue
from btimd.probes.wire.tls import TlsMode, TlsOptions
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

HELLO = b"220 mail.example ESMTP\r\n"
OFFERS = b"250-mail.example\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"
OK = b"250 2.0.0 Ok\r\n"
GO = b"220 Ready\r\n"
IN = b"235 2.7.0 in\r\n"
LATER = TlsOptions(TlsMode.LATER, verify=False)


def dialogue(tls: TlsOptions = TlsOptions(), logon: Logon = Logon()) -> SmtpDialogue:  # noqa: B008
    return SmtpDialogue("10.2.0.25", 0, tls=tls, logon=logon)


def test_a_whole_talk_in_tls_with_a_logon() -> None:
    sent, end = play(dialogue(LATER, Logon("me", "secret")), [HELLO, OFFERS, GO, OFFERS, IN, OK])
    assert sent == [
        b"EHLO btimd.invalid\r\n",
        b"STARTTLS\r\n",
        "TLS",
        b"EHLO btimd.invalid\r\n",
        b"AUTH PLAIN AG1lAHNlY3JldA==\r\n",
        b"NOOP\r\n",
        b"QUIT\r\n",
    ]
    assert told(end) == (ErrorClass.NONE, "10.2.0.25:25 answers NOOP and logs on; it is 'mail.example ESMTP'")
    assert end is not None
    assert dict(end.values) == {
        "connect_seconds": 0.125,
        "banner_seconds": 0.125,
        "ehlo_seconds": 0.125,
        "starttls_seconds": 0.125,
        "tls_seconds": 0.0,
        "auth_seconds": 0.125,
        "noop_seconds": 0.125,
    }


def test_the_older_way_to_log_on() -> None:
    offers = b"250-mail.example\r\n250 AUTH LOGIN\r\n"
    sent, end = play(dialogue(logon=Logon("me", "secret")), [HELLO, offers, b"334 UGFzc3dvcmQ6\r\n", IN, OK])
    assert sent[1:3] == [b"AUTH LOGIN bWU=\r\n", b"c2VjcmV0\r\n"]
    assert told(end)[0] is ErrorClass.NONE


@pytest.mark.parametrize(
    ("tls", "pieces", "error", "detail"),
    [
        (TlsOptions(), [b"554 no service\r\n"], ErrorClass.WRONG_ANSWER, " answers banner: 554 no service"),
        (TlsOptions(), [b"421 busy\r\n"], ErrorClass.WRONG_ANSWER, " answers banner: 421 busy"),
        (TlsOptions(), [HELLO, OFFERS, b"451 disk full\r\n"], ErrorClass.WRONG_ANSWER, " answers NOOP: 451 disk full"),
        (LATER, [HELLO, b"250 mail\r\n"], ErrorClass.WRONG_ANSWER, " offers no STARTTLS"),
        (LATER, [HELLO, OFFERS, b"454 no TLS\r\n"], ErrorClass.WRONG_ANSWER, " answers STARTTLS: 454 no TLS"),
        (
            LATER,
            [HELLO, OFFERS, GO + OK],
            ErrorClass.PROTOCOL_ERROR,
            " does not speak SMTP: words after the go-ahead for TLS and before it stands, which are somebody else's",
        ),
        (TlsOptions(), [b"+OK pop\r\n"], ErrorClass.PROTOCOL_ERROR, " does not speak SMTP: the line '+OK pop'"),
        (
            TlsOptions(),
            [Closed()],
            ErrorClass.NO_ANSWER,
            " accepts the connection and closes it without an answer",
        ),
        (TlsOptions(), [HELLO, Closed()], ErrorClass.NO_ANSWER, " closes the connection instead of answering EHLO"),
        (
            TlsOptions(),
            [HELLO, OFFERS, Deadline()],
            ErrorClass.NO_ANSWER,
            " accepts the connection and does not answer NOOP (0.5 s waited)",
        ),
    ],
)
def test_every_other_end_says_where(tls: TlsOptions, pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(tls), pieces)) == (error, f"10.2.0.25:25{detail}")


def test_a_mail_is_announced_and_called_off() -> None:
    sent, end = play(SmtpDialogue("10.2.0.25", 0, sender="a@example.org"), [HELLO, OFFERS, OK, OK])
    assert sent == [b"EHLO btimd.invalid\r\n", b"MAIL FROM:<a@example.org>\r\n", b"RSET\r\n", b"QUIT\r\n"]
    assert told(end) == (ErrorClass.NONE, "10.2.0.25:25 takes mail; it is 'mail.example ESMTP'")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"452 4.3.1 Insufficient system storage\r\n", ErrorClass.EXCEEDED),
        (b"553 5.1.8 who is that\r\n", ErrorClass.WRONG_ANSWER),
    ],
)
def test_a_server_without_room_says_so_when_a_mail_is_announced(reply: bytes, error: ErrorClass) -> None:
    said = f"10.2.0.25:25 answers MAIL FROM: {reply.decode().strip()}"
    assert told(ends(lambda: SmtpDialogue("10.2.0.25", 0, sender=""), [HELLO, OFFERS, reply])) == (error, said)


def test_a_sender_is_one_address() -> None:
    with pytest.raises(ValueError, match="without angle brackets"):
        SmtpDialogue("10.2.0.25", 0, sender="<a@example.org>")


def test_a_password_that_the_server_repeats_is_hidden() -> None:
    pieces = [HELLO, OFFERS, b"535 bad AG1lAHNlY3JldA== (secret)\r\n"]
    assert told(ends(lambda: dialogue(logon=Logon("me", "secret")), pieces)) == (
        ErrorClass.WRONG_ANSWER,
        "10.2.0.25:25 answers AUTH: 535 bad *** (***)",
    )


def test_a_server_that_knows_no_way_to_log_on() -> None:
    _, end = play(dialogue(logon=Logon("me", "x")), [HELLO, b"250-m\r\n250 AUTH GSSAPI\r\n"])
    assert told(end)[1].endswith("no way to log on is offered that is known here (PLAIN, LOGIN)")


@pytest.mark.slow
def test_nothing_breaks_it() -> None:
    talk = [HELLO, OFFERS, GO, OFFERS, IN, OK]
    survives_cuts(lambda: dialogue(LATER, Logon("me", "secret")), talk)
    survives_changes(lambda: dialogue(LATER, Logon("me", "secret")), talk)


def test_a_greeting_that_would_break_out_is_refused() -> None:
    with pytest.raises(ValueError, match="is no name of a host"):
        SmtpDialogue("h", 0, ehlo="a b")
