"""The network as it tells of itself: facts of many devices, exporters and flow records become devices and links.

Every device knows its own part, in its own words. What one says of a neighbour is matched with what that neighbour
says of itself: chassis id (IEEE 802.1AB: a MAC or text), names with and without domain, management addresses; ports by
ifName, ifDescr, ifAlias, MAC or number. Words that fit two devices fit none.

LLDP and CDP tell who hangs on an interface. Where an interface has neither, a forwarding table (BRIDGE-MIB) tells whose
MAC is behind it, if few are, and ARP turns the MAC of a host into its address; two routers with addresses in one /30,
/31, /126 or /127, or that send packets to each other's address, share a link.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_interface
from typing import Final, Generic, TypeVar

from btimd.model.ports import Exporter
from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, NeighbourFacts
from btimd.model.units import UnixMillis

_SHARED_MACS: Final = ("00005e0001", "00005e0002", "00000c07ac", "00000c9ff")
"""Prefixes of virtual routers' MACs (RFC 9568, HSRP): several devices answer to one."""
T = TypeVar("T")

_NARROW: Final = {4: 30, 6: 126}
_MAC: Final = re.compile(r"[0-9a-f]{12}")
_SHORT_NAME: Final = re.compile(r"([a-z]{2})[a-z-]*\s*(\d[\d/.:]*)")


@dataclass(frozen=True, slots=True)
class TopologyLimits:
    """How old facts may be, and what is taken for a line to one host.

    max_age_seconds: older facts tell no links, and nothing of a device's state. access_macs: more MACs behind an
    interface make it a line to another switch. max_links: further ones are left out and counted.
    """

    max_age_seconds: float = 3600.0
    access_macs: int = 4
    max_links: int = 20_000


@dataclass(frozen=True, slots=True)
class Port:
    """An interface as far as anybody knows it; facts None = SNMP did not tell."""

    device: str
    index: int
    name: str
    facts: InterfaceFacts | None = None
    description: str = ""
    exporter_speed: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """Two ends that hang on each other; far_index 0 = known by name only."""

    device: str
    index: int
    far_device: str
    far_index: int
    far_name: str
    sources: tuple[FactSource, ...]
    ambiguous: bool
    seen_at: UnixMillis


@dataclass(frozen=True, slots=True)
class Topology:
    """What the facts of a moment come to. facts: latest of each device, also where they are old or an error.

    exporters: numbers of the exporters of each device. left_out: links beyond the bound.
    """

    facts: Mapping[str, DeviceFacts]
    exporters: Mapping[str, tuple[int, ...]]
    device_of_exporter: Mapping[int, str]
    ports: Mapping[tuple[str, int], Port]
    edges: tuple[Edge, ...]
    left_out: int = 0


def bare_name(name: str) -> str:
    """Return a device name without case and domain; an address stays as it is."""
    name = name.strip().lower().rstrip(".")
    try:
        return str(ip_address(name))
    except ValueError:
        return name.split(".", 1)[0]


def mac_of(text: str) -> str:
    """Return a MAC as 12 hexadecimal digits, "" for what is none."""
    digits = re.sub(r"[-:. ]", "", text.strip().lower())
    return digits if _MAC.fullmatch(digits) else ""


def short_port(name: str) -> str:
    """Return an interface name with the shortest word: "gigabitethernet0/1" and "Gi0/1" are both "gi0/1"."""
    name = name.strip().lower()
    found = _SHORT_NAME.fullmatch(name)
    return f"{found[1]}{found[2]}" if found else name


def build_topology(
    facts: Mapping[str, DeviceFacts],
    exporters: Sequence[Exporter],
    seen: Iterable[tuple[int, int]],
    now: UnixMillis,
    limits: TopologyLimits | None = None,
) -> Topology:
    """Return the topology; facts by device name, seen: exporter number and ifIndex of what flow records name."""
    limits = limits or TopologyLimits()
    words = _Words.of(facts)
    of_exporter = _match_exporters(words, facts, exporters)
    ports = _ports_of(facts, exporters, of_exporter, seen)
    fresh = {name: one for name, one in facts.items() if now - one.at <= limits.max_age_seconds * 1000}
    claims = _Claims(ports)
    for name, one in fresh.items():
        for neighbour in one.neighbours:
            claims.add(name, neighbour.interface, words.far_end(name, neighbour), neighbour.source, one.at)
    _hosts(claims, words, fresh, limits)
    _routers(claims, words, fresh)
    edges = claims.edges()
    members: dict[str, tuple[int, ...]] = {}
    for number, name in of_exporter.items():
        members[name] = (*members.get(name, ()), number)
    return Topology(
        facts, members, of_exporter, ports, edges[: limits.max_links], max(len(edges) - limits.max_links, 0)
    )


