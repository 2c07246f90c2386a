import struct

import pytest

from btimd.lab import pgwire


def test_messages_are_as_the_documentation_draws_them() -> None:
    assert pgwire.ready() == b"Z\0\0\0\x05I"
    assert pgwire.authentication_ok() == b"R\0\0\0\x08\0\0\0\0"
    assert pgwire.parameter_status("a", "b") == b"S\0\0\0\x08a\0b\0"
    assert pgwire.query("SELECT 1") == b"Q\0\0\0\x0dSELECT 1\0"
    assert pgwire.terminate() == b"X\0\0\0\x04"
    assert pgwire.backend_key(1, 2) == b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x02"
    assert pgwire.result("c", "x") == (
        b"T\0\0\0\x1a\0\x01c\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"
        b"D\0\0\0\x0b\0\x01\0\0\0\x01xC\0\0\0\x0dSELECT 1\0Z\0\0\0\x05I"
    )


def test_start_up_parameters_survive_the_wire() -> None:
    message = pgwire.startup("erp-app", "business")
    length, code = struct.unpack_from("!ii", message)
    assert (length, code) == (len(message), pgwire.PROTOCOL_3_0)
    assert pgwire.startup_parameters(message[8:]) == {"user": "erp-app", "database": "business"}
    assert pgwire.startup_parameters(b"\0") == {}


@pytest.mark.parametrize("body", [b"", b"user", b"user\0x", b"user\0\0", b"user\0x\0"])
def test_start_up_parameters_that_are_no_pairs_are_refused(body: bytes) -> None:
    with pytest.raises(pgwire.PgError, match="not pairs"):
        pgwire.startup_parameters(body)


def test_the_fields_of_an_error_survive_the_wire() -> None:
    assert pgwire.error_fields(pgwire.error("53100", "disk full")[5:]) == {
        "S": "ERROR", "V": "ERROR", "C": "53100", "M": "disk full",
    }  # fmt: skip


@pytest.mark.parametrize("body", [b"", b"\0\1", b"\0\0\0\0\0\0", b"\0\1\xff\xff\xff\xff", b"\0\1\0\0\0\x05abc"])
def test_a_row_without_a_first_column_is_refused(body: bytes) -> None:
    with pytest.raises(pgwire.PgError):
        pgwire.row_value(body)
