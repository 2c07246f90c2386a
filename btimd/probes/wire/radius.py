"""RADIUS: can people log on to the network (RFC 2865; Message-Authenticator: RFC 2869; Status-Server: RFC 5997).

 0                   1                   2                   3
|     code      |  identifier   |            length             |
|                 authenticator (16 octets)                     |
|  attributes: type, length (with itself), value ...
"""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, DatagramDialogue, Send, printable

RADIUS_PORT: Final = 1812
ACCESS_REQUEST: Final = 1
ACCESS_ACCEPT: Final = 2
ACCESS_REJECT: Final = 3
ACCOUNTING_RESPONSE: Final = 5
ACCESS_CHALLENGE: Final = 11
STATUS_SERVER: Final = 12
MAX_PACKET: Final = 4096
_USER_NAME, _USER_PASSWORD, _REPLY_MESSAGE, _NAS_IDENTIFIER, _MESSAGE_AUTHENTICATOR = 1, 2, 18, 32, 80
_CODES: Final = {
    ACCESS_ACCEPT: "Access-Accept", ACCESS_REJECT: "Access-Reject", ACCOUNTING_RESPONSE: "Accounting-Response",
    ACCESS_CHALLENGE: "Access-Challenge",
}  # fmt: skip
_HEADER: Final = 20
_MAX_PASSWORD: Final = 128


class Expect(StrEnum):
    """Which answer is good."""

    ACCEPT = "accept"
    REJECT = "reject"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class RadiusQuestion:
    """Who asks and for whom. secret: shared with the server. user: empty asks the server for its own state only."""

    secret: str
    user: str = ""
    password: str = ""
    nas_identifier: str = "btimd"
    expect: Expect = Expect.ACCEPT
    is_authenticator_required: bool = False

    @override
    def __repr__(self) -> str:
        """Return what is asked, never with which secrets."""
        return f"RadiusQuestion({self.user!r}, {self.nas_identifier!r}, {self.expect!r})"


def _md5(*parts: bytes) -> bytes:
    return hashlib.md5(b"".join(parts), usedforsecurity=False).digest()


def _signature(secret: bytes, packet: bytes) -> bytes:
    return hmac.digest(secret, packet, "md5")


def hide_password(password: bytes, secret: bytes, authenticator: bytes) -> bytes:
    """Return a password as sent (RFC 2865 section 5.2)."""
    padded = password + bytes(-len(password) % 16 or (0 if password else 16))
    hidden, before = b"", authenticator
    for start in range(0, len(padded), 16):
        mask = _md5(secret, before)
        before = bytes(left ^ right for left, right in zip(padded[start : start + 16], mask, strict=True))
        hidden += before
    return hidden


def _attribute(kind: int, value: bytes) -> bytes:
    return bytes((kind, len(value) + 2)) + value


def encode_request(question: RadiusQuestion, token: int) -> bytes:
    """Return an Access-Request, or a Status-Server where there is no user. token: 64 bits of chance."""
    secret = question.secret.encode()
    authenticator = hmac.digest(secret, b"btimd" + token.to_bytes(8), "sha256")[:16]
    attributes = _attribute(_MESSAGE_AUTHENTICATOR, bytes(16))  # first, as BlastRADIUS taught
    if question.user:
        attributes += _attribute(_USER_NAME, question.user.encode())
        hidden = hide_password(question.password.encode(), secret, authenticator)
        attributes += _attribute(_USER_PASSWORD, hidden)
    attributes += _attribute(_NAS_IDENTIFIER, question.nas_identifier.encode())
    code = ACCESS_REQUEST if question.user else STATUS_SERVER
    head = bytes((code, token & 0xFF)) + (_HEADER + len(attributes)).to_bytes(2) + authenticator
    signature = _signature(secret, head + attributes)
    return head + attributes[:2] + signature + attributes[18:]


