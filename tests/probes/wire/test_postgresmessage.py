import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.postgresmessage import (
    check_head,
    decode_error,
    decode_row,
    encode_query,
    encode_startup,
    number_in,
)


def test_names_with_a_zero_octet_are_refused() -> None:
    for user in ("", "a\0b"):
        with pytest.raises(ValueError, match="zero octet"):
            encode_startup(user, "erp")


def test_an_error_without_fields_is_empty() -> None:
    assert decode_error(b"") == ("", "", "")
    assert decode_error(b"SFATAL\0Mwhy\xff\0") == ("FATAL", "", "why\ufffd")


def test_a_query_with_a_zero_octet_is_refused() -> None:
    with pytest.raises(ValueError, match="zero octet"):
        encode_query("SELECT\0")


def test_a_row_is_read_as_text() -> None:
    row = decode_row(b"\0\3\0\0\0\x011\xff\xff\xff\xff\0\0\0\2ab")
    assert row == ("1", None, "ab")
    assert [number_in(row, column) for column in range(4)] == [1.0, None, None, None]


@given(st.binary(max_size=40))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    for decode in (decode_row, decode_error, check_head):
        try:
            decode(garbage)
        except AnswerError:
            continue
