import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.ftp import FtpDialogue
from btimd.probes.wire.mail import Logon
from btimd.probes.wire.tls import TlsMode, TlsOptions
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

HELLO = b"220-Welcome\r\n220 ftp\r\n"
GO = b"234 go\r\n"
FEAT = b"211-Features:\r\n UTF8\r\n211 End\r\n"
LATER = TlsOptions(TlsMode.LATER, verify=False)
ME = Logon("me", "secret")


def dialogue(tls: TlsOptions = TlsOptions(), logon: Logon = ME) -> FtpDialogue:  # noqa: B008
    return FtpDialogue("10.2.0.21", 0, tls=tls, logon=logon)


def test_a_whole_talk_in_tls_with_a_logon() -> None:
    talk = [HELLO, GO, FEAT, b"331 who\r\n", b"230 in\r\n", b'257 "/"\r\n']
    sent, end = play(dialogue(LATER), talk)
    assert sent == [
        b"AUTH TLS\r\n", "TLS", b"FEAT\r\n", b"USER me\r\n", b"PASS secret\r\n", b"PWD\r\n", b"QUIT\r\n",
    ]  # fmt: skip
    assert told(end) == (ErrorClass.NONE, "10.2.0.21:21 logs on and answers PWD; it is 'Welcome'")
    assert end is not None
    assert {"auth_tls_seconds", "feat_seconds", "user_seconds", "pass_seconds", "pwd_seconds"} <= end.values.keys()
    survives_cuts(lambda: dialogue(LATER), talk)
    survives_changes(lambda: dialogue(LATER), talk)


@pytest.mark.parametrize(
    ("tls", "logon", "pieces", "error", "detail"),
    [
        (TlsOptions(), Logon(), [HELLO, FEAT], ErrorClass.NONE, " answers FEAT; it is 'Welcome'"),
        (TlsOptions(), Logon(), [HELLO, b"500 what\r\n"], ErrorClass.NONE, " answers; it is 'Welcome'"),
        (TlsOptions(), ME, [b"120 in 5 minutes\r\n", b"421 no\r\n"], ErrorClass.WRONG_ANSWER, " answers banner: 421 no"),
        (TlsOptions(), ME, [HELLO, FEAT, b"230 in\r\n", b"550 disk\r\n"], ErrorClass.WRONG_ANSWER, " answers PWD: 550 disk"),
        (TlsOptions(), ME, [HELLO, FEAT, b"331\r\n", b"530 no\r\n"], ErrorClass.WRONG_ANSWER, " answers PASS: 530 no"),
        (LATER, ME, [HELLO, b"502 what\r\n"], ErrorClass.WRONG_ANSWER, " offers no STARTTLS"),
        (TlsOptions(), ME, [b"SSH-2.0\r\n"], ErrorClass.PROTOCOL_ERROR, " does not speak FTP: the line 'SSH-2.0'"),
    ],
)  # fmt: skip
def test_every_other_end_says_where(
    tls: TlsOptions, logon: Logon, pieces: list[Piece], error: ErrorClass, detail: str
) -> None:
    assert told(ends(lambda: dialogue(tls, logon), pieces)) == (error, f"10.2.0.21:21{detail}")
