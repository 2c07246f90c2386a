from btimd.capture.wire.sflowrecords import sflow_samples
from btimd.cli.sflow_text import describe_sample, read_packet
from tests.kernels.sflowcrafting import (
    LOCAL,
    counters,
    datagram,
    discarded,
    expanded_flow,
    flow,
    interface_counters,
    raw_header,
    record,
    sampled_ipv4,
)  # fmt: skip
from tests.kernels.test_headers import ETHER, OCTETS, TUNNELS

TCP = {
    "sourceMacAddress": "02:00:00:00:00:01", "destinationMacAddress": "02:00:00:00:00:02", "ethernetType": "0x0800",
    "sourceAddress": "10.0.0.1", "destinationAddress": "10.2.0.10", "protocolIdentifier": 6, "ipClassOfService": 0x48,
    "ipTTL": 61, "ipTotalLength": 52, "sourceTransportPort": 40_000, "destinationTransportPort": 443,
    "tcpControlBits": 0xD2,
}  # fmt: skip
HEAD = {"datagram": 1, "version": "sFlow v5", "exporter": "192.0.2.77", "domain": 0, "sequence": 1, "source": "0:3"}


def described(*samples: bytes) -> list[dict[str, object]]:
    found = sflow_samples(datagram(*samples), number=1, exporter="", note=lambda _: None)
    return [describe_sample(sample) for sample in found]


def test_a_sampled_packet_is_shown_with_what_its_headers_say() -> None:
    ends = {"samplingInterval": 512, "samplePool": 9, "drops": 0, "ingressInterface": "local", "egressInterface": 4}
    assert described(flow(raw_header(OCTETS["tcp"]), record(1003, b"1234"), record(1003, b"5"), into=LOCAL)) == [{
        **HEAD, "kind": "flow sample", **ends,
        "rawPacketHeader": {"link": "Ethernet", "frameOctets": 70, "strippedOctets": 4, "headerOctets": 66, **TCP},
        "extendedGateway": "31323334", "extendedGateway'": "35",
    }]  # fmt: skip


def test_interfaces_of_all_formats_and_sampled_addresses_are_shown() -> None:
    found = described(
        expanded_flow(sampled_ipv4(), out=(1, 256)), expanded_flow(sampled_ipv4(source="::1", destination="::2"), out=(2, 7)),
        expanded_flow(record(3, b"cut"), out=(3, 1)), discarded(record(1036, b"abcd")),
    )  # fmt: skip
    assert [line["egressInterface"] for line in found] == ["discarded, reason 256", "7 interfaces", "3:1", 4]
    assert found[0]["ipv4"] == {
        "ipTotalLength": 576, "protocolIdentifier": 17, "sourceAddress": "10.0.0.1", "destinationAddress": "10.2.0.10",
        "sourceTransportPort": 5000, "destinationTransportPort": 53, "tcpControlBits": 0x12, "ipClassOfService": 0x48,
    }  # fmt: skip
    ipv6 = found[1]["ipv6"]
    assert isinstance(ipv6, dict)
    assert (ipv6["sourceAddress"], ipv6["destinationAddress"]) == ("::1", "::2")
    assert found[2]["ipv4"] == b"cut".hex()
    assert (found[3]["kind"], found[3]["discardReason"]) == ("discarded packet sample", 256)


def test_counters_and_names_are_shown() -> None:
    assert described(counters(interface_counters(status=1), record(1005, b"\0\0\0\4eth7"), record(77, b"ab"))) == [{
        **HEAD, "kind": "counter sample",
        "interface": {"interface": 3, "speed": 10**9, "adminStatus": "up", "operStatus": "down", "inOctets": 1000,
                      "inPackets": 6, "inDiscards": 4, "inErrors": 5, "outOctets": 2000, "outPackets": 60,
                      "outDiscards": 40, "outErrors": 50},
        "portName": "eth7", "0:77": "6162",
    }]  # fmt: skip


def test_samples_of_other_formats_are_named_by_number() -> None:
    assert described(record(7, b"1234", enterprise=4413)) == [{
        "datagram": 1, "version": "sFlow v5", "exporter": "192.0.2.77", "domain": 0, "kind": "unknown sample",
        "format": "4413:7", "octets": 4,
    }]  # fmt: skip


def test_tags_labels_fragments_and_icmp_are_shown() -> None:
    shown = [read_packet(OCTETS[name], 1) for name in ("qinq", "mpls", "later fragment", "icmp", "arp")]
    assert (shown[0]["vlanId"], shown[0]["dot1qCustomerVlanId"], shown[1]["mplsTopLabel"]) == (421, 785, 70_000)
    assert (shown[2]["fragment"], shown[3]["icmpType"], shown[3]["icmpCode"]) == ("later", 3, 1)
    assert list(shown[4]) == ["sourceMacAddress", "destinationMacAddress", "ethernetType"]


def test_a_tunnel_s_inner_packet_is_shown_inside_it() -> None:
    shown = read_packet(bytes(ETHER / TUNNELS["vxlan"]), 1)
    assert (shown["destinationTransportPort"], shown["inner"]["destinationTransportPort"]) == (4789, 1521)
