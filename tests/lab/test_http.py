import asyncio

import pytest

from btimd.lab.http import HttpError, Request, read_request


def reader_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_a_request_is_taken_apart() -> None:
    reader = reader_of(b"GET /page?id=7&size=10 HTTP/1.1\r\nHost: erp.lab.example\r\nX-Empty:\r\n\r\n")
    assert await read_request(reader) == Request(
        "GET", "/page", {"id": "7", "size": "10"}, {"host": "erp.lab.example", "x-empty": ""}, keep_alive=True
    )


@pytest.mark.parametrize(
    ("version", "header", "keep_alive"),
    [("1.1", "", True), ("1.1", "Connection: Close\r\n", False), ("1.0", "", False)],
)
async def test_connections_are_kept_unless_the_client_says_otherwise(
    version: str, header: str, keep_alive: bool
) -> None:
    request = await read_request(reader_of(f"GET / HTTP/{version}\r\n{header}\r\n".encode()))
    assert request.keep_alive is keep_alive


async def test_a_body_is_read_over() -> None:
    reader = reader_of(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET /next HTTP/1.1\r\n\r\n")
    assert (await read_request(reader)).method == "POST"
    assert (await read_request(reader)).path == "/next"


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET /\r\n\r\n",
        b"GET / FTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\n : empty\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(HttpError):
        await read_request(reader_of(data))


async def test_a_client_that_is_done_ends_the_reading() -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await read_request(reader_of(b"GET / HT"))
