r"""Packets of the MySQL and MariaDB protocol (MySQL internals: client/server protocol; MariaDB: the same pages).

every packet: length (3, little endian), sequence number, content
server: 10, version\0, thread (4), scramble (8), 0, capabilities (2), charset, status (2), capabilities (2),
        length of the scramble, 10 unused, scramble (12 and a zero), plugin\0
client: capabilities (4), largest packet (4), charset, 23 unused, user\0, length and answer, database\0, plugin\0
"""

import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of

MAX_PACKET: Final = 64 * 1024
NATIVE: Final = "mysql_native_password"
CACHING_SHA2: Final = "caching_sha2_password"
CLEAR: Final = "mysql_clear_password"

_CONNECT_WITH_DB: Final = 0x8
SSL: Final = 0x800
_PLUGIN_AUTH: Final = 0x80000
# long password, long flag, protocol 4.1, transactions, secure connection
_BASE: Final = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000
_UTF8MB4: Final = 45
_MOST_KEY_OCTETS: Final = 1024


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the server says first. scramble: 20 octets of chance."""

    version: str
    capabilities: int
    scramble: bytes
    plugin: str

    @property
    def is_mariadb(self) -> bool:
        """Tell whether it is MariaDB, which has its own words for the time of a statement."""
        return "mariadb" in self.version.lower()


@dataclass(frozen=True, slots=True)
class ServerError:
    """An ERR packet."""

    code: int
    state: str
    message: str

    @property
    def text(self) -> str:
        """The error as people know it."""
        return f"{self.code} ({self.state}): {self.message}" if self.state else f"{self.code}: {self.message}"


def encode(sequence: int, content: bytes) -> bytes:
    """Return a packet."""
    return struct.pack("<I", len(content))[:3] + bytes([sequence & 0xFF]) + content


def decode_greeting(content: bytes) -> Greeting:
    """Return the greeting; raises AnswerError for another protocol or one that is cut."""
    octets = Octets(content, "little")
    protocol = octets.number(1)
    if protocol != 10:
        raise AnswerError(f"a greeting of protocol version {protocol}")
    version = text_of(octets.until_zero())
    octets.take(4)
    scramble = octets.take(8)
    octets.take(1)
    capabilities = octets.number(2)
    plugin = NATIVE
    if octets.left >= 16:
        octets.take(3)
        capabilities |= octets.number(2) << 16
        size = octets.number(1)
        octets.take(10)
        scramble += octets.take(min(max(13, size - 8), octets.left))[:12]
        if capabilities & _PLUGIN_AUTH and octets.left:
            plugin = text_of(octets.rest().split(b"\0")[0])
    return Greeting(version, capabilities, scramble[:20], plugin)


def decode_error(content: bytes) -> ServerError:
    """Return what an ERR packet (0xff) says."""
    octets = Octets(content[1:], "little")
    code = octets.number(2)
    rest = octets.rest()
    state = ""
    if rest[:1] == b"#" and len(rest) >= 6:
        state, rest = text_of(rest[1:6]), rest[6:]
    return ServerError(code, state, text_of(rest))


def encode_ssl_request(capabilities: int) -> bytes:
    """Return the content of the wish for TLS; the same capabilities follow inside."""
    return struct.pack("<IIB23x", capabilities, MAX_PACKET, _UTF8MB4)


def encode_logon(capabilities: int, user: str, answer: bytes, database: str, plugin: str) -> bytes:
    """Return the content of the client's answer to the greeting."""
    content = encode_ssl_request(capabilities) + user.encode() + b"\0" + bytes([len(answer)]) + answer
    if capabilities & _CONNECT_WITH_DB:
        content += database.encode() + b"\0"
    if capabilities & _PLUGIN_AUTH:
        content += plugin.encode() + b"\0"
    return content


def capabilities_for(greeting: Greeting, *, secure: bool, database: str) -> int:
    """Return what the client says that it can."""
    wanted = _BASE | (greeting.capabilities & _PLUGIN_AUTH)
    return wanted | (SSL if secure else 0) | (_CONNECT_WITH_DB if database else 0)


