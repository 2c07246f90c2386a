"""LDAP messages (RFC 4511): bind, search, extended requests out; their responses in.

LDAPMessage ::= SEQUENCE { messageID INTEGER, protocolOp CHOICE {...}, controls [0] OPTIONAL }
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.ber import (
    BOOLEAN,
    ENUMERATED,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    elements,
    encode,
    encode_integer,
    header_of,
    integer_of,
)  # fmt: skip
from btimd.probes.wire.dialogue import AnswerError

MAX_MESSAGE: Final = 256 * 1024
MAX_CONVERSATION: Final = 1024 * 1024
BIND_RESPONSE: Final = 0x61
SEARCH_ENTRY: Final = 0x64
SEARCH_DONE: Final = 0x65
SEARCH_REFERENCE: Final = 0x73
EXTENDED_RESPONSE: Final = 0x78
UNBIND: Final = encode(SEQUENCE, encode_integer(3), encode(0x42))
START_TLS: Final = b"1.3.6.1.4.1.1466.20037"
SCOPES: Final = {"base": 0, "one": 1, "sub": 2}
SUCCESS: Final = 0
SIZE_LIMIT_EXCEEDED: Final = 4
_NO_ATTRIBUTES: Final = b"1.1"
_RESULTS: Final = {
    0: "success", 1: "operationsError", 2: "protocolError", 3: "timeLimitExceeded", 4: "sizeLimitExceeded",
    7: "authMethodNotSupported", 8: "strongerAuthRequired", 10: "referral", 11: "adminLimitExceeded",
    13: "confidentialityRequired", 32: "noSuchObject", 34: "invalidDNSyntax", 48: "inappropriateAuthentication",
    49: "invalidCredentials", 50: "insufficientAccessRights", 51: "busy", 52: "unavailable", 53: "unwillingToPerform",
    80: "other",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Message:
    """A message: id, tag and content of its operation."""

    id: int
    tag: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """How an operation ended."""

    code: int
    message: str

    @property
    def text(self) -> str:
        """What people read."""
        name = _RESULTS.get(self.code, f"result {self.code}")
        return f"{name} ({self.code}): {self.message}" if self.message else f"{name} ({self.code})"


def _message(number: int, operation: bytes) -> bytes:
    return encode(SEQUENCE, encode_integer(number), operation)


def encode_bind(number: int, name: str, password: str) -> bytes:
    """Return a simple bind of version 3; without name and password it is anonymous."""
    return _message(
        number,
        encode(0x60, encode_integer(3), encode(OCTET_STRING, name.encode()), encode(0x80, password.encode())),
    )


def encode_search(number: int, *, base: str, scope: str, wanted: bytes, size_limit: int, seconds: int) -> bytes:
    """Return a search that asks for no attributes. wanted: the filter, encoded. scope: a key of SCOPES."""
    return _message(
        number,
        encode(
            0x63,
            encode(OCTET_STRING, base.encode()),
            encode_integer(SCOPES[scope], ENUMERATED),
            encode_integer(0, ENUMERATED),
            encode_integer(size_limit),
            encode_integer(seconds),
            encode(BOOLEAN, b"\0"),
            wanted,
            encode(SEQUENCE, encode(OCTET_STRING, _NO_ATTRIBUTES)),
        ),
    )


def encode_start_tls(number: int) -> bytes:
    """Return the request to begin TLS (RFC 4511 section 4.14)."""
    return _message(number, encode(0x77, encode(0x80, START_TLS)))


def decode_result(content: bytes) -> Result:
    """Return the LDAPResult in an operation; raises AnswerError."""
    parts = list(elements(content))
    if [tag for tag, _ in parts[:3]] != [ENUMERATED, OCTET_STRING, OCTET_STRING]:
        raise AnswerError("a result without its parts")
    return Result(integer_of(parts[0][1]), parts[2][1].decode("utf-8", "replace"))


class MessageReader:
    """Cuts octets into messages of at most MAX_MESSAGE, MAX_CONVERSATION in all."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._received = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is left that no message was made of."""
        return not self._buffer

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield every message that is whole; raises AnswerError."""
        self._received += len(data)
        if self._received > MAX_CONVERSATION:
            raise AnswerError(f"over {MAX_CONVERSATION} octets before the answer")
        self._buffer += data
        while self._buffer:
            if self._buffer[0] != SEQUENCE:
                raise AnswerError(f"a message that begins with {bytes(self._buffer[:16])!r}")
            header = header_of(bytes(self._buffer[:8]))
            if header is None:
                return
            _, start, end = header
            if end > MAX_MESSAGE:
                raise AnswerError(f"a message of {end} octets")
            if len(self._buffer) < end:
                return
            content = bytes(self._buffer[start:end])
            del self._buffer[:end]
            parts = list(elements(content))
            if len(parts) < 2 or parts[0][0] != INTEGER:
                raise AnswerError("a message without its parts")
            yield Message(integer_of(parts[0][1]), *parts[1])
