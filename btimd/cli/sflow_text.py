"""sFlow samples for people: what was sampled, where, and what the packet's headers say."""

from typing import Any, Final

import numpy as np

from btimd.capture.wire.sflow import NOT_COUNTED, InterfaceCounters, read_counter_record
from btimd.capture.wire.sflowrecords import SAMPLED_IPV4, SAMPLED_IPV6, SflowRecord, SflowSample
from btimd.kernels import headers as h
from btimd.model.address import address_text

_LOCAL: Final = 0x3FFF_FFFF
_HALF: Final = (1 << 64) - 1
_MAPPED: Final = 0xFFFF_0000_0000
_TCP: Final = 6
_ICMP: Final = (1, 58)
_LINKS: Final = {
    1: "Ethernet", 2: "token bus", 3: "token ring", 4: "FDDI", 5: "frame relay", 6: "X.25", 7: "PPP", 8: "SMDS",
    9: "AAL5", 10: "AAL5 IP", 11: "IPv4", 12: "IPv6", 13: "MPLS", 14: "POS", 15: "802.11 MAC", 16: "802.11 A-MPDU",
    17: "802.11 A-MSDU", 18: "InfiniBand",
}  # fmt: skip
_FRAGMENTS: Final = {h.FIRST_FRAGMENT: "first", h.LATER_FRAGMENT: "later"}
_RECORDS: Final = {  # sflow.org's lists of flow and counter record formats
    False: {
        1: "rawPacketHeader", 2: "ethernetFrame", 3: "ipv4", 4: "ipv6", 1001: "extendedSwitch", 1002: "extendedRouter",
        1003: "extendedGateway", 1004: "extendedUser", 1005: "extendedUrl", 1006: "extendedMpls", 1007: "extendedNat",
        1008: "extendedMplsTunnel", 1009: "extendedMplsVc", 1010: "extendedMplsFtn", 1011: "extendedMplsLdpFec",
        1012: "extendedVlanTunnel", 1020: "extendedNatPort", 1036: "extendedEgressQueue", 1037: "extendedAcl",
        1038: "extendedFunction", 1039: "extendedTransitDelay", 1040: "extendedQueueDepth",
    },
    True: {
        1: "interface", 2: "ethernet", 3: "tokenRing", 4: "100BaseVg", 5: "vlan", 6: "802.11", 1001: "processor",
        1004: "openflowPort", 1005: "portName", 2000: "host", 2001: "hostAdapters", 2003: "hostCpu", 2004: "hostMemory",
        2005: "hostDisk", 2006: "hostNetwork",
    },
}  # fmt: skip


def describe_sample(sample: SflowSample) -> dict[str, Any]:
    """Return a sample with names and readable values; NetFlow's names where it has them."""
    line: dict[str, Any] = {
        "datagram": sample.datagram, "version": "sFlow v5", "exporter": sample.agent, "domain": sample.sub_agent,
        "kind": sample.kind.replace("_", " ").replace("drop sample", "discarded packet sample"),
    }  # fmt: skip
    if not (sample.is_flow or sample.is_counter):
        return line | {"format": f"{sample.enterprise}:{sample.format}", "octets": sample.octets}
    line |= {"sequence": sample.sequence, "source": f"{sample.source_type}:{sample.source}"}
    if sample.is_flow:
        line |= {
            "samplingInterval": sample.rate, "samplePool": sample.pool, "drops": sample.drops,
            "ingressInterface": _interface(sample.input), "egressInterface": _interface(sample.output),
        }  # fmt: skip
        if sample.reason:
            line["discardReason"] = sample.reason
    for record in sample.records:
        name = _record_name(record, counter=sample.is_counter)
        while name in line:
            name += "'"
        line[name] = _counter(record) if sample.is_counter else _packet(record)
    return line


def _record_name(record: SflowRecord, *, counter: bool) -> str:
    name = _RECORDS[counter].get(record.format) if record.enterprise == 0 else None
    return name or f"{record.enterprise}:{record.format}"


def _interface(end: tuple[int, int]) -> int | str:
    form, value = end
    if form == 0:
        return "local" if value == _LOCAL else value
    return {1: f"discarded, reason {value}", 2: f"{value} interfaces"}.get(form, f"{form}:{value}")