def attributes_of(packet: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield (type, where the value begins, value); raises AnswerError."""
    offset = _HEADER
    while offset < len(packet):
        size = packet[offset + 1] if offset + 1 < len(packet) else 0
        if size < 2 or offset + size > len(packet):
            raise AnswerError(f"an attribute of {size} octets at octet {offset}")
        yield packet[offset], offset + 2, packet[offset + 2 : offset + size]
        offset += size


@dataclass(frozen=True, slots=True)
class Answer:
    """A response that the server has signed. is_signed_well: with the newer Message-Authenticator too."""

    code: int
    words: str
    is_signed_well: bool


def decode_answer(data: bytes, request: bytes, secret: bytes) -> Answer | None:
    """Return the answer to a request, None for one to another; raises AnswerError."""
    if len(data) < _HEADER or not _HEADER <= int.from_bytes(data[2:4]) <= min(len(data), MAX_PACKET):
        raise AnswerError(f"a packet of {len(data)} octets")
    packet = data[: int.from_bytes(data[2:4])]
    found = list(attributes_of(packet))
    if packet[1] != request[1]:
        return None
    asked = request[4:20]
    if not hmac.compare_digest(packet[4:20], _md5(packet[:4], asked, packet[20:], secret)):
        raise AnswerError("an answer that is signed with another secret")
    signatures = [(start, value) for kind, start, value in found if kind == _MESSAGE_AUTHENTICATOR]
    for start, value in signatures:
        blank = packet[:4] + asked + packet[20:start] + bytes(len(value)) + packet[start + len(value) :]
        if not hmac.compare_digest(value, _signature(secret, blank)):
            raise AnswerError("an answer with a wrong Message-Authenticator")
    words = b" ".join(value for kind, _, value in found if kind == _REPLY_MESSAGE)
    return Answer(packet[0], words.decode("utf-8", "replace"), bool(signatures))


class RadiusDialogue(DatagramDialogue):
    """One request; good when the answer is the expected one and signed with the shared secret."""

    question = "a RADIUS request (down, overloaded, or this client or the key it shares is not known there)"

    def __init__(self, host: str, port: int, question: RadiusQuestion, token: int) -> None:
        super().__init__(host, port or RADIUS_PORT)
        if len(question.password.encode()) > _MAX_PASSWORD or len(question.user.encode()) > 253:
            raise ValueError("a user has up to 253 octets and a password up to 128")
        if not question.nas_identifier or len(question.nas_identifier.encode()) > 253:
            raise ValueError("nas_identifier has 1 to 253 octets")
        self._asked = question
        self._hidden = (question.password, question.secret)
        self._request = encode_request(question, token & 0xFFFF_FFFF_FFFF_FFFF)
        self._sent_at: MonotonicSeconds = 0.0

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        self._sent_at = now
        return [Send(self._request)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        try:
            answer = decode_answer(data, self._request, self._asked.secret.encode())
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sends {error}")
        if answer is None:
            return []
        self._values["answer_seconds"] = now - self._sent_at
        return self._judge(answer)

    def _judge(self, answer: Answer) -> list[Action]:
        name = _CODES.get(answer.code, f"code {answer.code}")
        words = f": {printable(answer.words, 100)}" if answer.words else ""
        said = f"{self._target} answers {name}{words}"
        if self._asked.is_authenticator_required and not answer.is_signed_well:
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, without a Message-Authenticator")
        if not self._asked.user:
            if answer.code in {ACCESS_ACCEPT, ACCOUNTING_RESPONSE}:
                return self._good(f"{said} to a Status-Server")
            return self._bad(ErrorClass.WRONG_ANSWER, f"{said} to a Status-Server")
        good = {
            Expect.ACCEPT: {ACCESS_ACCEPT},
            Expect.REJECT: {ACCESS_REJECT},
            Expect.ANY: {ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE},
        }[self._asked.expect]
        if answer.code in good:
            return self._good(said)
        return self._bad(ErrorClass.WRONG_ANSWER, f"{said}, expected {self._asked.expect}")
