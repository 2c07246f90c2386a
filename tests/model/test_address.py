"""One number space for both address families."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.address import Prefix, address_halves, address_text


def test_ipv4_is_mapped_and_written_as_ipv4_again() -> None:
    assert address_halves("10.1.2.3") == (0, 0xFFFF_0A01_0203)
    assert address_text(0, 0xFFFF_0A01_0203) == "10.1.2.3"


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_every_address_survives_the_halves(address: IPv4Address | IPv6Address) -> None:
    expected = address
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        expected = address.ipv4_mapped

    assert address_text(*address_halves(address)) == str(expected)


@given(st.ip_addresses(v=4), st.integers(0, 32), st.ip_addresses(v=4))
def test_a_prefix_contains_what_ipaddress_says(base: IPv4Address, length: int, probe: IPv4Address) -> None:
    network = ip_network((base, length), strict=False)
    prefix = Prefix.parse(str(network))

    assert prefix.contains(*address_halves(probe)) == (probe in network)
    assert str(prefix) == str(network)


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "", "x/8", "::1/64"])
def test_what_is_no_prefix_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Prefix.parse(text)