@dataclass(frozen=True, slots=True)
class _End:
    """The far end of a claim; index 0 and a name where the interface is not known."""

    device: str
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class _Words:
    """What each word means: a device, or one of its interfaces."""

    facts: Mapping[str, DeviceFacts]
    names: Mapping[str, str]
    bare: Mapping[str, str]
    chassis: Mapping[str, str]
    macs: Mapping[str, tuple[str, int]]
    addresses: Mapping[str, tuple[str, int]]

    @classmethod
    def of(cls, facts: Mapping[str, DeviceFacts]) -> "_Words":
        """Collect what devices say of themselves; what two of them say means nothing."""
        names, bare, chassis = _Unique[str](), _Unique[str](), _Unique[str]()
        macs, addresses = _Unique[tuple[str, int]](), _Unique[tuple[str, int]]()
        for name, one in facts.items():
            for word in {name, one.sys_name} - {""}:
                names.add(word.lower().rstrip("."), name)
                bare.add(bare_name(word), name)
            if one.chassis:
                chassis.add(mac_of(one.chassis) or one.chassis.lower(), name)
            by_mac = Counter(port.mac for port in one.interfaces if port.mac)
            for port in one.interfaces:
                if port.mac and not port.mac.startswith(_SHARED_MACS):
                    macs.add(port.mac, (name, port.index if by_mac[port.mac] == 1 else 0))
            for address, ports in _own_addresses(one).items():
                addresses.add(address, (name, ports.pop() if len(ports) == 1 else 0))
        return cls(facts, names.found(), bare.found(), chassis.found(), macs.found(), addresses.found())

    def device(self, neighbour: NeighbourFacts) -> str | None:
        """Return the device that a neighbour is: by chassis, full name, address, then by name without domain."""
        word = mac_of(neighbour.chassis) or neighbour.chassis.lower()
        if word in self.chassis:
            return self.chassis[word]
        if word in self.macs:
            return self.macs[word][0]
        for name in (neighbour.name, neighbour.chassis):
            if name and name.lower().rstrip(".") in self.names:
                return self.names[name.lower().rstrip(".")]
        for address in neighbour.addresses:
            if address in self.addresses:
                return self.addresses[address][0]
        for name in (neighbour.name, neighbour.chassis):
            if name and bare_name(name) in self.bare:
                return self.bare[bare_name(name)]
        return None

    def far_end(self, _device: str, neighbour: NeighbourFacts) -> _End:
        """Return what a neighbour is called here, and its interface as far as it is known."""
        device = self.device(neighbour)
        if device is None:
            name = neighbour.name or next(iter(neighbour.addresses), "") or neighbour.chassis
            return _End(name, 0, neighbour.port or neighbour.port_description)
        index = self.interface(device, neighbour.port) or self.interface(device, neighbour.port_description)
        return _End(device, index, "" if index else neighbour.port or neighbour.port_description)

    def interface(self, device: str, word: str) -> int:
        """Return the ifIndex that a port id means; 0 where none or several fit."""
        ports = self.facts[device].interfaces
        word = word.strip()
        mac = mac_of(word)
        tests = (
            [port.index for port in ports if port.name.lower() == word.lower()],
            [port.index for port in ports if port.description.lower() == word.lower()],
            [port.index for port in ports if short_port(port.name) == short_port(word)],
            [port.index for port in ports if mac and port.mac == mac],
            [port.index for port in ports if port.alias and port.alias.lower() == word.lower()],
            [port.index for port in ports if word.isascii() and word.isdecimal() and port.index == int(word)],
        )
        return next((found[0] for found in tests if word and len(found) == 1), 0)


class _Unique(Generic[T]):
    """A mapping of words that mean one thing only."""

    def __init__(self) -> None:
        self._found: dict[str, T] = {}
        self._several: set[str] = set()

    def add(self, word: str, meaning: T) -> None:
        """Note what a word means."""
        if self._found.setdefault(word, meaning) != meaning:
            self._several.add(word)

    def found(self) -> dict[str, T]:
        """Return the words that mean one thing."""
        return {word: meaning for word, meaning in self._found.items() if word not in self._several and word}


