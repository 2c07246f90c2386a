"""The little of HTTP/1.1 (RFC 9112) that the enterprise's servers and users speak: GET, Content-Length, keep-alive."""

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit

MAX_HEAD_OCTETS: Final = 8192
MAX_BODY_OCTETS: Final = 4 << 20
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
_STATUS_LINE_PARTS: Final = 2


class HttpError(ValueError):
    """The other side sent what is no HTTP."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request without body. path is without query; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    keep_alive: bool


@dataclass(frozen=True, slots=True)
class Response:
    """A status and the whole body."""

    status: int
    body: bytes


async def _read_head(reader: asyncio.StreamReader) -> tuple[str, dict[str, str]]:
    head = await reader.readuntil(b"\r\n\r\n")
    if len(head) > MAX_HEAD_OCTETS:
        raise HttpError(f"a head of {len(head)} octets is too long")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise HttpError(f"{line[:60]!r} is no header")
        headers[name.lower()] = value.strip()
    return first, headers


def _body_length(headers: dict[str, str]) -> int:
    text = headers.get("content-length", "0")
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_BODY_OCTETS)):
        raise HttpError(f"content-length {text[:20]!r} is not acceptable")
    length = int(text)
    if length > MAX_BODY_OCTETS:
        raise HttpError(f"a body of {length} octets is too long")
    return length


async def read_request(reader: asyncio.StreamReader) -> Request:
    """Return the next request; raises HttpError for what is none, IncompleteReadError when the client is done."""
    first, headers = await _read_head(reader)
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):  # noqa: PLR2004  method, target, version
        raise HttpError(f"{first[:60]!r} is no request line")
    await reader.readexactly(_body_length(headers))
    target = urlsplit(parts[1])
    keep_alive = headers.get("connection", "").lower() != "close" and parts[2] == "HTTP/1.1"
    return Request(parts[0], target.path or "/", dict(parse_qsl(target.query)), headers, keep_alive)


async def write_response(writer: asyncio.StreamWriter, response: Response, *, keep_alive: bool) -> None:
    """Send a response."""
    head = (
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(response.body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    )
    writer.write(head.encode() + response.body)
    await writer.drain()


async def exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, host: str, target: str, keep_alive: bool = False
) -> Response:
    """Ask for a page over an open connection and return the answer; raises HttpError for what is none."""
    connection = "keep-alive" if keep_alive else "close"
    writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: {connection}\r\n\r\n".encode())
    await writer.drain()
    first, headers = await _read_head(reader)
    parts = first.split(" ", 2)
    if len(parts) < _STATUS_LINE_PARTS or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise HttpError(f"{first[:60]!r} is no status line")
    return Response(int(parts[1]), await reader.readexactly(_body_length(headers)))
