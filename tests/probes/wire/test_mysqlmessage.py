import struct

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.mysqlmessage import (
    CACHING_SHA2,
    Greeting,
    ServerError,
    answer_caching_sha2,
    answer_native,
    capabilities_for,
    decode_error,
    decode_greeting,
    decode_row,
    encode,
    encode_logon,
    encrypt_password,
    length_encoded,
)
from btimd.probes.wire.octets import Octets

SCRAMBLE = bytes(range(1, 21))


def greeting(version: str = "8.0.36", plugin: str = CACHING_SHA2, capabilities: int = 0x80000 | 0x800) -> bytes:
    return (
        b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + SCRAMBLE[:8] + b"\0"
        + struct.pack("<HBHHB", capabilities & 0xFFFF, 45, 2, capabilities >> 16, 21) + bytes(10)
        + SCRAMBLE[8:] + b"\0" + plugin.encode() + b"\0"
    )  # fmt: skip


def test_a_greeting_is_read() -> None:
    assert decode_greeting(greeting()) == Greeting("8.0.36", 0x80800, SCRAMBLE, CACHING_SHA2)
    assert decode_greeting(greeting("5.5.5-10.11.6-MariaDB-0+deb12u1")).is_mariadb
    old = b"\x0a5.0\0" + bytes(4) + SCRAMBLE[:8] + b"\0" + b"\x04\x02"
    assert decode_greeting(old) == Greeting("5.0", 0x204, SCRAMBLE[:8], "mysql_native_password")
    with pytest.raises(AnswerError, match="protocol version 9"):
        decode_greeting(b"\x09")


def test_proofs_are_those_of_the_servers_pages() -> None:
    # mysql_native_password: SHA1(password) XOR SHA1(scramble + SHA1(SHA1(password)))
    assert answer_native(b"secret", SCRAMBLE).hex() == "b32bb3a583e1340c0a1108d58b1be49781ad8c2f"
    assert (
        answer_caching_sha2(b"secret", SCRAMBLE).hex()
        == "746ebe205d56a0707acb3e796e834e0dd7b1d61743b26bd5202c7a623230c7c9"
    )
    assert answer_native(b"", SCRAMBLE) == answer_caching_sha2(b"", SCRAMBLE) == b""


def test_a_logon_names_user_database_and_plugin() -> None:
    found = Greeting("8", 0x80800, SCRAMBLE, CACHING_SHA2)
    capabilities = capabilities_for(found, secure=False, database="erp")
    assert capabilities == 0x8A20D | 0x80000
    content = encode_logon(capabilities, "probe", b"abc", "erp", CACHING_SHA2)
    assert content[32:] == b"probe\0\x03abcerp\0caching_sha2_password\0"
    assert capabilities_for(found, secure=True, database="") & 0x808 == 0x800
    assert encode(3, b"x") == b"\x01\0\0\x03x"


def test_the_password_is_encrypted_for_the_servers_key() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    found = key.decrypt(
        encrypt_password(b"secret", SCRAMBLE, pem, 7),
        padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303  what MySQL does
    )
    assert bytes(a ^ b for a, b in zip(found, SCRAMBLE, strict=False)) == b"secret\0"
    with pytest.raises(AnswerError, match="too short for the password"):
        encrypt_password(b"x" * 240, SCRAMBLE, pem, 7)


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN-----\nAAAA\n", b"MIIB\n", b"!", b"MIT/////"])
def test_what_is_no_key_is_refused(pem: bytes) -> None:
    with pytest.raises(AnswerError):
        encrypt_password(b"secret", SCRAMBLE, pem, 7)


def test_errors_rows_and_lengths_are_read() -> None:
    assert decode_error(b"\xff\x15\x04#28000Access denied") == ServerError(1045, "28000", "Access denied")
    assert decode_error(b"\xff\x10\x04Too many").text == "1040: Too many"
    assert decode_row(b"\x011\xfb\x02ab") == ("1", None, "ab")
    assert length_encoded(Octets(b"\xfc\x01\x02", "little")) == 0x201
    with pytest.raises(AnswerError):
        length_encoded(Octets(b"\xff"))


@given(st.binary(max_size=80))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    for decode in (decode_greeting, decode_error, decode_row, lambda key: encrypt_password(b"x", SCRAMBLE, key, 1)):
        try:
            decode(garbage)
        except AnswerError:
            continue
