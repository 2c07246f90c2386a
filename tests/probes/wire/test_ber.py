import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.ber import elements, encode, encode_integer, header_of, integer_of
from btimd.probes.wire.dialogue import AnswerError


def test_elements_are_written_as_the_standard_says() -> None:
    assert encode(0x04, b"ab", b"c") == b"\x04\x03abc"
    assert encode(0x04, bytes(200))[:3] == b"\x04\x81\xc8"
    assert encode(0x30, bytes(300))[:4] == b"\x30\x82\x01\x2c"
    assert (encode_integer(0), encode_integer(127), encode_integer(128)) == (b"\2\1\0", b"\2\1\x7f", b"\2\2\0\x80")


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_is_written_is_read(contents: list[bytes]) -> None:
    assert list(elements(b"".join(encode(4, one) for one in contents))) == [(4, one) for one in contents]


@given(st.integers(0, 2**31 - 1))
def test_integers_come_back(value: int) -> None:
    assert integer_of(encode_integer(value)[2:]) == value


@pytest.mark.parametrize("octets", [b"\x04\x80", b"\x04\x85\0\0\0\0\1", b"\x1f\0", b"\x04\x02a"])
def test_what_cannot_be_is_told(octets: bytes) -> None:
    with pytest.raises(AnswerError):
        list(elements(octets))


def test_a_header_that_is_cut_waits() -> None:
    assert header_of(b"\x30") is None
    assert header_of(b"\x30\x82\1") is None
    assert header_of(b"\x30\x82\1\0") == (0x30, 4, 260)
    with pytest.raises(AnswerError, match="an integer of 5 octets"):
        integer_of(bytes(5))
