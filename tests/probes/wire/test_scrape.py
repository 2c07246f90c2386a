import base64
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Closed,
    Connect,
    Connected,
    Deadline,
    Finish,
    Line,
    Outcome,
    Received,
    Secure,
    Secured,
    Send,
)
from btimd.probes.wire.scrape import MAX_TEXT, Page, ScrapeDialogue, encode_scrape

PAGE = Page("127.0.0.1", 9100)
TEXT = b"up 1\nload 2\n"


def answer(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, length, *headers, b"", body])


def scraped(*pieces: bytes, closed: bool = False, page: Page = PAGE) -> tuple[Outcome, str]:
    dialogue = ScrapeDialogue(page)
    assert dialogue.start(0.0) == [Connect(Line.TCP, "127.0.0.1", 9100)]
    assert isinstance(dialogue.handle(Connected(), 0.1)[0], Send)
    actions = []
    for piece in pieces:
        actions += dialogue.handle(Received(piece), 0.2)
    if closed:
        actions += dialogue.handle(Closed(), 0.3)
    actions += dialogue.handle(Deadline(), 2.0)
    assert isinstance(actions[0], Finish)
    return actions[0].outcome, dialogue.text


def test_the_request_asks_for_metrics_packed() -> None:
    assert encode_scrape(Page("::1", 9100, "/m?x=1", token="t0k")) == (
        b"GET /m?x=1 HTTP/1.1\r\nHost: [::1]:9100\r\nUser-Agent: btimd\r\n"
        b"Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
        b"Accept-Encoding: gzip\r\nAuthorization: Bearer t0k\r\nConnection: close\r\n\r\n"
    )
    basic = b"Authorization: Basic " + base64.b64encode(b"me:s3cret") + b"\r\n"
    assert basic in encode_scrape(Page("h", 1, user="me", password="s3cret"))
    with pytest.raises(ValueError, match="the token holds other than visible ASCII"):
        encode_scrape(Page("h", 1, token="a\r\nb"))
    assert "t0k" not in repr(Page("h", 1, token="t0k"))


@pytest.mark.parametrize(
    ("raw", "closed"),
    [
        (answer(TEXT), False),
        (answer(gzip.compress(TEXT, mtime=0), b"Content-Encoding: gzip"), False),
        (b"HTTP/1.0 200 OK\r\n\r\n" + TEXT, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nup 1\n\r\n7\r\nload 2\n\r\n0\r\n\r\n", False),
    ],
)
def test_a_page_comes_whole_or_in_single_octets(raw: bytes, closed: bool) -> None:
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        outcome, text = scraped(*pieces, closed=closed)
        assert (outcome.health, outcome.detail, text) == (
            Health.GOOD,
            "127.0.0.1:9100/metrics answers HTTP 200, 12 octets",
            TEXT.decode(),
        )


def test_tls_comes_first_where_asked_for() -> None:
    dialogue = ScrapeDialogue(Page("10.0.0.1", 9100, secure=True, verify=False))
    dialogue.start(0.0)
    assert dialogue.handle(Connected(), 0.1) == [Secure("10.0.0.1", verify=False)]
    assert isinstance(dialogue.handle(Secured(), 0.2)[0], Send)


@pytest.mark.parametrize(
    ("raw", "error", "detail"),
    [
        (
            answer(b"", status=b"401 No"),
            ErrorClass.WRONG_ANSWER,
            "127.0.0.1:9100/metrics answers HTTP 401; correct token_file, or user and password_file",
        ),
        (
            answer(b"", status=b"404 No"),
            ErrorClass.WRONG_ANSWER,
            "127.0.0.1:9100/metrics answers HTTP 404, expected 200; correct path",
        ),
        (
            answer(b"x", b"Content-Encoding: br"),
            ErrorClass.PROTOCOL_ERROR,
            "127.0.0.1:9100: a page packed by br, which was not asked for",
        ),
        (
            answer(gzip.compress(TEXT, mtime=0)[:-9], b"Content-Encoding: gzip"),
            ErrorClass.PROTOCOL_ERROR,
            "127.0.0.1:9100/metrics answers HTTP 200, but its packed page is cut",
        ),
        (
            b"SSH-2.0-x\r\n\r\n",
            ErrorClass.PROTOCOL_ERROR,
            "127.0.0.1:9100: the answer begins with b'SSH-2.0-x\\r\\n\\r\\n'",
        ),
        (
            answer(TEXT)[:-1],
            ErrorClass.NO_ANSWER,
            "127.0.0.1:9100 accepts the connection and never answers (2.0 s waited)",
        ),
    ],
)
def test_what_is_no_page_is_told(raw: bytes, error: ErrorClass, detail: str) -> None:
    outcome, _ = scraped(raw)
    assert (outcome.health, outcome.error, outcome.detail) == (Health.BAD, error, detail)


def test_a_small_answer_that_unpacks_to_much_is_cut_off() -> None:
    bomb = answer(gzip.compress(b"x 1\n" * (MAX_TEXT // 2)), b"Content-Encoding: gzip")
    dialogue = ScrapeDialogue(PAGE)
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.1)
    finish = next(
        action
        for at in range(0, len(bomb), 16_384)
        for action in dialogue.handle(Received(bomb[at : at + 16_384]), 0.2)
    )
    assert isinstance(finish, Finish)
    assert finish.outcome.detail == "127.0.0.1:9100: a page over 8 MiB"
    assert len(dialogue.text) <= MAX_TEXT + 1


def test_a_page_without_end_is_cut_off() -> None:
    dialogue = ScrapeDialogue(PAGE)
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.1)
    dialogue.handle(Received(b"HTTP/1.1 200 OK\r\n\r\n"), 0.1)
    pieces = 0
    while not dialogue.handle(Received(b"y 1\n" * 4096), 0.2):
        pieces += 1
    assert pieces == MAX_TEXT // 16_384


@given(st.binary(max_size=300), st.sampled_from([b"gzip", b"identity", b"deflate"]))
def test_any_body_is_taken(body: bytes, coding: bytes) -> None:
    outcome, _ = scraped(answer(body, b"Content-Encoding: " + coding))
    assert outcome.health in set(Health)


@given(st.integers(0, 60), st.integers(0, 255))
def test_packed_octets_with_any_changed_are_taken(at: int, octet: int) -> None:
    packed = bytearray(gzip.compress(TEXT * 3, mtime=0))
    packed[at % len(packed)] = octet
    scraped(answer(bytes(packed), b"Content-Encoding: gzip"))
