"""What a frame says, in slow and obvious Python: octets are taken off the front, and running out ends the reading."""

from dataclasses import asdict, dataclass, field
from typing import Literal

TAGS = {0x8100: 4, 0x88A8: 4, 0x9100: 4, 0x9200: 4, 0x8926: 6, 0x893F: 8}
EXTENSIONS = {0, 43, 51, 60, 135, 139, 140}
LINK_OF_ETHERTYPE = 1 << 33
CAPTURED = 1 << 32
CUT_OFF, NOT_IP, MALFORMED = 1, 2, 3
MOST_TUNNELS = 4
PPP = {0x21: 0x800, 0x57: 0x86DD, 0x281: 0x8847, 0x283: 0x8847}


class CutOffError(Exception):
    """The octets end before `needed` of them."""

    def __init__(self, needed: int) -> None:
        self.needed = needed


class NotIpError(Exception):
    pass


class MalformedError(Exception):
    pass


FAULTS: dict[type[Exception], int] = {CutOffError: CUT_OFF, NotIpError: NOT_IP, MalformedError: MALFORMED}


@dataclass
class Found:
    status: int = 0
    source: bytes = b""
    destination: bytes = b""
    source_port: int = 0
    destination_port: int = 0
    protocol: int = 0
    class_of_service: int = 0
    flags: int = 0
    vlan: int = 0
    customer_vlan: int = 0
    mpls_label: int = 0
    mpls_depth: int = 0
    source_mac: int = 0
    destination_mac: int = 0
    ethertype: int = 0
    ip_at: int = 0
    ip_octets: int = 0
    ip_version: int = 0
    ttl: int = 0
    fragment: int = 0
    transport_at: int = 0
    ip_end: int = 0
    fault: int = 0
    tags: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Octets:
    """What is left of a frame."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def need(self, count: int) -> None:
        if len(self.data) - self.at < count:
            raise CutOffError(self.at + count)

    def take(self, count: int) -> bytes:
        self.need(count)
        self.at += count
        return self.data[self.at - count : self.at]

    def skip(self, count: int) -> None:
        """Go on, perhaps behind the end: who then takes something finds that out."""
        self.at += count

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def peek(self, count: int, ahead: int = 0) -> int:
        self.need(ahead + count)
        return int.from_bytes(self.data[self.at + ahead : self.at + ahead + count], "big")


def parse(data: bytes, link: int) -> Found:
    """Return what `data`, a frame of the link type, says before it ends."""
    found, octets = Found(), Octets(data)
    try:
        find_network(octets, link, found)
        network(octets, found)
    except CutOffError as cut:
        fault = CUT_OFF if not found.ip_octets or cut.needed <= found.ip_at + found.ip_octets else MALFORMED
        found.fault = found.fault or fault
    except NotIpError:
        found.fault = NOT_IP
    except MalformedError:
        found.fault = MALFORMED
    return found


def find_network(octets: Octets, link: int, found: Found) -> None:  # noqa: C901, PLR0912  one case per link
    for depth in range(4):
        if link in {10, 11, 12}:
            return
        if link == 1:
            kind = ethernet(octets, found, outermost=depth == 0)
        elif LINK_OF_ETHERTYPE <= link < LINK_OF_ETHERTYPE + 65536:
            kind = behind_ethertype(octets, link - LINK_OF_ETHERTYPE, found, outermost=depth == 0)
        elif link == 13:
            kind = 0x8847
        elif link in {7, 14}:
            octets.need(4)
            head = octets.number(2)
            if head in {0x0F00, 0x8F00}:
                kind = octets.number(2)
            else:
                kind = PPP.get(octets.number(2) if head == 0xFF03 else head, 0)
        else:
            raise NotIpError
        if kind in {0x800, 0x86DD}:
            return
        link = 1
        if kind == 0x88E7:
            octets.take(4)
        elif kind in {0x8847, 0x8848}:
            labels(octets, found)
            if octets.peek(1) >> 4 in {4, 6}:
                return
            try:
                bare = octets.peek(2, 12) in {0x800, 0x86DD, 0x8100, 0x88A8, 0x8847}
            except CutOffError:
                bare = False
            if not bare:
                octets.take(4)
        elif kind == 0x894F:
            octets.need(8)
            size, carried = (octets.peek(2) & 63) * 4, octets.peek(1, 3)
            if size < 8:
                raise MalformedError
            link = {1: 11, 2: 11, 3: 1, 4: LINK_OF_ETHERTYPE + 0x894F, 5: 13}.get(carried, 0)
            if link == 0 and depth < 3:
                raise NotIpError
            octets.skip(size)
        else:
            raise NotIpError
    raise MalformedError


def ethernet(octets: Octets, found: Found, *, outermost: bool) -> int:
    octets.need(14)
    macs = octets.number(6), octets.number(6)
    if outermost:
        found.destination_mac, found.source_mac = macs
    return behind_ethertype(octets, octets.number(2), found, outermost=outermost)


def behind_ethertype(octets: Octets, kind: int, found: Found, *, outermost: bool) -> int:
    vlans: list[int] = []
    while kind in TAGS:
        tag = octets.take(TAGS[kind])
        if TAGS[kind] == 4:
            vlans.append(int.from_bytes(tag[:2], "big") & 0xFFF)
            if outermost:
                found.vlan, found.customer_vlan = [*vlans, 0][:2]
            found.tags.append(vlans[-1])
        kind = int.from_bytes(tag[-2:], "big")
    if kind < 1536:
        if octets.take(3) != b"\xaa\xaa\x03":
            raise NotIpError
        octets.need(5)
        octets.take(3)
        kind = octets.number(2)
    found.ethertype = kind
    if kind == 0x8864:
        octets.need(8)
        if octets.take(6)[1] != 0:
            raise NotIpError
        kind = PPP.get(octets.number(2), 0)
    return kind


def labels(octets: Octets, found: Found) -> None:
    while True:
        entry = octets.number(4)
        found.mpls_depth += 1
        if found.mpls_depth == 1:
            found.mpls_label = entry >> 12
        if entry >> 8 & 1:
            return


def network(octets: Octets, found: Found) -> None:  # noqa: C901  both versions side by side
    start = octets.at
    version = octets.peek(1) >> 4
    if version not in {4, 6}:
        raise MalformedError
    octets.need({4: 20, 6: 40}[version])
    if version == 4:
        header = (octets.number(1) & 15) * 4
        found.ip_at = start
        if header < 20:
            raise MalformedError
        found.class_of_service, total = octets.number(1), octets.number(2)
        octets.take(2)
        fragment, found.ttl, found.protocol = octets.number(2), octets.number(1), octets.number(1)
        octets.take(2)
        found.source, found.destination = (bytes(10) + b"\xff\xff" + octets.take(4) for _ in range(2))
        more, place = fragment >> 13 & 1, fragment & 0x1FFF
        if total >= header:
            found.ip_octets = total
            octets.data = octets.data[: start + total]
        elif total:
            found.fault = MALFORMED
        found.ip_end = len(octets.data)
        found.status, found.ip_version = 1, 4
        found.fragment = 2 if place else more
        if not place:
            octets.take(header - 20)
            transport(octets, found)
        return
    found.ip_at, found.status, found.ip_version = start, 1, 6
    found.class_of_service = octets.number(2) >> 4 & 0xFF
    octets.take(2)
    payload, found.protocol, found.ttl = octets.number(2), octets.number(1), octets.number(1)
    found.source, found.destination = octets.take(16), octets.take(16)
    if payload or found.protocol:
        found.ip_octets = 40 + payload
        octets.data = octets.data[: start + 40 + payload]
    found.ip_end = len(octets.data)
    while found.protocol in EXTENSIONS or found.protocol == 44:
        octets.need(8)
        following, length = octets.number(1), octets.number(1)
        if found.protocol == 44:
            place = octets.number(2)
            octets.take(4)
            found.fragment = 2 if place >> 3 else place & 1 or found.fragment
            found.protocol = following
            if place >> 3:
                return
            continue
        rest = (length + 2) * 4 if found.protocol == 51 else (length + 1) * 8
        found.protocol = following
        octets.take(rest - 2)
    transport(octets, found)


def transport(octets: Octets, found: Found) -> None:
    found.transport_at = octets.at
    if found.protocol in {6, 17, 33, 132, 136}:
        octets.need(4)
        found.source_port, found.destination_port, found.status = octets.number(2), octets.number(2), 2
        if found.protocol == 6:
            octets.need(10)
            octets.take(8)
            found.flags = octets.number(2) & 0xFFF
    elif found.protocol in {1, 58}:
        found.destination_port, found.status = octets.number(2), 2


@dataclass
class Packet:
    """The innermost packet with addresses, the pair outside, the tags of all, and how many tunnels were opened."""

    found: Found
    outer: tuple[bytes, bytes]
    outer_vlan: int
    depth: int


def innermost(data: bytes, link: int, depth: int = 0, *, whole: bool = False) -> Packet:
    """Return what packets.parse_packet says. whole: `data` ends where the packet outside does, not the capture."""
    start, found = 0, Found()
    try:
        start, kind = open_link(data, link) if CAPTURED <= link < LINK_OF_ETHERTYPE else (0, link)
        found = parse(data[start:], kind)
    except (CutOffError, NotIpError, MalformedError) as error:
        found.fault = FAULTS[type(error)]
    if found.ip_version == 4 and found.fault == MALFORMED and not found.ip_octets:
        found.status = 0
    if found.fault == CUT_OFF and whole:
        found.fault = MALFORMED
    packet = Packet(found, (found.source, found.destination), found.vlan, depth)
    if found.status == 0 or depth == MOST_TUNNELS:
        return packet
    data = data[start:]
    whole = whole or (found.ip_octets > 0 and found.ip_at + found.ip_octets <= len(data))
    place = None
    try:
        place = inner(data, found)
    except (CutOffError, MalformedError) as error:
        found.fault = MALFORMED if whole else FAULTS[type(error)]
    if place is None:
        return packet
    deeper = innermost(data[place[0] : found.ip_end], place[1], depth + 1, whole=whole)
    found.tags += deeper.found.tags
    if deeper.found.status == 0:
        found.fault = 0 if deeper.found.fault == NOT_IP else deeper.found.fault
        return packet
    deeper.found.tags = found.tags
    return Packet(deeper.found, packet.outer, packet.outer_vlan, deeper.depth)


def open_link(data: bytes, link: int) -> tuple[int, int]:
    """Return where the payload of a capture's link begins, and its link type."""
    octets = Octets(data)
    linktype = link - CAPTURED
    if linktype == 0:
        octets.need(4)
        if not {int.from_bytes(data[:4], "big"), int.from_bytes(data[:4], "little")} & {2, 10, 24, 28, 30}:
            raise NotIpError
        return 4, 11
    if linktype == 113:
        octets.need(16)
        return 16, LINK_OF_ETHERTYPE + octets.peek(2, 14)
    if linktype == 276:
        octets.need(20)
        return 20, LINK_OF_ETHERTYPE + octets.peek(2)
    if linktype in {10, 51, 204}:
        return {10: (13, LINK_OF_ETHERTYPE), 51: (0, LINK_OF_ETHERTYPE + 0x8864), 204: (1, 7)}[linktype]
    if linktype == 239:
        return nflog(octets), 11
    if linktype == 127:
        octets.need(4)
        version, length = octets.number(1), octets.peek(1, 2) << 8 | octets.peek(1, 1)
        if version or length < 8:
            raise MalformedError
        octets.skip(length - 1)
    elif linktype != 105:
        raise NotIpError
    return wifi(octets), LINK_OF_ETHERTYPE


