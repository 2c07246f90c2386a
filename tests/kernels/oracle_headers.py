"""What a frame says, in slow and obvious Python: octets are taken off the front, and running out ends the reading."""

from dataclasses import asdict, dataclass

TAGS = {0x8100: 4, 0x88A8: 4, 0x9100: 4, 0x9200: 4, 0x8926: 6, 0x893F: 8}
EXTENSIONS = {0, 43, 51, 60, 135, 139, 140}
PPP = {0x21: 0x800, 0x57: 0x86DD, 0x281: 0x8847, 0x283: 0x8847}


class CutOffError(Exception):
    pass


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

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


class Octets:
    """What is left of a frame."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def need(self, count: int) -> None:
        if len(self.data) - self.at < count:
            raise CutOffError

    def take(self, count: int) -> bytes:
        self.need(count)
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def peek(self, count: int, ahead: int = 0) -> int:
        self.need(ahead + count)
        return int.from_bytes(self.data[self.at + ahead : self.at + ahead + count], "big")


def parse(data: bytes, link: int) -> Found:
    """Return what `data`, a frame of the link type, says before it ends."""
    found, octets = Found(), Octets(data)
    try:
        if find_network(octets, link, found):
            network(octets, found)
    except CutOffError:
        pass
    return found


def find_network(octets: Octets, link: int, found: Found) -> bool:  # noqa: C901, PLR0912  one case per link
    for depth in range(4):
        if link in {10, 11, 12}:
            return True
        if link == 1:
            kind = ethernet(octets, found, outermost=depth == 0)
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
            return False
        if kind in {0x800, 0x86DD}:
            return True
        if kind == 0x88E7:
            octets.take(4)
        elif kind in {0x8847, 0x8848}:
            labels(octets, found)
            if octets.peek(1) >> 4 in {4, 6}:
                return True
            try:
                bare = octets.peek(2, 12) in {0x800, 0x86DD, 0x8100, 0x88A8, 0x8847}
            except CutOffError:
                bare = False
            if not bare:
                octets.take(4)
        else:
            return False
        link = 1
    return False


def ethernet(octets: Octets, found: Found, *, outermost: bool) -> int:
    octets.need(14)
    macs = octets.number(6), octets.number(6)
    if outermost:
        found.destination_mac, found.source_mac = macs
    vlans: list[int] = []
    while octets.peek(2) in TAGS:
        size = TAGS[octets.peek(2)]
        octets.need(size + 2)
        tag = octets.take(size)
        if size == 4 and outermost:
            vlans.append(int.from_bytes(tag[2:], "big") & 0xFFF)
            found.vlan, found.customer_vlan = [*vlans, 0][:2]
    kind = octets.number(2)
    if kind < 1536:
        octets.need(8)
        if octets.take(3) != b"\xaa\xaa\x03":
            raise CutOffError
        octets.take(3)
        kind = octets.number(2)
    found.ethertype = kind
    if kind == 0x8864:
        octets.need(8)
        if octets.take(6)[1] != 0:
            raise CutOffError
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


def network(octets: Octets, found: Found) -> None:
    start = octets.at
    version = octets.peek(1) >> 4
    octets.need({4: 20, 6: 40}.get(version, 1 << 20))
    if version == 4:
        header = (octets.number(1) & 15) * 4
        found.ip_at = start
        if header < 20:
            return
        found.class_of_service, total = octets.number(1), octets.number(2)
        octets.take(2)
        fragment, found.ttl, found.protocol = octets.number(2), octets.number(1), octets.number(1)
        octets.take(2)
        found.source, found.destination = (bytes(10) + b"\xff\xff" + octets.take(4) for _ in range(2))
        more, place = fragment >> 13 & 1, fragment & 0x1FFF
        if total >= header:
            found.ip_octets = total
            octets.data = octets.data[: start + total]
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
    if found.protocol in {6, 17, 33, 132, 136}:
        octets.need(4)
        found.source_port, found.destination_port, found.status = octets.number(2), octets.number(2), 2
        if found.protocol == 6:
            octets.take(8)
            found.flags = octets.number(2) & 0xFFF
    elif found.protocol in {1, 58}:
        found.destination_port, found.status = octets.number(2), 2
