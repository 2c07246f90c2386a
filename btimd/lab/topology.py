"""The enterprise on paper: businesses, hosts, processes, regions and people. Nothing here runs.

Servers live in 127.20.0.0/16, users in 127.11.0.0/16 (north), 127.12.0.0/16 (east) and 127.13.0.0/16 (south): Linux
answers for every address of 127.0.0.0/8, so each host and each user has an address of its own without any privilege.
ERP and HR share their web host, their application host and one database; core banking shares only DNS and the data
centre with them.
"""

from dataclasses import dataclass
from typing import Final

ZONE: Final = "lab.example"
FIRST_USER: Final = 21
"""Last octet of the first user of a segment."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine: what runs on it has its address and ends with it."""

    id: str
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class ProcessPlan:
    """A process on a host. `port` is tried first; a taken one is replaced by a free one when the process starts."""

    id: str
    name: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class BusinessPlan:
    """A business and the chain that carries it: name -> web -> application -> database."""

    id: str
    name: str
    name_zh: str
    criticality: str
    owner: str
    availability_percent: float
    web: ProcessPlan
    application: ProcessPlan
    database: ProcessPlan

    @property
    def host_name(self) -> str:
        """What users type."""
        return f"{self.id}.{ZONE}"

    @property
    def name_node(self) -> str:
        """Node of the graph that stands for the name's record in DNS."""
        return f"name-{self.id}"


@dataclass(frozen=True, slots=True)
class Segment:
    """A client network of 254 addresses and what its people work with, most used first."""

    region: str
    name: str
    prefix: str
    businesses: tuple[str, ...]
    people: tuple[str, ...]

    def address(self, number: int) -> str:
        """Return the address of the segment's user `number`, counted from 0."""
        return f"{self.prefix}.{FIRST_USER + number}"


HOSTS: Final = (
    Host("host-dns", "name server host", "127.20.0.53"),
    Host("host-web1", "office web host", "127.20.1.10"),
    Host("host-web2", "banking web host", "127.20.1.20"),
    Host("host-app1", "office application host", "127.20.2.10"),
    Host("host-app2", "banking application host", "127.20.2.20"),
    Host("host-db1", "office database host", "127.20.3.10"),
    Host("host-db2", "banking database host", "127.20.3.20"),
)
HOST_ADDRESS: Final = {host.id: host.address for host in HOSTS}
GATEWAY_ADDRESS: Final = "127.20.0.1"
"""The data centre's router: target of the echo check and source address of the flow records."""
AGENT_PORT: Final = 6556

DNS: Final = ProcessPlan("dns1", "name server", "host-dns", 5353)
_DB1: Final = ProcessPlan("db1", "office database", "host-db1", 5432)
_DB2: Final = ProcessPlan("db2", "banking database", "host-db2", 5432)

BUSINESSES: Final = (
    BusinessPlan(
        id="erp", name="ERP", name_zh="企业资源计划", criticality="high", owner="erp-team", availability_percent=99.9,
        web=ProcessPlan("erp-web", "ERP web server", "host-web1", 8080),
        application=ProcessPlan("erp-app", "ERP application", "host-app1", 9080),
        database=_DB1,
    ),
    BusinessPlan(
        id="hr", name="HR portal", name_zh="人力资源门户", criticality="normal", owner="hr-team",
        availability_percent=99.5,
        web=ProcessPlan("hr-web", "HR web server", "host-web1", 8081),
        application=ProcessPlan("hr-app", "HR application", "host-app1", 9081),
        database=_DB1,
    ),
    BusinessPlan(
        id="bank", name="Core banking", name_zh="核心银行系统", criticality="critical", owner="bank-team",
        availability_percent=99.95,
        web=ProcessPlan("bank-web", "banking web server", "host-web2", 8080),
        application=ProcessPlan("bank-app", "banking application", "host-app2", 9080),
        database=_DB2,
    ),
)  # fmt: skip
BUSINESS: Final = {business.id: business for business in BUSINESSES}
DATABASES: Final = (_DB1, _DB2)

SEGMENTS: Final = (
    Segment("north", "north-sales", "127.11.1", ("erp", "hr"), ("Zhang Wei", "Wang Fang")),
    Segment("north", "north-branch", "127.11.2", ("bank", "hr"), ("Liu Yang",)),
    Segment("east", "east-plant", "127.12.1", ("erp", "hr"), ("Chen Jie",)),
    Segment("east", "east-branch", "127.12.2", ("bank", "erp"), ("Zhao Min", "Sun Li")),
    Segment("south", "south-office", "127.13.1", ("hr", "erp", "bank"), ("Li Na",)),
    Segment("south", "south-branch", "127.13.2", ("bank", "hr"), ("Zhou Tao",)),
)
REGION_PREFIX: Final = {"north": "127.11.0.0/16", "east": "127.12.0.0/16", "south": "127.13.0.0/16"}
SERVER_PREFIX: Final = "127.20.0.0/16"


def host_name_of(process: ProcessPlan) -> str:
    """Return the name under which other servers look a process up."""
    return f"{process.id}.{ZONE}"


def agent_of(host: Host) -> ProcessPlan:
    """Return the management agent that runs on a host."""
    return ProcessPlan(f"{host.id}-agent", f"agent of {host.name}", host.id, AGENT_PORT)


def name_table() -> dict[str, str]:
    """Return every name the lab's DNS server knows and its address."""
    names = {business.host_name: HOST_ADDRESS[business.web.host] for business in BUSINESSES}
    processes = [DNS, *DATABASES]
    for business in BUSINESSES:
        processes += [business.web, business.application]
    return names | {host_name_of(process): HOST_ADDRESS[process.host] for process in processes}
