import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.icmperror import IcmpError, Told, decode_extended_error


def extended(origin: int, kind: int, code: int, *, by: str = "10.0.0.1", info: int = 0, errno: int = 113) -> bytes:
    address = ip_address(by)
    behind = (
        struct.pack("=HH", 2, 0) + address.packed + bytes(8)
        if address.version == 4
        else struct.pack("=HHI", 10, 0, 0) + address.packed + bytes(4)
    )
    return struct.pack("=IBBBBII", errno, origin, kind, code, 0, info, 0) + behind


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (extended(2, 11, 0), IcmpError(Told.EXPIRED, "time to live exceeded", "10.0.0.1", 11, 0, 0, 113)),
        (extended(2, 3, 3), IcmpError(Told.PORT, "port unreachable", "10.0.0.1", 3, 3, 0, 113)),
        (
            extended(2, 3, 13),
            IcmpError(Told.PROHIBITED, "communication administratively prohibited", "10.0.0.1", 3, 13, 0, 113),
        ),
        (extended(2, 3, 4, info=1400), IcmpError(Told.TOO_BIG, "fragmentation needed", "10.0.0.1", 3, 4, 1400, 113)),
        (extended(2, 5, 1), IcmpError(Told.OTHER, "ICMP type 5 code 1", "10.0.0.1", 5, 1, 0, 113)),
        (
            extended(3, 3, 0, by="2001:db8::1"),
            IcmpError(Told.EXPIRED, "hop limit exceeded", "2001:db8::1", 3, 0, 0, 113),
        ),
        (
            extended(3, 1, 1, by="2001:db8::1"),
            IcmpError(Told.PROHIBITED, "communication administratively prohibited", "2001:db8::1", 1, 1, 0, 113),
        ),
        (
            extended(3, 2, 0, by="2001:db8::1", info=1280),
            IcmpError(Told.TOO_BIG, "packet too big", "2001:db8::1", 2, 0, 1280, 113),
        ),
        (
            extended(1, 0, 0, info=1450, errno=90),
            IcmpError(Told.TOO_BIG, "this machine's own link or route", "", 0, 0, 1450, 90),
        ),
    ],
)
def test_the_kernels_words_are_understood(data: bytes, expected: IcmpError) -> None:
    assert decode_extended_error(data) == expected
    assert expected.is_local == (expected.by == "")


@pytest.mark.parametrize("length", range(len(extended(2, 11, 0)) - 8))
def test_what_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(AnswerError):
        decode_extended_error(extended(2, 11, 0)[:length])


@given(st.binary(max_size=64))
def test_garbage_decodes_or_is_refused(garbage: bytes) -> None:
    try:
        found = decode_extended_error(garbage)
    except AnswerError:
        return
    assert found.words


@given(st.sampled_from([2, 3]), st.integers(0, 255), st.integers(0, 255), st.integers(0, 2**32 - 1))
def test_every_type_and_code_has_words(origin: int, kind: int, code: int, info: int) -> None:
    found = decode_extended_error(extended(origin, kind, code, info=info))
    assert (found.type, found.code, found.mtu) == (kind, code, info if found.told is Told.TOO_BIG else 0)
