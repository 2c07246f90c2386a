"""An enterprise made up for discovery: who serves what, who calls whom, and all that is neither. Deterministic."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

import numpy as np

from btimd.flows.attribution import Attribution
from btimd.flows.conversations import Traffic, build_traffic
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.flows.suggest import Where
from btimd.model.address import address_halves
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.service import ServiceRule

T0 = 1_700_000_040_000
MINUTE = 60_000
TCP, UDP = 6, 17
PLAN = (
    PlanEntry("10.0.0.0/8", "headquarters", "", "", 2),
    PlanEntry("10.1.0.0/16", "north", "", "", 3),
    PlanEntry("10.2.0.0/16", "south", "", "", 4),
    PlanEntry("10.3.0.0/16", "east", "", "", 5),
    PlanEntry("10.20.0.0/16", "data centre", "servers", "", 6),
)
SYN, SYN_ACK_DATA, RST_ACK = 0x02, 0x1B, 0x14


@dataclass
class Records:
    """Collects flow records column by column."""

    rows: list[tuple[int, ...]] = field(default_factory=list)

    def one(
        self, source: str, source_port: int, target: str, target_port: int, *, at: int, lasts: int = 100,
        octets: int = 1500, packets: int = 8, protocol: int = TCP, flags: int = SYN_ACK_DATA,
    ) -> None:  # fmt: skip
        near, far = address_halves(source), address_halves(target)
        self.rows.append((
            at, at + lasts, *near, *far, source_port, target_port, protocol, octets, packets,
            flags if protocol == TCP else 0,
        ))  # fmt: skip

    def both(
        self, client: str, client_port: int, server: str, port: int, *, at: int, lasts: int = 100, octets: int = 5000,
        packets: int = 10, protocol: int = TCP,
    ) -> None:  # fmt: skip
        """Add a connection with its answer, which begins a millisecond later."""
        self.one(
            client,
            client_port,
            server,
            port,
            at=at,
            lasts=lasts,
            octets=octets // 4,
            packets=packets,
            protocol=protocol,
        )
        self.one(
            server, port, client, client_port, at=at + 1, lasts=lasts, octets=octets, packets=packets, protocol=protocol
        )

    def batch(self) -> FlowBatch:
        names = (
            "flow_start_milliseconds", "flow_end_milliseconds", "source_address_hi", "source_address_lo",
            "destination_address_hi", "destination_address_lo", "source_transport_port", "destination_transport_port",
            "protocol_identifier", "octet_delta_count", "packet_delta_count", "tcp_control_bits",
        )  # fmt: skip
        columns = list(zip(*sorted(self.rows), strict=True))
        return FlowBatch.of(**{name: np.array(column) for name, column in zip(names, columns, strict=True)})


@dataclass(frozen=True)
class Truth:
    """services: name -> (servers, ports). edges: client service -> server service. noise: addresses that serve nobody."""

    services: dict[str, tuple[frozenset[str], frozenset[int]]]
    edges: frozenset[tuple[str, str]]
    shared: frozenset[str]


TRUTH = Truth(
    services={
        "erp-web": (frozenset({"10.20.1.10", "10.20.1.11"}), frozenset({443})),
        "erp-app": (frozenset({"10.20.2.10", "10.20.2.11"}), frozenset({8080})),
        "erp-db": (frozenset({"10.20.3.10"}), frozenset({1521})),
        "hr-web": (frozenset({"10.20.1.20"}), frozenset({443})),
        "hr-db": (frozenset({"10.20.3.20"}), frozenset({3306})),
        "crm-web": (frozenset({"10.20.1.30"}), frozenset({80, 8443})),
        "crm-app": (frozenset({"10.20.2.30"}), frozenset({8009})),
        "crm-mq": (frozenset({"10.20.2.40"}), frozenset({1414})),
        "crm-db": (frozenset({"10.20.3.30"}), frozenset({5432})),
        "mail": (frozenset({"10.20.1.40"}), frozenset({25, 143, 993})),
        "files": (frozenset({"10.20.1.50"}), frozenset({21})),
        "custom": (frozenset({"10.20.1.60"}), frozenset({45_678})),
        "portal": (frozenset({"10.20.1.70"}), frozenset({443})),
        "dns": (frozenset({"10.20.0.53", "10.20.0.54"}), frozenset({53})),
        "ldap": (frozenset({"10.20.0.60", "10.20.0.61"}), frozenset({389})),
        "ntp": (frozenset({"10.20.0.53"}), frozenset({123})),
    },
    edges=frozenset({
        ("erp-web", "erp-app"), ("erp-app", "erp-db"), ("hr-web", "hr-db"), ("crm-web", "crm-app"),
        ("crm-app", "crm-mq"), ("crm-app", "crm-db"), ("mail", "ldap"), ("erp-app", "ldap"),
    }),
    shared=frozenset({"dns", "ldap", "ntp"}),
)  # fmt: skip
SERVERS = tuple(sorted({server for servers, _ in TRUTH.services.values() for server in servers}))
MONITOR, BACKUP, SCANNER, ADMIN = "10.20.9.5", "10.20.9.6", "10.1.200.9", "10.1.0.7"
USERS = tuple(f"10.{region}.{block}.{host}" for region in (1, 2, 3) for block in (0, 1) for host in range(10, 60))


class _World:
    def __init__(self, seed: int, minutes: int) -> None:
        self.random = Random(seed)
        self.out = Records()
        self.minutes = minutes
        self.end = T0 + minutes * MINUTE
        self.pool: dict[tuple[str, str, int], dict[int, int]] = {}

    def port(self) -> int:
        return self.random.randrange(32_768, 60_999)

    def moment(self) -> int:
        return T0 + self.random.randrange(self.minutes * MINUTE - 5000)

    def call(self, client: str, server: str, port: int, at: int, *, octets: int = 5000, protocol: int = TCP) -> None:
        size = int(octets * self.random.uniform(0.6, 1.6))
        self.out.both(
            client, self.port(), server, port, at=at, lasts=self.random.randrange(20, 900), octets=size,
            packets=2 if protocol == UDP else max(7, size // 700), protocol=protocol,
        )  # fmt: skip

    def pooled(self, client: str, server: str, port: int, at: int) -> None:
        """Note work on a connection that stays open; its records come a minute at a time."""
        by_minute = self.pool.setdefault((client, server, port), {})
        minute = (at - T0) // MINUTE
        by_minute[minute] = by_minute.get(minute, 0) + 1

    def pooled_records(self) -> None:
        for number, ((client, server, port), by_minute) in enumerate(sorted(self.pool.items())):
            for minute in range(self.minutes):
                packets = 2 + 6 * by_minute.get(minute, 0)
                self.out.both(
                    client, 33_000 + number, server, port, at=T0 + minute * MINUTE, lasts=MINUTE - 2,
                    octets=packets * 300, packets=packets,
                )  # fmt: skip

    def people(self) -> None:  # noqa: C901, PLR0912  one habit after the other
        choose = self.random
        for user in USERS:
            for _ in range(6):
                self.call(user, f"10.20.0.{choose.choice((53, 54))}", 53, self.moment(), octets=150, protocol=UDP)
            for _ in range(3):
                self.call(user, f"10.20.0.{choose.choice((60, 61))}", 389, self.moment(), octets=2000)
            self.call(user, "10.20.0.53", 123, self.moment(), octets=90, protocol=UDP)
            for _ in range(choose.randrange(4, 9)):
                self.erp(user, self.moment())
            if choose.random() < 0.4:
                for _ in range(5):
                    at = self.moment()
                    self.call(user, "10.20.1.20", 443, at, octets=9000)
                    self.pooled("10.20.1.20", "10.20.3.20", 3306, at + 40)
            if user.startswith("10.3."):
                for _ in range(5):
                    self.crm(user, self.moment())
            for _ in range(4):
                at = self.moment()
                self.call(user, "10.20.1.40", choose.choice((143, 993)), at, octets=20_000)
                if choose.random() < 0.5:
                    self.call(user, "10.20.1.40", 25, at + 900, octets=40_000)
                if choose.random() < 0.5:
                    self.call("10.20.1.40", "10.20.0.60", 389, at + 30, octets=2000)
            for _ in range(choose.randrange(3)):
                self.call(user, "10.20.1.70", 443, self.moment(), octets=60_000)
            for _ in range(3):
                self.call(user, f"203.0.113.{choose.randrange(1, 250)}", 443, self.moment(), octets=30_000)
        for user in USERS[:24]:
            for _ in range(4):
                at = self.moment()
                self.call(user, "10.20.1.50", 21, at, octets=900)
                self.call(user, "10.20.1.50", choose.randrange(50_000, 51_000), at + 400, octets=900_000)
        for user in USERS[100:160]:
            for _ in range(4):
                self.call(user, "10.20.1.60", 45_678, self.moment(), octets=3000)

    def erp(self, user: str, at: int) -> None:
        web, app = f"10.20.1.{self.random.choice((10, 11))}", f"10.20.2.{self.random.choice((10, 11))}"
        self.call(user, web, 443, at, octets=30_000)
        self.call(web, app, 8080, at + 20, octets=8000)
        self.pooled(app, "10.20.3.10", 1521, at + 40)
        if self.random.random() < 0.1:
            self.call(app, "10.20.0.61", 389, at + 50, octets=2000)

    def crm(self, user: str, at: int) -> None:
        if self.random.random() < 0.4:
            self.call(user, "10.20.1.30", 80, at, octets=900)
        self.call(user, "10.20.1.30", 8443, at + 60, octets=15_000)
        self.call("10.20.1.30", "10.20.2.30", 8009, at + 90, octets=9000)
        self.pooled("10.20.2.30", "10.20.3.30", 5432, at + 120)
        if self.random.random() < 0.5:
            self.call("10.20.2.30", "10.20.2.40", 1414, at + 140, octets=2500)

    def machines(self) -> None:
        for minute in range(0, self.minutes, 2):
            for number, server in enumerate(SERVERS):
                at = T0 + minute * MINUTE + number * 30
                self.call(MONITOR, server, 10_050, at, octets=700)
                port = next(min(ports) for servers, ports in TRUTH.services.values() if server in servers)
                self.call(MONITOR, server, port, at + 900, octets=1200, protocol=UDP if port == 53 else TCP)
                self.call(server, f"10.20.0.{self.random.choice((53, 54))}", 53, at + 500, octets=150, protocol=UDP)
                if minute % 16 == 0:
                    self.call(server, "10.20.0.53", 123, at + 700, octets=90, protocol=UDP)
        for number, server in enumerate(SERVERS):
            self.call(BACKUP, server, 1556, T0 + (5 + number) * MINUTE // 2, octets=80_000_000)
            self.call(ADMIN, server, 22, self.moment(), octets=9000)

    def noise(self) -> None:
        choose = self.random
        for number in range(3000):
            target, port = f"10.20.{choose.randrange(10)}.{choose.randrange(1, 255)}", choose.randrange(1, 10_000)
            at = T0 + number * 100
            self.out.one(SCANNER, 44_444, target, port, at=at, octets=44, packets=1, flags=SYN)
            if choose.random() < 0.3:
                self.out.one(target, port, SCANNER, 44_444, at=at + 1, octets=40, packets=1, flags=RST_ACK)
        peers = [(user, choose.randrange(20_000, 60_000)) for user in USERS[30:50]]
        for user, _ in peers:
            for peer, port in choose.sample(peers, 12):
                if peer != user:
                    for _ in range(2):
                        self.call(user, peer, port, self.moment(), octets=400_000)
        for _ in range(150):
            one, other = choose.sample(USERS, 2)
            self.out.both(
                one, choose.randrange(16_384, 32_767), other, choose.randrange(16_384, 32_767), at=self.moment(),
                lasts=60_000, octets=900_000, packets=4000, protocol=UDP,
            )  # fmt: skip


@functools.cache
def world(seed: int = 1, minutes: int = 120) -> FlowBatch:
    """Return the records of two hours, in order of time."""
    made = _World(seed, minutes)
    made.people()
    made.machines()
    made.noise()
    made.pooled_records()
    return made.out.batch()


def attribution(rules: Sequence[ServiceRule] = (), businesses: Sequence[str] = ()) -> Attribution:
    plan, problems = compile_plan(PLAN, 1)
    assert not problems
    return Attribution(plan, rules, businesses, 1)


def where(found: Attribution) -> Where:
    return Where(found.plan, lambda hi, lo: found.segments.row[found.segments.locate(hi, lo)])


def attributed(batch: FlowBatch, found: Attribution, step: int = 20_000) -> Iterator[AttributedBatch]:
    order = np.arange(len(batch))
    for begin in range(0, len(batch), step):
        yield found.attribute(batch.select((order >= begin) & (order < begin + step)))


def traffic(batch: FlowBatch, found: Attribution, *, by_evidence: bool = True) -> Traffic:
    names = [rule.id for rule in found.rules]
    return build_traffic(attributed(batch, found), names, 200_000, by_evidence=by_evidence)


def addresses(prefixes: Iterable[str]) -> frozenset[str]:
    """Return the addresses of some small IPv4 prefixes."""
    from ipaddress import ip_network

    return frozenset(str(address) for prefix in prefixes for address in ip_network(prefix))