def _match_exporters(words: _Words, facts: Mapping[str, DeviceFacts], exporters: Sequence[Exporter]) -> dict[int, str]:
    """Return the device of each exporter; one that no device is makes a device of its own."""
    found: dict[int, str] = {}
    for one in exporters:
        name = one.name or one.address or f"exporter {one.id}"
        known: str | None = None
        if not one.strict and one.address in words.addresses:  # behind one address there may be several
            known = words.addresses[one.address][0]
        known = known or words.names.get(name.lower()) or (words.bare.get(bare_name(name)) if one.name else None)
        if known is None and one.strict and not one.name:
            known = f"{name}#{one.id}"
        found[one.id] = known or (name if name not in facts else f"{name}#{one.id}")
    return found


def _ports_of(
    facts: Mapping[str, DeviceFacts],
    exporters: Sequence[Exporter],
    of_exporter: Mapping[int, str],
    seen: Iterable[tuple[int, int]],
) -> dict[tuple[str, int], Port]:
    """Return every interface that anybody knows: SNMP first, then exporters' options, then flow records."""
    ports = {
        (name, port.index): Port(name, port.index, port.name or port.description or str(port.index), port)
        for name, one in facts.items()
        for port in one.interfaces
    }
    for exporter in exporters:
        device = of_exporter[exporter.id]
        for told in exporter.interfaces:
            known = ports.get((device, told.index))
            ports[device, told.index] = Port(
                device,
                told.index,
                known.name if known else told.name or told.description or str(told.index),
                known.facts if known else None,
                told.description,
                told.speed,
            )
    for number, index in seen:
        if number in of_exporter:
            device = of_exporter[number]
            ports.setdefault((device, index), Port(device, index, str(index) if index else ""))
    return ports


def _own_addresses(facts: DeviceFacts) -> dict[str, set[int]]:
    """Return the addresses of a device with the interfaces that have them; it is asked by one of them, mostly."""
    found: dict[str, set[int]] = defaultdict(set)
    if facts.address:
        found[facts.address] = set()
    for port in facts.interfaces:
        for text in port.addresses:
            found[text.split("/", 1)[0]].add(port.index)
    return found


@dataclass(slots=True)
class _Claims:
    """Who says what hangs on which interface."""

    ports: Mapping[tuple[str, int], Port]
    by_end: dict[tuple[str, int], dict[_End, dict[FactSource, UnixMillis]]] = field(default_factory=dict)
    doubtful: set[tuple[str, int]] = field(default_factory=set)

    def add(self, device: str, index: int, far: _End, source: FactSource, at: UnixMillis) -> None:
        """Note a claim; what has neither name nor interface, or is the same end, is none."""
        if far.device and (device, index) != (far.device, far.index):
            known = self.by_end.setdefault((device, index), {}).setdefault(far, {})
            known[source] = max(known.get(source, at), at)

    def told(self, device: str, index: int) -> bool:
        """Tell whether LLDP or CDP speak of an interface."""
        sources = {source for claims in self.by_end.get((device, index), {}).values() for source in claims}
        return bool(sources & {FactSource.LLDP, FactSource.CDP})

    def edges(self) -> tuple[Edge, ...]:
        """Return each link once, the end first in the alphabet near; conflicting claims are ambiguous."""
        joined: dict[tuple[tuple[str, int, str], tuple[str, int, str]], dict[FactSource, UnixMillis]] = {}
        back: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for (device, index), claims in self.by_end.items():
            for far in claims:
                back[device, far.device].append((index, far.index))
        for (device, index), claims in self.by_end.items():
            for far, sources in claims.items():
                same = min(one.device for one in claims if bare_name(one.device) == bare_name(far.device))
                known = _far_index(index, [one.index for one in claims if one.device == same], back[same, device])
                named = min((one.name for one in claims if one.device == same and one.name), default="")
                ends = _ends((device, index, ""), (same, far.index or known, named))
                together = joined.setdefault(ends, {})
                for source, at in sources.items():
                    together[source] = max(together.get(source, at), at)
        crowd: Counter[tuple[str, int]] = Counter()
        for ends in joined:
            crowd.update((name, index) for name, index, _ in ends if index)
        return tuple(
            Edge(
                near[0], near[1], far[0], far[1], far[2], tuple(sorted(sources)),
                any(crowd[one[:2]] > 1 or one[:2] in self.doubtful for one in (near, far) if one[1]),
                max(sources.values()),
            )
            for (near, far), sources in sorted(joined.items())
        )  # fmt: skip


