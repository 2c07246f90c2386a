r"""Messages of PostgreSQL's frontend/backend protocol 3.0 (PostgreSQL documentation, chapter 55).

first:  int32 length=8, int32 80877103            SSLRequest, answered by one octet: S or N
then:   int32 length, int32 196608, "user\0..."  StartupMessage
after:  octet type, int32 length (with itself), content
"""

import hashlib
import struct
from collections.abc import Sequence
from typing import Final

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of

SSL_REQUEST: Final = struct.pack("!II", 8, 80877103)
TERMINATE: Final = b"X\0\0\0\4"
MAX_MESSAGE: Final = 64 * 1024
_PROTOCOL_3_0: Final = 196608


def encode_startup(user: str, database: str) -> bytes:
    """Return the StartupMessage; raises ValueError for names that hold a zero octet."""
    content = struct.pack("!I", _PROTOCOL_3_0)
    for name, value in (("user", user), ("database", database), ("application_name", "btimd")):
        if "\0" in value or not value:
            raise ValueError(f"{name} {value!r} must not be empty nor hold a zero octet")
        content += name.encode() + b"\0" + value.encode() + b"\0"
    content += b"\0"
    return struct.pack("!I", len(content) + 4) + content


def encode(kind: bytes, content: bytes) -> bytes:
    """Return one message."""
    return kind + struct.pack("!I", 4 + len(content)) + content


def encode_query(sql: str) -> bytes:
    """Return a simple query; raises ValueError for a zero octet."""
    if "\0" in sql:
        raise ValueError("the query must not hold a zero octet")
    return encode(b"Q", sql.encode() + b"\0")


def encode_password(text: bytes) -> bytes:
    """Return a PasswordMessage."""
    return encode(b"p", text + b"\0")


def encode_sasl_initial(mechanism: str, data: bytes) -> bytes:
    """Return a SASLInitialResponse."""
    return encode(b"p", mechanism.encode() + b"\0" + struct.pack("!I", len(data)) + data)


def md5_answer(user: str, password: str, salt: bytes) -> bytes:
    """Return what stands in the PasswordMessage where the server asks for MD5."""
    inner = hashlib.md5((password + user).encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


def check_head(head: bytes) -> int:
    """Return the length of the content behind the five octets of a head; raises AnswerError where there is none."""
    length = int.from_bytes(head[1:5])
    if not 4 <= length <= MAX_MESSAGE or not head[:1].isalnum():
        raise AnswerError(f"a message that begins with {head!r}")
    return length - 4


def decode_error(content: bytes) -> tuple[str, str, str]:
    """Return (severity, SQLSTATE, message) of an ErrorResponse; empty where the server does not say."""
    fields: dict[bytes, str] = {}
    for field in content.split(b"\0"):
        if field:
            fields.setdefault(field[:1], text_of(field[1:]))
    return fields.get(b"V", fields.get(b"S", "")), fields.get(b"C", ""), fields.get(b"M", "")


def decode_row(content: bytes) -> tuple[str | None, ...]:
    """Return the columns of a DataRow as text; None is NULL. Raises AnswerError for one that is cut."""
    octets = Octets(content)
    found: list[str | None] = []
    for _ in range(octets.number(2)):
        size = octets.number(4, signed=True)
        found.append(None if size < 0 else text_of(octets.take(size)))
    return tuple(found)


def number_in(row: Sequence[str | None], column: int) -> float | None:
    """Return a column as a number, None where it is NULL, missing or none."""
    text = row[column] if column < len(row) else None
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
