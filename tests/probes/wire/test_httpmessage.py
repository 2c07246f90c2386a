import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.httpmessage import (
    MAX_BODY,
    MAX_HEAD,
    MAX_KEPT,
    Head,
    ResponseReader,
    decode_head,
    encode_get,
)

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n"
    b'5;note="x"\r\nhello\r\n00a\r\n, dear ERP\r\n0\r\nTrailer: y\r\n\r\n'
)
UNTIL_CLOSE = b"HTTP/1.0 404 Not Found\n\nnothing here"


def read(*pieces: bytes, close: bool = False) -> ResponseReader:
    reader = ResponseReader()
    for piece in pieces:
        reader.feed(piece)
    if close:
        reader.close()
    return reader


def test_a_request_is_one_get() -> None:
    assert encode_get(path="/health?x=1", host="erp.example:8080") == (
        b"GET /health?x=1 HTTP/1.1\r\nHost: erp.example:8080\r\nUser-Agent: btimd\r\nAccept: */*\r\n"
        b"Connection: close\r\n\r\n"
    )


@pytest.mark.parametrize(("path", "host"), [("health", "a"), ("/a b", "a"), ("/\r\nX: y", "a"), ("/", ""), ("/", "ü")])
def test_a_request_that_would_break_out_of_its_line_is_refused(path: str, host: str) -> None:
    with pytest.raises(ValueError, match="must"):
        encode_get(path=path, host=host)


@pytest.mark.parametrize(
    ("response", "status", "body", "close"),
    [
        (PLAIN, 200, b"hello", False),
        (CHUNKED, 200, b"hello, dear ERP", False),
        (UNTIL_CLOSE, 404, b"nothing here", True),
    ],
)
def test_a_response_is_the_same_in_one_piece_and_octet_by_octet(
    response: bytes, status: int, body: bytes, close: bool
) -> None:
    for pieces in ([response], [bytes([octet]) for octet in response]):
        reader = read(*pieces, close=close)
        assert reader.head is not None
        assert (reader.head.status, bytes(reader.body), reader.body_octets, reader.done) == (
            status,
            body,
            len(body),
            True,
        )


@pytest.mark.parametrize("response", [PLAIN, CHUNKED, UNTIL_CLOSE.partition(b"nothing")[0][:-1]])
def test_a_response_cut_anywhere_is_not_whole(response: bytes) -> None:
    for end in range(len(response)):
        reader = read(response[:end])
        assert not reader.done
        with pytest.raises(AnswerError, match="in the middle"):
            reader.close()


def test_statuses_without_a_body_are_done_with_their_head() -> None:
    for head in (b"204 No Content", b"304 Not Modified", b"200 OK\r\nContent-Length: 0"):
        assert read(b"HTTP/1.1 " + head + b"\r\n\r\n").done


def test_headers_are_joined_and_named_in_lower_case() -> None:
    assert decode_head(b"HTTP/1.1 200\r\nA: 1\r\na:  2 \r\nB:") == Head(200, "", {"a": "1, 2", "b": ""})


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "begins with b'SSH-2.0"),
        (b"HTTP/2 200\r\n\r\n", "status line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "header line"),
        (b"HTTP/1.1 200 OK\r\nspace : x\r\n\r\n", "header line"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "interim"),
        (b"HTTP/1.1 102 Wait\r\n\r\n" * 9, "9 interim"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "content-length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "content-length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999\r\n\r\n", "content-length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", "chunk size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 300, "chunk line over"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "a chunk followed by"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD, "a head over"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * MAX_HEAD + b"\r\n\r\n", "a head over"),
    ],
)
def test_what_is_no_http_is_refused(response: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        read(response)


def test_a_body_without_end_is_read_to_its_limit_and_kept_to_another() -> None:
    reader = read(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65_536] * 20)
    assert reader.done
    assert len(reader.body) == MAX_KEPT
    assert MAX_BODY < reader.body_octets <= MAX_BODY + 65_536


@given(st.lists(st.binary(max_size=60), max_size=5), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:110]]))
def test_garbage_is_read_or_refused(pieces: list[bytes], start: bytes) -> None:
    reader = ResponseReader()
    try:
        for piece in [start, *pieces]:
            reader.feed(piece)
        reader.close()
    except AnswerError:
        pass