def _far_index(near: int, claimed: Sequence[int], back: Sequence[tuple[int, int]]) -> int:
    """Return the far interface of a claim that does not know it; 0 where nobody does.

    claimed: far interfaces that others say of the same end and device; back: interfaces over there that claim this
    device, with the interface here that they name, 0 = they do not know it either.
    """
    exact = {index for index, here in back if here == near} or {index for index, here in back if not here}
    known = {index for index in claimed if index} or exact
    return known.pop() if len(known) == 1 else 0


def _ends(near: tuple[str, int, str], far: tuple[str, int, str]) -> tuple[tuple[str, int, str], tuple[str, int, str]]:
    """Return both ends of a link in their order; names count where the interface is not known."""
    if not far[1]:
        return near, far
    far = (far[0], far[1], "")
    return (far, near) if far < near else (near, far)


def _hosts(claims: _Claims, words: _Words, facts: Mapping[str, DeviceFacts], limits: TopologyLimits) -> None:
    """Place what sits behind access ports, where neither LLDP nor CDP speak; behind two of them, it is doubtful."""
    addresses: dict[str, set[str]] = defaultdict(set)
    for one in facts.values():
        for _, address, mac in one.arp:
            addresses[mac].add(address)
    for mac, places in _access_ports(claims, facts, limits).items():
        known = words.macs.get(mac)
        texts = sorted(addresses.get(mac, ()), key=lambda text: (":" in text, text))
        if known:
            end, sources = _End(known[0], known[1], "" if known[1] else mac), [FactSource.FDB]
        elif texts:
            end, sources = _End(texts[0], 0, mac), [FactSource.FDB, FactSource.ARP]
        else:
            continue
        others = [place for place in places if place[0] != end.device]
        if end.index and claims.told(end.device, end.index):
            continue
        for name, index in others:
            for source in sources:
                claims.add(name, index, end, source, facts[name].at)
        if len(others) > 1:
            claims.doubtful.update(others)


def _access_ports(
    claims: _Claims, facts: Mapping[str, DeviceFacts], limits: TopologyLimits
) -> dict[str, list[tuple[str, int]]]:
    """Return the interfaces behind which each MAC is seen, where few are."""
    behind: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, one in facts.items():
        learned = set(one.fdb)
        crowd = Counter(index for index, _ in learned)
        own = {port.mac for port in one.interfaces}
        for index, mac in sorted(learned):
            few = index and crowd[index] <= limits.access_macs
            if few and mac not in own and not mac.startswith(_SHARED_MACS) and not claims.told(name, index):
                behind[mac].append((name, index))
    return behind


def _routers(claims: _Claims, words: _Words, facts: Mapping[str, DeviceFacts]) -> None:
    """Join routers that share a narrow network, or are each other's next hop."""
    networks: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for name, one in facts.items():
        for port, network in _narrow_networks(one):
            networks[network].append((name, port))
    pairs = {(ends[0], ends[1]) for ends in networks.values() if len(ends) == 2 and ends[0][0] != ends[1][0]}  # noqa: PLR2004  two ends
    hops = {
        ((name, index), words.addresses[hop])
        for name, one in facts.items()
        for _, hop, index in one.routes
        if index and hop in words.addresses and words.addresses[hop][1] and words.addresses[hop][0] != name
    }
    pairs |= {(near, far) for near, far in hops if (far, near) in hops and near < far}
    for near, far in sorted(pairs):
        direct = not claims.told(*near) and not claims.told(*far)
        same = any(one.device == far[0] and one.index in {far[1], 0} for one in claims.by_end.get(near, {}))
        if direct or same:
            at = min(facts[near[0]].at, facts[far[0]].at)
            claims.add(*near, _End(far[0], far[1], ""), FactSource.ROUTE, at)


def _narrow_networks(facts: DeviceFacts) -> Iterator[tuple[int, str]]:
    """Yield the interfaces whose network has room for two, with the network."""
    for port in facts.interfaces:
        for text in port.addresses:
            try:
                address = ip_interface(text)
            except ValueError:
                continue
            length = address.network.prefixlen
            if _NARROW[address.version] <= length < address.max_prefixlen:
                yield port.index, str(address.network)
