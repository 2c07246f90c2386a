"""A TopologyView that answers what it was given, and notes what it was asked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from btimd.model.topology import (
    BusinessShare,
    Device,
    DeviceInterface,
    DeviceState,
    DuplicationRow,
    FactSource,
    InterfaceLoad,
    Link,
    PathHop,
    TopologyView,
)

START = 1_790_000_040_000
SHARES = (BusinessShare("backup", 4_900_000_000, 653e6, 0.71), BusinessShare("erp", 1_400_000_000, 187e6, 0.2))
LOAD_OUT = InterfaceLoad(
    "core", 1, "Gi0/1", "out", START, 60_000, 1_000_000_000, 0.92, 920e6, 870e6, 0.945, sampled=False, shares=SHARES
)
LOAD_IN = InterfaceLoad("core", 1, "Gi0/1", "in", START, 60_000, 1_000_000_000, 0.05, 50e6, 48e6, 0.96, sampled=False)
LINK = Link(
    "core:Gi0/1--edge1:Gi0/48", "core", 1, "Gi0/1", "edge1", 48, "Gi0/48", (FactSource.CDP, FactSource.LLDP),
    1_000_000_000, oper_up=True, last_seen_milliseconds=START, loads=(LOAD_IN, LOAD_OUT),
)  # fmt: skip
DEVICE = Device(
    "core", ("10.0.0.1",), DeviceState.UP, "core.corp.test", "Big switch", "Room 1", "X9300", "S1", 90_000.0,
    ("10.0.0.1",), 48, told_milliseconds=START,
)  # fmt: skip
INTERFACE = DeviceInterface(
    "core", 1, "Gi0/1", "GigabitEthernet0/1", "to edge1", "aa0000000001", ("10.0.0.1/24",), 1_000_000_000, "snmp",
    admin_up=True, oper_up=True, sources=("snmp", "flow"), neighbours=("edge1 Gi0/48",), loads=(LOAD_IN, LOAD_OUT),
)  # fmt: skip
HOP = PathHop(
    "core", DeviceState.UP, 1, "Gi0/1", "out", START, 60_000, 1_400_000_000, 187e6, 0.2, sampled=False, derived=True,
    utilisation=0.92, oper_up=True, far_device="edge1", far_interface_name="Gi0/48", state="bad", remarks=("92% full",),
    lines_to_servers=2,
)  # fmt: skip
DUPLICATION = DuplicationRow(START, 60_000, "*", "erp", 100, 1_000_000, 90, 990_000, 1.99)


@dataclass
class FakeTopology(TopologyView):
    """Knows the device "core" only."""

    asked: list[tuple[str | None, ...]] = field(default_factory=list)
    link_rows: list[Link] = field(default_factory=lambda: [LINK])

    @override
    def devices(self, *, limit: int) -> Sequence[Device]:
        """Return the one."""
        return [DEVICE][:limit]

    @override
    def interfaces(self, *, device: str | None, limit: int) -> Sequence[DeviceInterface]:
        """Return the one of core."""
        self._must_know(device)
        return [INTERFACE][:limit]

    @override
    def links(self, *, device: str | None, interface: str | None, business: str | None, limit: int) -> Sequence[Link]:
        """Return the rows."""
        self._must_know(device)
        self.asked.append((device, interface, business))
        return self.link_rows[:limit]

    @override
    def business_path(self, business: str, *, limit: int) -> Sequence[PathHop]:
        """Return the one hop of erp."""
        return [HOP][: limit if business == "erp" else 0]

    @override
    def duplication(self, *, business: str | None, exporter: str | None, limit: int) -> Sequence[DuplicationRow]:
        """Return the one row."""
        self.asked.append((business, exporter))
        return [DUPLICATION][:limit]

    @staticmethod
    def _must_know(device: str | None) -> None:
        if device not in {None, "core"}:
            raise KeyError(f"no device {device!r}")
