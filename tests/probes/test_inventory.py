"""Inventory against real agents: snmpd, and snmpsim playing switches."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from btimd.model.topology import DeviceFacts
from btimd.probes.inventory import Inventory
from btimd.probes.settings import SnmpDefaultSettings
from btimd.probes.snmp import SnmpClient
from btimd.probes.snmpsession import Answered, Get
from btimd.probes.snmptargets import Community, Target
from btimd.runtime.clock import SystemClock
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.probes import snmpagents
from tests.probes.snmpdevices import cisco, huawei, write_records
from tests.probes.snmplldp import lldp_agent, neighbours_in, wire
from tests.programs import need_as_root


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

    async def until(self, holds: Callable[[], bool], within_seconds: float = PATIENCE_SECONDS) -> None:
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


@pytest.mark.slow
@pytest.mark.real_server
async def test_the_agent_itself_counts_no_more_requests_than_the_budget(tmp_path: Path) -> None:
    async with snmpagents.snmpd(tmp_path) as port:
        target = snmpagents.target(port, requests_per_second=20.0)
        before = await packets_seen(port)
        clock = SystemClock()
        began_at = clock.monotonic()
        facts = await Harness((target,)).once()
        took = clock.monotonic() - began_at
        seen = await packets_seen(port) - before - 1  # the question for the counter itself

    assert facts.error == ""
    assert facts.requests == seen
    assert seen <= 20.0 * took + 1
    assert seen < 40


async def packets_seen(port: int) -> int:
    client = SnmpClient()
    answer = await client.ask(snmpagents.target(port), Get((snmpagents.SNMP_IN_PACKETS,)))
    client.close()
    await asyncio.sleep(0)
    assert isinstance(answer, Answered)
    count = answer.varbinds[0][1]
    assert isinstance(count, int)
    return count


@pytest.mark.slow
@pytest.mark.real_server
async def test_counters_move_and_a_silent_device_does_not_hold_up_others(tmp_path: Path) -> None:
    async with snmpagents.simulator(tmp_path, huawei=huawei()) as port:
        good = snmpagents.target(port, "huawei", name="core", counters_every=0.3, every=60.0, groups=("lldp",))
        dead = snmpagents.target(1, name="dead", counters_every=0.3, timeout=0.2, retries=1)
        harness = Harness((good, dead))
        healths = []

        def heard_enough() -> bool:
            healths.append(harness.inventory.health())
            by_name = [facts.name for facts in harness.facts]
            counters = {"poll": "counters", "result": "whole"}
            return (
                by_name.count("core") >= 3
                and by_name.count("dead") >= 2
                and harness.metrics.value("btimd_probes_snmp_polls_total", counters) >= 2
            )

        await harness.until(heard_enough)

    core = [facts for facts in harness.facts if facts.name == "core"]
    octets = [facts.interfaces[0].in_octets or 0 for facts in core]
    times = [facts.interfaces[0].counters_at for facts in core]
    assert all(earlier < later for earlier, later in itertools.pairwise(octets))
    assert all(earlier < later for earlier, later in itertools.pairwise(times))
    assert core[-1].neighbours == core[0].neighbours != ()
    dead_facts = next(facts for facts in harness.facts if facts.name == "dead")
    assert (dead_facts.requests, dead_facts.interfaces) == (2, ())
    assert dead_facts.error.startswith("dead (127.0.0.1:1) asked with SNMPv2c: no answer to 2 requests; it is down or")
    assert healths[-1].level is HealthLevel.WARNING
    assert healths[-1].reason == "1 of 2 devices do not answer SNMP: dead (127.0.0.1:1)"
    metrics = harness.metrics
    assert metrics.value("btimd_probes_snmp_timeouts_total") >= 4
    assert metrics.value("btimd_probes_snmp_requests_total") == sum(
        max(facts.requests for facts in harness.facts if facts.name == name) for name in ("core", "dead")
    )
    assert metrics.value("btimd_probes_snmp_octets_total") > 10_000
    assert metrics.value("btimd_probes_snmp_polls_total", {"poll": "counters", "result": "whole"}) >= 2
    assert metrics.value("btimd_probes_snmp_polls_total", {"poll": "everything", "result": "error"}) >= 2
    assert (metrics.value("btimd_probes_snmp_devices"), metrics.value("btimd_probes_snmp_silent_devices")) == (2, 1)


@pytest.mark.slow
@pytest.mark.real_server
async def test_changes_are_told_and_facts_outlive_a_silence(tmp_path: Path) -> None:
    port_down = [replace(record, value=2) if record.oid == "1.3.6.1.2.1.2.2.1.8.6" else record for record in huawei()]
    async with snmpagents.simulator(tmp_path, device=huawei()) as port:
        target = snmpagents.target(port, "device", name="core", timeout=4.0, retries=0)
        harness = Harness((target,))
        harness.inventory.swap((target,), harness.settings)
        first = await harness.inventory.ask_once(target)
        write_records(port_down, tmp_path / "data" / "device.snmprec")
        second = await harness.inventory.ask_once(target)
    third = await harness.inventory.ask_once(target)  # the agent is gone
    await harness.inventory.stop()

    assert (first.error, second.error) == ("", "")
    assert harness.changes == [("core", "interface XGigabitEthernet0/0/2 went down")]
    assert third.error.startswith("core (127.0.0.1:")
    assert (third.neighbours, third.sys_name) == (second.neighbours, "core-1")
    assert harness.facts == [first, second, third]


async def test_exporters_are_asked_once_each_and_up_to_a_bound() -> None:
    settings = SnmpDefaultSettings(max_exporters=2)
    harness = Harness(
        (snmpagents.target(1, name="core"),), settings, exporter=lambda address: Target("", address, Community(b"x"))
    )
    for address in ("127.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3"):
        harness.inventory.exporter_seen(address)

    assert harness.metrics.value("btimd_probes_snmp_refused_exporters_total") == 1
    assert harness.metrics.value("btimd_probes_snmp_devices") == 3
    harness.inventory.swap((), settings)
    assert harness.metrics.value("btimd_probes_snmp_devices") == 0


async def test_an_exporter_without_usable_credentials_is_counted() -> None:
    def refuses(_: str) -> Target:
        raise ValueError("version 2c needs community_file; write the file that holds the community")

    harness = Harness((), exporter=refuses)
    harness.inventory.exporter_seen("10.0.0.1")

    assert harness.metrics.value("btimd_probes_snmp_refused_exporters_total") == 1
    assert harness.inventory.devices() == ()


@pytest.mark.slow
async def test_what_fails_in_a_listener_is_counted_and_stops_nothing() -> None:
    harness = Harness((snmpagents.target(1, timeout=0.2, retries=0, counters_every=0.1),))

    def fails(_: DeviceFacts) -> None:
        raise RuntimeError("bug")

    harness.inventory._on_facts = fails
    await harness.once()
    await harness.once()

    assert harness.metrics.value("btimd_probes_snmp_failures_total") == 2


async def two_ends(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what the agents at both ends of a wire tell of neighbours."""
    with wire() as names:
        async with contextlib.AsyncExitStack() as stack:
            agents = {}
            for name in names:
                (folder / name).mkdir()
                agents[name] = await stack.enter_async_context(lldp_agent(folder / name, name))
            told = await asyncio.gather(*(neighbours_in(name, port) for name, port in agents.items()))
            return dict(zip(names, told, strict=True))


@pytest.mark.slow
@pytest.mark.net
@pytest.mark.real_server
async def test_neighbours_find_each_other_by_lldp(tmp_path: Path) -> None:
    need_as_root("ip", "snmpd", "lldpd", "lldpcli")
    found = await two_ends(tmp_path)

    left, right = found
    assert {name: [one["interface"] for one in neighbours] for name, neighbours in found.items()} == {
        left: ["wire0"],
        right: ["wire0"],
    }
    assert all(one["port"] == "wire0" and len(one["chassis"]) == 12 for few in found.values() for one in few)
    assert found[left][0]["address"] == "10.213.0.2"
    assert found[right][0]["address"] == "10.213.0.1"
