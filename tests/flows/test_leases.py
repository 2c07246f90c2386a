"""Lease files as dhcpd and Kea write them, and what must not break their readers."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.leases import IscLeases, KeaLeases, Lease, LeaseParser, clean_name, mac_text, prefix_of
from btimd.model.address import Prefix
from tests.fuzz.mutate import mutated

MAC = "02:00:00:00:00:11"
STARTS = datetime(2026, 11, 22, 4, 0, tzinfo=UTC).timestamp()
ENDS = datetime(2026, 11, 22, 5, 0, tzinfo=UTC).timestamp()

ISC = rb"""# The format of this file is documented in the dhcpd.leases(5) manual page.
authoring-byte-order little-endian;
server-duid "\000\001\000\001\061\007(v\002\000\000\000\000\001";

lease 10.77.0.100 {
  starts 0 2026/11/22 04:00:00;
  ends 0 2026/11/22 05:00:00;
  cltt 0 2026/11/22 04:00:00;
  binding state active;
  next binding state free;
  rewind binding state free;
  hardware ethernet 02:00:00:00:00:11;
  uid "\001\002\000\000\000\000\021";
  set vendor-class-identifier = "MSFT 5.0 {;}";
  on expiry { set x = "}"; }
  client-hostname "anna-pc";
}
"""
KEA4 = b"""address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context
10.77.0.100,02:00:00:00:00:11,01:02:00:00:00:00:11,3600,1795327200,1,0,0,anna&#x2cpc.example.com.,0,
"""
KEA6 = b"""address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source
2001:db8::100,00:03:00:01:02:00:00:00:00:11,3600,1795327200,1,1800,0,1,128,0,0,anna,,0,,1,2
2001:db8:1::,00:03:00:01:02:00:00:00:00:11,3600,1795327200,1,1800,2,1,56,0,0,,02:00:00:00:00:12,0,,1,2
"""


def read(parser: LeaseParser, octets: bytes) -> list[Lease]:
    return [lease for line in octets.splitlines() for lease in parser.feed(line)]


def isc(octets: bytes) -> list[Lease]:
    return read(IscLeases(), octets)


def lease(**changes: object) -> Lease:
    wanted = {"prefix": prefix_of("10.77.0.100"), "active": True, "since": STARTS, "until": ENDS, "mac": MAC}
    return Lease(**{**wanted, "hostname": "anna-pc", **changes})  # type: ignore[arg-type]  # a test's shorthand


def test_a_lease_of_dhcpd_tells_address_times_device_and_name() -> None:
    assert isc(ISC) == [lease()]


def test_a_lease_that_is_not_active_frees_its_address() -> None:
    for state in (b"free", b"expired", b"released", b"abandoned", b"backup"):
        assert [found.active for found in isc(ISC.replace(b"binding state active", b"binding state " + state))] == [
            False
        ]


def test_times_are_utc_or_epoch_or_never() -> None:
    local = ISC.replace(b"ends 0 2026/11/22 05:00:00;", b"ends epoch 1795323600; # Sun Nov 22 06:00:00 2026")
    assert isc(local) == [lease(until=1795323600.0)]
    assert isc(ISC.replace(b"ends 0 2026/11/22 05:00:00;", b"ends never;")) == [lease(until=None)]


def test_without_hardware_the_client_identifier_tells_the_mac() -> None:
    assert isc(ISC.replace(b"  hardware ethernet 02:00:00:00:00:11;\n", b"")) == [lease()]
    in_hex = ISC.replace(b"  hardware ethernet 02:00:00:00:00:11;\n", b"").replace(
        rb'"\001\002\000\000\000\000\021"', b"01:02:00:00:00:00:11"
    )
    assert isc(in_hex) == [lease()]


def test_ipv6_leases_take_the_mac_from_the_duid_and_begin_with_the_last_transaction() -> None:
    octets = rb"""ia-na "\001\000\000\000\000\003\000\001\002\000\000\000\000\021" {
  cltt 0 2026/11/22 04:00:00;
  iaaddr 2001:db8::100 {
    binding state active;
    preferred-life 1800;
    max-life 3600;
    ends 0 2026/11/22 05:00:00;
    set ddns-fwd-name = "x";
  }
  iaaddr 2001:db8::101 {
    binding state expired;
    ends 0 2026/11/22 03:00:00;
  }
}
ia-pd "\001\000\000\000\000\001\000\001\061\007(v\002\000\000\000\000\021" {
  cltt 0 2026/11/22 04:00:00;
  iaprefix 2001:db8:1::/56 {
    binding state active;
    ends 0 2026/11/22 05:00:00;
  }
}
"""
    assert isc(octets) == [
        lease(prefix=prefix_of("2001:db8::100"), hostname=""),
        lease(prefix=prefix_of("2001:db8::101"), active=False, until=ENDS - 7200, hostname=""),
        lease(prefix=Prefix.parse("2001:db8:1::/56"), hostname=""),
    ]


def test_a_declaration_that_breaks_off_costs_itself_only() -> None:
    parser = IscLeases()
    torn = ISC[: ISC.index(b"  uid")] + ISC[ISC.index(b"lease 10") :]
    assert read(parser, torn) == [lease()]
    assert (parser.refused, parser.last_error) == (1, "line 13: a declaration before this line breaks off")


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (b"lease 10.77.0.300 {\n}\n", "line 2: a lease whose address or time cannot be understood"),
        (b"lease 10.77.0.3 {\n starts tomorrow;\n}\n", "line 3: a lease whose address or time cannot be understood"),
        (b'lease 10.77.0.3 {\n client-hostname "anna;\n}\n', "line 2: a quotation mark without its pair"),
        (b"lease 10.77.0.3 {\n" + b" a b;\n" * 2000 + b"}\n", "line 1366: a declaration of more than 4096 words"),
    ],
)
def test_what_dhcpd_cannot_have_meant_is_refused_without_being_quoted(bad: bytes, error: str) -> None:
    parser = IscLeases()
    assert read(parser, bad + ISC[ISC.index(b"lease 10") :]) == [lease()]
    assert (parser.refused, parser.last_error) == (1, error)


def test_a_lease_of_kea_tells_the_same() -> None:
    assert read(KeaLeases(), KEA4) == [lease(since=1795323600.0, until=1795327200.0, hostname="anna,pc.example.com")]


def test_ipv6_leases_of_kea_are_addresses_and_prefixes() -> None:
    times = {"since": 1795323600.0, "until": 1795327200.0}
    assert read(KeaLeases(), KEA6) == [
        lease(prefix=prefix_of("2001:db8::100"), hostname="anna", **times),
        lease(prefix=Prefix.parse("2001:db8:1::/56"), hostname="", mac="02:00:00:00:00:12", **times),
    ]


@pytest.mark.parametrize(("state", "active"), [("0", True), ("1", False), ("2", False), ("3", False), ("4", True)])
def test_the_state_says_whether_a_lease_of_kea_is_in_use(state: str, active: bool) -> None:
    found = read(KeaLeases(), KEA4.replace(b".,0,", f".,{state},".encode()))
    assert [one.active for one in found] == [active]


def test_kea_deletes_by_a_lifetime_of_zero_and_never_ends_the_longest_one() -> None:
    assert [one.active for one in read(KeaLeases(), KEA4.replace(b",3600,", b",0,"))] == [False]
    endless = read(KeaLeases(), KEA4.replace(b",3600,", b",4294967295,"))
    assert [(one.active, one.since, one.until) for one in endless] == [(True, None, None)]


def test_older_files_of_kea_without_the_last_columns_are_read() -> None:
    old = b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname\n10.77.0.100,02:00:00:00:00:11,,3600,1795327200,1,0,0,anna-pc\n"
    assert read(KeaLeases(), old) == [lease(since=1795323600.0, until=1795327200.0)]


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (b"10.1.1.1,02:00:00:00:00:11,,3600,1795327200,1,0,0,x,0,\n", "line 1: a lease before any heading that can be understood"),
        (b"address,hwaddr\n", "line 1: a heading without address, valid_lifetime or expire"),
        (KEA4.replace(b"10.77.0.100", b"10.77.0"), "line 2: a lease whose address, times or state cannot be understood"),
        (KEA4.replace(b"1795327200", b"9" * 20), "line 2: a lease whose address, times or state cannot be understood"),
        (KEA4[:-60], "line 2: a lease whose address, times or state cannot be understood"),
    ],
)  # fmt: skip
def test_what_kea_cannot_have_meant_is_refused(octets: bytes, error: str) -> None:
    parser = KeaLeases()
    assert read(parser, octets) == []
    assert (parser.refused, parser.last_error) == (1, error)


@pytest.mark.parametrize("text", ["02-00-00-00-00-11", "0200.0000.0011", "020000000011", " 2:0:0:0:0:11 "])
def test_a_mac_may_be_written_in_every_usual_way(text: str) -> None:
    assert mac_text(text) == MAC


def test_a_name_can_always_be_shown() -> None:
    assert clean_name("  anna\n\x1b[31m  pc\0") == "anna [31m pc"
    assert len(clean_name("x" * 1000)) == 128


@pytest.mark.parametrize(("make", "octets"), [(IscLeases, ISC), (KeaLeases, KEA4), (KeaLeases, KEA6)])
def test_a_file_cut_off_anywhere_gives_leases_of_the_whole_one_or_none(
    make: type[IscLeases | KeaLeases], octets: bytes
) -> None:
    whole = read(make(), octets)
    for end in range(len(octets)):
        found = read(make(), octets[:end])
        assert [one.prefix for one in found] == [one.prefix for one in whole][: len(found)]
        assert [one.mac for one in found] == [one.mac for one in whole][: len(found)]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_files_break_nothing_and_are_counted(seed: int) -> None:
    random = Random(seed)
    for _ in range(500):
        octets = mutated(random, [ISC, KEA4, KEA6])
        for make in (IscLeases, KeaLeases):
            parser = make()
            found = read(parser, octets)
            assert all(len(one.hostname) <= 128 and len(one.mac) in {0, 17} for one in found)
            assert parser.refused <= octets.count(b"\n") + parser.records + 1


@given(st.lists(st.binary(max_size=80) | st.sampled_from([*ISC.splitlines(), *KEA4.splitlines(), b"}", b"{"])))
def test_no_line_raises(lines: list[bytes]) -> None:
    for parser in (IscLeases(), KeaLeases()):
        for line in lines:
            parser.feed(line)
