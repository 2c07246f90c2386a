r"""AJP 1.3 (Apache Tomcat, AJPv13): CPING and CPONG, or a whole GET as a web server in front would send it.

to the container: 0x12 0x34, length (2), type ...      from it: "AB", length (2), type ...
"""

import struct
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import AnswerError, Send, printable
from btimd.probes.wire.http import status_rule
from btimd.probes.wire.octets import Octets, text_of
from btimd.probes.wire.script import Halt, Script, Talk, Want

AJP_PORT: Final = 8009
CPING: Final = b"\x12\x34\x00\x01\x0a"
FORWARD: Final = 2
BODY_CHUNK, HEADERS, END, MORE_BODY, CPONG = 3, 4, 5, 6, 9
_GET: Final = 2
_HOST: Final = 0xA00B
_SECRET: Final = 0x0C
_QUERY: Final = 0x05
_MAX_PACKET: Final = 64 * 1024


def text(value: str) -> bytes:
    """Return a text as AJP has it."""
    data = value.encode()
    return struct.pack("!H", len(data)) + data + b"\0"


def encode_forward(host: str, port: int, path: str, secret: str) -> bytes:
    """Return the packet of a GET; raises ValueError for a path that is none."""
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path or len(path) > 2048:
        raise ValueError(f"path {path!r} must begin with / and hold neither spaces nor control characters")
    uri, mark, query = path.partition("?")
    content = bytes([FORWARD, _GET]) + text("HTTP/1.1") + text(uri) + text("127.0.0.1") + text("btimd") + text(host)
    content += struct.pack("!HBH", port, 0, 1) + struct.pack("!H", _HOST) + text(host)
    content += bytes([_QUERY]) + text(query) if mark else b""
    content += bytes([_SECRET]) + text(secret) if secret else b""
    content += b"\xff"
    return b"\x12\x34" + struct.pack("!H", len(content)) + content


class AjpDialogue(Script):
    """Sends CPING; with a path it sends a GET too, whose status must be one of expect_status."""

    protocol = "AJP 1.3"
    max_octets = 4 * 1024 * 1024

    def __init__(
        self,
        host: str,
        port: int,
        *,
        path: str = "",
        expect_status: str = "2xx,3xx",
        host_header: str = "",
        secret: str,
    ) -> None:
        super().__init__(host, port or AJP_PORT)
        self._path = path
        self._expect = expect_status
        self._is_expected = status_rule(expect_status)
        self._request = encode_forward(host_header or host, 80, path, secret) if path else b""

    @override
    def _conversation(self) -> Talk[str]:
        self._doing = "answer CPING"
        yield Send(CPING)
        kind, _ = yield from self._packet()
        if kind != CPONG:
            raise AnswerError(f"a packet of type {kind} in answer to CPING")
        self._elapsed("answer_seconds")
        if not self._path:
            return "answers CPING"
        self._doing = f"answer {printable(self._path, 60)}"
        began = self._now
        yield Send(self._request)
        status, reason, octets = 0, "", 0
        while True:
            kind, content = yield from self._packet()
            if kind == HEADERS:
                fields = Octets(content)
                status, reason = fields.number(2), text_of(fields.sized(2))
            elif kind == BODY_CHUNK:
                octets += Octets(content).number(2)
            elif kind == END:
                break
            elif kind != MORE_BODY:
                raise AnswerError(f"a packet of type {kind} in an answer")
        self._elapsed("query_seconds", began)
        self._elapsed("answer_seconds")
        self._values["status"], self._values["body_octets"] = status, octets
        answer = f"answers {printable(self._path, 60)} with {status} {printable(reason, 40)}".rstrip()
        if status == 403 and not self._is_expected(403):
            answer += " (a wrong or missing secret is answered so too)"
        if not self._is_expected(status):
            raise Halt(ErrorClass.WRONG_ANSWER, f"{answer}, expected {self._expect}")
        return answer

    def _packet(self) -> Talk[tuple[int, bytes]]:
        head = yield Want(4)
        size = int.from_bytes(head[2:])
        if head[:2] != b"AB" or not 1 <= size <= _MAX_PACKET:
            raise AnswerError(f"a packet that begins with {head + bytes(self._buffer[:8])!r}")
        content = yield Want(size)
        return content[0], content[1:]
