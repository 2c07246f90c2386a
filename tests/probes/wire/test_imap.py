import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.imap import ImapDialogue, quoted
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.tls import TlsMode, TlsOptions
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

HELLO = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
OFFERS = b"* CAPABILITY IMAP4rev1 STARTTLS\r\nb1 OK done\r\n"
GO = b"b2 OK go\r\n"
IN = b"* CAPABILITY IDLE\r\nb3 OK in\r\n"
STATUS = b'* STATUS "IN (1) BOX" (MESSAGES 4 UNSEEN 1)\r\nb4 OK done\r\n'
LATER = TlsOptions(TlsMode.LATER, verify=False)
ME = Logon("me", 'se"cret')


def dialogue(tls: TlsOptions = TlsOptions(), logon: Logon = ME) -> ImapDialogue:  # noqa: B008
    return ImapDialogue("10.2.0.25", 0, tls=tls, logon=logon)


def test_a_whole_talk_in_tls_with_a_logon() -> None:
    talk = [HELLO, OFFERS, GO, OFFERS, IN, STATUS]
    sent, end = play(dialogue(LATER), talk)
    assert sent == [
        b"b1 CAPABILITY\r\n",
        b"b2 STARTTLS\r\n",
        "TLS",
        b"b1 CAPABILITY\r\n",
        b'b3 LOGIN "me" "se\\"cret"\r\n',
        b"b4 STATUS INBOX (MESSAGES UNSEEN)\r\n",
        b"b9 LOGOUT\r\n",
    ]
    assert told(end) == (ErrorClass.NONE, "10.2.0.25:143 logs on and has 4 messages; it is 'ready'")
    assert end is not None
    assert (end.values["messages"], end.values["unseen"], end.values["login_seconds"]) == (4, 1, 0.125)
    survives_cuts(lambda: dialogue(LATER), talk)
    survives_changes(lambda: dialogue(LATER), talk)


def test_without_a_user_a_noop_is_enough() -> None:
    assert told(ends(lambda: dialogue(logon=Logon()), [HELLO, OFFERS, b"b5 OK\r\n"])) == (
        ErrorClass.NONE,
        "10.2.0.25:143 answers NOOP; it is 'ready'",
    )


@pytest.mark.parametrize(
    ("tls", "pieces", "error", "detail"),
    [
        (TlsOptions(), [b"* BYE too many\r\n"], ErrorClass.WRONG_ANSWER, " answers banner: BYE too many"),
        (LATER, [HELLO, b"b1 OK\r\n"], ErrorClass.WRONG_ANSWER, " offers no STARTTLS"),
        (
            TlsOptions(),
            [HELLO, b"* CAPABILITY LOGINDISABLED\r\nb1 OK\r\n"],
            ErrorClass.WRONG_ANSWER,
            " answers CAPABILITY: LOGINDISABLED, a logon is allowed in TLS only",
        ),
        (
            TlsOptions(),
            [HELLO, OFFERS, b'b3 NO bad se\\"cret\r\n'],
            ErrorClass.WRONG_ANSWER,
            " answers LOGIN: NO bad ***",
        ),
        (
            TlsOptions(),
            [HELLO, OFFERS, IN, b"b4 OK\r\n"],
            ErrorClass.WRONG_ANSWER,
            " answers STATUS: OK without the number of messages",
        ),
        (TlsOptions(), [b"+OK pop\r\n"], ErrorClass.PROTOCOL_ERROR, " does not speak IMAP: the line '+OK pop'"),
    ],
)
def test_every_other_end_says_where(tls: TlsOptions, pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(tls), pieces)) == (error, f"10.2.0.25:143{detail}")


def test_strings_are_quoted() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'