def _packet(record: SflowRecord) -> dict[str, Any] | str:
    if raw := record.raw_header:
        link, frame, stripped, length, octets = raw
        return {
            "link": _LINKS.get(link, str(link)), "frameOctets": frame, "strippedOctets": stripped,
            "headerOctets": length, **read_packet(octets, link),
        }  # fmt: skip
    size = {SAMPLED_IPV4: 4, SAMPLED_IPV6: 16}.get(record.format, 0) if record.enterprise == 0 else 0
    if not size or len(record.octets) < 24 + 2 * size:
        return record.octets.hex()
    octets = record.octets
    mapped = _MAPPED if record.format == SAMPLED_IPV4 else 0
    ends = [int.from_bytes(octets[at : at + size], "big") | mapped for at in (8, 8 + size)]
    ports = [int.from_bytes(octets[at : at + 4], "big") for at in range(8 + 2 * size, 24 + 2 * size, 4)]
    return {
        "ipTotalLength": int.from_bytes(octets[:4], "big"), "protocolIdentifier": int.from_bytes(octets[4:8], "big"),
        "sourceAddress": address_text(ends[0] >> 64, ends[0] & _HALF),
        "destinationAddress": address_text(ends[1] >> 64, ends[1] & _HALF),
        "sourceTransportPort": ports[0], "destinationTransportPort": ports[1], "tcpControlBits": ports[2],
        "ipClassOfService": ports[3],
    }  # fmt: skip


def read_packet(octets: bytes, link: int) -> dict[str, Any]:
    """Return what the headers of a frame say, as far as it goes; tunnels are shown as "inner"."""
    slab = np.frombuffer(octets, np.uint8)
    shown: dict[str, Any] = {}
    place, at, end = shown, 0, len(octets)
    for _ in range(h.MAX_TUNNELS):
        out = np.zeros(h.H_SIZE, np.int64)
        status = h.read_frame(slab, at, end, link, out)
        place.update(describe_headers([int(value) for value in out], status))
        if status == h.NO_ADDRESSES or not h.read_inner(slab, out):
            break
        at, end, link = int(out[h.H_INNER_AT]), int(out[h.H_IP_END]), int(out[h.H_INNER_LINK])
        place["inner"] = {}
        place = place["inner"]
    return shown


def describe_headers(out: list[int], status: int) -> dict[str, Any]:
    """Return what headers.parse_frame found, `out` and what it returned, with names and readable values."""
    shown: dict[str, Any] = {}
    if out[h.H_SOURCE_MAC] or out[h.H_DESTINATION_MAC]:
        shown["sourceMacAddress"] = out[h.H_SOURCE_MAC].to_bytes(6, "big").hex(":")
        shown["destinationMacAddress"] = out[h.H_DESTINATION_MAC].to_bytes(6, "big").hex(":")
    if out[h.H_ETHERTYPE]:
        shown["ethernetType"] = f"0x{out[h.H_ETHERTYPE]:04x}"
    shown |= {
        name: out[index]
        for name, index in (("vlanId", h.H_VLAN), ("dot1qCustomerVlanId", h.H_CUSTOMER_VLAN))
        if out[index]
    }
    if out[h.H_MPLS_DEPTH]:
        shown["mplsTopLabel"] = out[h.H_MPLS_LABEL]
    return shown if status == h.NO_ADDRESSES else shown | _ip(out, status)


def _ip(out: list[int], status: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "sourceAddress": address_text(out[h.H_SOURCE_HI] & _HALF, out[h.H_SOURCE_LO] & _HALF),
        "destinationAddress": address_text(out[h.H_DESTINATION_HI] & _HALF, out[h.H_DESTINATION_LO] & _HALF),
        "protocolIdentifier": out[h.H_PROTOCOL], "ipClassOfService": out[h.H_CLASS], "ipTTL": out[h.H_TTL],
        "ipTotalLength": out[h.H_IP_OCTETS],
    }  # fmt: skip
    if out[h.H_FRAGMENT] != h.WHOLE:
        shown["fragment"] = _FRAGMENTS[out[h.H_FRAGMENT]]
    if status == h.PORTS and out[h.H_PROTOCOL] in _ICMP:
        shown |= {"icmpType": out[h.H_DESTINATION_PORT] >> 8, "icmpCode": out[h.H_DESTINATION_PORT] & 0xFF}
    elif status == h.PORTS:
        shown |= {"sourceTransportPort": out[h.H_SOURCE_PORT], "destinationTransportPort": out[h.H_DESTINATION_PORT]}
        if out[h.H_PROTOCOL] == _TCP:
            shown["tcpControlBits"] = out[h.H_FLAGS]
    return shown


def _counter(record: SflowRecord) -> dict[str, Any] | str:
    found = read_counter_record(record.enterprise << 12 | record.format, record.octets, 0)
    if isinstance(found, InterfaceCounters):
        return {
            "interface": found.interface, "speed": found.speed, "adminStatus": "up" if found.admin_up else "down",
            "operStatus": "up" if found.oper_up else "down",
            **{
                name: value
                for name, value in (
                    ("inOctets", found.in_octets), ("inPackets", found.in_packets), ("inDiscards", found.in_discards),
                    ("inErrors", found.in_errors), ("outOctets", found.out_octets), ("outPackets", found.out_packets),
                    ("outDiscards", found.out_discards), ("outErrors", found.out_errors),
                )
                if value != NOT_COUNTED
            },
        }  # fmt: skip
    return record.octets.hex() if found is None else found.decode("utf-8", "replace")
