import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.lab.dnswire import DnsError, Rcode, decode_answer, decode_question, encode_answer, encode_question


def test_a_question_survives_the_wire() -> None:
    message = encode_question(0xBEEF, "Erp.Lab.Example", 28)
    question = decode_question(message)
    assert (question.id, question.name, question.type, question.is_standard_query) == (
        0xBEEF, "erp.lab.example", 28, True,
    )  # fmt: skip


def test_an_answer_carries_addresses_or_the_start_of_authority() -> None:
    question = decode_question(encode_question(7, "erp.lab.example"))
    good = encode_answer(question, Rcode.NOERROR, zone="lab.example", addresses=("127.20.1.10", "127.20.1.20"))
    assert (decode_answer(good).rcode, decode_answer(good).addresses) == (0, ("127.20.1.10", "127.20.1.20"))
    assert struct.unpack_from("!HHHHHH", good) == (7, 0x8500, 1, 2, 0, 0)
    gone = encode_answer(question, Rcode.NXDOMAIN, zone="lab.example")
    assert (decode_answer(gone).rcode, decode_answer(gone).addresses) == (3, ())
    assert struct.unpack_from("!HHHHHH", gone) == (7, 0x8503, 1, 0, 1, 0)


def test_scapy_reads_the_answer() -> None:
    # The layer is imported here because scapy takes a second to load.
    from scapy.layers.dns import DNS

    question = decode_question(encode_question(7, "erp.lab.example"))
    seen = DNS(encode_answer(question, Rcode.NOERROR, zone="lab.example", addresses=("127.20.1.10",)))
    assert (seen.an[0].rrname, seen.an[0].rdata, seen.an[0].ttl) == (b"erp.lab.example.", "127.20.1.10", 5)
    gone = DNS(encode_answer(question, Rcode.NXDOMAIN, zone="lab.example"))
    assert (gone.rcode, gone.ns[0].rrname, gone.ns[0].type) == (3, b"lab.example.", 6)


@pytest.mark.parametrize(
    "message", [b"", bytes(11), bytes(12), encode_question(1, "erp")[:-1], b"\0\0\x80" + bytes(20)]
)
def test_what_is_no_question_is_refused(message: bytes) -> None:
    with pytest.raises(DnsError):
        decode_question(message)


def test_a_question_is_no_answer() -> None:
    with pytest.raises(DnsError, match="a query where an answer was due"):
        decode_answer(encode_question(1, "erp.lab.example"))


@given(st.binary(max_size=80))
def test_any_datagram_decodes_or_is_refused(tail: bytes) -> None:
    for decode, flags in ((decode_question, 0x0100), (decode_answer, 0x8180)):
        message = struct.pack("!HHHHHH", 1, flags, 1, 1, 0, 0) + tail
        try:
            decode(message)
        except DnsError:
            continue
