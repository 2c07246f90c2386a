"""The kernel is called through Attribution, which makes its tables and is its only caller."""

from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.flows.attribution import Attribution
from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.service import ServiceRule
from tests.kernels import oracle

pytestmark = pytest.mark.bounds

PREFIXES = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "0.0.0.0/0", "::/0", "fd00::/8", "fd00::1/128"]
ADDRESSES = [
    "10.1.2.3",
    "10.1.2.4",
    "10.1.9.9",
    "10.200.0.1",
    "192.0.2.1",
    "255.255.255.255",
    "fd00::1",
    "fd00::2",
    "::1",
]
PORTS = st.sampled_from([0, 80, 443, 1521, 1522, 40000, 65535])
RULES = st.builds(
    lambda server, protocol, low, span, client: ServiceRule(
        "rule",
        (),
        Prefix.parse(server),
        protocol,
        low if span is not None else 0,
        min(low + span, 65535) if span is not None else 65535,
        Prefix.parse(client) if client else None,
    ),
    st.sampled_from(PREFIXES),
    st.sampled_from([None, 6, 17, 1]),
    PORTS,
    st.sampled_from([None, 0, 1, 600]),
    st.sampled_from([None, *PREFIXES]),
)
ENDS = st.builds(
    oracle.Ends,
    st.sampled_from(ADDRESSES),
    st.sampled_from(ADDRESSES),
    PORTS,
    PORTS,
    st.sampled_from([0, 1, 6, 17, 255]),
)


def batch(flows: list[oracle.Ends]) -> FlowBatch:
    sources = [address_halves(flow.source) for flow in flows]
    destinations = [address_halves(flow.destination) for flow in flows]
    return FlowBatch.of(
        source_address_hi=[hi for hi, _ in sources],
        source_address_lo=[lo for _, lo in sources],
        destination_address_hi=[hi for hi, _ in destinations],
        destination_address_lo=[lo for _, lo in destinations],
        source_transport_port=[flow.source_port for flow in flows],
        destination_transport_port=[flow.destination_port for flow in flows],
        protocol_identifier=[flow.protocol for flow in flows],
    )


@settings(max_examples=150)
@given(st.lists(RULES, max_size=12), st.lists(ENDS, max_size=12))
def test_rule_and_client_side_are_those_of_trying_every_rule(
    rules: list[ServiceRule], flows: list[oracle.Ends]
) -> None:
    found = Attribution(IpPlan.empty(), rules, (), 1).attribute(batch(flows))
    wanted = [oracle.attribute(rules, flow) for flow in flows]
    assert found.service_rule_id.tolist() == [rule for rule, _ in wanted]
    assert found.client_is_source.tolist() == [int(outward) for _, outward in wanted]


def test_an_ipv6_default_route_as_server_says_nothing_of_ipv4() -> None:
    rules = [ServiceRule("six", (), Prefix.parse("::/0"))]
    flows = [oracle.Ends("10.0.0.1", "10.0.0.2", 40000, 80, 6), oracle.Ends("::1", "::2", 40000, 80, 6)]
    assert Attribution(IpPlan.empty(), rules, (), 1).attribute(batch(flows)).service_rule_id.tolist() == [-1, 0]
    assert ip_network(str(rules[0].server)).version == 6
