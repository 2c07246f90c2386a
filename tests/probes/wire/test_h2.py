import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.certificates import NO_RULE
from btimd.probes.wire.dialogue import Closed, Finish, Secured
from btimd.probes.wire.dialogue import Connected as Open
from btimd.probes.wire.h2 import encode_get
from btimd.probes.wire.h2frames import (
    CONTINUATION,
    DATA,
    GOAWAY,
    HEADERS,
    PING,
    PREFACE,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    Frame,
    FrameReader,
)  # fmt: skip
from btimd.probes.wire.hpack import Decoder, encode
from btimd.probes.wire.http import HttpDialogue, HttpRequest
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

START = Frame(SETTINGS, 0, 0, b"\0\3\0\0\0\x80").wire
ACKED = Frame(SETTINGS, 1, 0, b"").wire
HEAD = Frame(HEADERS, 4, 1, encode([(":status", "200"), ("server", "x")])).wire
BODY = Frame(DATA, 1, 1, b"erp is well").wire


def dialogue(**options: str) -> HttpDialogue:
    return HttpDialogue(HttpRequest("10.2.0.10", 0, path="/health", version="2", **options), 7)  # type: ignore[arg-type]


def test_a_get_and_its_answer() -> None:
    sent, end = play(dialogue(), [START, ACKED + HEAD, Frame(PING, 0, 0, b"12345678").wire, BODY])
    assert sent == [
        encode_get(path="/health", authority="10.2.0.10", scheme="http"), ACKED, Frame(PING, 1, 0, b"12345678").wire,
    ]  # fmt: skip
    assert told(end) == (ErrorClass.NONE, "10.2.0.10:80/health answers HTTP 200")
    assert end is not None
    assert (end.values["status"], end.values["body_octets"], end.values["answer_seconds"]) == (200, 11, 0.125)


def test_what_a_client_says_first() -> None:
    get = encode_get(path="/health", authority="erp.example", scheme="https")
    assert get.startswith(PREFACE)
    frames = list(FrameReader().feed(get[len(PREFACE) :]))
    assert [(frame.type, frame.flags, frame.stream) for frame in frames] == [(4, 0, 0), (8, 0, 0), (1, 5, 1)]
    assert Decoder().decode(frames[2].payload) == [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/health"),
        (":authority", "erp.example"),
        ("user-agent", "btimd"),
        ("accept", "*/*"),
    ]


def test_a_head_in_parts_an_interim_one_and_a_trailer() -> None:
    block = encode([(":status", "204")])
    talk = (
        START
        + Frame(HEADERS, 4, 1, encode([(":status", "103")])).wire
        + Frame(HEADERS, 0, 1, block[:1]).wire
        + Frame(CONTINUATION, 4, 1, block[1:]).wire
        + Frame(HEADERS, 5, 1, encode([("x", "y")])).wire
    )
    assert told(ends(dialogue, [talk])) == (ErrorClass.NONE, "10.2.0.10:80/health answers HTTP 204")


@pytest.mark.parametrize(
    ("pieces", "error", "why"),
    [
        ([b"HTTP/1.1 400 Bad\r\n"], ErrorClass.PROTOCOL_ERROR, "does not speak HTTP/2: it answers in HTTP/1"),
        ([HEAD], ErrorClass.PROTOCOL_ERROR, "which are no settings"),
        ([START + BODY], ErrorClass.PROTOCOL_ERROR, "a body before its head"),
        (
            [START + Frame(RST_STREAM, 0, 1, b"\0\0\0\7").wire],
            ErrorClass.PROTOCOL_ERROR,
            "the server breaks the request off: REFUSED_STREAM",
        ),
        (
            [START + Frame(GOAWAY, 0, 0, b"\0\0\0\0\0\0\0\x0bcalm\n").wire],
            ErrorClass.PROTOCOL_ERROR,
            "the server goes away: ENHANCE_YOUR_CALM calm?",
        ),
        ([START + Frame(PUSH_PROMISE, 4, 1, b"").wire], ErrorClass.PROTOCOL_ERROR, "a push that was forbidden"),
        ([START + Frame(DATA, 0, 3, b"").wire], ErrorClass.PROTOCOL_ERROR, "a frame of type 0 on stream 3"),
        ([START * 70], ErrorClass.PROTOCOL_ERROR, "over 64 settings and pings"),
        ([START + Frame(PING, 0, 0, b"1").wire], ErrorClass.PROTOCOL_ERROR, "settings or a ping of 1 octets"),
        ([START + Frame(250, 0, 0, b"").wire * 5000], ErrorClass.PROTOCOL_ERROR, "over 4096 frames"),
        (
            [START, Frame(HEADERS, 0, 1, bytes(16_000)).wire + Frame(CONTINUATION, 0, 1, bytes(16_000)).wire],
            ErrorClass.PROTOCOL_ERROR,
            "a head over 16384 octets",
        ),
        (
            [START + Frame(HEADERS, 0, 1, b"").wire + Frame(PING, 1, 0, bytes(8)).wire],
            ErrorClass.PROTOCOL_ERROR,
            "a frame of type 6 within or without headers",
        ),
        ([START + HEAD + HEAD], ErrorClass.PROTOCOL_ERROR, "a second head"),
        (
            [START + Frame(HEADERS, 4, 1, encode([("server", "x")])).wire],
            ErrorClass.PROTOCOL_ERROR,
            "a head with the statuses []",
        ),
        (
            [START + HEAD, Closed()],
            ErrorClass.PROTOCOL_ERROR,
            "the connection was closed in the middle of the response",
        ),
        ([START + HEAD], ErrorClass.NO_ANSWER, "begins HTTP 200 and is not done"),
    ],
)
def test_every_other_answer_says_why(pieces: list[Piece], error: ErrorClass, why: str) -> None:
    found = told(ends(dialogue, pieces))
    assert found[0] is error
    assert why in found[1]


def test_a_server_gets_no_more_than_its_window() -> None:
    dialogue_ = dialogue()
    dialogue_.start(1.0)
    dialogue_.handle(Open(), 1.0)
    padded = Frame(DATA, 0x08, 1, bytes((255,)) + bytes(300)).wire  # padding counts, content is little
    _, end = play(dialogue(), [START + HEAD + padded * 3600])
    assert told(end)[1].endswith("more octets than the window allows")


def test_a_server_without_http2_in_tls_is_told() -> None:
    request = HttpRequest("10.2.0.10", 0, version="2", secure=True, verify=False, expiry=NO_RULE)
    asking = HttpDialogue(request, 7)
    asking.start(1.0)
    asking.handle(Open(), 1.0)
    actions = asking.handle(Secured(alpn=""), 1.0)
    assert isinstance(actions[0], Finish)
    assert actions[0].outcome.health is Health.BAD
    assert actions[0].outcome.detail == "10.2.0.10:443 speaks TLS and offers no HTTP/2 in it (ALPN)"


def test_a_version_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="version '3' is unknown; write one of 1.1, 2"):
        HttpDialogue(HttpRequest("h", 0, version="3"), 7)


def test_nothing_breaks_it() -> None:
    survives_cuts(dialogue, [START, HEAD, BODY])
    survives_changes(dialogue, [START, HEAD, BODY])
