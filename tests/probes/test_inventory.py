"""Inventory against real agents: snmpd, and snmpsim playing switches."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from btimd.model.topology import DeviceFacts
from btimd.probes.inventory import Inventory
from btimd.probes.settings import SnmpDefaultSettings
from btimd.probes.snmptargets import Target
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.probes import snmpagents
from tests.probes.snmpdevices import cisco, huawei


@dataclass
class Harness:
    """An inventory and what it said."""

    targets: tuple[Target, ...]
    settings: SnmpDefaultSettings = field(default_factory=SnmpDefaultSettings)
    exporter: Callable[[str], Target] | None = None
    metrics: Metrics = field(default_factory=Metrics)
    facts: list[DeviceFacts] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.said = asyncio.Event()
        self.inventory = Inventory(
            settings=self.settings,
            targets=self.targets,
            metrics=self.metrics,
            clock=SystemClock(),
            log=Log("test"),
            on_facts=self._take,
            on_change=lambda device, text: self.changes.append((device, text)),
            exporter=self.exporter,
        )

    def _take(self, facts: DeviceFacts) -> None:
        self.facts.append(facts)
        self.said.set()

    async def until(self, holds: Callable[[], bool], within_seconds: float = 30.0) -> None:
        """Run the component until something holds."""
        await self.inventory.start()
        running = asyncio.create_task(self.inventory.run())
        try:
            async with asyncio.timeout(within_seconds):
                while not holds():
                    self.said.clear()
                    await self.said.wait()
        finally:
            running.cancel()
            await asyncio.wait([running])
            await self.inventory.stop()

    async def once(self) -> DeviceFacts:
        try:
            return await self.inventory.ask_once(self.targets[0])
        finally:
            await self.inventory.stop()


@pytest.mark.slow
@pytest.mark.real_server
async def test_two_switches_tell_of_each_other(tmp_path: Path) -> None:
    async with snmpagents.simulator(tmp_path, cisco=cisco(), huawei=huawei()) as port:
        access = await Harness((snmpagents.target(port, "cisco", name="access"),)).once()
        core = await Harness((snmpagents.target(port, "huawei", name="core"),)).once()

    uplink = {one.index: one for one in access.interfaces}[10125]
    assert (access.sys_name, access.model, access.serial) == ("sw-access-1", "WS-C2960X-24TS-L", "FOC1234X0AB")
    assert (uplink.name, uplink.speed, uplink.hc, uplink.addresses) == ("Te1/1/1", 10**10, True, ("10.0.0.1/24",))
    assert uplink.in_octets is not None
    assert uplink.in_octets >= 1 << 40
    assert [(one.interface, one.name, one.port) for one in access.neighbours] == [
        (10125, "core-1", "XGigabitEthernet0/0/1"),
        (10101, "SEP020000000001", "Port 1"),
    ]
    assert [(one.interface, one.chassis, one.port) for one in core.neighbours] == [(5, access.chassis, "Te1/1/1")]
    assert (len(access.fdb), len(core.fdb), access.partial, core.partial) == (40, 300, (), ())
    assert access.requests < 60
    assert core.requests < 60
