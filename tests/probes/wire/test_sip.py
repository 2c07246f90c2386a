import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import Refused
from btimd.probes.wire.sip import SipDialogue, Transport, status_rule
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

TOKEN = 0x1122_3344_5566_7788
CALL = "1122334455667788"


def answer(status: str, *, call: str = CALL, body: str = "", more: str = "") -> bytes:
    return (
        f"SIP/2.0 {status}\r\nv: SIP/2.0/UDP 10.0.0.9\r\nCall-ID: {call}\r\nServer: pbx 1.0\r\n{more}"
        f"l: {len(body)}\r\n\r\n{body}"
    ).encode()


def dialogue(transport: Transport = Transport.UDP, **options: str) -> SipDialogue:
    return SipDialogue("10.2.0.50", 0, TOKEN, transport=transport, **options)  # type: ignore[arg-type]


def test_options_and_their_answer() -> None:
    sent, end = play(dialogue(), [answer("100 Trying"), answer("200 OK")])
    assert sent == [
        (
            b"OPTIONS sip:10.2.0.50 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1122334455667788;rport\r\n"
            b"Max-Forwards: 70\r\nFrom: <sip:btimd@10.0.0.9>;tag=11223344\r\nTo: <sip:10.2.0.50>\r\n"
            b"Call-ID: 1122334455667788\r\nCSeq: 1 OPTIONS\r\nContact: <sip:btimd@10.0.0.9>\r\nAccept: application/sdp\r\n"
            b"User-Agent: btimd\r\nContent-Length: 0\r\n\r\n"
        )
    ]
    assert told(end) == (ErrorClass.NONE, "10.2.0.50:5060 answers OPTIONS with 200 OK; it is 'pbx 1.0'")
    assert end is not None
    assert dict(end.values) == {"answer_seconds": 0.25, "status": 200}


@pytest.mark.parametrize(
    ("transport", "pieces", "error", "detail"),
    [
        (
            Transport.UDP,
            [answer("503 Busy")],
            ErrorClass.WRONG_ANSWER,
            "answers OPTIONS with 503 Busy; it is 'pbx 1.0', expected 2xx",
        ),
        (Transport.UDP, [answer("200 OK", call="x")], ErrorClass.TIMEOUT, "does not answer a SIP OPTIONS within 0.4 s"),
        (Transport.UDP, [Refused()], ErrorClass.REFUSED, "refuses: the host answers, nobody listens there"),
        (
            Transport.UDP,
            [b"SIP/2.0 200 OK\r\n"],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: a response without its end",
        ),
        (
            Transport.TCP,
            [answer("200 OK", call="x")],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: a response to another request",
        ),
        (
            Transport.TCP,
            [answer("180 Ringing") * 9],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: over 8 provisional responses",
        ),
        (
            Transport.TCP,
            [b"HTTP/1.1 400 Bad\r\n"],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: the answer begins with b'HTTP/1.1 400 Bad\\r\\n'",
        ),
        (
            Transport.TCP,
            [answer("200 OK", more="junk\r\n")],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: header line 'junk'",
        ),
        (
            Transport.TCP,
            [answer("200 OK", more="Content-Length: 99999\r\n")],
            ErrorClass.PROTOCOL_ERROR,
            "does not speak SIP: a body of 99999 octets",
        ),
        (
            Transport.TCP,
            [answer("200 OK")[:40]],
            ErrorClass.NO_ANSWER,
            "accepts the connection and never answers (0.4 s waited)",
        ),
    ],
)
def test_every_other_end_says_why(transport: Transport, pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(transport), pieces)) == (error, f"10.2.0.50:5060 {detail}")


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="uri 'pbx' is none"):
        dialogue(uri="pbx")
    with pytest.raises(ValueError, match="expect_status '1xx' is none"):
        status_rule("1xx")
    assert [status for status in (200, 404, 486, 603) if status_rule("2xx,404,6xx")(status)] == [200, 404, 603]


def test_nothing_breaks_it() -> None:
    for transport in (Transport.UDP, Transport.TCP):
        survives_cuts(lambda: dialogue(transport), [answer("200 OK", body="v=0")])  # noqa: B023
        survives_changes(lambda: dialogue(transport), [answer("100 Trying"), answer("200 OK", body="v=0")])  # noqa: B023
