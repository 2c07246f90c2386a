"""Slow, obvious Python for the kernels of flows: big integers, dictionaries, ipaddress, linear search."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from btimd.model.service import ServiceRule

MOST = 2**63 - 1
PORTED = {6, 17, 33, 132, 136}


def plan_row(entries: Iterable[tuple[str, str, str, str]], address: str) -> tuple[str, str, str]:
    """Return region, segment and person of an address: for each the longest prefix that names it."""
    parsed = ip_address(address)
    around = [
        (ip_network(prefix).prefixlen, cells)
        for prefix, *cells in entries
        if ip_network(prefix).version == parsed.version and parsed in ip_network(prefix)
    ]
    around.sort(key=lambda item: -item[0])
    region, segment, person = (next((cells[at] for _, cells in around if cells[at]), "") for at in range(3))
    return region, segment, person


def segment_of(address: int, starts: Sequence[int]) -> int:
    """Return the last position whose start is not above the address."""
    return max(position for position, start in enumerate(starts) if start <= address)


def _inside(text: str, address: IPv4Address | IPv6Address) -> bool:
    network = ip_network(text)
    return network.version == address.version and address in network


@dataclass(frozen=True)
class Ends:
    """A flow as texts and numbers."""

    source: str
    destination: str
    source_port: int
    destination_port: int
    protocol: int


def _fits(rule: ServiceRule, server: str, client: str, port: int, protocol: int) -> bool:
    ports_given = (rule.port_low, rule.port_high) != (0, 65535)
    return (
        _inside(str(rule.server), ip_address(server))
        and (rule.client is None or _inside(str(rule.client), ip_address(client)))
        and rule.port_low <= port <= rule.port_high
        and rule.protocol in {None, protocol}
        and (rule.protocol is not None or not ports_given or protocol in PORTED)
    )


def attribute(rules: Sequence[ServiceRule], ends: Ends) -> tuple[int, bool]:
    """Return the winning rule (-1 none) and whether the source is the client: every pair is tried, then sorted."""
    found = []
    for number, rule in enumerate(rules):
        precedence = (
            -ip_network(str(rule.server)).prefixlen - (96 if ip_network(str(rule.server)).version == 4 else 0),
            rule.client is None,
            -(rule.client.length if rule.client else 0),
            rule.port_high - rule.port_low,
            rule.protocol is None,
        )
        if _fits(rule, ends.destination, ends.source, ends.destination_port, ends.protocol):
            found.append((precedence, 0, number))
        if _fits(rule, ends.source, ends.destination, ends.source_port, ends.protocol):
            found.append((precedence, 1, number))
    if found:
        _, side, number = min(found)
        return number, side == 0
    low, high = ends.source_port, ends.destination_port
    service = ends.protocol in PORTED and 0 < low < high and (low < 1024 or low < 32768 <= high)
    return -1, not service


@dataclass
class Cell:
    """The sums of one business at one place in one interval."""

    to_server: int = 0
    to_client: int = 0
    packets: int = 0
    flows: int = 0
    users: set[int] = field(default_factory=set)
    sampled: bool = False
    exact: bool = True

    def line(self) -> tuple[int, int, int, int, int, bool, bool]:
        """Return the cell as it is compared."""
        sums = (min(value, MOST) for value in (self.to_server, self.to_client, self.packets))
        return (*sums, self.flows, len(self.users), self.exact, self.sampled)  # type: ignore[return-value]  # three sums


@dataclass(frozen=True)
class Share:
    """One record's share for one owner; user < 0: refused."""

    cell: int
    user: int
    start: int
    end: int
    octets: int
    packets: int
    rate: int
    to_server: bool


def spread(shares: Iterable[Share], interval: int, lowest: int, highest: int) -> Mapping[tuple[int, int], Cell]:
    """Return cells by (interval, cell): the octets up to each edge by exact fractions, differences of neighbours."""
    cells: dict[tuple[int, int], Cell] = {}
    for share in shares:
        octets = min(max(share.octets, 0) * max(share.rate, 1), MOST)
        packets = min(max(share.packets, 0) * max(share.rate, 1), MOST)
        start = max(share.start, 0)
        end = max(share.end, start)
        start = max(start, end - (2**31 - 2))
        if end // interval > highest:
            continue
        for number in range(max(start // interval, lowest), end // interval + 1):
            low = max(number * interval, start) - start
            high = min((number + 1) * interval, end + 1) - start
            cell = cells.setdefault((number, share.cell), Cell())
            duration = end + 1 - start
            octets_here = octets * high // duration - octets * low // duration
            cell.packets += packets * high // duration - packets * low // duration
            if share.to_server:
                cell.to_server += octets_here
            else:
                cell.to_client += octets_here
            cell.flows += number == end // interval
            cell.sampled |= share.rate > 1
            if share.user < 0:
                cell.exact = False
            else:
                cell.users.add(share.user)
    return cells
