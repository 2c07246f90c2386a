"""Draws an enterprise: businesses on services, on processes, on hosts, on a network, in rooms.

The result is the true world. What its operators believe of it (edges that are missing or wrong, weights that are a bit
off, nodes without a check) is made by worldmodel.py, and its faults by worldfaults.py.

A Family says how such enterprises are built. `Family()` is the standard one; `drawn_family` draws another, so that a
way of looking for causes is not fitted to one shape of enterprise.
"""

from dataclasses import dataclass, field
from math import ceil
from typing import Final

import numpy as np

from btimd.rca.world import BASE_PRIOR, KIND_ODDS, Edges, Indicators, IntArray, World
from btimd.rca.worldprobes import draw_probes

KINDS: Final = tuple(KIND_ODDS)
"""The sixteen kinds of node."""

REGIONS: Final = ("north", "south", "east", "west", "centre", "coast", "hills", "islands")
_PREFIXES: Final = {
    "business": "biz",
    "service": "svc",
    "application": "app",
    "middleware": "mw",
    "database": "db",
    "storage": "san",
    "access-switch": "acc",
    "distribution-switch": "dist",
    "core-switch": "core",
    "facility": "room",
}
_MOST_BUSINESSES: Final = 0.024


@dataclass(frozen=True, slots=True)
class Family:
    """How enterprises of a family are built; shares and weights are 0..1.

    pool_shares: how often a pool has 1, 2, 3 members. pool_weights: what the loss of one member of such a pool means.
    chained: share of services that call another one. shared: share of services that a second business uses.
    cohosted: share of processes on the operating system of another. per_host: operating systems on a host.
    luck: 0 = every observation meets a damaged need anew, 1 = a need is damaged for all that is seen through it.
    """

    services: float = 2.8
    applications: float = 1.3
    chained: float = 0.15
    chain_weight: float = 0.8
    shared: float = 0.3
    pool_shares: tuple[float, float, float] = (0.35, 0.45, 0.2)
    pool_weights: tuple[float, float, float] = (0.95, 0.5, 0.35)
    path_pair_weight: float = 0.25
    middleware: float = 0.6
    databases: float = 0.6
    cohosted: float = 0.12
    per_host: float = 1.25
    dual_homed: float = 0.2
    hosts_per_switch: int = 14
    switches_per_distribution: int = 10
    cores: int = 2
    probe_density: float = 1.0
    prior_spread: float = 0.5
    luck: float = 0.3


ROOMY: Final = Family(
    services=3.6, shared=0.1, chained=0.1, middleware=0.9, databases=1.1, cohosted=0.05, per_host=1.1, dual_homed=0.4
)
"""An enterprise that shares less: of 10,000 nodes it has about 850 indicators, which stand on about 260 each."""


def drawn_family(rng: np.random.Generator) -> Family:
    """Draw how the enterprises of a family are built."""
    single = rng.uniform(0.15, 0.6)
    double = (1.0 - single) * rng.uniform(0.5, 0.85)
    return Family(
        services=rng.uniform(2.5, 5.0),
        applications=rng.uniform(1.0, 2.2),
        chained=rng.uniform(0.0, 0.4),
        chain_weight=rng.uniform(0.6, 0.95),
        shared=rng.uniform(0.1, 0.7),
        pool_shares=(single, double, 1.0 - single - double),
        pool_weights=(rng.uniform(0.85, 0.98), rng.uniform(0.35, 0.65), rng.uniform(0.2, 0.5)),
        path_pair_weight=rng.uniform(0.2, 0.45),
        middleware=rng.uniform(0.2, 0.9),
        databases=rng.uniform(0.3, 1.0),
        cohosted=rng.uniform(0.0, 0.35),
        per_host=rng.uniform(1.0, 3.0),
        dual_homed=rng.uniform(0.0, 0.7),
        hosts_per_switch=int(rng.integers(8, 30)),
        switches_per_distribution=int(rng.integers(6, 16)),
        cores=int(rng.choice([1, 2, 4])),
        probe_density=rng.uniform(0.7, 1.3),
        prior_spread=rng.uniform(0.2, 0.9),
        luck=rng.uniform(0.0, 0.8),
    )


def draw_world(nodes: int, family: Family, rng: np.random.Generator) -> World:
    """Return a true world of exactly this many nodes (300 at least, so that every kind has its place)."""
    if nodes < 300:  # noqa: PLR2004  below that a room holds no business
        raise ValueError(f"a world needs at least 300 nodes, not {nodes}")
    state = rng.bit_generator.state
    businesses = max(round(nodes * _MOST_BUSINESSES), 4)
    while True:
        rng.bit_generator.state = state
        draft = _Draft(family, rng)
        draft.build(businesses, spare_to=nodes)
        if draft.count <= nodes or businesses == 1:
            break
        businesses = min(businesses - 1, ceil(businesses * nodes / draft.count))
    if draft.count != nodes:
        raise ValueError(f"this family does not fit into {nodes} nodes")
    return draft.world()


