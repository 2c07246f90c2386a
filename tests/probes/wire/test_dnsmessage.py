import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.dnsmessage import (
    RECORD_TYPES,
    Answer,
    Record,
    decode_answer,
    encode_name,
    encode_query,
)

NAME = b"\x03erp\x07example\x00"


def message(*records: bytes, flags: int = 0x8180, name: bytes = NAME, kind: int = 1, query_id: int = 7) -> bytes:
    header = struct.pack("!HHHHHH", query_id, flags, 1, len(records), 0, 0)
    return header + name + struct.pack("!HH", kind, 1) + b"".join(records)


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + struct.pack("!HHIH", kind, 1, 60, len(data)) + data


ANSWER = message(
    record(5, b"\x03www\xc0\x10"),
    record(1, bytes([10, 2, 0, 10])),
    record(28, bytes(15) + b"\x01"),
    record(15, struct.pack("!H", 10) + b"\x04mail\xc0\x10"),
    record(16, b"\x05hello\x06 world"),
    record(33, struct.pack("!HHH", 1, 2, 389) + b"\x04ldap\xc0\x10"),
    record(6, b"\x02ns\xc0\x10\xc0\x0c" + bytes(20)),
    record(99, b"\x01\xff"),
)


def test_a_query_is_a_question_with_recursion_desired() -> None:
    assert encode_query(0x1234, "erp.example.", RECORD_TYPES["AAAA"]) == (
        bytes.fromhex("1234 0100 0001 0000 0000 0000") + NAME + bytes.fromhex("001c 0001")
    )


def test_a_response_is_read_with_all_its_kinds_of_records() -> None:
    assert decode_answer(ANSWER) == Answer(
        id=7,
        rcode=0,
        truncated=False,
        name="erp.example",
        type=1,
        records=(
            Record("erp.example", 5, "www.example"),
            Record("erp.example", 1, "10.2.0.10"),
            Record("erp.example", 28, "::1"),
            Record("erp.example", 15, "10 mail.example"),
            Record("erp.example", 16, "hello world"),
            Record("erp.example", 33, "1 2 389 ldap.example"),
            Record("erp.example", 6, "ns.example"),
            Record("erp.example", 99, "01ff"),
        ),
    )


def test_names_that_dns_cannot_carry_are_refused() -> None:
    assert encode_name("") == b"\0"
    assert encode_name("bücher.example") == b"\x0dxn--bcher-kva\x07example\x00"
    for name in ("a..b", ".a", "x" * 64, ".".join(["y" * 60] * 5), "ü" * 80 + ".example"):
        with pytest.raises(ValueError, match="octets|label|host name"):
            encode_name(name)


def test_a_message_cut_anywhere_is_refused() -> None:
    for end in range(len(ANSWER)):
        with pytest.raises(AnswerError):
            decode_answer(ANSWER[:end])


def test_a_message_the_server_cut_is_read_as_far_as_it_goes() -> None:
    first = record(1, bytes([10, 2, 0, 10]))
    cut = message(first, record(1, bytes([10, 2, 0, 11])), flags=0x8380)[:-3]
    decoded = decode_answer(cut)
    assert decoded.truncated
    assert decoded.records == (Record("erp.example", 1, "10.2.0.10"),)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"\xc0\x0c", "does not lead back"),
        (b"\xc0\xff", "does not lead back"),
        (b"\x01a\xc0\x0c", "does not lead back"),
        (b"\x41a\x00", "unknown kind"),
        ((b"\x3f" + b"a" * 63) * 5 + b"\0", "over 255"),
    ],
)
def test_a_name_cannot_lead_round_in_circles_or_grow_without_end(name: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        decode_answer(message(name=name))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0), "query came back"),
        (struct.pack("!HHHHHH", 7, 0x8180, 0, 0, 0, 0), "0 questions"),
        (struct.pack("!HHHHHH", 7, 0x8180, 1, 65535, 0, 0), "65535 records"),
        (message(record(1, b"\x0a\x02")), "an address of 2 octets"),
        (message(record(16, b"\x09abc")), "TXT record"),
    ],
)
def test_what_no_server_says_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        decode_answer(data)


@given(st.binary(max_size=80), st.integers(0, len(ANSWER)), st.integers(0, 255))
def test_garbage_decodes_or_is_refused(garbage: bytes, place: int, octet: int) -> None:
    changed = ANSWER[:place] + bytes([octet]) + ANSWER[place + 1 :]
    for data in (garbage, ANSWER[:12] + garbage, changed):
        try:
            decode_answer(data)
        except AnswerError:
            continue
