"""SIP: does the telephony server answer OPTIONS (RFC 3261 section 11), by UDP, TCP or TLS. No call is made.

Bounded: a response of 64 KiB, 8 provisional ones.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Connected, Event, Line, Send, Stage, printable
from btimd.probes.wire.tls import NO_TLS, SecuredDialogue, TlsMode, TlsOptions

SIP_PORT: Final = 5060
SIPS_PORT: Final = 5061
MAX_MESSAGE: Final = 64 * 1024
MAX_PROVISIONAL: Final = 8
_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6]\d\d)(?: (.*))?", re.ASCII)
_RULE: Final = re.compile(r"[2-6](?:xx|\d\d)", re.ASCII)
_SHORT: Final = {"i": "call-id", "l": "content-length", "v": "via", "f": "from", "t": "to"}


class Transport(StrEnum):
    """How SIP is carried."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


def status_rule(text: str) -> Callable[[int], bool]:
    """Return the rule of "200", "2xx" or "2xx,404"; raises ValueError for anything else."""
    patterns = [part.strip().lower() for part in text.split(",")]
    if not all(_RULE.fullmatch(pattern) for pattern in patterns):
        raise ValueError(f'expect_status {text!r} is none; write "200", "2xx" or several with commas')
    return lambda status: bool({f"{status // 100}xx", str(status)} & set(patterns))


@dataclass(frozen=True, slots=True)
class Response:
    """A response: status, reason, headers (names in lower case, the first of each), octets of all of it."""

    status: int
    reason: str
    headers: dict[str, str]
    octets: int


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon and not line.startswith((" ", "\t")):
            raise AnswerError(f"header line {line[:60]!r}")
        name = name.strip().lower()
        headers.setdefault(_SHORT.get(name, name), value.strip())
    return headers


def decode_response(data: bytes, *, is_stream: bool) -> Response | None:
    """Return the response that begins here, None where it is not whole; raises AnswerError."""
    start = data[:8]
    if start != b"SIP/2.0 "[: len(start)]:
        raise AnswerError(f"the answer begins with {data[:24]!r}")
    end = data.find(b"\r\n\r\n")
    if end < 0:
        if is_stream and len(data) <= MAX_MESSAGE:
            return None
        raise AnswerError("a response without its end")
    lines = data[:end].decode("utf-8", "replace").split("\r\n")
    status = _STATUS.fullmatch(lines[0])
    if status is None:
        raise AnswerError(f"the line {lines[0][:60]!r}")
    headers = _headers(lines[1:])
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 8):
        raise AnswerError(f"content-length {length[:20]!r}")
    if len(data) < end + 4 + int(length):
        if not is_stream:
            raise AnswerError("a response that is cut")
        if end + 4 + int(length) > MAX_MESSAGE:
            raise AnswerError(f"a body of {length} octets")
        return None
    return Response(int(status[1]), status[2] or "", headers, end + 4 + int(length))


class SipDialogue(SecuredDialogue):
    """One OPTIONS; good when the final response is an expected one. uri: empty: sip:host."""

    def __init__(
        self,
        host: str,
        port: int,
        token: int,
        *,
        transport: Transport = Transport.UDP,
        uri: str = "",
        expect_status: str = "2xx",
        tls: TlsOptions = NO_TLS,
    ) -> None:
        is_tls = tls.mode is TlsMode.FIRST
        super().__init__(host, port or (SIPS_PORT if is_tls else SIP_PORT), tls)
        self.line = Line.UDP if transport is Transport.UDP else Line.TCP
        self._transport = transport
        self._uri = uri or f"sip:{f'[{host}]' if ':' in host else host}"
        if not self._uri.startswith(("sip:", "sips:")) or not all("!" <= one <= "~" for one in self._uri):
            raise ValueError(f'uri {self._uri!r} is none; write "sip:pbx.example"')
        self._is_expected = status_rule(expect_status)
        self._expect = expect_status
        self._call = f"{token & 0xFFFF_FFFF_FFFF_FFFF:016x}"
        self._buffer = bytearray()
        self._provisional = 0
        self._sent_at: MonotonicSeconds = 0.0
        self._own_address = ""

    @override
    def handle(self, event: Event, now: MonotonicSeconds) -> list[Action]:
        if isinstance(event, Connected):
            self._own_address = event.source_address
        return super().handle(event, now)

    def _request(self) -> bytes:
        own = f"[{self._own_address}]" if ":" in self._own_address else self._own_address or "btimd.invalid"
        return (
            f"OPTIONS {self._uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self._transport.upper()} {own};branch=z9hG4bK{self._call};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:btimd@{own}>;tag={self._call[:8]}\r\nTo: <{self._uri}>\r\n"
            f"Call-ID: {self._call}\r\nCSeq: 1 OPTIONS\r\nContact: <sip:btimd@{own}>\r\nAccept: application/sdp\r\n"
            "User-Agent: btimd\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._sent_at = now
        return [Send(self._request())]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        is_stream = self._present_line is Line.TCP
        if not is_stream:
            self._buffer.clear()
        self._buffer += data
        try:
            while self._buffer:
                response = decode_response(bytes(self._buffer), is_stream=is_stream)
                if response is None:
                    return []
                del self._buffer[: response.octets]
                if actions := self._take(response, now):
                    return actions
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak SIP: {error}")
        return []

    def _take(self, response: Response, now: MonotonicSeconds) -> list[Action]:
        if response.headers.get("call-id") != self._call:
            if self._present_line is Line.UDP:
                return []
            raise AnswerError("a response to another request")
        if response.status >= 200:
            self._values["answer_seconds"] = now - self._sent_at
            return self._judge(response)
        self._provisional += 1
        if self._provisional > MAX_PROVISIONAL:
            raise AnswerError(f"over {MAX_PROVISIONAL} provisional responses")
        return []

    def _judge(self, response: Response) -> list[Action]:
        self._values["status"] = response.status
        software = response.headers.get("server") or response.headers.get("user-agent") or ""
        says = f"; it is {printable(software, 60)!r}" if software else ""
        said = f"{self._target} answers OPTIONS with {response.status} {printable(response.reason, 60)}".rstrip() + says
        if self._is_expected(response.status):
            return self._good(said)
        return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, expected {self._expect}")

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or self._present_line is not Line.UDP:
            return super()._silence(now)
        waited = now - self._started
        return self._bad(ErrorClass.TIMEOUT, f"{self._target} does not answer a SIP OPTIONS within {waited:.1f} s")