@dataclass(slots=True)
class _Draft:
    family: Family
    rng: np.random.Generator
    count: int = 0
    kinds: list[tuple[str, int]] = field(default_factory=list)
    needing: list[int] = field(default_factory=list)
    needed: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    physical: list[bool] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    businesses: list[int] = field(default_factory=list)

    def add(self, kind: str, number: int = 1) -> list[int]:
        """Add nodes of a kind."""
        self.kinds.append((kind, number))
        self.count += number
        return list(range(self.count - number, self.count))

    def need(self, node: int, other: int, weight: float, *, physical: bool = False) -> None:
        self.needing.append(node)
        self.needed.append(other)
        self.weights.append(weight)
        self.physical.append(physical)

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, among: list[int]) -> int:
        return among[int(self.rng.integers(len(among)))]

    def pool_size(self) -> int:
        return 1 + int(self.rng.choice(3, p=self.family.pool_shares))

    def pool(self, node: int, members: list[int]) -> None:
        """Let a node need a pool."""
        weight = self.family.pool_weights[min(len(members), 3) - 1]
        for member in members:
            self.need(node, member, weight)

    def build(self, businesses: int, *, spare_to: int) -> None:
        """Build from the top down: what is above has the smaller row."""
        family, rng = self.family, self.rng
        self.businesses = self.add("business", businesses)
        services = self._services()
        clusters = {
            "middleware": self._clusters("middleware", len(services) * family.middleware),
            "database": self._clusters("database", len(services) * family.databases),
        }
        sites = max(1, round(businesses / 25))
        names = [self.add("dns", 2) for _ in range(sites)]
        directories = [self.add("ldap", 2) for _ in range(sites)]
        arrays = self.add("storage", max(2, ceil(len(clusters["database"]) / 6)))
        processes = self._applications(services, clusters, names, directories)
        for members in (*clusters["middleware"], *clusters["database"], *names, *directories):
            processes.extend(members)
        for cluster in clusters["database"]:
            array = self.pick(arrays)
            for member in cluster:
                self.need(member, array, 0.9)
        systems = self._systems(processes)
        hosts = self.add("host", max(1, ceil(len(systems) / family.per_host)))
        order = rng.permutation(len(systems))
        for position, at in enumerate(order):
            self.need(systems[at], hosts[position % len(hosts)], 0.97, physical=True)
        self._network(hosts, arrays, spare_to)

    def _services(self) -> list[int]:
        """Give every business its services, and let some be shared."""
        family = self.family
        owned = [1 + int(self.rng.poisson(family.services - 1)) for _ in self.businesses]
        services = self.add("service", sum(owned))
        at = 0
        for business, number in zip(self.businesses, owned, strict=True):
            for service in services[at : at + number]:
                self.need(business, service, 0.93)
            at += number
        callers = [service for service in services if self.chance(family.chained)]
        called = sorted(set(services) - set(callers))
        for service in services:
            if self.chance(family.shared):
                self.need(self.pick(self.businesses), service, 0.85)
        for service in callers if called else ():
            self.need(service, self.pick(called), family.chain_weight)
        return services

    def _clusters(self, kind: str, number: float) -> list[list[int]]:
        return [self.add(kind, min(self.pool_size(), 2)) for _ in range(max(1, round(number)))]

    def _applications(
        self,
        services: list[int],
        clusters: dict[str, list[list[int]]],
        names: list[list[int]],
        directories: list[list[int]],
    ) -> list[int]:
        applications: list[int] = []
        for service in services:
            site = int(self.rng.integers(len(names)))
            for _ in range(1 + int(self.rng.poisson(self.family.applications - 1))):
                members = self.add("application", self.pool_size())
                self.pool(service, members)
                applications += members
                used = [cluster for kind, share in (("middleware", 0.6), ("database", 0.8))
                        if self.chance(share)
                        for cluster in [clusters[kind][int(self.rng.integers(len(clusters[kind])))]]]  # fmt: skip
                used.append(names[site])
                if self.chance(0.4):
                    used.append(directories[site])
                for member in members:
                    for cluster in used:
                        self.pool(member, cluster)
        return applications

    def _systems(self, processes: list[int]) -> list[int]:
        """Put every process on an operating system."""
        alone = [not self.chance(self.family.cohosted) for _ in processes]
        alone[0] = True
        systems = self.add("os", sum(alone))
        at = 0
        for process, has_own in zip(processes, alone, strict=True):
            system = systems[at] if has_own else self.pick(systems)
            at += has_own
            self.need(process, system, 0.95, physical=True)
        return systems

    def _network(self, hosts: list[int], arrays: list[int], spare_to: int) -> None:
        """Put hosts into racks, connect racks, distribution, core, and the regions from outside."""
        racks = max(2, ceil(len(hosts) / self.family.hosts_per_switch))
        rooms = self.add("facility", max(2, ceil(racks / 20)))
        power = self.add("facility", racks)
        for rack, feed in enumerate(power):
            self.need(feed, rooms[rack * len(rooms) // racks], 0.9, physical=True)
        cores = self.add("core-switch", self.family.cores)
        for core in cores:
            self.need(core, self.pick(rooms), 0.9, physical=True)
        access = self._switches(racks, power, rooms, cores)
        self._machines(hosts, arrays, power, access)
        for _ in REGIONS:
            entry = self.add("access-switch")[0]
            self.entries.append(entry)
            for line in self.add("wan", 2):
                self.need(entry, line, 0.5, physical=True)
                self._linked(line, self.pick(cores), 0.9)
        while self.count < spare_to:  # machines that nothing needs
            host = self.add("host")[0]
            if self.count < spare_to:
                self._linked(host, self.pick(access), 0.95)

    def _switches(self, racks: int, power: list[int], rooms: list[int], cores: list[int]) -> list[int]:
        """Connect the switches of the racks to the core by pairs of distribution switches."""
        weight = self.family.path_pair_weight
        groups = max(1, ceil(racks / self.family.switches_per_distribution))
        distributions = [self.add("distribution-switch", 2) for _ in range(groups)]
        for pair in distributions:
            room = self.pick(rooms)
            for switch in pair:
                self.need(switch, room, 0.9, physical=True)
                for core in cores:
                    self._linked(switch, core, 0.95 if len(cores) == 1 else weight)
        access = self.add("access-switch", racks)
        for rack, switch in enumerate(access):
            self.need(switch, power[rack], 0.9, physical=True)
            for distribution in distributions[rack % groups]:
                self._linked(switch, distribution, weight)
        return access

    def _machines(self, hosts: list[int], arrays: list[int], power: list[int], access: list[int]) -> None:
        for position, machine in enumerate([*hosts, *arrays]):
            rack = position % len(access)
            self.need(machine, power[rack], 0.5 if self.chance(0.5) else 0.9, physical=True)
            if self.chance(self.family.dual_homed) or position >= len(hosts):
                self._linked(machine, access[rack], 0.35)
                self._linked(machine, access[(rack + 1) % len(access)], 0.35)
            else:
                self._linked(machine, access[rack], 0.95)

    def _linked(self, node: int, other: int, weight: float) -> None:
        link = self.add("link")[0]
        self.need(node, link, weight, physical=True)
        self.need(link, other, 0.97, physical=True)

    def world(self) -> World:
        names: list[str] = []
        kind = np.empty(self.count, np.int16)
        numbers = dict.fromkeys(KINDS, 0)
        for what, number in self.kinds:
            prefix, first = _PREFIXES.get(what, what), numbers[what] + 1
            kind[len(names) : len(names) + number] = KINDS.index(what)
            names.extend(f"{prefix}-{first + at}" for at in range(number))
            numbers[what] += number
        odds = np.array([KIND_ODDS[name] for name in KINDS])[kind]
        spread = np.exp(self.rng.normal(0.0, self.family.prior_spread, self.count))
        needing, to = np.array(self.needing, np.int32), np.array(self.needed, np.int32)
        weights = np.array(self.weights) * self.rng.uniform(0.95, 1.0, len(self.weights))
        edges = Edges.of(self.count, needing, to, weights.astype(np.float32), np.array(self.physical, np.bool_))
        return World(
            tuple(names),
            KINDS,
            kind,
            np.minimum(BASE_PRIOR * odds * spread, 0.05).astype(np.float32),
            edges,
            draw_probes(names, kind, KINDS, density=self.family.probe_density, rng=self.rng),
            self._indicators(names),
        )

    def _indicators(self, names: list[str]) -> Indicators:
        ids = [f"{names[business]}@{region}" for business in self.businesses for region in REGIONS]
        needs = [(business, entry) for business in self.businesses for entry in self.entries]
        start: IntArray = np.arange(0, 2 * len(ids) + 1, 2, dtype=np.int32)
        return Indicators(ids, start, np.array(needs, np.int32).reshape(-1))
