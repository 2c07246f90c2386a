"""The little of the PostgreSQL frontend/backend protocol 3.0 that the enterprise's databases speak, as pure functions.

    startup:  int32 length (itself included) | int32 code | body
    message:  byte type | int32 length (itself included) | body

Source: PostgreSQL documentation, chapters "Message Flow" and "Message Formats".
"""

import struct
from typing import Final

SSL_REQUEST: Final = 80877103
GSS_REQUEST: Final = 80877104
CANCEL_REQUEST: Final = 80877102
PROTOCOL_3_0: Final = 196608
MAX_MESSAGE_OCTETS: Final = 65536
_TEXT_OID: Final = 25


class PgError(ValueError):
    """The other side sent what is no PostgreSQL message."""


def message(kind: bytes, body: bytes = b"") -> bytes:
    """Return a typed message."""
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(user: str, database: str) -> bytes:
    """Return a client's StartupMessage."""
    body = struct.pack("!i", PROTOCOL_3_0)
    body += b"".join(part.encode() + b"\0" for part in ("user", user, "database", database)) + b"\0"
    return struct.pack("!i", len(body) + 4) + body


def startup_parameters(body: bytes) -> dict[str, str]:
    """Return the parameters of a StartupMessage's body (after the code); raises PgError where they are not pairs."""
    parts = body.split(b"\0")
    if len(parts) < 2 or parts[-1] or parts[-2] or len(parts) % 2:  # noqa: PLR2004  the closing pair of zeros
        raise PgError("startup parameters are not pairs of text that end with a zero")
    texts = [part.decode("utf-8", "replace") for part in parts[:-2]]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def parameter_status(name: str, value: str) -> bytes:
    """Return a ParameterStatus message."""
    return message(b"S", f"{name}\0{value}\0".encode())


def authentication_ok() -> bytes:
    """Return an AuthenticationOk message."""
    return message(b"R", struct.pack("!i", 0))


def backend_key(process_id: int, secret: int) -> bytes:
    """Return a BackendKeyData message."""
    return message(b"K", struct.pack("!ii", process_id, secret))


def ready() -> bytes:
    """Return a ReadyForQuery message of an idle session."""
    return message(b"Z", b"I")


def result(column: str, value: str) -> bytes:
    """Return what answers a simple query with one row of one text column: T, D, C, Z."""
    field = column.encode() + b"\0" + struct.pack("!ihihih", 0, 0, _TEXT_OID, -1, -1, 0)
    data = value.encode()
    return (
        message(b"T", struct.pack("!h", 1) + field)
        + message(b"D", struct.pack("!hi", 1, len(data)) + data)
        + message(b"C", b"SELECT 1\0")
        + ready()
    )


def error(code: str, text: str, severity: str = "ERROR") -> bytes:
    """Return an ErrorResponse; `code` is an SQLSTATE."""
    fields = (("S", severity), ("V", severity), ("C", code), ("M", text))
    return message(b"E", b"".join(f"{name}{value}\0".encode() for name, value in fields) + b"\0")


def query(text: str) -> bytes:
    """Return a simple Query message."""
    return message(b"Q", text.encode() + b"\0")


def terminate() -> bytes:
    """Return a Terminate message."""
    return message(b"X")


def error_fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse's body by their letter."""
    return {part[:1].decode("latin-1"): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def row_value(body: bytes) -> str:
    """Return the first column of a DataRow's body; raises PgError where there is none."""
    try:
        count, length = struct.unpack_from("!hi", body)
    except struct.error as problem:
        raise PgError("a row of less than one column") from problem
    if count < 1 or length < 0 or 6 + length > len(body):
        raise PgError(f"a row of {count} columns whose first has {length} octets of {len(body)}")
    return body[6 : 6 + length].decode("utf-8", "replace")
