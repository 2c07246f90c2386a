"""Flow records out of sFlow samples, in slow and obvious Python."""

from dataclasses import dataclass, field

from btimd.capture.wire.sflowrecords import DISCARDED, SflowSample
from btimd.kernels import flowlayout as fl
from tests.kernels import oracle_headers

Row = dict[str, object]
LARGEST_FRAME = 1 << 18
LARGEST_RATE = 1 << 24


def number(octets: bytes, at: int, length: int = 4) -> int:
    return int.from_bytes(octets[at : at + length], "big")


@dataclass
class Packet:
    """What the records of a sample say about the packet."""

    known: bool = False
    source: bytes = bytes(16)
    destination: bytes = bytes(16)
    source_port: int = 0
    destination_port: int = 0
    protocol: int = 0
    class_of_service: int = 0
    flags: int = 0
    vlan: int = 0
    label: int = 0
    source_mac: int = 0
    destination_mac: int = 0
    ip_octets: int = 0
    frame: int = 0
    translated: dict[str, object] = field(default_factory=dict)
    found: bool = False


def mapped(octets: bytes) -> bytes:
    return octets if len(octets) == 16 else bytes(10) + b"\xff\xff" + octets


def raw_header(packet: Packet, link: int, frame: int, header: bytes) -> None:
    if packet.known:
        return
    found = oracle_headers.parse(header, link)
    packet.found = True
    packet.vlan, packet.label = found.vlan, found.mpls_label
    packet.source_mac, packet.destination_mac = found.source_mac, found.destination_mac
    packet.frame = frame or len(header)
    least = 0
    if found.status:
        packet.known = True
        packet.source, packet.destination = found.source, found.destination
        packet.source_port, packet.destination_port = found.source_port, found.destination_port
        packet.protocol, packet.class_of_service, packet.flags = found.protocol, found.class_of_service, found.flags
        packet.ip_octets = found.ip_octets
        least = found.ip_at + found.ip_octets if found.ip_octets else 0
    if packet.frame < least or packet.frame > LARGEST_FRAME:
        packet.frame = least


def sampled_ip(packet: Packet, octets: bytes, size: int) -> None:
    if packet.known or len(octets) < 24 + 2 * size:
        return
    packet.known = packet.found = True
    packet.ip_octets = number(octets, 0) if number(octets, 0) <= LARGEST_FRAME else 0
    packet.protocol = octets[7]
    packet.source, packet.destination = mapped(octets[8 : 8 + size]), mapped(octets[8 + size : 8 + 2 * size])
    packet.source_port, packet.destination_port, flags, class_of_service = (
        number(octets, 8 + 2 * size + 4 * k) for k in range(4)
    )
    packet.source_port &= 0xFFFF
    packet.destination_port &= 0xFFFF
    packet.flags, packet.class_of_service = flags & 0xFFF, class_of_service & 0xFF


def ethernet(packet: Packet, octets: bytes) -> None:
    if len(octets) < 24 or packet.frame:
        return
    packet.found = True
    packet.frame = number(octets, 0) if number(octets, 0) <= LARGEST_FRAME else 0
    packet.source_mac, packet.destination_mac = number(octets, 4, 6), number(octets, 12, 6)


def packet_of(sample: SflowSample) -> Packet | None:
    packet, tag = Packet(), 0
    for record in sample.records:
        if record.enterprise:
            continue
        if raw := record.raw_header:
            raw_header(packet, raw[0], raw[1], raw[4])
        elif record.format == 2:
            ethernet(packet, record.octets)
        elif record.format in {3, 4}:
            sampled_ip(packet, record.octets, 4 if record.format == 3 else 16)
        elif record.format == 1001 and len(record.octets) >= 4:
            tag = number(record.octets, 0)
    if not packet.vlan and tag < 4096:
        packet.vlan = tag
    return packet if packet.found else None


def row_of(sample: SflowSample, arrival: int) -> Row | None:
    """Return the record of a sample of a packet, None where nothing says what packet it was."""
    packet = packet_of(sample)
    if packet is None or not sample.is_flow:
        return None
    dropped = sample.format == DISCARDED or sample.output[0] == 1
    ends = [value if form == 0 and value != 0x3FFFFFFF else 0 for form, value in (sample.input, sample.output)]
    own = sample.source if sample.source_type == 0 else 0
    rate = 1 if sample.format == DISCARDED else sample.rate
    assumed = not 0 < rate <= LARGEST_RATE
    octets = packet.ip_octets or packet.frame
    quality = fl.Q_PACKET | (fl.Q_DROPPED if dropped else 0) | (fl.Q_RATE_ASSUMED if assumed else 0)
    if not packet.ip_octets:
        quality |= fl.Q_LAYER2 if octets else fl.Q_NO_COUNTERS
    return {
        "agent": sample.agent, "domain": sample.sub_agent, "start": arrival, "end": arrival,
        "source": packet.source, "destination": packet.destination, "sport": packet.source_port,
        "dport": packet.destination_port, "protocol": packet.protocol, "class": packet.class_of_service,
        "flags": packet.flags, "ingress": ends[0], "egress": ends[1], "vlan": packet.vlan,
        "direction": int(own != 0 and own == ends[1] and own != ends[0]), "octets": octets, "packets": 1,
        "rate": 1 if assumed else rate, "quality": quality, "layer2": packet.frame, "status": 128 if dropped else 0,
        "label": packet.label, "source_mac": packet.source_mac, "destination_mac": packet.destination_mac,
    }  # fmt: skip