def wifi(octets: Octets) -> int:
    octets.need(24)
    control, flags = octets.number(1), octets.number(1)
    version, kind, subtype = control & 3, control >> 2 & 3, control >> 4
    if version or kind != 2 or subtype & 4 or flags & 0x40:
        raise NotIpError
    octets.skip(22 + (6 if flags & 3 == 3 else 0))
    if subtype & 8:
        octets.need(2)
        if octets.peek(1) & 0x80:
            raise NotIpError
        octets.skip(6 if flags & 0x80 else 2)
    return octets.at


def nflog(octets: Octets) -> int:
    octets.need(4)
    if octets.peek(1) not in {2, 10, 24, 28, 30} or octets.peek(1, 1):
        raise NotIpError
    octets.skip(4)
    for _ in range(32):
        octets.need(4)
        head = octets.data[octets.at : octets.at + 4]
        order: Literal["big", "little"] = "little" if head[3] == 0 else "big"
        length, kind = int.from_bytes(head[:2], order), int.from_bytes(head[2:], order)
        if length < 4:
            raise MalformedError
        if kind == 9:
            return octets.at + 4
        octets.skip(-(-length // 4) * 4)
    raise MalformedError


def inner(data: bytes, found: Found) -> tuple[int, int] | None:
    """Return where the frame in a tunnel begins and its link type; None for no tunnel."""
    if not found.transport_at or found.fragment == 2:
        return None
    octets = Octets(data[: found.ip_end])
    octets.at = found.transport_at
    if found.protocol == 17:
        link = in_udp(octets, found)
    elif found.protocol == 47:
        link = in_gre(octets)
    else:
        link = {4: 11, 41: 11, 137: 13, 97: 1, 143: 1}.get(found.protocol, 0)
        octets.skip(2 if found.protocol == 97 else 0)
    if link == 0:
        return None
    octets.need(1)
    return octets.at, link


def in_gre(octets: Octets) -> int:
    octets.need(4)
    flags, carried = octets.number(2), octets.number(2)
    checksum, routing, key, sequence = (flags >> bit & 1 for bit in (15, 14, 13, 12))
    if flags & 7 == 1:
        octets.skip(4 + 4 * sequence + 4 * (flags >> 7 & 1))
        return 7 if carried == 0x880B and sequence else 0
    if flags & 7 or routing:
        return 0
    octets.skip(4 * (checksum + key + sequence))
    if carried == 0x88BE:
        octets.skip(8 * sequence)
        return 1
    if carried == 0x22EB:
        octets.need(12)
        kind, more = octets.peek(1, 10) >> 2 & 31, octets.peek(1, 11) & 1
        octets.skip(20 if more else 12)
        return 11 if kind == 2 else 1
    if carried in {0x894F, 0x8100, 0x8864}:
        return LINK_OF_ETHERTYPE + carried
    return {0x800: 11, 0x86DD: 11, 0x8847: 13, 0x8848: 13, 0x6558: 1}.get(carried, 0)


def in_udp(octets: Octets, found: Found) -> int:  # noqa: PLR0911  one return per tunnel
    port = found.destination_port
    if 3544 in {port, found.source_port}:
        return in_teredo(octets)
    if port not in {4789, 8472, 4790, 6081, 2152, 6635}:
        return 0
    octets.need(16)
    octets.skip(8)
    head = octets.data[octets.at : octets.at + 8]
    if port == 6635:
        return 13
    if port == 2152:
        return in_gtp(octets) if head[0] >> 4 == 3 and head[1] == 255 else 0
    octets.skip(8)
    if port == 6081:
        octets.skip((head[0] & 63) * 4)
        carried = head[2] << 8 | head[3]
        return {0x6558: 1, 0x800: 11, 0x86DD: 11}.get(carried, 0) if head[0] >> 6 == 0 else 0
    if port == 4790:
        return {1: 11, 2: 11, 3: 1, 4: LINK_OF_ETHERTYPE + 0x894F, 5: 13}.get(head[3], 0)
    return 1 if head[0] & 8 else 0


def in_gtp(octets: Octets) -> int:
    flags = octets.take(8)[0]
    if flags & 7:
        options = octets.take(4)
        following = options[3] if flags & 4 else 0
        while following:
            octets.need(4)
            size = octets.peek(1) * 4
            if not size:
                raise MalformedError
            following = octets.take(size)[-1]
    return 11


def in_teredo(octets: Octets) -> int:
    end = octets.at + octets.peek(2, 4) if len(octets.data) >= octets.at + 6 else 0
    octets.skip(8)
    rest = octets.data[octets.at :]
    if rest[:2] == b"\0\1" and len(rest) >= 4:
        rest = rest[13 + rest[2] + rest[3] :]
    if rest[:2] == b"\0\0":
        rest = rest[8:]
    if len(rest) < 40:
        if rest and rest[0] >> 4 == 6:
            raise CutOffError(0)
        return 0
    octets.at = len(octets.data) - len(rest)
    addresses = rest[8:24], rest[24:40]
    known = any(a[:4] == b"\x20\1\0\0" or (a[0] == 0xFE and a[1] >> 6 == 2) for a in addresses)
    fits = octets.at + 40 + int.from_bytes(rest[4:6], "big") <= end
    return 11 if rest[0] >> 4 == 6 and fits and known else 0
