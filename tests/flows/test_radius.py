"""RADIUS accounting packets: what is read, what is answered, and what must not break the reader."""

import hashlib
import struct
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.radius import (
    REASONS,
    Accounting,
    AccountingRequest,
    AccountingStatus,
    RadiusError,
    build_request,
    build_response,
    event_time,
    parse_request,
)
from btimd.model.address import Prefix
from tests.flows.radiuspackets import SECRET, attribute, attributes, start
from tests.fuzz.mutate import mutated

NOW = 1_795_000_000.0


def parse(packet: bytes) -> AccountingRequest:
    return parse_request(packet, SECRET, source="192.0.2.1", now=NOW)


def reason_or_none(packet: bytes) -> str | None:
    try:
        parse(packet)
    except RadiusError as error:
        return error.reason
    return None


def reason(packet: bytes) -> str:
    with pytest.raises(RadiusError) as caught:
        parse(packet)
    return caught.value.reason


def test_a_start_tells_who_got_which_addresses() -> None:
    delegated = attribute(123, b"\0\x38" + bytes.fromhex("20010db8000100"))
    framed6 = attribute(97, b"\0\x40" + bytes.fromhex("20010db800020003"))
    exact = attribute(168, bytes.fromhex("20010db8000400000000000000000005"))
    packet = start(
        "anna", "s1", "10.77.0.5", more=delegated + framed6 + exact + attribute(55, struct.pack(">I", 1_794_999_990))
    )
    assert parse(packet).accounting == Accounting(
        status=AccountingStatus.START,
        nas="4:c6336401",
        session="s1",
        person="anna",
        prefixes=(
            Prefix.parse("10.77.0.5"),
            Prefix.parse("2001:db8:1::/56"),
            Prefix.parse("2001:db8:2:3::/64"),
            Prefix.parse("2001:db8:4::5"),
        ),
        at=1_794_999_990.0,
    )


def test_the_answer_has_the_authenticator_of_rfc_2866_and_repeats_proxy_state() -> None:
    proxied = attribute(33, b"one") + attribute(33, b"two")
    request = start("anna", "s1", "10.77.0.5", more=proxied, identifier=7)
    answer = build_response(parse(request), SECRET)
    assert answer[:4] == b"\x05\x07" + struct.pack(">H", 20 + len(proxied))
    assert answer[20:] == proxied
    assert answer[4:20] == hashlib.md5(answer[:4] + request[4:20] + proxied + SECRET, usedforsecurity=False).digest()


def test_octets_behind_the_length_are_padding() -> None:
    assert parse(start("anna", "s1", "10.77.0.5") + b"\0\0").accounting.person == "anna"


@pytest.mark.parametrize(
    ("packet", "why"),
    [
        (b"", "short"),
        (b"\x04\0\0\x14" + bytes(15), "short"),
        (b"\x04\0\0\x13" + bytes(16), "length"),
        (b"\x04\0\x10\x01" + bytes(5000), "length"),
        (b"\x01\0\0\x14" + bytes(16), "code"),
        (b"\x04\0\0\x14" + bytes(16), "authenticator"),
        (build_request(1, attributes("anna", "s1", "10.77.0.5", 1), b"wrong secret"), "authenticator"),
        (build_request(1, attribute(40, b"\0\0\0\1") + b"\x01", SECRET), "attribute"),
        (build_request(1, attribute(40, b"\0\0\0\1") + b"\x01\x01", SECRET), "attribute"),
        (build_request(1, attribute(40, b"\0\0\0\1") + b"\x01\x09anna", SECRET), "attribute"),
        (build_request(1, attribute(40, b"\0\1"), SECRET), "attribute"),
        (build_request(1, attribute(97, b"\0\x81" + bytes(16)), SECRET), "attribute"),
        (build_request(1, attribute(97, b"\0\x40" + bytes(7)), SECRET), "attribute"),
        (build_request(1, attribute(1, b"anna"), SECRET), "status"),
        (build_request(1, attribute(40, b"\0\0\0\1"), SECRET), "session"),
    ],
)
def test_what_is_no_request_gets_no_answer_and_a_reason(packet: bytes, why: str) -> None:
    assert reason(packet) == why


def test_addresses_that_stand_for_none_and_prefixes_of_a_provider_are_left_out() -> None:
    wide = attribute(123, b"\0\x1f" + bytes.fromhex("20010db8"))
    for nobody in ("255.255.255.255", "255.255.255.254", "0.0.0.0"):
        assert parse(start("anna", "s1", nobody, more=wide)).accounting.prefixes == ()


def test_bits_behind_a_prefix_are_cut_off() -> None:
    untidy = attribute(97, b"\0\x40" + bytes.fromhex("20010db8000200030000000000000001"))
    assert parse(start("anna", "s1", None, more=untidy)).accounting.prefixes == (Prefix.parse("2001:db8:2:3::/64"),)


def test_a_nas_that_names_itself_is_known_by_that_else_by_its_address() -> None:
    named = attribute(32, b"wlc-1")
    assert parse(start("anna", "s1", None, more=named)).accounting.nas == "32:776c632d31"
    bare = build_request(1, attribute(40, b"\0\0\0\7"), SECRET)
    assert parse(bare).accounting.nas == "192.0.2.1"


def test_unknown_attributes_and_extended_ones_are_skipped() -> None:
    extended = attribute(241, b"\1" + b"x" * 9) + attribute(26, b"\0\0\0\x09" + b"y" * 9) + attribute(25, b"class")
    assert parse(start("anna", "s1", "10.77.0.5", more=extended)).accounting.person == "anna"


@pytest.mark.parametrize(
    ("event", "delay", "wanted"),
    [
        (None, 0, (NOW, False)),
        (None, 30, (NOW - 30, False)),
        (None, 1 << 31, (NOW - 86_400, False)),
        (NOW - 60, 30, (NOW - 60, False)),
        (NOW + 60, 0, (NOW, False)),
        (NOW + 3600, 5, (NOW - 5, True)),
        (0, 0, (NOW, True)),
    ],
)
def test_a_clock_that_cannot_be_right_is_not_believed(
    event: float | None, delay: float, wanted: tuple[float, bool]
) -> None:
    assert event_time(event, NOW, delay) == wanted


def test_a_packet_cut_off_anywhere_gets_no_answer() -> None:
    packet = start("anna", "s1", "10.77.0.5", more=attribute(33, b"state"))
    for end in range(len(packet)):
        assert reason(packet[:end]) in {"short", "length"}
    for end in range(20, len(packet)):
        cut = build_request(1, packet[20:end], SECRET)
        assert reason_or_none(cut) in {"attribute", "status", "session", None}


@pytest.mark.parametrize("seed", range(3))
def test_mutated_packets_with_the_right_secret_are_read_or_refused(seed: int) -> None:
    random = Random(seed)
    corpus = [attributes("anna", f"s{status}", "10.77.0.5", status) for status in (1, 2, 3, 7, 8, 15)]
    for _ in range(1000):
        octets = mutated(random, corpus)[:4000]
        try:
            found = parse(build_request(1, octets, SECRET))
        except RadiusError:
            continue
        assert len(found.accounting.prefixes) <= 8
        assert len(found.accounting.person) <= 128
        assert NOW - 86_400 <= found.accounting.at <= NOW


@given(st.binary(max_size=200))
def test_no_packet_raises_anything_else(octets: bytes) -> None:
    for packet in (octets, build_request(1, octets, SECRET)):
        assert reason_or_none(packet) in {*REASONS, None}