def answer_native(password: bytes, scramble: bytes) -> bytes:
    """Return the proof of mysql_native_password; empty for no password."""
    if not password:
        return b""
    once = _sha1(password)
    return _xor(once, _sha1(scramble + _sha1(once)))


def answer_caching_sha2(password: bytes, scramble: bytes) -> bytes:
    """Return the proof of caching_sha2_password's short way; empty for no password."""
    if not password:
        return b""
    once = hashlib.sha256(password).digest()
    return _xor(once, hashlib.sha256(hashlib.sha256(once).digest() + scramble).digest())


def encrypt_password(password: bytes, scramble: bytes, pem: bytes, token: int) -> bytes:
    """Return the password for the server's RSA key (RFC 8017, RSAES-OAEP with SHA-1); raises AnswerError for no key."""
    modulus, exponent = _public_key(pem)
    size = (modulus.bit_length() + 7) // 8
    plain = password + b"\0"
    message = bytes(octet ^ scramble[at % len(scramble)] for at, octet in enumerate(plain))
    if len(message) > size - 42:
        raise AnswerError(f"an RSA key of {modulus.bit_length()} bits, too short for the password")
    block = _sha1(b"") + bytes(size - len(message) - 42) + b"\1" + message
    seed = hashlib.sha256(f"btimd oaep {token}".encode()).digest()[:20]
    masked = _xor(block, _mask(seed, len(block)))
    padded = b"\0" + _xor(seed, _mask(masked, 20)) + masked
    return pow(int.from_bytes(padded), exponent, modulus).to_bytes(size)


def _public_key(pem: bytes) -> tuple[int, int]:
    """Return (modulus, exponent) of a SubjectPublicKeyInfo in PEM (RFC 5280, RFC 8017 appendix A.1)."""
    lines = [line for line in pem.strip(b"\0\r\n ").splitlines() if not line.startswith(b"-----")]
    try:
        der = binascii.a2b_base64(b"".join(lines))
    except binascii.Error:
        raise AnswerError("an RSA key that is no PEM") from None
    outer = Octets(_der(Octets(der), 0x30))
    _der(outer, 0x30)  # the algorithm
    key = Octets(_der(Octets(_der(outer, 0x03)[1:]), 0x30))
    modulus, exponent = int.from_bytes(_der(key, 0x02)), int.from_bytes(_der(key, 0x02))
    if not 512 <= modulus.bit_length() <= 8 * _MOST_KEY_OCTETS or not 3 <= exponent < 1 << 33:
        raise AnswerError(f"an RSA key of {modulus.bit_length()} bits")
    return modulus, exponent


def _der(octets: Octets, tag: int) -> bytes:
    found, size = octets.number(1), octets.number(1)
    if found != tag:
        raise AnswerError(f"an RSA key with the tag {found:#x} for {tag:#x}")
    if size & 0x80:
        if size & 0x7F > 3:
            raise AnswerError("an RSA key with a length that cannot be")
        size = octets.number(size & 0x7F)
    return octets.take(size)


def _mask(seed: bytes, size: int) -> bytes:
    blocks = (_sha1(seed + count.to_bytes(4)) for count in range((size + 19) // 20))
    return b"".join(blocks)[:size]


def _sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def length_encoded(octets: Octets) -> int | None:
    """Return a length-encoded integer; None is NULL (0xfb)."""
    first = octets.number(1)
    if first < 0xFB:
        return first
    if first == 0xFB:
        return None
    if first == 0xFF:
        raise AnswerError("a length that cannot be")
    return octets.number({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])


def decode_row(content: bytes) -> tuple[str | None, ...]:
    """Return the columns of a text row; raises AnswerError for one that is cut."""
    octets = Octets(content, "little")
    found: list[str | None] = []
    while octets.left:
        size = length_encoded(octets)
        found.append(None if size is None else text_of(octets.take(size)))
    return tuple(found)
