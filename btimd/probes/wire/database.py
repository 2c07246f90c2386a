r"""Databases. PostgreSQL frontend/backend protocol 3.0 (PostgreSQL documentation, chapter 55).

first:  int32 length=8, int32 80877103            SSLRequest, answered by one octet: S or N
then:   int32 length, int32 196608, "user\0..."  StartupMessage
after:  octet type, int32 length (with itself), content
"""

import struct
from collections.abc import Iterator
from typing import Final

from typing_extensions import override

from btimd.model.probe import ErrorClass
from btimd.model.units import MonotonicSeconds
from btimd.probes.wire.dialogue import Action, AnswerError, Close, Dialogue, Finish, Secure, Send, Stage, printable

POSTGRES_PORT: Final = 5432
SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)
SELECT_ONE: Final = b"Q" + struct.pack("!I", 4 + len(b"SELECT 1\0")) + b"SELECT 1\0"
TERMINATE: Final = b"X\0\0\0\4"
MAX_MESSAGE: Final = 64 * 1024
MAX_CONVERSATION: Final = 256 * 1024
_PROTOCOL_3_0: Final = 196608
_NOT_ALLOWED: Final = "28"  # SQLSTATE class: invalid authorization specification
_AUTHENTICATION: Final = {
    3: "a password", 5: "an MD5 password", 7: "GSSAPI", 9: "SSPI", 10: "SASL (SCRAM)",
}  # fmt: skip


def encode_startup(user: str, database: str) -> bytes:
    """Return the StartupMessage; raises ValueError for names that hold a zero octet."""
    content = struct.pack("!I", _PROTOCOL_3_0)
    for name, value in (("user", user), ("database", database), ("application_name", "btimd")):
        if "\0" in value or not value:
            raise ValueError(f"{name} {value!r} must not be empty nor hold a zero octet")
        content += name.encode() + b"\0" + value.encode() + b"\0"
    content += b"\0"
    return struct.pack("!I", len(content) + 4) + content


class MessageReader:
    """Cuts the backend's octets into messages of at most MAX_MESSAGE, MAX_CONVERSATION in all."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._received = 0

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Yield (type, content) of every message that is whole; raises AnswerError for a length that cannot be."""
        self._received += len(data)
        if self._received > MAX_CONVERSATION:
            raise AnswerError(f"over {MAX_CONVERSATION} octets before the answer")
        self._buffer += data
        while len(self._buffer) >= 5:
            length = int.from_bytes(self._buffer[1:5])
            if not 4 <= length <= MAX_MESSAGE or not self._buffer[:1].isalnum():
                raise AnswerError(f"a message that begins with {bytes(self._buffer[:8])!r}")
            if len(self._buffer) < 1 + length:
                return
            message = bytes(self._buffer[:1]), bytes(self._buffer[5 : 1 + length])
            del self._buffer[: 1 + length]
            yield message


def decode_error(content: bytes) -> tuple[str, str, str]:
    """Return (severity, SQLSTATE, message) of an ErrorResponse; empty where the server does not say."""
    fields: dict[bytes, str] = {}
    for field in content.split(b"\0"):
        if field:
            fields.setdefault(field[:1], field[1:].decode("utf-8", "replace"))
    return fields.get(b"V", fields.get(b"S", "")), fields.get(b"C", ""), fields.get(b"M", "")


class PostgresDialogue(Dialogue):
    """Connects, logs on and asks SELECT 1.

    Good when the row comes. Where the server asks for a password it is good too: the server got as far as knowing
    the user, and btimd keeps no database passwords. Any ErrorResponse is bad, with its SQLSTATE.
    """

    def __init__(self, host: str, port: int, *, user: str, database: str) -> None:
        super().__init__(host, port or POSTGRES_PORT)
        self._startup = encode_startup(user, database)
        self._reader = MessageReader()
        self._asked_tls = False
        self._began_talking = False
        self._row: bytes | None = None
        self._ready_for_query = False

    @override
    def _ready(self, now: MonotonicSeconds) -> list[Action]:
        if not self._asked_tls:
            self._asked_tls = True
            return [Send(SSL_REQUEST)]
        self._began_talking = True
        return [Send(self._startup)]

    @override
    def _received(self, data: bytes, now: MonotonicSeconds) -> list[Action]:
        if not self._began_talking:
            if data == b"S":
                self._enter(Stage.SECURING, now)
                return [Secure(self._host, verify=False)]  # as libpq's sslmode=prefer: nothing secret is sent
            if data == b"N":
                return self._ready(now)
            if data[:1] == b"S":  # octets before TLS stands are somebody else's (CVE-2021-23222)
                return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} sends octets before TLS stands")
            self._began_talking = True  # a server that cannot start a session says so at once: an ErrorResponse
        actions: list[Action] = []
        try:
            for kind, content in self._reader.feed(data):
                actions += self._message(kind, content, now)
                if actions and isinstance(actions[-1], Finish):
                    break
        except AnswerError as error:
            return self._bad(ErrorClass.PROTOCOL_ERROR, f"{self._target} does not speak PostgreSQL: {error}")
        return actions

    def _message(self, kind: bytes, content: bytes, now: MonotonicSeconds) -> list[Action]:
        match kind:
            case b"R":
                return self._authentication(content, now)
            case b"E":
                return self._error(content)
            case b"D":
                self._row = content
                return []
            case b"Z" if not self._ready_for_query:
                self._ready_for_query = True
                self._values["logon_seconds"] = now - self._started
                return [Send(SELECT_ONE)]
            case b"Z":
                return self._answered(now)
            case _:
                return []  # ParameterStatus, BackendKeyData, NoticeResponse, RowDescription, CommandComplete

    def _authentication(self, content: bytes, now: MonotonicSeconds) -> list[Action]:
        method = int.from_bytes(content[:4]) if len(content) >= 4 else -1
        if method == 0:
            return []
        self._values["answer_seconds"] = now - self._started
        wants = _AUTHENTICATION.get(method, f"authentication {method}")
        return self._good(f"{self._target} answers the handshake and asks for {wants}; SQL was not tried")

    def _error(self, content: bytes) -> list[Action]:
        severity, state, message = decode_error(content)
        detail = f"{self._target} says {severity} {state}: {message}"
        if state.startswith(_NOT_ALLOWED):
            detail = f"{printable(detail, 170)}; check the probe's user and database, and pg_hba.conf"
        return self._bad(ErrorClass.WRONG_ANSWER, detail)

    def _answered(self, now: MonotonicSeconds) -> list[Action]:
        self._values["answer_seconds"] = now - self._started
        if self._row != b"\0\1\0\0\0\0011":  # one column of one octet: "1"
            return self._bad(ErrorClass.WRONG_ANSWER, f"{self._target} answers SELECT 1 with {self._row!r}")
        return [Send(TERMINATE), Close(), *self._good(f"{self._target} answers SELECT 1")]

    @override
    def _silence(self, now: MonotonicSeconds) -> list[Action]:
        if self._stage is not Stage.TALKING or not self._began_talking:
            return super()._silence(now)
        doing = "answer SELECT 1" if self._ready_for_query else "finish the logon"
        waited = now - self._started
        return self._bad(ErrorClass.NO_ANSWER, f"{self._target} does not {doing} within {waited:.1f} s")
