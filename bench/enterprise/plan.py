r"""The enterprise on paper: hosts, wires, addresses and routes. Nothing here runs.

    north (10.77.10.0/24) - accn ===== wan1 ----- core - sw1 - rack a: lb1 web1 app1 db1 cache1   (10.77.100.0/24)
                               \        |         /  |
                                ------- wan2 ------   |- sw2 - rack b: web2 app2 ldap1 dns1 mail1 mq1 (10.77.101.0/24)
    south (10.77.20.0/24) - accs ------/              |- pdu, the racks' power          (10.77.102.0/24)
                                                      |- this machine, where btimd runs (10.77.250.0/24)

accn has two ways: over wan1 and, where that is gone, over wan2. accs has one.
"""

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "btent-"
"""Every namespace of the enterprise, its folder and its wire to this machine begin so."""
ZONE: Final = "corp.test"
NETWORK: Final = "10.77.0.0/16"
COLLECTOR: Final = "10.77.250.2"
COLLECTOR_WIRE: Final = f"{PREFIX}col"

SHOP_PORT, ERP_PORT, WORKER_PORT, AGENT_PORT, BEACON_PORT, PDU_PORT = 8080, 8080, 8082, 6556, 8099, 8080
METRICS_PORT: Final = 15692
"""Where RabbitMQ tells its figures."""
BUSINESSES: Final = ("shop", "erp", "mail", "directory")
REGIONS: Final = ("north", "south")


@dataclass(frozen=True, slots=True)
class Server:
    """A host of the server racks."""

    name: str
    address: str
    rack: str

    @property
    def gateway(self) -> str:
        """Address of the core router on its segment."""
        return self.address.rsplit(".", 1)[0] + ".1"

    @property
    def switch(self) -> str:
        """The switch of its rack."""
        return {"a": "sw1", "b": "sw2"}[self.rack]


SERVERS: Final = (
    Server("lb1", "10.77.100.10", "a"),
    Server("web1", "10.77.100.11", "a"),
    Server("app1", "10.77.100.20", "a"),
    Server("db1", "10.77.100.30", "a"),
    Server("cache1", "10.77.100.60", "a"),
    Server("web2", "10.77.101.12", "b"),
    Server("app2", "10.77.101.21", "b"),
    Server("mail1", "10.77.101.25", "b"),
    Server("ldap1", "10.77.101.40", "b"),
    Server("mq1", "10.77.101.50", "b"),
    Server("dns1", "10.77.101.53", "b"),
)
ADDRESS: Final = {server.name: server.address for server in SERVERS} | {
    "sw1": "10.77.100.2",
    "sw2": "10.77.101.2",
    "pdu": "10.77.102.2",
    "core": "10.77.250.1",
    "wan1": "10.77.1.2",
    "wan2": "10.77.1.6",
    "accn": "10.77.10.1",
    "accs": "10.77.20.1",
    "north": "10.77.10.10",
    "south": "10.77.20.10",
}
SWITCHES: Final = ("sw1", "sw2")
ROUTERS: Final = ("core", "wan1", "wan2", "accn", "accs")
BRANCHES: Final = ("north", "south")
USERS_PER_BRANCH: Final = 4
DISKS: Final = {"db1": 300 << 20, "mail1": 64 << 20}
"""Hosts with a file system of their own, `disk` in their folder, and its octets."""
HOSTS: Final = (*(server.name for server in SERVERS), *SWITCHES, *ROUTERS, *BRANCHES, "pdu")


@dataclass(frozen=True, slots=True)
class Wire:
    """A cable between two hosts, with the addresses of its ends; "" = a port of a switch."""

    left: str
    left_address: str
    right: str
    right_address: str

    def port(self, host: str) -> str:
        """Return the name of a host's end."""
        return f"to-{self.right if host == self.left else self.left}"


WIRES: Final = (
    Wire("core", "10.77.1.1/30", "wan1", "10.77.1.2/30"),
    Wire("core", "10.77.1.5/30", "wan2", "10.77.1.6/30"),
    Wire("wan1", "10.77.1.9/30", "wan2", "10.77.1.10/30"),
    Wire("wan1", "10.77.1.13/30", "accn", "10.77.1.14/30"),
    Wire("wan2", "10.77.1.17/30", "accn", "10.77.1.18/30"),
    Wire("wan2", "10.77.1.21/30", "accs", "10.77.1.22/30"),
    Wire("accn", "10.77.10.1/24", "north", "10.77.10.10/24"),
    Wire("accs", "10.77.20.1/24", "south", "10.77.20.10/24"),
    Wire("core", "10.77.100.1/24", "sw1", ""),
    Wire("core", "10.77.101.1/24", "sw2", ""),
    Wire("core", "10.77.102.1/24", "pdu", "10.77.102.2/24"),
    *(Wire(server.switch, "", server.name, f"{server.address}/24") for server in SERVERS),
)

ROUTES: Final[dict[str, tuple[str, ...]]] = {
    "core": (
        "10.77.10.0/24 via 10.77.1.2 metric 10", "10.77.10.0/24 via 10.77.1.6 metric 20",
        "10.77.20.0/24 via 10.77.1.6 metric 10", "10.77.20.0/24 via 10.77.1.2 metric 20",
        "10.77.1.12/30 via 10.77.1.2", "10.77.1.8/30 via 10.77.1.2",
        "10.77.1.16/30 via 10.77.1.6", "10.77.1.20/30 via 10.77.1.6",
    ),
    "wan1": (
        "default via 10.77.1.1 metric 10", "default via 10.77.1.10 metric 20",
        "10.77.10.0/24 via 10.77.1.14 metric 10", "10.77.10.0/24 via 10.77.1.10 metric 20",
        "10.77.20.0/24 via 10.77.1.10", "10.77.1.16/30 via 10.77.1.10", "10.77.1.20/30 via 10.77.1.10",
    ),
    "wan2": (
        "default via 10.77.1.5 metric 10", "default via 10.77.1.9 metric 20",
        "10.77.10.0/24 via 10.77.1.18 metric 10", "10.77.10.0/24 via 10.77.1.9 metric 20",
        "10.77.20.0/24 via 10.77.1.22", "10.77.1.12/30 via 10.77.1.9",
    ),
    "accn": ("default via 10.77.1.13 metric 10", "default via 10.77.1.17 metric 20"),
    "accs": ("default via 10.77.1.21",),
    "north": ("default via 10.77.10.1",),
    "south": ("default via 10.77.20.1",),
    "sw1": ("default via 10.77.100.1",),
    "sw2": ("default via 10.77.101.1",),
    "pdu": ("default via 10.77.102.1",),
    **{server.name: (f"default via {server.gateway}",) for server in SERVERS},
}  # fmt: skip

NAMES: Final = {
    **{f"{server.name}.{ZONE}": server.address for server in SERVERS},
    f"shop.{ZONE}": ADDRESS["lb1"],
    f"erp.{ZONE}": ADDRESS["app2"],
    f"mail.{ZONE}": ADDRESS["mail1"],
    f"directory.{ZONE}": ADDRESS["ldap1"],
}
"""What the name server knows."""


def rack(name: str) -> tuple[str, ...]:
    """Return the hosts of a rack."""
    return tuple(server.name for server in SERVERS if server.rack == name)


def wire_between(one: str, other: str) -> Wire:
    """Return the cable between two hosts."""
    return next(wire for wire in WIRES if {wire.left, wire.right} == {one, other})
