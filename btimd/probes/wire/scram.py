"""SCRAM: logging on without sending the password (RFC 5802; SHA-256: RFC 7677).

client: n,,n=USER,r=NONCE
server: r=NONCE+MORE,s=SALT,i=ITERATIONS
client: c=biws,r=NONCE+MORE,p=PROOF
server: v=SIGNATURE | e=ERROR
"""

import base64
import binascii
import hashlib
import hmac
import stringprep
import unicodedata
from typing import Final

from btimd.probes.wire.dialogue import AnswerError, printable

HASHES: Final = {"SCRAM-SHA-1": "sha1", "SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
MOST_ITERATIONS: Final = 100_000
"""A server may not keep this machine busy: so many take about 0.1 s. PostgreSQL has 4,096, MongoDB 15,000."""
_MOST_SALT: Final = 1024
_PROHIBITED: Final = (
    stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
    stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
    stringprep.in_table_c9,
)  # fmt: skip


def prepared(text: str) -> str:
    """Return a password as SASLprep (RFC 4013) writes it; one that it forbids stays as it is, as servers hold it."""
    if text.isascii():
        return text
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in text if not stringprep.in_table_b1(c))
    found = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not found or any(table(character) for character in found for table in _PROHIBITED):
        return text
    return found


def nonce_of(token: int, label: str = "scram") -> str:
    """Return a client nonce of a probe's 64 bits of chance."""
    digest = hashlib.sha256(f"btimd {label} {token}".encode()).digest()
    return base64.b64encode(digest[:18]).decode()


class Scram:
    """The client's side. `password` as the server's own rules make it, already prepared.

    nonce: chance, without commas. After `finish` returns the server has proved that it knows the password too.
    """

    def __init__(self, mechanism: str, user: str, password: str, nonce: str) -> None:
        self._hash = HASHES[mechanism]
        self._password = password.encode()
        self._nonce = nonce
        name = user.replace("=", "=3D").replace(",", "=2C")
        self._bare = f"n={name},r={nonce}"
        self._signature = b""

    @property
    def first(self) -> bytes:
        """The client's first message; channel binding is not offered."""
        return f"n,,{self._bare}".encode()

    def answer(self, challenge: bytes) -> bytes:
        """Return the client's final message; raises AnswerError for a challenge that makes no sense."""
        text = challenge.decode("utf-8", "replace")
        fields = _fields(text)
        nonce, salt = fields.get("r", ""), _base64(fields.get("s", ""))
        count = fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise AnswerError("its SCRAM nonce does not continue ours")
        if not (count.isascii() and count.isdigit() and len(count) < 10) or not 1 <= int(count) <= MOST_ITERATIONS:
            raise AnswerError(f"SCRAM with {printable(count, 20)!r} iterations, at most {MOST_ITERATIONS} are done")
        if not 1 <= len(salt) <= _MOST_SALT:
            raise AnswerError(f"a SCRAM salt of {len(salt)} octets")
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, salt, int(count))
        client_key = self._mac(salted, b"Client Key")
        without_proof = f"c=biws,r={nonce}"
        signed = f"{self._bare},{text},{without_proof}".encode()
        signature = self._mac(hashlib.new(self._hash, client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = self._mac(self._mac(salted, b"Server Key"), signed)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def finish(self, last: bytes) -> str:
        """Return the server's error, empty where there is none; raises AnswerError where it proves nothing."""
        fields = _fields(last.decode("utf-8", "replace"))
        if "e" in fields:
            return printable(fields["e"], 60) or "an error without a word"
        if not self._signature or not hmac.compare_digest(_base64(fields.get("v", "")), self._signature):
            raise AnswerError("its SCRAM signature is wrong: it does not know the password itself")
        return ""

    def _mac(self, key: bytes, data: bytes) -> bytes:
        return hmac.new(key, data, self._hash).digest()


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if equals and len(name) == 1:
            found.setdefault(name, value)
    return found


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise AnswerError("SCRAM with what is no base64") from None
