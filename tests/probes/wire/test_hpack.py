import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.hpack import _HUFFMAN, _SYMBOLS, Decoder, decode_huffman, encode, encode_integer


def huffman(data: bytes) -> bytes:
    """Encode, in obvious Python."""
    codes = {symbol: (length, code) for (length, code), symbol in _SYMBOLS.items()}
    bits = "".join(f"{codes[octet][1]:0{codes[octet][0]}b}" for octet in data)
    bits += "1" * (-len(bits) % 8)
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def test_requests_of_the_standard_are_read() -> None:  # RFC 7541 appendix C.4
    decoder = Decoder()
    assert decoder.decode(bytes.fromhex("828684418cf1e3c2e5f23a6ba0ab90f4ff")) == [
        (":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com"),
    ]  # fmt: skip
    assert decoder.decode(bytes.fromhex("828684be5886a8eb10649cbf"))[3:] == [
        (":authority", "www.example.com"), ("cache-control", "no-cache"),
    ]  # fmt: skip
    last = "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"
    assert decoder.decode(bytes.fromhex(last))[2:] == [
        (":path", "/index.html"), (":authority", "www.example.com"), ("custom-key", "custom-value"),
    ]  # fmt: skip


def test_a_table_forgets_the_oldest() -> None:  # RFC 7541 appendix C.6, with its table of 256 octets
    decoder = Decoder()
    first = bytes.fromhex(
        "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43"
        "d3"
    )
    assert decoder.decode(first) == [
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ]
    assert decoder.decode(bytes.fromhex("4883640effc1c0bf"))[0] == (":status", "307")
    with pytest.raises(AnswerError, match="header 66, which no table has"):
        decoder.decode(b"\xc2")


def test_the_code_is_complete() -> None:
    assert sorted(b"".join(_HUFFMAN.values())) == list(range(256))
    assert sum(2.0**-length for length, _ in _SYMBOLS) == 1.0


@given(st.binary(max_size=60))
def test_huffman_strings_come_back(data: bytes) -> None:
    assert decode_huffman(huffman(data)) == data


@pytest.mark.parametrize("octets", [b"\xff\xff\xff\xff", b"\xff", b"\0"])
def test_huffman_strings_that_cannot_be_are_told(octets: bytes) -> None:
    with pytest.raises(AnswerError):
        decode_huffman(octets)


def test_what_is_written_is_read() -> None:
    headers = [(":method", "GET"), (":path", "/a?b"), ("user-agent", "btimd"), ("x-own", "y" * 300)]
    assert Decoder().decode(encode(headers)) == headers
    assert encode([(":method", "GET")]) == b"\x82"
    assert encode_integer(1337, 5) == bytes.fromhex("1f9a0a")  # RFC 7541 appendix C.1.2


@pytest.mark.parametrize(
    ("block", "why"),
    [
        (b"\x80", "header 0, which no table has"),
        (b"\xff\xff\xff\xff\xff\x7f", "an integer that is too large"),
        (b"\x00\x7f", "a header block that is cut"),
        (b"\x00\x05ab", "a string that is longer than its block"),
        (b"\x3f\xe2\x1f", "a header table of 4097 octets"),
        (b"\x82\x20", "a header table of 0 octets"),
        (
            b"\x04\x7f\xc8\x1f" + bytes(4167) + b"\x04\x7f\xc8\x1f" + bytes(4167) + b"\x82" * 300,
            "headers over 16384 octets",
        ),
    ],
)
def test_what_cannot_be_is_told(block: bytes, why: str) -> None:
    with pytest.raises(AnswerError, match=why):
        Decoder().decode(block)


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_garbage_is_headers_or_told(blocks: list[bytes]) -> None:
    decoder = Decoder()
    for block in blocks:
        with contextlib.suppress(AnswerError):
            assert isinstance(decoder.decode(block), list)
    assert decoder._octets <= 4096
